"""Tables of feedback weights: the one that is checked in, and what is wrong in others."""

from pathlib import Path

import pytest

from dagster_project.home import WAREHOUSE_PROJECT
from models_ml.errors import InputError
from models_ml.event_weights import PLACES, read_event_weights, weight_differences, weights_hash

SEED = WAREHOUSE_PROJECT / "seeds" / "event_weights.csv"


def _changed(folder: Path, before: str, after: str) -> Path:
    """A copy of the seed with one text in place of another."""
    text = SEED.read_text()
    assert before in text
    path = folder / "weights.csv"
    path.write_text(text.replace(before, after, 1))
    return path


def test_the_checked_in_weights_are_right_by_their_own_rules() -> None:
    rows = read_event_weights(SEED)
    assert len(rows) == len(PLACES) == 8 * 4 + 1


def test_a_skip_may_be_turned_for_that_is_a_what_if(tmp_path: Path) -> None:
    rows = read_event_weights(_changed(tmp_path, "skip,chosen,-1", "skip,chosen,1"))
    assert [row["sign"] for row in rows if row["event_type"] == "skip"] == ["1", "-1", "-1", "-1"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("1,play,chosen", "1,hum,chosen", r"row 2: event_type is 'hum'; it has to be one of dislike, .*unsave"),
        ("1,play,library", "1,play,lobby", r"row 3: context_class is 'lobby'"),
        (
            "play_count,chosen",
            "play_count,library",
            r"row 34: context_class is 'library'; play_count has 'chosen' only",
        ),
        ("skip,chosen,-1", "skip,chosen,-2", r"row 6: sign is '-2'; it has to be 1 or -1"),
        ("1,0.4,60,2", "1,-0.4,60,2", r"row 6: weight is '-0.4'; it has to be a number from 0 on"),
        ("1,0.4,60,2", "1,nan,60,2", r"row 6: weight is 'nan'"),
        ("1,0.4,60,2", "1,0.4,0,2", r"row 6: half_life_days is '0'; it has to be a number of days above 0"),
        ("1,0.4,60,2", "1,0.4,60,0.5", r"row 6: daily_cap is '0.5'; it has to be a whole number from 1 on"),
        ("1,play,library", "1,play,chosen", r"row 3: event_type 'play' in 'chosen' is in row 2 too"),
        ("1,play_count,chosen,1,1.0,,\n", "", r"no row for event_type 'play_count'"),
        ("weights_version", "version", r"columns are version, event_type"),
        ("1,play,chosen,1,1.0,120,3", "1,play,chosen,1,1.0,120", r"row 2: not 7 values"),
    ],
)
def test_what_is_wrong_is_named_with_row_column_and_value(tmp_path: Path, before: str, after: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_event_weights(_changed(tmp_path, before, after))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no_such\.csv: can't be read"):
        read_event_weights(tmp_path / "no_such.csv")


def test_the_hash_hears_what_is_said_and_not_how(tmp_path: Path) -> None:
    rows = read_event_weights(SEED)
    assert weights_hash(list(reversed(rows))) == weights_hash(rows)
    respelt = read_event_weights(_changed(tmp_path, "1,play,chosen,1,1.0,120,3", "2,play,chosen,1,1,120.0,3"))
    assert weights_hash(respelt) == weights_hash(rows)
    assert weight_differences(rows, respelt) == []
    other = read_event_weights(_changed(tmp_path, "1,play,chosen,1,1.0,120,3", "1,play,chosen,1,1.1,120,3"))
    assert weights_hash(other) != weights_hash(rows)
    assert weight_differences(rows, other) == ["play in chosen: weight 1.0 -> 1.1"]
