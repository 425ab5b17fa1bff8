"""The contract as data, its page in the docs, and what has to land at least."""

import re
from pathlib import Path

import pytest

from models_ml.errors import InputError
from models_ml.landing.contract import DATASETS, LAST_ROW_HOLDS, require_datasets

REPOSITORY = Path(__file__).parents[3]
PAGE = REPOSITORY / "docs" / "data-contract.md"


def _tables_of_the_page() -> dict[str, list[tuple[str, str, str]]]:
    sections = re.split(r"^### `(\w+)`.*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        name: re.findall(r"^\| `(\w+)` \| (\w+) \| (required|) *\|", body, flags=re.MULTILINE)
        for name, body in zip(sections[1::2], sections[2::2], strict=True)
    }


def test_the_page_on_the_contract_says_what_the_code_reads() -> None:
    expected = {
        dataset.name: [(column.name, column.kind, "required" if column.required else "") for column in dataset.columns]
        for dataset in DATASETS.values()
    }
    assert _tables_of_the_page() == expected


def test_staging_keeps_the_last_of_equal_rows_where_intake_keeps_the_last_of_equal_files() -> None:
    staging = (REPOSITORY / "warehouse" / "models" / "staging").glob("stg_*.sql")
    last = {model.stem.removeprefix("stg_") for model in staging if "stays='last'" in model.read_text(encoding="utf-8")}
    assert last == LAST_ROW_HOLDS


def test_no_dataset_names_a_column_twice() -> None:
    for dataset in DATASETS.values():
        assert len(set(dataset.column_names)) == len(dataset.column_names)


def test_tracks_have_to_land() -> None:
    with pytest.raises(InputError, match=r"^here/tracks: no tracks have landed; put .* track_id, title"):
        require_datasets({"events", "users"}, Path("here"))


def test_events_or_play_counts_have_to_land() -> None:
    with pytest.raises(InputError, match=r"^here/events: .*event_type.*here/play_counts \(.*play_count\)$"):
        require_datasets({"tracks", "users"}, Path("here"))


@pytest.mark.parametrize("listening", ["events", "play_counts"])
def test_tracks_and_either_sort_of_listening_are_enough(listening: str) -> None:
    require_datasets({"tracks", listening}, Path("here"))
