"""Reasons learnt over simulated weeks: what leads to more plays is told more often, and noise moves near ties alone."""

from dataclasses import fields

import numpy as np
import pytest

from models_ml.arrays import Floats
from models_ml.evidence import ContentEvidence
from models_ml.ranking import Components
from models_ml.reasons import CODES, ReasonChoice, ReasonParams, SlotEvidence
from models_ml.rules import COLLABORATIVE_RUNG

SLOTS, WEEKS, DISCOUNT = 3000, 8, 0.97
TRUE_HERE = ("because_you_played", "your_genre", "more_by_artist")
PARAMS = ReasonParams()


def slots(random: np.random.Generator) -> SlotEvidence:
    """A week's slots, three reasons true of each, none of them the strongest by nature."""
    parts = {part.name: np.zeros(SLOTS) for part in fields(Components)}
    for name in ("collaborative", "genre_affinity", "artist_affinity"):
        parts[name] = random.uniform(0.1, 1.0, SLOTS)
    no, some = np.zeros(SLOTS, dtype=bool), np.zeros(SLOTS, dtype=np.int64)
    rungs = np.full(SLOTS, COLLABORATIVE_RUNG)
    return SlotEvidence(Components(**parts), some, no, no, ContentEvidence.nothing(SLOTS), rungs, some)


def lifts_of(completed: Floats, foretold: Floats) -> Floats:
    """(2, CODES) by the formula of reason_lifts, one segment of which nothing is known, and everyone."""
    prior = PARAMS.prior_completions
    return np.tile((completed + prior) / (foretold + prior), (2, 1))


def weeks(effect: dict[str, float], seed: int) -> list[Floats]:
    """(CODES,) share of the slots that each reason was told of, week by week."""
    random = np.random.default_rng(seed)
    completed, foretold = np.zeros(len(CODES)), np.zeros(len(CODES))
    factor, shares = np.array([effect.get(code, 1.0) for code in CODES]), []
    for _ in range(WEEKS):
        choice = ReasonChoice(PARAMS, lifts_of(completed, foretold))
        told = choice.codes(slots(random), np.zeros((1, 1)), np.zeros(SLOTS, dtype=np.int64))
        code = np.array([CODES.index(name) for name in told])
        chance = random.uniform(0.2, 0.6, SLOTS)
        done = random.random(SLOTS) < chance * factor[code]
        # As reason_feedback brings what was foretold to what the week came to.
        expected = chance * done.sum() / chance.sum()
        completed = DISCOUNT * (completed + np.bincount(code, done, len(CODES)))
        foretold = DISCOUNT * (foretold + np.bincount(code, expected, len(CODES)))
        shares.append(np.bincount(code, minlength=len(CODES)) / SLOTS)
    return shares


def test_a_reason_that_leads_to_more_plays_than_foretold_is_told_more_often_later() -> None:
    shares = np.stack(weeks({"your_genre": 1.4}, seed=0))[:, [CODES.index(code) for code in TRUE_HERE]]
    assert shares[0] == pytest.approx(np.full(3, 1 / 3), abs=0.04)
    assert shares[-1, 1] > shares[0, 1] + 0.1
    assert (shares[1:, 1] > shares[0, 1]).all()
    # Bounded: it never takes a slot where another reason weighs more than twice as much.
    assert shares[-1, 1] < 0.75


@pytest.mark.parametrize("seed", range(5))
def test_where_no_reason_leads_to_more_the_choice_stays_as_it_was(seed: int) -> None:
    completed, foretold = np.zeros(len(CODES)), np.zeros(len(CODES))
    random = np.random.default_rng(seed)
    before = ReasonChoice(PARAMS, lifts_of(completed, foretold))
    rows = np.zeros(SLOTS, dtype=np.int64)
    for _ in range(WEEKS):
        week = slots(random)
        code = np.array([CODES.index(name) for name in before.codes(week, np.zeros((1, 1)), rows)])
        chance = random.uniform(0.2, 0.6, SLOTS)
        done = random.random(SLOTS) < chance
        completed = DISCOUNT * (completed + np.bincount(code, done, len(CODES)))
        foretold = DISCOUNT * (foretold + np.bincount(code, chance * done.sum() / chance.sum(), len(CODES)))
    lifts = lifts_of(completed, foretold)
    # Some 2,800 discounted completions a reason: a lift is off by 1.5% of itself, one standard error.
    assert lifts.max() / lifts.min() < 1.08
    fresh = slots(random)
    changed = before.codes(fresh, np.zeros((1, 1)), rows) != ReasonChoice(PARAMS, lifts).codes(
        fresh, np.zeros((1, 1)), rows
    )
    second, first = np.sort(fresh.strengths(), axis=0)[-2:]
    assert (first / second)[changed].max() <= lifts.max() / lifts.min()
    assert changed.mean() < 0.06


def test_a_few_slots_of_luck_move_a_lift_by_less_than_their_share_of_the_prior() -> None:
    lucky = lifts_of(np.full(len(CODES), 5.0), np.full(len(CODES), 2.0))
    assert lucky == pytest.approx(55 / 52)
