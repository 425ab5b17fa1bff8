"""What a home remembers of those it forgot, on its files."""

from pathlib import Path

import pytest

from dagster_project.forgotten import Forgotten
from dagster_project.home import Home
from models_ml.errors import InputError

ANN, BOB = "ann-0001", "bob-0002"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Ann is forgotten, and the playlist that was hers."""
    home = Home(tmp_path)
    Forgotten(home).remember({ANN}, "listener")
    Forgotten(home).remember({"p9"}, "playlist")
    return home


def test_blank_lines_are_passed_over(home: Home) -> None:
    file = home.root / "forgotten"
    lines = file.read_text().splitlines()
    file.write_text("\n" + "\n  \n".join(lines) + "\n\n")
    forgotten = Forgotten(home)
    assert forgotten.recognised([ANN, BOB], "listener") == {ANN}
    assert forgotten.recognised(["p9", ANN], "playlist") == {"p9"}
    forgotten.remember({BOB}, "listener")
    assert forgotten.recognised([ANN, BOB], "listener") == {ANN, BOB}
    assert set(lines) < set(file.read_text().splitlines())


@pytest.mark.parametrize(
    "line", ["listener", f"user {'0' * 64}", f"listener {'0' * 63}", f"listener {'0' * 64} ann", "listener ann"]
)
def test_a_line_that_stands_for_nobody_is_named_and_nothing_is_written(home: Home, line: str) -> None:
    file = home.root / "forgotten"
    file.write_text(file.read_text() + f"\n{line}\n")
    before = file.read_bytes()
    for call in (Forgotten(home).hashes, lambda kind: Forgotten(home).remember({BOB}, kind)):
        with pytest.raises(InputError, match=r"forgotten: line 4 is .*not `listener` or `playlist` and 64 hex digits"):
            call("listener")
    assert file.read_bytes() == before
