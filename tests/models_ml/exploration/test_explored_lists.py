"""Lists of which some slots are left to chance: the rules hold, and what is written beside a track is its chance."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lists_by_thought import Entry, Situation, inclusion, inclusion_giving_way
from scipy.stats import chi2

from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams, Draws, Slate, draw
from models_ml.calibration import SlateMix
from models_ml.exploration.lots import Lots, by_arm
from models_ml.exploration.uniforms import keys
from models_ml.funnel import hashes
from models_ml.giving_way import draw_giving_way, ladder

RULES = AssemblyParams()
ASSEMBLIES = 20_000


def a_situation(seed: int, count: int, shown: float = 0.0, **other) -> Situation:
    """A small catalogue, every rule in the way of something.  shown: step by which entries are worth less to an arm."""
    random = np.random.default_rng(seed)
    entries = tuple(
        Entry(
            artist=int(random.integers(0, count // 2)),
            album=int(random.integers(-1, count // 2)),
            is_new=bool(random.random() < 0.6),
            score=float(score),
            arms=frozenset({0} if random.random() < 0.6 else {1} if random.random() < 0.5 else {1, 2}),
            genres=tuple(random.permutation(3)[: random.integers(1, 4)].tolist()),
            reserved=place == 5,
            shown=shown * (place % 3),
        )
        for place, score in enumerate(-np.sort(-random.random(count)))
    )
    plain = {
        "chance": (0.6, 0.15, 0.25),
        "explore_draws": 2,
        "width": 0.2,
        "soft_width": 0.01,
        "is_soft": False,
        "taste": (0.7, 0.3, 0.0),
        "weight": 0.8,
    }
    return Situation(entries, **{**plain, **other})


def slate_of(situation: Situation, listeners: int, padding: int = 0, seed: int = 7) -> Slate:
    """The same slate for so many listeners, in the order drawn: what has a slot of its own first."""
    entries = situation.entries
    shape = (listeners, len(entries) + padding)

    def grid(values, fill, dtype):
        return np.tile(np.array([*values, *[fill] * padding], dtype=dtype), (listeners, 1))

    score = grid((entry.score for entry in entries), -5.0, np.float64)
    value = score + 1e4 * grid((entry.reserved for entry in entries), False, bool)
    places = np.full((*shape, 3), 3)
    for place, entry in enumerate(entries):
        places[:, place, : len(entry.genres)] = entry.genres
    lots = Lots(
        unseen=score - grid((entry.shown for entry in entries), 0.0, np.float64),
        value=value,
        arms=grid((sum(1 << arm for arm in entry.arms) for entry in entries), 1, np.int64),
        chance=np.tile(np.array(situation.chance), (listeners, 1)),
        explore_draws=np.full(listeners, situation.explore_draws),
        only_new=np.full(listeners, situation.only_new),
        is_soft=np.full(listeners, situation.is_soft),
        width=np.full(listeners, situation.width),
        soft_width=np.full(listeners, situation.soft_width),
        key=keys(hashes(pa.array([f"user {number}" for number in range(listeners)])), seed),
    )
    mix = SlateMix(
        value,
        places,
        grid((len(entry.genres) for entry in entries), 0, np.int64),
        np.tile(np.array(situation.taste, dtype=np.float32), (listeners, 1)),
        np.full(listeners, situation.weight, dtype=np.float32),
    )
    return Slate(
        grid((entry.artist for entry in entries), -1, np.int32),
        grid((entry.album for entry in entries), -1, np.int32),
        grid((entry.is_new for entry in entries), False, bool),
        grid([True] * len(entries), False, bool),
        mix,
        lots,
    )


def differences(drawn: np.ndarray, expected: dict) -> np.ndarray:
    """How many standard deviations the frequency of each entry is off its chance."""
    count = np.bincount(drawn.ravel(), minlength=max(expected) + 1)
    chance = np.array([expected.get(place, 0.0) for place in range(len(count))])
    deviation = np.sqrt(np.maximum(len(drawn) * chance * (1 - chance), 1e-6))
    return (count - len(drawn) * chance) / deviation


@pytest.mark.parametrize(
    ("seed", "shown", "only_new"), [(1, 0.0, False), (3, 0.0, False), (3, 0.2, False), (3, 0.2, True)]
)
def test_over_20000_assemblies_each_track_is_in_the_list_as_often_as_the_tree_of_draws_says(seed, shown, only_new):
    situation = a_situation(seed, 56, shown, only_new=only_new)
    expected = inclusion(situation)
    assert math.isclose(sum(expected.values()), PLAYLIST_LENGTH, rel_tol=1e-5)
    picks = draw(slate_of(situation, ASSEMBLIES), RULES).picks
    assert (picks >= 0).all()
    assert sum(0.01 < chance < 0.99 for chance in expected.values()) > 10
    assert np.abs(differences(picks, expected)).max() < 4.5


def test_over_20000_assemblies_lists_all_of_whose_slots_are_left_to_chance_match_it_too():
    # Scores in pairs that lie close and far from the others: chance decides within a pair, or what follows from it.
    situation = a_situation(4, 48, is_soft=True, explore_draws=1, weight=0.05)
    paired = tuple(
        replace(entry, score=2.0 - 0.1 * (place // 2) - 0.001 * (place % 2))
        for place, entry in enumerate(situation.entries)
    )
    situation = replace(situation, entries=paired, soft_width=0.003)
    expected = inclusion(situation)
    assert math.isclose(sum(expected.values()), PLAYLIST_LENGTH, rel_tol=1e-4)
    draws = draw(slate_of(situation, ASSEMBLIES), RULES)
    assert draws.by_chance.all()
    assert np.abs(differences(draws.picks, expected)).max() < 4.5


def test_over_20000_assemblies_lists_that_run_dry_keep_what_chance_drew_and_match_the_tree():
    # 12 known of 34: at least half has to be new, and artists of whom there are four.
    situation = a_situation(11, 34, explore_draws=1)
    entries = tuple(
        replace(entry, is_new=place % 3 == 0, artist=place % 12, album=-1)
        for place, entry in enumerate(situation.entries)
    )
    situation = replace(situation, entries=entries)
    names = {"new_artist_share": "new_needed", "tracks_per_album": "per_album", "tracks_per_artist": "per_artist"}
    limits, relaxed = {}, []
    for step in ladder(RULES):
        whole = math.ceil(round(step.limit_to * 30, 9)) if step.rule_id == "new_artist_share" else int(step.limit_to)
        limits = {**limits, names[step.rule_id]: whole}
        relaxed.append(limits)
    slate = slate_of(situation, ASSEMBLIES)
    first = draw(slate, RULES)
    assert (first.picks[:, -1] < 0).all()
    draws, _ = draw_giving_way(slate, RULES, first)
    assert np.array_equal(draws.picks[:, :1], first.picks[:, :1])
    assert np.array_equal(draws.p_track[:, :1], first.p_track[:, :1])
    assert draws.is_exact[:, :1].all()
    assert not draws.is_exact[:, 1:].any()
    assert np.abs(differences(draws.picks, inclusion_giving_way(situation, relaxed))).max() < 4.5


def test_what_is_written_beside_each_draw_is_the_chance_of_the_tree():
    situation = a_situation(5, 50)
    draws = draw(slate_of(situation, 400), RULES)
    for row in range(400):
        taken = tuple(draws.picks[row, :1].tolist())
        for slot, before in ((0, ()), (1, taken)):
            expected = situation.by_arm(situation.open_to(frozenset(before)))
            assert draws.p_track[row, slot] == pytest.approx(expected[draws.picks[row, slot]], rel=1e-12)
            assert draws.feasible_count[row, slot] == len(situation.open_to(before))
            assert draws.arm[row, slot] in situation.entries[draws.picks[row, slot]].arms
            there = {arm for place in situation.open_to(frozenset(before)) for arm in situation.entries[place].arms}
            assert draws.open_arms[row, slot] == sum(1 << arm for arm in there)
            assert draws.p_arm[row, slot] == pytest.approx(situation.chance[draws.arm[row, slot]], rel=1e-12)
    assert (draws.p_track[:, 2:] == 1).all()
    assert (draws.arm[:, 2:] == -1).all()
    assert (draws.open_arms[:, 2:] == 0).all()


def test_the_tracks_of_a_draw_by_arm_fit_their_chances_and_these_add_up_to_one():
    situation = a_situation(6, 45)
    slate = slate_of(situation, ASSEMBLIES)
    drawn = by_arm(slate.lots, slate.valid, 0)
    chance = dict(zip(drawn.entry.tolist(), drawn.p_track.tolist(), strict=True))
    expected = situation.by_arm(range(45))
    assert sum(expected.values()) == pytest.approx(1.0)
    assert all(chance[place] == pytest.approx(expected[place], rel=1e-12) for place in chance)
    wanted = np.array([expected[place] for place in range(45)]) * ASSEMBLIES
    common = wanted >= 5
    counts = np.bincount(drawn.entry, minlength=45)
    statistic = ((counts - wanted)[common] ** 2 / wanted[common]).sum()
    assert statistic < chi2.ppf(0.999, common.sum() - 1)


def test_an_arm_without_a_track_left_leaves_its_chance_to_the_others():
    situation = a_situation(8, 40)
    slate = slate_of(situation, 50)
    only_plain = slate.valid & (slate.lots.arms == 1)
    drawn = by_arm(slate.lots, only_plain, 0)
    assert (drawn.arm == 0).all()
    assert (drawn.p_arm == 1).all()
    assert (drawn.open_arms == 1).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(30, 60),
    st.integers(1, 30),
    st.booleans(),
    st.sampled_from([0.0, 0.8]),
)
def test_thirty_distinct_tracks_within_the_rules_or_a_row_says_what_gave_way(seed, count, explored, soft, weight):
    situation = a_situation(seed, count, explore_draws=explored, is_soft=soft, weight=weight)
    slate = slate_of(situation, 20, padding=3)
    if not weight:
        slate = replace(slate, mix=None)
    first = draw(slate, RULES)
    draws, relaxations = draw_giving_way(slate, RULES, first)
    for row in range(20):
        limits = {"new_artist_share": 15, "tracks_per_album": 2, "tracks_per_artist": 2}
        for which, rule, limit in zip(relaxations.rows, relaxations.rule_id, relaxations.limit_to, strict=True):
            if which == row:
                limits[rule] = limit * 30 if rule == "new_artist_share" else limit
        chosen = [situation.entries[place] for place in draws.picks[row]]
        assert len(set(draws.picks[row].tolist())) == PLAYLIST_LENGTH
        assert max(Counter(entry.artist for entry in chosen).values()) <= limits["tracks_per_artist"]
        albums = Counter(entry.album for entry in chosen if entry.album >= 0)
        assert max(albums.values(), default=0) <= limits["tracks_per_album"]
        assert sum(entry.is_new for entry in chosen) >= limits["new_artist_share"]
    kept = first.by_chance
    assert np.array_equal(draws.picks[kept], first.picks[kept])
    assert np.array_equal(draws.is_exact, kept)
    assert ((draws.p_track > 0) & (draws.p_track <= 1 + 1e-12)).all()


def test_a_list_is_drawn_alike_alone_in_another_order_and_beside_longer_ones():
    situation = a_situation(9, 50, is_soft=True, soft_width=0.05)
    slate, padded = slate_of(situation, 64), slate_of(situation, 64, padding=23)
    together, beside = draw(slate, RULES), draw(padded, RULES)
    order = np.arange(64)[::-1]
    backwards = draw(slate.rows(order), RULES).rows(order)
    alone = draw(slate.rows(np.array([17])), RULES)
    for name in ("picks", "arm", "p_arm", "p_track", "feasible_count"):
        expected = getattr(together, name)
        assert np.array_equal(getattr(beside, name), expected, equal_nan=True)
        assert np.array_equal(getattr(backwards, name), expected, equal_nan=True)
        assert np.array_equal(getattr(alone, name)[0], expected[17], equal_nan=True)


def test_another_week_draws_otherwise_and_the_same_week_the_same():
    situation = a_situation(10, 50)
    picks = [draw(slate_of(situation, 200, seed=seed), RULES).picks for seed in (1, 1, 2)]
    assert np.array_equal(picks[0], picks[1])
    assert (picks[0] != picks[2]).any(axis=1).mean() > 0.5


def test_lists_with_nothing_left_to_chance_are_those_drawn_without_it():
    situation = a_situation(12, 50, explore_draws=0)
    slate = slate_of(situation, 5)
    with_lots, without = draw(slate, RULES), draw(replace(slate, lots=None), RULES)
    for name in vars(Draws.none(0)):
        assert np.array_equal(getattr(with_lots, name), getattr(without, name), equal_nan=True)
