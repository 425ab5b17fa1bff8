"""Building blocks of the demo world: draws, runs of equal keys, sittings kept apart.

Belongs here: answers known by thought, and invariants. Does not: music.
"""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models_ml.demo_world.draws import (
    RowChoice,
    choose,
    choose_within,
    first_of_each,
    generator,
    place_in_segment,
    running_sum,
    running_within,
)
from models_ml.demo_world.genres import GENRES, neighbour_table, zone_offsets_ms
from models_ml.demo_world.sessions import Sessions, apart
from models_ml.demo_world.size import DAY_MS

BREAK_MS = 10 * 60_000


def test_a_generator_depends_on_seed_and_names_only() -> None:
    first = generator(3, "plays", 0).random(4)
    assert (first == generator(3, "plays", 0).random(4)).all()
    assert (first != generator(3, "plays", 1).random(4)).all()
    assert (first != generator(4, "plays", 0).random(4)).all()


def test_what_weighs_nothing_is_never_drawn_and_the_rest_in_proportion() -> None:
    drawn = choose(generator(0, "weights"), np.array([0, 1, 0, 3, 0]), 8_000)
    counts = np.bincount(drawn, minlength=5)
    assert counts[[0, 2, 4]].tolist() == [0, 0, 0]
    # Binomial with a chance of 3/4: the standard deviation is sqrt(8000 * 3/16) = 39.
    assert abs(counts[3] - 6_000) < 5 * 39


def test_places_and_running_sums_begin_anew_with_every_key() -> None:
    keys = np.array([5, 5, 5, 2, 9, 9])
    assert place_in_segment(keys).tolist() == [0, 1, 2, 0, 0, 1]
    assert running_within(np.array([1, 0, 4, 7, 1, 1]), keys).tolist() == [0, 1, 1, 0, 0, 1]


def test_the_first_of_each_key_is_found_in_any_order() -> None:
    assert first_of_each(np.array([4, 1, 4, 1, 3])).tolist() == [True, True, False, False, True]
    assert first_of_each(np.array([], dtype=np.int64)).tolist() == []


@given(
    st.lists(st.lists(st.floats(0.01, 10), min_size=1, max_size=5), min_size=1, max_size=6),
    st.integers(0, 99),
)
def test_a_row_choice_never_leaves_its_row(weights: list[list[float]], seed: int) -> None:
    sums = [np.cumsum(row) / np.sum(row) + place for place, row in enumerate(weights)]
    length = np.array([len(row) for row in weights])
    first = np.cumsum(length) - length
    choice = RowChoice(np.concatenate(sums), np.arange(len(weights)), first, length)
    rows = np.repeat(np.arange(len(weights)), 20)
    drawn = choice.draw(generator(seed, "rows"), rows)
    assert ((drawn >= 0) & (drawn < length[rows])).all()


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=9), st.data())
def test_a_choice_within_bounds_keeps_to_them(weights: list[float], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(weights) - 1))
    stop = data.draw(st.integers(start + 1, len(weights)))
    bounds = (np.full(30, start), np.full(30, stop))
    drawn = choose_within(generator(1, "bounds"), running_sum(np.array(weights)), *bounds)
    assert ((drawn >= start) & (drawn < stop)).all()


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, DAY_MS), st.integers(0, DAY_MS // 4)),
        min_size=1,
        max_size=25,
    )
)
def test_sittings_of_a_listener_never_overlap_and_none_moves_without_need(
    rows: list[tuple[int, int, int]],
) -> None:
    listener, start, lasting = (np.array(column) for column in zip(*sorted(rows), strict=True))
    zeros = np.zeros(len(rows), dtype=np.int64)
    sessions = Sessions(listener, start, zeros, zeros, zeros, zeros, zeros > 0, zeros > 0, np.zeros((len(rows), 2)))
    moved = apart(sessions, lasting)
    expected: list[int] = []
    for place in range(len(rows)):
        same = place > 0 and listener[place] == listener[place - 1]
        free = expected[-1] + int(lasting[place - 1]) + BREAK_MS if same else 0
        expected.append(max(int(start[place]), free))
    assert moved.tolist() == expected


def test_neighbours_of_a_genre_exist_and_none_is_its_own() -> None:
    table, counts = neighbour_table()
    for place, genre in enumerate(GENRES):
        assert [GENRES[other].name for other in table[place, : counts[place]]] == list(genre.neighbours)
        assert place not in table[place, : counts[place]]
        assert 2 <= counts[place] <= 4


def test_clocks_change_on_the_days_on_which_they_do() -> None:
    first = dt.date(2026, 1, 1)
    hours = zone_offsets_ms(first, 365) // 3_600_000
    day = {
        name: (dt.date(2026, *when) - first).days for name, when in (("us", (3, 8)), ("eu", (3, 29)), ("end", (10, 25)))
    }
    new_york, berlin, tokyo = hours[0], hours[4], hours[9]
    assert (new_york[day["us"] - 1], new_york[day["us"]]) == (-5, -4)
    assert (berlin[day["eu"] - 1], berlin[day["eu"]], berlin[day["end"]]) == (1, 2, 1)
    assert set(tokyo.tolist()) == {9}
