"""Learning the ranker: a booster an outcome, compiled into tables, its chances calibrated on held-out rows.

Belongs here: the boosters, how many trees, thresholds and tables, calibration, the scale of the score.
Does not: the rows (examples.py), scoring (tables.py).

Boosters: Friedman 2001, by LightGBM. Chances: Platt 1999, a slope and an offset of the log odds; what a candidate
stands on (its rung) adds an offset of its own, since of listeners nobody has heard of trees know next to nothing.
"""

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Progress, silent
from models_ml.ranker.examples import Examples
from models_ml.ranker.features import FAMILIES, FEATURES
from models_ml.ranker.params import OUTCOMES, RankerParams
from models_ml.ranker.tables import FamilyTable, Ranker, logistic
from models_ml.rules import RUNGS

# Thresholds a feature: families of three then have at most some 33 ^ 3 cells, which stay in a core's cache; of the four
# of artist_affinity two take few values.
_BINS = 32
_PATIENCE = 20
_NEWTON_STEPS = 50
_RIDGE = 1e-3
# What holds a rung's offset to the usual: as much as some twenty slots, each even, say.
_RUNG_RIDGE = 5.0
_ZERO = np.float32(1e-35)


@dataclass(frozen=True)
class OutcomeFit:
    """How one outcome was learnt.

    rows, positives: learnt from.  trees: chosen on held-out rows.  from_slots: whether slots that were reached were
    enough to calibrate on.  predicted, seen, weight: of held-out rows that calibration didn't see.
    """

    outcome: str
    rows: int
    positives: int
    trees: int
    from_slots: bool
    predicted: Floats
    seen: Bools
    weight: Floats


@dataclass(frozen=True)
class Learnt:
    """ranker: None where there were too few completions.  fits, boosters: of each outcome that was learnt."""

    ranker: Ranker | None
    fits: list[OutcomeFit]
    boosters: dict[str, Any]


@dataclass(frozen=True)
class _Told:
    """What chances are held to; arrays of (e,): log odds as foretold, whether it was seen, weight, rung, week."""

    odds: Floats
    seen: Bools
    weight: Floats
    rung: Ints
    week: Ints

    @property
    def is_newest(self) -> Bools:
        """(e,) True in the newest week."""
        return np.asarray(self.week == self.week.max(initial=0))

    def of(self, rows: Bools) -> "_Told":
        """Those rows alone."""
        return _Told(self.odds[rows], self.seen[rows], self.weight[rows], self.rung[rows], self.week[rows])


def learn(examples: Examples, params: RankerParams, seed: int, progress: Progress = silent) -> Learnt:
    """The ranker of these examples."""
    held_out, boosters, fits = examples.held_out(), {}, []
    chances, rung_offsets = np.full((len(OUTCOMES), 2), np.nan), np.zeros((len(OUTCOMES), len(RUNGS)))
    for place, outcome in enumerate(OUTCOMES):
        found = _learn_outcome(examples, place, held_out, params, seed) if params.learned else None
        if found is None and place == 0:
            return Learnt(None, [], {})
        if found is not None:
            boosters[place], (chances[place], rung_offsets[place]), fit = found
            fits.append(fit)
            progress(f"ranker: {outcome} learnt from {fit.rows:,} candidates, {fit.trees} trees")
    if not examples.is_slot.any():  # what is played of one's own accord says nothing of what is done with lists
        chances[:, 1] = np.nan
    weights = np.array([weight if place in boosters else 0.0 for place, weight in enumerate(params.weights)])
    named = {OUTCOMES[place]: booster for place, booster in boosters.items()}
    return Learnt(_compiled(boosters, examples, weights, (chances, rung_offsets)), fits, named)


def _learn_outcome(
    examples: Examples, place: int, held_out: Bools, params: RankerParams, seed: int
) -> tuple[Any, tuple[Floats, Floats], OutcomeFit] | None:
    """(booster, its calibration, how it went) of one outcome; None where it was seen too seldom."""
    asked, seen = examples.asked_of(place), examples.outcomes[place]
    older, newer = np.flatnonzero(asked & ~held_out), np.flatnonzero(asked & held_out)
    if seen[older].sum() < params.minimum_positives or seen[newer].sum() < params.fewest_held_out:
        return None
    first = _boosted(examples, place, older, params, seed, newer)
    trees = max(int(first.best_iteration), 1)
    rows, from_slots = _to_calibrate(examples, asked & ~held_out, newer, seen, params)
    odds = first.predict(examples.values[rows], raw_score=True, num_iteration=trees)
    told = _Told(odds, seen[rows], examples.weight[rows], examples.rung[rows], examples.week[rows])
    halves = examples.listener[rows] % 2 == 0
    (slope, offset), of_rung = _calibrated(told.of(halves), params)
    unseen = told.of(~halves & told.is_newest)
    predicted = logistic(slope * unseen.odds + offset + np.append(of_rung, 0.0)[unseen.rung])
    every = np.flatnonzero(asked)
    booster = _boosted(examples, place, every, params, seed, trees=trees)
    counts = len(every), int(seen[every].sum()), trees, from_slots
    fit = OutcomeFit(OUTCOMES[place], *counts, predicted, unseen.seen, unseen.weight)
    return booster, _calibrated(told, params), fit


def _to_calibrate(
    examples: Examples, learnt_from: Bools, newer: Ints, seen: Bools, params: RankerParams
) -> tuple[Ints, bool]:
    """(rows, whether they are slots): slots that were reached and not learnt from, where enough came of them, else
    `newer`.
    """
    slots = np.flatnonzero(examples.is_slot & ~learnt_from)
    return (slots, True) if _is_enough(seen[slots], params) else (newer, False)


def _is_enough(seen: Bools, params: RankerParams) -> bool:
    """Whether there is enough of both that chances can be held to it."""
    return min(int(seen.sum()), int((~seen).sum())) >= params.minimum_positives


def _boosted(
    examples: Examples,
    place: int,
    rows: Ints,
    params: RankerParams,
    seed: int,
    held_out: Ints | None = None,
    trees: int = 0,
) -> Any:
    """A booster of these rows; as many trees as held-out rows say, or as given."""
    import lightgbm  # loading it takes half a second, which only the week's training should wait for

    def data(of: Ints) -> Any:
        target = examples.outcomes[place][of].astype(np.float64)
        return lightgbm.Dataset(examples.values[of], target, weight=examples.weight[of], params=how)

    how = _how(params, seed)
    if held_out is None:
        return lightgbm.train(how, data(rows), trees)
    stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
    return lightgbm.train(how, data(rows), params.most_trees, [data(held_out)], callbacks=[stop])


def _how(params: RankerParams, seed: int) -> dict[str, Any]:
    bounds = list(accumulate((len(names) for names in FAMILIES.values()), initial=0))
    return {
        "objective": "binary",
        "learning_rate": params.learning_rate,
        "num_leaves": params.leaves,
        "min_data_in_leaf": params.rows_per_leaf,
        "max_bin": _BINS,
        "lambda_l2": 1.0,
        "interaction_constraints": [list(range(start, stop)) for start, stop in pairwise(bounds)],
        "deterministic": True,
        "force_row_wise": True,
        # Sums of gradients, and with them trees, could follow the number of threads. Two take three quarters of the
        # time where both cores are free, and three to twelve times as long where another process works on them.
        "num_threads": 1,
        "seed": seed % 2**31,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def platt(odds: Floats, seen: Bools, weight: Floats) -> Floats:
    """(2,) slope and offset that make log odds those of what was seen; 1 and 0 where nothing was."""
    if not len(odds):
        return np.array([1.0, 0.0])
    # Around the mean, from no slope and the share seen: log odds of another population may lie far from these rows'.
    center = np.average(odds, weights=weight)
    design = np.stack([odds - center, np.ones(len(odds))], axis=1)
    share = (weight @ seen + 1.0) / (weight.sum() + 2.0)
    found = np.array([0.0, np.log(share / (1.0 - share))])
    for _ in range(_NEWTON_STEPS):
        chance = logistic(design @ found)
        gradient = design.T @ (weight * (chance - seen)) + _RIDGE * (found - [1.0, found[1]])
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found = found - step
        if np.abs(step).max() < 1e-10:
            break
    return np.array([found[0], found[1] - found[0] * center])


def _calibrated(told: _Told, params: RankerParams) -> tuple[Floats, Floats]:
    """(slope and offset, offset of each rung on top); -1 is no rung.

    By the newest week, where that is enough, since its lists were chosen as the next ones will be: what looks best is
    finished less often than chances say that are held to lists it did not choose (demo worlds of 4,000 listeners after
    four weeks: .726 foretold and .675 seen by all weeks, .692 by the newest). What few slots of it stand on is held to
    what those of all weeks say.
    """
    found, offsets = _held_to(told, np.zeros(len(RUNGS)))
    newest = told.of(told.is_newest)
    if len(newest.odds) < len(told.odds) and _is_enough(newest.seen, params):
        return _held_to(newest, offsets)
    return found, offsets


def _held_to(told: _Told, usual: Floats) -> tuple[Floats, Floats]:
    """As _calibrated.  usual: (rungs,) offsets, where little or nothing says otherwise."""
    slope, offset = found = platt(told.odds, told.seen, told.weight)
    turned, offsets = slope * told.odds + offset, usual.copy()
    for code in np.unique(told.rung[told.rung >= 0]):
        of = told.rung == code
        offsets[code] = _offset(turned[of], told.seen[of], told.weight[of], usual[code])
    return found, offsets


def _offset(odds: Floats, seen: Bools, weight: Floats, usual: float) -> float:
    """What added to these log odds makes them those of what was seen, held to the usual where little was."""
    found = usual
    for _ in range(_NEWTON_STEPS):
        chance = logistic(odds + found)
        gradient = weight @ (chance - seen) + _RUNG_RIDGE * (found - usual)
        step = float(gradient / (weight @ (chance * (1.0 - chance)) + _RUNG_RIDGE))
        found -= step
        if abs(step) < 1e-10:
            break
    return found


def _compiled(
    boosters: dict[int, Any], examples: Examples, weights: Floats, calibration: tuple[Floats, Floats]
) -> Ranker:
    """The boosters as tables, centred on the mean candidate, with the score at the linear one's spread."""
    thresholds = _thresholds(list(boosters.values()))
    neutral = np.full(len(FEATURES), np.nan)
    base = _raw(boosters, neutral[None])[:, 0]
    families, at_neutral = {}, base[:, None].copy()
    for name, members in FAMILIES.items():
        columns = tuple(FEATURES.index(member) for member in members)
        of = tuple(thresholds[column] for column in columns)
        table = FamilyTable(columns, of, _raw(boosters, _grid(neutral, columns, of)) - at_neutral)
        cells = table.cells(examples.values)
        mean = np.average(table.log_odds[:, cells], axis=1, weights=examples.weight)
        base += mean
        families[name] = FamilyTable(columns, of, table.log_odds - mean[:, None])
    ranker = Ranker(families, base, weights, *calibration, 1.0)
    return replace(ranker, scale=_scale(ranker, examples))


def _raw(boosters: dict[int, Any], values: Floats) -> Floats:
    """(outcomes, c) log odds as the boosters have them, 0 for outcomes without one."""
    odds = np.zeros((len(OUTCOMES), len(values)))
    for place, booster in boosters.items():
        odds[place] = booster.predict(values, raw_score=True)
    return odds


def _thresholds(boosters: list[Any]) -> list[Floats]:
    """Of each feature, every threshold of any booster: the largest float32 that goes the same way, ascending."""
    found: list[list[float]] = [[] for _ in FEATURES]
    waiting = [tree["tree_structure"] for booster in boosters for tree in booster.dump_model()["tree_info"]]
    while waiting:
        node = waiting.pop()
        if "split_feature" in node:
            found[node["split_feature"]].append(node["threshold"])
            waiting += node["left_child"], node["right_child"]
    return [_below(np.array(sorted(each))) for each in found]


def _below(numbers: Floats) -> Floats:
    """The largest float32 not above each number, each once: for a float32 value, `value <= number` stays what it is."""
    with np.errstate(over="ignore"):  # what parts the known from the unknown lies beyond float32
        near = numbers.astype(np.float32)
    # LightGBM takes what lies within 1e-35 of zero for zero, which is above the threshold at -1e-35.
    lower = (near > numbers) | (near == -_ZERO)
    return np.unique(np.where(lower, np.nextafter(near, np.float32(-np.inf)), near))


def _grid(neutral: Floats, columns: tuple[int, ...], thresholds: tuple[Floats, ...]) -> Floats:
    """(cells, features) a candidate of each cell, in the order of FamilyTable.cells; neutral in all other features."""
    inside = [np.concatenate([of, _above(of), [np.nan]]) for of in thresholds]
    cells = np.stack([each.ravel() for each in np.meshgrid(*inside, indexing="ij")], axis=1)
    grid = np.repeat(neutral[None], len(cells), axis=0)
    grid[:, columns] = cells
    return grid


def _above(thresholds: Floats) -> Floats:
    """(1,) a float32 above all of these."""
    with np.errstate(over="ignore"):
        return np.nextafter(thresholds[-1:], np.float32(np.inf)) if len(thresholds) else np.zeros(1, dtype=np.float32)


def _scale(ranker: Ranker, examples: Examples) -> float:
    """What gives the score, among one listener's candidates, the spread that the linear score has."""
    score = np.sum(list(ranker.contributions(examples.values).values()), axis=0)
    alone = ~examples.is_slot
    _, group = np.unique(np.stack([examples.listener, examples.week]), axis=1, return_inverse=True)
    spread = [_spread(of[alone], group[alone], examples.weight[alone]) for of in (examples.linear_score, score)]
    return float(spread[0] / spread[1]) if min(spread) > 0 else 1.0


def _spread(scores: Floats, group: Ints, weight: Floats) -> float:
    """Weighted standard deviation within groups."""
    total = np.maximum(np.bincount(group, weight), 1e-12)
    apart = scores - (np.bincount(group, weight * scores) / total)[group]
    return float(np.sqrt(np.average(apart**2, weights=weight)))
