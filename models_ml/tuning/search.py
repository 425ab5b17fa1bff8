"""Coordinate descent: one setting after the other, the best value of its grid kept where it gains enough.

Belongs here: the order of trials, what is taken, the comparison with its interval. Does not: what a trial does (the
caller's score function), what is tried (space.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.evaluation.bootstrap import Interval, ratio_of_means
from models_ml.tuning.space import Change, Settings, Step

# A change that gains less, as a share of the best so far, is not taken: fewer changes are simpler.
MINIMUM_GAIN: Final = 0.005
START: Final = "(start)"


@dataclass(frozen=True)
class Score:
    """How good settings are: one entry per week and listener, the same ones in the same order for all settings.

    week: (r,) number of the week, from 0.  listener: (r,) the same number for the same listener in every week.
    ndcg, recall: (r,) float64.  seconds: what it took to find out.
    """

    week: Ints
    listener: Ints
    ndcg: Floats
    recall: Floats
    seconds: float = 0.0

    @property
    def by_week(self) -> Floats:
        """(weeks,) mean nDCG over the listeners of each week."""
        return self._means(self.ndcg)

    @property
    def mean_ndcg(self) -> float:
        """Mean over listeners, then over weeks."""
        return float(self._means(self.ndcg).mean())

    @property
    def mean_recall(self) -> float:
        """Mean over listeners, then over weeks."""
        return float(self._means(self.recall).mean())

    def above(self, other: "Score", seed: int, resamples: int) -> Interval:
        """Mean nDCG minus the other's, with a 95 % interval over listeners, each with all its weeks."""
        # Weeks count alike however many listeners they have: an entry weighs one over the entries of its week.
        weight = 1.0 / np.bincount(self.week)[self.week]
        return ratio_of_means((self.ndcg - other.ndcg) * weight, weight, seed, resamples, clusters=self.listener)

    def _means(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.week, weights=values) / np.bincount(self.week))


@dataclass(frozen=True)
class Trial:
    """One line of the record.  difference: to the best before the step that it belongs to."""

    round: int
    change: Change | None
    settings: Settings
    score: Score
    difference: Interval
    taken: bool

    @property
    def label(self) -> str:
        """What was tried."""
        return self.change.label if self.change else START


@dataclass(frozen=True)
class SearchParams:
    """rounds: times through the space, fewer where a round takes nothing.  resamples, seed: of the intervals."""

    rounds: int = 1
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """trials: in the order they were made.  finished: False where `stop` ended it."""

    settings: Settings
    trials: tuple[Trial, ...]
    finished: bool

    @property
    def before(self) -> Score:
        """The score of the settings it started from."""
        return self.trials[0].score

    @property
    def after(self) -> Score:
        """The score of the settings it chose."""
        return next(trial.score for trial in reversed(self.trials) if trial.taken)


@dataclass
class _Descent:
    """Where the search stands."""

    score: Callable[[Settings], Score]
    params: SearchParams
    report: Callable[[Trial], None]
    settings: Settings
    best: Score
    trials: list[Trial] = field(default_factory=list)

    def step(self, number: int, step: Step, stop: Callable[[], bool]) -> bool:
        """Try the step's grid and take its best value if that gains enough. False where `stop` ended it."""
        first, finished = len(self.trials), True
        for change in step.changes(self.settings):
            if stop():
                finished = False
                break
            self._try(number, change)
        self._take_best(first)
        return finished

    def _try(self, number: int, change: Change) -> None:
        settings = change.applied(self.settings)
        score = self.score(settings)
        difference = score.above(self.best, self.params.seed, self.params.resamples)
        self.trials.append(Trial(number, change, settings, score, difference, taken=False))
        self.report(self.trials[-1])

    def _take_best(self, first: int) -> None:
        """Of equals the first, and the present one before all, unless the gain is large enough and no chance."""
        if len(self.trials) == first:
            return
        place = max(range(first, len(self.trials)), key=lambda trial: self.trials[trial].score.mean_ndcg)
        found = self.trials[place]
        gain = found.score.mean_ndcg - self.best.mean_ndcg
        if gain > 0 and gain >= MINIMUM_GAIN * self.best.mean_ndcg and found.difference.low > 0:
            self.trials[place] = replace(found, taken=True)
            self.settings, self.best = found.settings, found.score


def search(
    space: Sequence[Step],
    score: Callable[[Settings], Score],
    start: Settings,
    params: SearchParams,
    report: Callable[[Trial], None],
    stop: Callable[[], bool],
) -> Outcome:
    """The settings that coordinate descent finds from `start`.

    score: of any settings; the search asks again for settings it has asked for before, so it should remember.
    report: told each trial when it is made; what is taken is known when the step ends.
    stop: asked before each trial; True ends the search with what it has.
    """
    score = _remembering(score)
    first = score(start)
    trial = Trial(0, None, start, first, first.above(first, params.seed, params.resamples), taken=True)
    report(trial)
    descent = _Descent(score, params, report, start, first, [trial])
    finished = all(_rounds(descent, space, stop))
    return Outcome(descent.settings, tuple(descent.trials), finished)


def _rounds(descent: _Descent, space: Sequence[Step], stop: Callable[[], bool]) -> Iterator[bool]:
    """Whether each step came to its end, round after round, until a round takes nothing."""
    for number in range(1, descent.params.rounds + 1):
        before = descent.settings
        for step in space:
            yield descent.step(number, step, stop)
        if descent.settings is before:
            return


def _remembering(score: Callable[[Settings], Score]) -> Callable[[Settings], Score]:
    """The score function, asked once for the same settings."""
    known: dict[str, Score] = {}

    def remembered(settings: Settings) -> Score:
        key = repr(sorted((section, sorted(values.items())) for section, values in settings.items()))
        if key not in known:
            known[key] = score(settings)
        return known[key]

    return remembered
