"""A week of lists against the week before: what moves, and how far it may."""

import pyarrow as pa

from models_ml.comparison.weekly import MOVED, STILL, TOO_FAR, WeeklyParams, moves, week_numbers

NUMBERS: dict[str, float | None] = {
    "lists": 1000.0,
    "recordings_given": 500.0,
    "popularity_percentile": 0.6,
    "genre_kl": 0.2,
    "new_artist_share": 0.6,
    "relaxed_share": 0.1,
    "p_skip": 0.2,
}
PARAMS = WeeklyParams()


def _states(**now: float | None) -> dict[str, str]:
    found = moves(NUMBERS, NUMBERS | now, PARAMS)
    return {move.name: move.state(PARAMS.weekly_warn_share) for move in found if move.share > 0}


def test_a_week_like_the_one_before_has_not_moved() -> None:
    assert _states() == {}


def test_a_move_is_told_from_half_its_limit_and_too_far_beyond_it() -> None:
    assert _states(popularity_percentile=0.69) == {"popularity_percentile": STILL}
    assert _states(popularity_percentile=0.45) == {"popularity_percentile": MOVED}
    assert _states(popularity_percentile=0.35) == {"popularity_percentile": TOO_FAR}


def test_what_gets_better_is_no_move() -> None:
    assert _states(genre_kl=0.0, relaxed_share=0.0, p_skip=0.0, lists=3000.0, recordings_given=900.0) == {}


def test_fewer_lists_and_fewer_recordings_are_counted_in_shares() -> None:
    assert _states(lists=400.0, recordings_given=100.0) == {"lists": TOO_FAR, "recordings_given": TOO_FAR}


def test_what_one_of_the_weeks_does_not_know_has_not_moved() -> None:
    assert _states(p_skip=None, genre_kl=None) == {}


def test_a_week_is_known_by_its_means() -> None:
    playlists = pa.table({"status": ["complete", "relaxed"], "genre_kl": pa.array([0.1, None], pa.float64())})
    slots = pa.table(
        {
            "recording_id": ["a", "b", "a", "c"],
            "popularity_percentile": [0.0, 0.5, 1.0, 0.5],
            "is_new_artist": [True, True, False, True],
            "p_skip": pa.array([None] * 4, pa.float64()),
        }
    )
    assert week_numbers(playlists, slots) == {
        "lists": 2.0,
        "recordings_given": 3.0,
        "popularity_percentile": 0.5,
        "genre_kl": 0.1,
        "new_artist_share": 0.75,
        "relaxed_share": 0.5,
        "p_skip": None,
    }
