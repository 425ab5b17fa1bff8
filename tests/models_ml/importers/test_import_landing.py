"""What every import promises of the landing folder: the same again changes nothing, a broken one leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.home import REPOSITORY
from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.landing_writer import PART_ROWS, LandingWriter, landing_files
from models_ml.importers.options import FORMATS, ImportOptions
from models_ml.landing.contract import DATASETS
from models_ml.landing.scan import scan_landing
from tests.models_ml.importers.exports import (
    files,
    listen_of,
    playlist_of,
    stream_of,
    write_json,
    write_lines,
)

COUNTS = ImportOptions(user_column="user", item_column="item", count_column="count")


def _counts(path: Path) -> Path:
    path.write_text("user,item,count\nann,Nina Simone,3\n")
    return path


def _scrobbles(path: Path) -> Path:
    path.write_text("artist,track,uts\nNina Simone,Sinnerman,1577882040\n")
    return path


SMALL: dict[str, Callable[[Path], Path]] = {
    "spotify-history": lambda folder: write_json(folder / "endsong_0.json", [stream_of("Sinnerman")]),
    "listenbrainz": lambda folder: write_lines(folder / "1.listens", [listen_of("Sinnerman")]),
    "lastfm": lambda folder: _scrobbles(folder / "scrobbles.csv"),
    "playlists-mpd": lambda folder: write_json(
        folder / "mpd.slice.0-999.json", {"playlists": [playlist_of(1, ["Sinnerman"])]}
    ),
    "play-counts": lambda folder: _counts(folder / "counts.csv"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_import_twice_is_the_same_as_once(tmp_path: Path, name: str) -> None:
    source, landing = SMALL[name](tmp_path), tmp_path / "landing"
    first = import_history(name, [source], landing, COUNTS)
    once = files(landing)
    assert first == import_history(name, [source], landing, COUNTS)
    assert files(landing) == once
    assert set(once) == set(first.landed)


@pytest.mark.parametrize("name", FORMATS)
def test_what_lands_is_what_the_contract_knows(tmp_path: Path, name: str) -> None:
    landing = tmp_path / "landing"
    import_history(name, [SMALL[name](tmp_path)], landing, COUNTS)
    found = scan_landing(landing)
    assert found
    assert [file.error for file in found] == [None] * len(found)
    for file in found:
        assert set(pq.read_schema(file.location).names) <= set(DATASETS[file.dataset].column_names)


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_import_leaves_nothing_and_what_was_there_stays(tmp_path: Path, name: str) -> None:
    source, landing = SMALL[name](tmp_path), tmp_path / "landing"
    import_history("spotify-history", [SMALL["spotify-history"](tmp_path)], landing, ImportOptions(user="other"))
    before = files(landing)

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_history(name, [source], landing, COUNTS, interrupt)
    assert files(landing) == before


def test_an_import_killed_while_it_writes_leaves_only_what_the_next_one_removes(tmp_path: Path) -> None:
    rows = [listen_of(f"Song {number}", at=1_700_000_000 + number) for number in range(150_000)]
    source, landing = write_lines(tmp_path / "1.listens", rows), tmp_path / "landing"
    command = [
        sys.executable,
        "-m",
        "dagster_project.cli",
        "import",
        "listenbrainz",
        str(source),
        "--home",
        str(tmp_path),
    ]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not list(landing.glob("events/.import-*.tmp")):
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it was killed before it was done"
    assert scan_landing(landing) == ()
    import_history("spotify-history", [SMALL["spotify-history"](tmp_path)], landing)
    assert len(files(landing)) == 2, "its own tracks and events"


def test_a_second_import_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    source = SMALL["spotify-history"](tmp_path)
    command = [sys.executable, "-m", "dagster_project.cli", "import", "spotify-history", str(source)]
    with landing_files(tmp_path / "landing", "import-x", "t", said.append):
        child = subprocess.Popen(
            [*command, "--home", str(tmp_path)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stderr is not None
        assert "waiting: another import" in child.stderr.readline()
        assert scan_landing(tmp_path / "landing") == ()
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "events" in output


def test_an_export_that_grew_lands_beside_its_former_self(tmp_path: Path) -> None:
    """Landing files are added, not edited: weeks that read the former file still name it."""
    landing = tmp_path / "landing"
    for rows in ([stream_of("Sinnerman")], [stream_of("Sinnerman"), stream_of("Feeling Good")]):
        import_history("spotify-history", [write_json(tmp_path / "endsong_0.json", rows)], landing)
    assert len(list(landing.glob("events/*.parquet"))) == 2


def test_many_rows_go_into_several_parts_and_fewer_parts_replace_more(tmp_path: Path) -> None:
    def write(writer: LandingWriter, rows: int) -> tuple[str, ...]:
        for _ in range(rows // 2**16):
            writer.add("playlist_tracks", {"playlist_id": ["p"] * 2**16, "track_id": ["t"] * 2**16})
        return writer.commit()

    for parts in (3, 1):
        with landing_files(tmp_path, "import-x", "t", print) as writer:
            names = write(writer, parts * PART_ROWS)
        assert names == tuple(f"playlist_tracks/import-x-{number:04d}.parquet" for number in range(parts))
        assert set(files(tmp_path)) == set(names)


def test_richer_tracks_come_later_by_path_and_chosen_names_later_still(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    for name in FORMATS:
        import_history(name, [SMALL[name](tmp_path)], landing, COUNTS)
    paths = sorted(path.relative_to(landing).as_posix() for path in landing.glob("tracks/**/*.parquet"))
    order = [next(name for name in FORMATS if f"import-{name}-" in path) for path in paths]
    assert order[-2:] == ["playlists-mpd", "listenbrainz"]
    assert paths[-1] < "tracks/catalogue.parquet"


def test_a_path_that_is_not_there_or_a_format_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        import_history("lastfm", [tmp_path / "absent"], tmp_path / "landing")
    with pytest.raises(InputError, match="format 'napster': not known; use one of spotify-history"):
        import_history("napster", [tmp_path], tmp_path / "landing")
    assert files(tmp_path) == {}


def test_the_report_is_a_table_of_what_was_read_landed_and_left_out(tmp_path: Path) -> None:
    rows = [stream_of("Sinnerman"), stream_of("Feeling Good"), stream_of(None, None, episode_name="Episode 1")]
    source = write_json(tmp_path / "endsong_0.json", rows)
    lines = import_history("spotify-history", [source], tmp_path / "landing").lines()
    assert [line.split() for line in lines] == [
        ["read", "rows", "3"],
        ["files", "1"],
        ["landed", "tracks", "2"],
        ["events", "2"],
        ["skipped", "podcast_episode", "1"],
        ["listeners", "me"],
    ]
