"""Tests of learning the ranker, and of the tables it is compiled into."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from ranker_examples import drawn_examples, drawn_values

from models_ml.errors import InputError
from models_ml.plots import reliability_plot
from models_ml.ranker.features import FAMILIES, FEATURES, POSITION
from models_ml.ranker.params import OUTCOMES, RankerParams
from models_ml.ranker.reliability import expected_calibration_error, reliability_bins
from models_ml.ranker.tables import RANKER_SCHEMA, logistic, read_ranker
from models_ml.ranker.training import Learnt, _offset, learn, platt
from models_ml.rules import RUNGS

PARAMS = RankerParams(minimum_positives=100, most_trees=60)


@cache
def learnt() -> Learnt:
    return learn(drawn_examples(), PARAMS, seed=3)


def test_the_tables_say_what_the_boosters_say():
    values = drawn_values(np.random.default_rng(9), 5000)
    values[:50] = np.nan
    values[50:100] = 1e30
    values[100:150] = -1e30
    values[150:200] = 0.0
    values[:, FEATURES.index(POSITION)] = np.random.default_rng(2).integers(1, 31, len(values))
    found = learnt()
    odds = found.ranker.log_odds(values)
    for place, outcome in enumerate(OUTCOMES):
        assert odds[place] == pytest.approx(found.boosters[outcome].predict(values, raw_score=True), abs=1e-6)


def test_on_the_thresholds_themselves_the_tables_say_what_the_boosters_say():
    found, random = learnt(), np.random.default_rng(4)
    values = drawn_values(random, 2000)
    for family in found.ranker.families.values():
        for column, thresholds in zip(family.columns, family.thresholds, strict=True):
            if len(thresholds):
                values[:, column] = random.choice(thresholds, len(values))
    odds = found.ranker.log_odds(values)
    for place, outcome in enumerate(OUTCOMES):
        assert odds[place] == pytest.approx(found.boosters[outcome].predict(values, raw_score=True), abs=1e-6)


def test_contributions_are_the_weighted_log_odds_against_the_mean_candidate():
    ranker, values = learnt().ranker, drawn_values(np.random.default_rng(5), 500)
    parts = ranker.contributions(values)
    assert list(parts) == list(FAMILIES)
    expected = ranker.scale * np.array(PARAMS.weights) @ (ranker.log_odds(values) - ranker.base[:, None])
    assert np.sum(list(parts.values()), axis=0) == pytest.approx(expected, abs=1e-6)
    examples = drawn_examples()
    for part in ranker.contributions(examples.values).values():
        assert np.average(part, weights=examples.weight) == pytest.approx(0.0, abs=1e-9)


def test_what_decides_is_found_in_its_family():
    parts = learnt().ranker.contributions(drawn_values(np.random.default_rng(6), 2000))
    strongest = sorted(parts, key=lambda name: -np.std(parts[name]))
    assert strongest[:2] == ["collaborative", "genre_affinity"]
    assert np.std(parts["artist_affinity"]) < np.std(parts["collaborative"]) / 4


def test_the_score_has_the_spread_of_the_linear_one_among_a_listeners_candidates():
    examples = drawn_examples(slots=0.0)
    ranker = learn(examples, PARAMS, seed=3).ranker
    score = np.sum(list(ranker.contributions(examples.values).values()), axis=0)

    def spread(scores):
        groups = examples.listener * 10**6 + examples.week
        apart = scores.copy()
        for group in np.unique(groups):
            mine = groups == group
            apart[mine] -= np.average(scores[mine], weights=examples.weight[mine])
        return np.sqrt(np.average(apart**2, weights=examples.weight))

    assert spread(score) == pytest.approx(spread(examples.linear_score), rel=1e-9)


def test_a_ranker_comes_back_from_its_table_as_it_was():
    ranker, values = learnt().ranker, drawn_values(np.random.default_rng(7), 300)
    rungs = np.arange(300) % len(RUNGS)
    table = ranker.to_table()
    assert table.schema == RANKER_SCHEMA
    again = read_ranker(table)
    assert (again.log_odds(values) == ranker.log_odds(values)).all()
    assert (again.chance(values, rungs) == ranker.chance(values, rungs)).all()
    for name, part in again.contributions(values).items():
        assert (part == ranker.contributions(values)[name]).all()


def test_the_same_examples_and_seed_give_the_same_tables():
    assert learn(drawn_examples(), PARAMS, seed=3).ranker.to_table().equals(learnt().ranker.to_table())


def test_too_few_completions_teach_nothing_and_too_few_saves_only_leave_out_saves():
    examples = drawn_examples()
    completed, saved, skipped = examples.outcomes
    assert learn(replace(examples, outcomes=np.stack([completed & False, saved, skipped])), PARAMS, 1).ranker is None
    assert learn(drawn_examples(count=0), PARAMS, 1).ranker is None
    assert learn(examples, replace(PARAMS, learned=False), 1).ranker is None
    without = learn(replace(examples, outcomes=np.stack([completed, saved & False, skipped])), PARAMS, 1)
    assert [fit.outcome for fit in without.fits] == ["completed", "skipped_early"]
    again = read_ranker(without.ranker.to_table())
    assert again.weights.tolist() == [1.0, 0.0, -1.0]
    blend = again.blended(replace(PARAMS, completed_weight=0.5, saved_weight=3.0, skipped_weight=2.0))
    assert blend.weights.tolist() == [0.5, 0.0, -2.0], "what was not learnt weighs nothing"
    assert blend.scale == again.scale
    values = drawn_values(np.random.default_rng(8), 10)
    chances = again.chance(values, np.zeros(10, dtype=np.int8))
    assert np.isnan(chances[1]).all()
    assert np.isfinite(chances[[0, 2]]).all()
    assert read_ranker(RANKER_SCHEMA.empty_table()) is None


def test_a_table_with_a_part_missing_is_named():
    table = learnt().ranker.to_table()
    with pytest.raises(InputError, match="ranker/ranker: no row with part thresholds and name standing"):
        read_ranker(table.filter(pa.compute.not_equal(table["name"], "standing")))


def test_one_week_is_held_out_by_listener_and_of_several_the_newest():
    one = drawn_examples(weeks=1)
    assert (one.held_out() == (one.listener % 5 == 0)).all()
    two = drawn_examples(weeks=2)
    assert (two.held_out() == (two.week == two.week.max())).all()
    assert learn(one, PARAMS, 1).ranker is not None


def test_a_monday_that_was_rehearsed_is_no_week_of_lists_to_hold_out():
    two = drawn_examples(weeks=2)
    beside = replace(two, is_rehearsed=two.week == two.week.min())
    assert (beside.held_out() == (two.listener % 5 == 0)).all(), (
        "of a first week's own lists only a part is learnt from"
    )
    three = drawn_examples(weeks=3)
    beside = replace(three, is_rehearsed=three.week == three.week.min())
    assert (beside.held_out() == (three.week == three.week.max())).all()


def test_where_no_slot_was_reached_scores_are_learnt_and_no_chance_is_told():
    examples = drawn_examples(slots=0.0)
    found = learn(replace(examples, is_rehearsed=np.ones(len(examples.week), dtype=bool)), PARAMS, seed=3)
    assert [fit.outcome for fit in found.fits] == list(OUTCOMES)
    values = drawn_values(np.random.default_rng(5), 500)
    for ranker in (found.ranker, read_ranker(found.ranker.to_table())):
        assert np.isnan(ranker.chance(values, np.zeros(500, dtype=np.int8))).all()
        score = np.sum(list(ranker.contributions(values).values()), axis=0)
        odds = ranker.log_odds(values)
        assert np.ptp(odds, axis=1).min() > 0.1
        assert score == pytest.approx(ranker.scale * ranker.weights @ (odds - ranker.base[:, None]), abs=1e-6)
        assert ranker.blended(PARAMS).weights.tolist() == list(PARAMS.weights)


def test_platt_finds_the_slope_and_the_offset_that_chances_were_drawn_with():
    random = np.random.default_rng(1)
    odds = random.normal(size=200_000)
    seen = random.random(len(odds)) < logistic(0.5 * odds - 1.0)
    assert platt(odds, seen, np.ones(len(odds))) == pytest.approx([0.5, -1.0], abs=0.02)
    assert platt(odds[:0], seen[:0], odds[:0]) == pytest.approx([1.0, 0.0])
    # Log odds of being found among thousands say how much, of what was given and reached, is finished.
    assert platt(odds - 7.0, seen, np.ones(len(odds))) == pytest.approx([0.5, 2.5], abs=0.1)


def test_chances_hold_on_rows_that_calibration_did_not_see():
    fits = learn(drawn_examples(count=30_000, slots=0.5), PARAMS, seed=3).fits
    assert all(fit.from_slots for fit in fits)
    for fit in fits:
        # Some 3,700 rows in ten bins: by chance alone each is off by two hundredths.
        assert expected_calibration_error(fit.predicted, fit.seen, fit.weight) < 0.03


def test_a_rung_whose_slots_are_finished_less_often_than_foretold_has_chances_of_its_own():
    examples, random = drawn_examples(count=30_000, slots=0.5), np.random.default_rng(5)
    segment = RUNGS.index("segment")
    strangers = random.random(30_000) < 0.1
    completed = examples.outcomes[0] & ~(strangers & (random.random(30_000) < 0.7))
    others = replace(
        examples,
        rung=np.where(strangers, segment, 0).astype(np.int8),
        outcomes=np.stack([completed, examples.outcomes[1] & completed, examples.outcomes[2]]),
    )
    ranker = learn(others, PARAMS, seed=3).ranker
    for rung in (0, segment):
        of = np.flatnonzero(others.is_slot & (others.rung == rung))
        foretold = ranker.chance(others.values[of], others.rung[of])[0]
        assert foretold.mean() == pytest.approx(completed[of].mean(), abs=0.02)
    assert ranker.rung_offsets[0, segment] < -0.5


def test_an_offset_is_that_of_what_was_seen_and_next_to_nothing_where_little_was():
    odds = np.zeros(10_000)
    seen = np.arange(10_000) < 7_311  # log odds of 1
    assert _offset(odds, seen, np.ones(10_000), 0.0) == pytest.approx(1.0, abs=0.01)
    assert 0.0 < _offset(odds[:2], seen[:2], np.ones(2), 0.0) < 0.25
    assert _offset(odds[:2], seen[:2], np.ones(2), -2.0) == pytest.approx(-2.0, abs=0.4)


def test_chances_are_held_to_the_newest_week_and_where_it_says_little_to_all_weeks():
    examples, random = drawn_examples(count=60_000, weeks=2, slots=0.5), np.random.default_rng(5)
    newest, segment = examples.week == examples.week.max(), RUNGS.index("segment")
    # Nobody finishes what stands on the segment, of which the newest week has next to nothing; of all else fewer finish
    # what they are given in the newest week.
    strangers = (random.random(60_000) < 0.1) & (~newest | (np.arange(60_000) % 997 == 0))
    fewer = examples.is_slot & newest & (random.random(60_000) < 0.3)
    completed = examples.outcomes[0] & ~strangers & ~fewer
    others = replace(
        examples,
        rung=np.where(strangers, segment, 0).astype(np.int8),
        outcomes=np.stack([completed, examples.outcomes[1] & completed, examples.outcomes[2]]),
    )
    ranker = learn(others, PARAMS, seed=3).ranker
    for rung, foretold_of in ((0, newest), (segment, ~newest)):
        of = np.flatnonzero(others.is_slot & (others.rung == rung) & foretold_of)
        foretold = ranker.chance(others.values[of], others.rung[of])[0]
        assert foretold.mean() == pytest.approx(completed[of].mean(), abs=0.03)


def test_the_calibration_error_is_the_mean_distance_of_bins_that_weigh_alike():
    predicted = np.repeat([0.2, 0.6], 50)
    seen = np.concatenate([np.arange(50) < 10, np.arange(50) < 40])
    foretold, found, share = reliability_bins(predicted, seen, np.ones(100))
    assert len(foretold) == 10
    assert share.sum() == pytest.approx(1.0)
    whole = np.repeat([1.0, 3.0], 50)
    assert expected_calibration_error(predicted[:50], predicted[:50] > 1, whole[:50]) == pytest.approx(0.2)
    assert expected_calibration_error(predicted[:0], seen[:0], whole[:0]) == 0.0
    assert reliability_plot({"completed": (predicted, seen, whole)}).startswith(b"\x89PNG")
    assert found.max() <= 1.0
