"""Size and parameters of a demo world.

Belongs here: defaults, ranges, TOML. Does not: what the world holds.
"""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from models_ml.demo_world import WorldParams, WorldSize, default_sound, default_track_count, read_world_params
from models_ml.errors import InputError

MONDAY = dt.date(2026, 11, 2)


def toml(folder: Path, text: str) -> Path:
    path = folder / "world.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("listeners", "tracks"),
    [(1, 4_000), (4_999, 4_000), (5_000, 20_000), (200_000, 20_000), (1_000_000, 100_000)],
)
def test_the_default_catalogue_grows_with_the_listeners(listeners: int, tracks: int) -> None:
    assert default_track_count(listeners) == tracks
    assert WorldSize(listeners, MONDAY).track_count == tracks


def test_small_worlds_have_sound_unless_they_are_told_otherwise() -> None:
    assert [default_sound(listeners) for listeners in (1, 4_999, 5_000, 100_000)] == [True, True, False, False]
    assert WorldSize(1_000, MONDAY).has_sound
    assert not WorldSize(10_000, MONDAY).has_sound
    assert not WorldSize(1_000, MONDAY, sound=False).has_sound
    assert WorldSize(10_000, MONDAY, sound=True).has_sound


def test_the_weeks_to_run_are_the_last_mondays_oldest_first() -> None:
    size = WorldSize(10, MONDAY, weeks=3, history_weeks=4)
    assert size.mondays == (dt.date(2026, 10, 19), dt.date(2026, 10, 26), MONDAY)
    assert size.first_day == dt.date(2026, 10, 5)
    assert size.end_ms - size.start_ms == 4 * 7 * 24 * 3_600 * 1_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"listeners": 0}, "listeners is 0; take 1 to"),
        ({"tracks": 10}, "tracks is 10; take 480 to"),
        ({"weeks": 5, "history_weeks": 4}, "weeks is 5; take 1 to 4"),
        ({"history_weeks": 0}, "history_weeks is 0; take 1 to 520"),
        ({"last_week": dt.date(2026, 11, 3)}, "last_week is 2026-11-03, which is no Monday"),
    ],
)
def test_an_impossible_size_says_what_would_be_possible(changes: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        WorldSize(**{"listeners": 10, "last_week": MONDAY, **changes})


def test_every_parameter_has_a_unit_a_range_and_words_and_its_default_is_in_the_range() -> None:
    for setting in dataclasses.fields(WorldParams):
        assert set(setting.metadata) == {"unit", "min", "max", "doc"}
        assert setting.metadata["min"] <= setting.default <= setting.metadata["max"]
        assert setting.metadata["unit"]
        assert setting.metadata["doc"]


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = toml(
        tmp_path,
        """
        # A world where labels say little and everybody follows the charts.
        genre_carries_taste = 0.1
        conformity = 1
        taste_modes_max = 2
        """,
    )
    changed = {"genre_carries_taste": 0.1, "conformity": 1, "taste_modes_max": 2}
    assert read_world_params(path) == dataclasses.replace(WorldParams(), **changed)


def test_an_empty_file_is_the_default_world(tmp_path: Path) -> None:
    assert read_world_params(toml(tmp_path, "")) == WorldParams()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noise_shar = 0.1", r"world.toml: unknown key 'noise_shar'; did you mean noise_share\?"),
        ("noise_share = 1.5", r"world.toml: noise_share is 1.5; take a number from 0.0 to 1.0 \(share\)"),
        ("noise_share = nan", "noise_share is nan; take a number from"),
        ("noise_share = true", "noise_share is True; take a number from"),
        ("noise_share = 'much'", "noise_share is 'much'; take a number from"),
        ("taste_modes_max = 2.5", "taste_modes_max is 2.5; take a whole number from 1 to 6"),
        ("noise_share = ", "world.toml: no valid TOML"),
    ],
)
def test_a_bad_file_is_named_with_key_value_and_range(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_world_params(toml(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: can't be read"):
        read_world_params(tmp_path / "nowhere.toml")


def test_kinds_of_listeners_cannot_add_up_to_more_than_everybody() -> None:
    with pytest.raises(InputError, match=r"add up to 1\.4"):
        WorldParams(registered_only_share=1.0, events_only_share=0.3, play_counts_share=0.1)


def test_parameters_made_in_code_are_checked_as_well() -> None:
    with pytest.raises(InputError, match="plays_per_listener_mean is 0"):
        WorldParams(plays_per_listener_mean=0)
