"""Calibration: distances as in the paper, a draw that is exactly greedy, and what the dial does."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams, Slate, draw
from models_ml.calibration import MixDraw, SlateMix, distance, least_distance, popularity_parts, weights
from models_ml.genres import MOST_GENRES

FREE = AssemblyParams(tracks_per_artist=30, tracks_per_album=30, new_artist_share=0.0)


def kl(taste: np.ndarray, shares: np.ndarray) -> float:
    """Equations 2 and 3 of the paper, written down once more."""
    q = 0.99 * shares + 0.01 * taste
    return float(sum(p * np.log(p / other) for p, other in zip(taste, q, strict=True) if p > 0))


def mix(score: np.ndarray, genres: list[list[int]], taste: list[float], weight: float = 1.0) -> SlateMix:
    """One listener's slate."""
    width = len(taste)
    place = np.full((1, len(genres), MOST_GENRES), width, dtype=np.int16)
    for entry, of in enumerate(genres):
        place[0, entry, : len(of)] = of
    count = np.array([[len(of) for of in genres]])
    return SlateMix(score[None, :], place, count, np.float32([taste]), np.float32([weight]))


def slate(mixed: SlateMix, artists: np.ndarray | None = None) -> Slate:
    shape = mixed.score.shape
    artist = np.arange(shape[1])[None, :] if artists is None else artists[None, :]
    yes = np.ones(shape, dtype=bool)
    return Slate(artist.astype(np.int32), np.full(shape, -1, dtype=np.int32), yes, yes, mixed)


def held_by(genres: list[list[int]], picks: np.ndarray, width: int) -> np.ndarray:
    held = np.zeros(width)
    for entry in picks:
        for genre in genres[entry]:
            held[genre] += 1 / len(genres[entry])
    return held


def test_distance_is_that_of_the_paper_and_nothing_for_nobody() -> None:
    taste = np.float32([[0.7, 0.3, 0.0], [0.0, 0.0, 0.0]])
    held = np.array([[18.0, 3.0, 9.0], [10.0, 10.0, 10.0]])
    found = distance(taste, held, 30)
    assert found[0] == pytest.approx(kl(np.array([0.7, 0.3, 0.0]), np.array([0.6, 0.1, 0.3])), abs=1e-7)
    assert np.isnan(found[1])
    assert distance(np.float32([[0.5, 0.5]]), np.array([[15.0, 15.0]]), 30)[0] == pytest.approx(0, abs=1e-9)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any), st.integers(1, 6))
def test_the_least_distance_is_that_of_the_best_list_there_is(parts: list[int], length: int) -> None:
    taste = np.array(parts) / sum(parts)
    lists = itertools.combinations_with_replacement(range(len(parts)), length)
    best = min(kl(taste, np.bincount(one, minlength=len(parts)) / length) for one in lists)
    assert least_distance(np.float32(taste[None, :]), length)[0] == pytest.approx(best, abs=1e-5)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_each_pick_is_worth_most_beside_what_was_drawn_before(seed: int) -> None:
    random = np.random.default_rng(seed)
    taste = random.dirichlet(np.full(4, 0.5))
    genres = [sorted(random.choice(4, random.integers(0, 4), replace=False).tolist()) for _ in range(60)]
    score, weight = random.random(60), random.uniform(0.1, 3.0)
    mixed = mix(score, genres, taste.tolist(), weight)
    picks = draw(slate(mixed), FREE).picks[0]
    assert len(set(picks.tolist())) == PLAYLIST_LENGTH
    for slot, pick in enumerate(picks):
        before = held_by(genres, picks[:slot], 4)
        worth = [
            score[entry] - weight * _left(mixed.taste[0], before + held_by(genres, np.array([entry]), 4))
            for entry in range(60)
            if entry not in picks[:slot]
        ]
        mine = score[pick] - weight * _left(mixed.taste[0], before + held_by(genres, np.array([pick]), 4))
        assert mine >= max(worth) - 1e-4


def _left(taste: np.ndarray, held: np.ndarray) -> float:
    return float(distance(taste[None, :], held[None, :], PLAYLIST_LENGTH)[0])


def test_a_list_comes_nearer_to_its_listener_with_the_weight_and_caps_hold() -> None:
    random = np.random.default_rng(0)
    taste = [0.5, 0.3, 0.2]
    genres = [[0]] * 60 + [[1]] * 60 + [[2]] * 60
    score = np.sort(random.random(180))[::-1].copy()  # the first genre has the best scores
    artists = np.arange(180) // 3
    params = AssemblyParams(tracks_per_artist=2, tracks_per_album=30, new_artist_share=0.0)
    found = []
    for weight in (0.01, 0.5, 5.0, 50.0):
        picks = draw(slate(mix(score, genres, taste, weight), artists), params).picks[0]
        assert np.bincount(artists[picks]).max() <= 2
        found.append(_left(np.float32(taste), held_by(genres, picks, 3)))
    assert found == sorted(found, reverse=True)
    assert found[0] > 1 > 0.01 > found[-1]


def test_a_listener_of_no_known_taste_gets_the_best_by_score() -> None:
    score = np.random.default_rng(1).random(50)
    picks = draw(slate(mix(score, [[0]] * 25 + [[1]] * 25, [0.0, 0.0], 9.0)), FREE).picks[0]
    assert picks.tolist() == np.argsort(-score)[:PLAYLIST_LENGTH].tolist()


def test_entries_keep_their_genres_whatever_order_they_are_in() -> None:
    score, genres = np.arange(4.0), [[0], [0, 1], [1], []]
    mixed = mix(score, genres, [0.5, 0.5])
    turned = mixed.ordered(np.array([[3, 2, 1, 0]]))
    assert MixDraw(turned, 30).values()[0].tolist() == MixDraw(mixed, 30).values()[0].tolist()[::-1]
    assert MixDraw(mixed.first(2), 30).values().shape == (1, 2)
    assert MixDraw(mixed.rows(np.array([0, 0])), 30).values().shape == (2, 4)


def test_a_genre_is_cared_for_by_its_share_and_where_nobody_knows() -> None:
    genres = [[0], [1], [2], [1, 2], []]
    known, unknown = (mix(np.zeros(5), genres, taste) for taste in ([0.95, 0.01, 0.04], [0.0, 0.0, 0.0]))
    assert known.cared_for(0.02).tolist() == [[True, False, True, True, True]]
    assert unknown.cared_for(0.02).all()


def test_who_goes_anywhere_is_not_held_to_a_mix_and_who_goes_nowhere_twice_as_firmly() -> None:
    assert weights(0.8, np.array([1.0, 0.5, np.nan, 0.0, 7.0])).tolist() == pytest.approx([0, 0.8, 0.8, 1.6, 0])


def test_a_recording_is_of_the_tail_below_one_edge_and_of_the_head_from_the_other_on() -> None:
    parts = popularity_parts(np.array([0.0, 0.49, 0.5, 0.89, 0.9, 1.0]), 0.5, 0.9)
    assert parts.lists(np.arange(6)).to_pylist() == [
        [name] for name in ("tail", "tail", *["middle"] * 2, *["head"] * 2)
    ]


def test_edges_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"popularity_middle_from is 0\.95, above popularity_head_from, 0\.9"):
        AssemblyParams(popularity_middle_from=0.95)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_with_a_second_division_each_pick_is_worth_most_by_both(seed: int) -> None:
    random = np.random.default_rng(seed)
    genres, parts = [[int(one)] for one in random.integers(0, 3, 60)], [[int(one)] for one in random.integers(0, 3, 60)]
    score = random.random(60)
    of_parts = mix(np.zeros(60), parts, random.dirichlet(np.ones(3)).tolist(), 0.7)
    mixed = replace(mix(score, genres, random.dirichlet(np.ones(3)).tolist(), 1.3), beside=of_parts)
    picks = draw(slate(mixed), FREE).picks[0]
    divisions = ((genres, mixed), (parts, of_parts))
    for slot, pick in enumerate(picks):
        worth = {
            entry: score[entry]
            - sum(
                float(of.weight[0]) * _left(of.taste[0], held_by(kinds, np.append(picks[:slot], entry), 3))
                for kinds, of in divisions
            )
            for entry in range(60)
            if entry not in picks[:slot]
        }
        assert worth[pick] >= max(worth.values()) - 1e-4


def test_a_second_division_follows_its_entries() -> None:
    mixed = mix(np.arange(4.0), [[0], [1], [0], []], [0.5, 0.5])
    both = replace(mixed, beside=mix(np.zeros(4), [[1], [1], [0], [0]], [0.2, 0.8]))
    values = MixDraw(both, 30).values()[0].tolist()
    assert MixDraw(both.ordered(np.array([[3, 2, 1, 0]])), 30).values()[0].tolist() == values[::-1]
    assert MixDraw(both.first(2), 30).values()[0].tolist() == values[:2]
    assert MixDraw(both.rows(np.array([0, 0])), 30).values().tolist() == [values, values]
