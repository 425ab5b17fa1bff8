"""Fusion: one space for any recording, from what is known of it: listening, words, sound, its artist.

Belongs here: the order of prediction and solve, and which recordings need them.
Does not: how words and sound become vectors (text/, sound/), the prediction (content_prediction.py), how far it is
trusted (prior_strength.py), the solve (linear_solves.py).

What words, sound and the artist's other recordings predict is the prior mean of a recording's least-squares solve
against the listeners' vectors u, with confidence c and preference p as in Hu, Koren and Volinsky 2008:

    v = (e UtU + sum (c - e) u ut + lambda I)^-1 (sum c p u + lambda mu)

e is how much those who did not hear it count as a no. A recording that has been out for long was there to be heard by
all of them, few listeners mean that few care, and it keeps its collaborative vector: with predictions, made from what
many like, the playlist archive's lists filled with tracks that nobody had ever added. Of a new one few could know: e,
lambda and the scale of v are what was learnt from recordings thinned to so few listeners, and with none v is the
prediction. The solve is linear in the listening and in each prediction, so a score falls apart exactly into what each
of them gives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Pairs, Progress, silent, spread, stable_order
from models_ml.collaborative import CollaborativeFactors
from models_ml.content_prediction import Signal, Teachers, artist_signal, predict_vectors
from models_ml.features import Interactions
from models_ml.linear_solves import solve_with_priors
from models_ml.prior_strength import LEVELS, PriorStrength, default_strengths, learn_strengths, liked_counts
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, POPULAR_RUNG

CONTENT = ("text", "audio")
# Recordings out for up to so many times `new_days` show what becomes of new ones.
_GROWING_UP = 4
_FEWEST_GROWN_UP = 30


@dataclass(frozen=True)
class FusionParams:
    """How what is said about a recording stands in for listening."""

    evidence_limit: int = field(
        default=100,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**6,
            "doc": "A recording that more like keeps its collaborative vector: listening says it all.",
        },
    )
    teacher_listeners: int = field(
        default=10,
        metadata={
            "unit": "listeners",
            "min": 1,
            "max": 10**6,
            "doc": "Recordings that at least so many like teach the prediction.",
        },
    )
    new_days: int = field(
        default=56,
        metadata={
            "unit": "days",
            "min": 0,
            "max": 36_500,
            "doc": "So long after its first day, few listeners don't yet mean that few care.",
        },
    )
    content_below: int = field(
        default=3,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**6,
            "doc": "A recording that fewer like stands on the rung `content`: words, sound and artist place it.",
        },
    )
    artist_as_signal: bool = field(
        default=True, metadata={"doc": "Whether an artist's other recordings help to place one."}
    )


@dataclass(frozen=True)
class FusedVectors:
    """Recordings' vectors by what they come from; their sum is searched.

    collaborative: (m, f) float32 from listening: the recording's own, its artist's, everyone's.
    text, audio: (m, f) float32 from words and from sound.
    artist_share: (m,) float32 how much of its artist's mean each may be helped by (serving.py).
    liked: (m,) how many like each recording.  is_unproven: (m,) True where so few do that the rest places it.
    strengths: how far predictions are trusted, by evidence.
    """

    collaborative: Floats
    text: Floats
    audio: Floats
    artist_share: Floats
    liked: Ints
    is_unproven: Bools
    strengths: tuple[PriorStrength, ...] = ()

    @property
    def vectors(self) -> Floats:
        """(m, f) float32."""
        return self.collaborative + self.text + self.audio

    @property
    def rungs(self) -> Ints:
        """(m,) codes of rules.RUNGS: content where the rest places it, popular where nothing does."""
        placed = _any_of([self.collaborative, self.text, self.audio])
        return np.where(self.is_unproven, CONTENT_RUNG, np.where(placed, COLLABORATIVE_RUNG, POPULAR_RUNG))


def fuse(
    factors: CollaborativeFactors,
    interactions: Interactions,
    artist: Ints,
    out_days: Floats,
    held_out: Bools,
    signals: Sequence[Signal],
    params: FusionParams,
    seed: int,
    progress: Progress = silent,
) -> FusedVectors:
    """Vectors of all recordings that anything is known of.

    interactions: those of the fit.  artist: (m,) first credited artist.  out_days: (m,) days since its first day,
    NaN where unknown, which counts as long.  held_out: (m,) True for recordings of artists that predictions are judged
    by (content_prediction.is_held_out).  signals: 'text' and 'audio', where there are.
    """
    evidence = _Evidence.of(factors, interactions)
    liked = evidence.liked
    learnt = np.asarray(factors.recording_factors.any(axis=1))
    if params.artist_as_signal:
        signals = [*signals, artist_signal(factors.recording_factors, artist, np.log1p(liked) * learnt)]
    is_new, artist_share = out_days <= params.new_days, learnt.astype(np.float32)
    wanted = is_new & (liked <= params.evidence_limit)
    teachers = _teachers(factors.recording_factors, liked, learnt, held_out, params)
    progress(f"fusion: {int((teachers.weight > 0).sum()):,} recordings teach {int(wanted.sum()):,}")
    strengths = _strengths(evidence, signals, teachers, _grown_up(out_days, params), factors.regularization, seed)
    predicted = predict_vectors(signals, teachers, wanted, honest=False)
    parts = _by_origin(predicted, factors.recording_factors)
    solvable = wanted & _any_of(predicted.values())
    placed = [factors.recording_factors.copy(), *(np.zeros_like(factors.recording_factors) for _ in CONTENT)]
    for level, strength in enumerate(strengths):
        rows = np.flatnonzero(solvable & (_level_of(liked) == level) & (strength.recordings > 0))
        if not len(rows):
            continue
        artist_share[rows] = np.maximum(artist_share[rows], strength.scale)
        for place, part in zip(placed, evidence.solved(rows, [part[rows] for part in parts], strength), strict=True):
            place[rows] = strength.scale * part
    unproven = (liked < params.content_below) & _any_of(placed)
    listening, text, audio = placed
    return FusedVectors(listening, text, audio, artist_share, liked, unproven, strengths)


def _by_origin(predicted: dict[str, Floats], like: Floats) -> list[Floats]:
    """What listening to others predicts (everyone's, the artist's), what words do, what sound does; (m, f) each."""
    listening = sum_of([part for name, part in predicted.items() if name not in CONTENT])
    return [listening, *(predicted.get(name, np.zeros_like(like)) for name in CONTENT)]


def _any_of(parts: Iterable[Floats]) -> Bools:
    """(m,) True where any of the parts says something."""
    return np.asarray(np.logical_or.reduce([part.any(axis=1) for part in parts]))


def _teachers(targets: Floats, liked: Ints, learnt: Bools, held_out: Bools, params: FusionParams) -> Teachers:
    """The more like a recording, the better its vector is known."""
    known = learnt & (liked >= params.teacher_listeners)
    return Teachers(targets, np.where(known, liked / (liked + params.teacher_listeners), 0.0), held_out)


def _grown_up(out_days: Floats, params: FusionParams) -> Bools:
    """Recordings that stopped being new in the last months; all that are not new, where those are too few."""
    not_new = ~(out_days <= params.new_days)
    lately = not_new & (out_days <= _GROWING_UP * params.new_days)
    return np.asarray(lately if lately.sum() >= _FEWEST_GROWN_UP else not_new)


@dataclass(frozen=True)
class _Evidence:
    """What recordings are solved from.  by_recording: interactions transposed.  gram: (f, f) UtU, summed once."""

    by_recording: Interactions
    liked: Ints
    listener_factors: Floats
    gram: Floats

    @classmethod
    def of(cls, factors: CollaborativeFactors, interactions: Interactions) -> "_Evidence":
        by_recording = transposed(interactions, len(factors.recording_factors))
        double = factors.listener_factors.astype(np.float64)
        return cls(by_recording, liked_counts(by_recording), factors.listener_factors, double.T @ double)

    def solved(self, rows: Ints, priors: Sequence[Floats], strength: PriorStrength) -> list[Floats]:
        """What each prior, the first with the listening, gives these recordings."""
        if not strength.exposure:  # nobody has had the chance to hear them
            return list(priors)
        listening, *others = solve_with_priors(
            rows_of(self.by_recording, rows),
            self.listener_factors,
            self.gram,
            priors,
            strength.strength,
            strength.exposure,
        )
        return [listening + others[0], *others[1:]]


def _strengths(
    evidence: _Evidence,
    signals: Sequence[Signal],
    teachers: Teachers,
    grown_up: Bools,
    regularization: float,
    seed: int,
) -> tuple[PriorStrength, ...]:
    """Learnt on recordings of held-out artists, predicted without them."""
    judged = teachers.held_out & (teachers.weight > 0)
    predicted = sum_of(list(predict_vectors(signals, teachers, judged, honest=True).values()))
    eligible = judged & predicted.any(axis=1)
    if not eligible.any():
        return default_strengths(regularization)
    return learn_strengths(
        evidence.by_recording,
        evidence.liked,
        evidence.listener_factors,
        evidence.gram,
        teachers.targets,
        predicted,
        eligible,
        grown_up,
        regularization,
        seed,
    )


def sum_of(parts: Sequence[Floats]) -> Floats:
    """Their sum, in their order."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def _level_of(liked: Ints) -> Ints:
    """Place in LEVELS of the evidence of each recording."""
    return np.searchsorted(np.array(LEVELS), liked, side="right") - 1


def transposed(interactions: Interactions, count: int | None = None) -> Interactions:
    """The same pairs by recording.  count: recordings, where it isn't the width of the pairs."""
    pairs = interactions.pairs
    count = pairs.width if count is None else count
    owners = len(pairs.indptr) - 1
    listener = np.repeat(np.arange(owners, dtype=np.int32), np.diff(pairs.indptr))
    order = stable_order(pairs.values.astype(np.int64))
    indptr = np.searchsorted(pairs.values[order], np.arange(count + 1)).astype(np.int64)
    turned = Pairs(indptr, listener[order], max(owners, 1))
    return Interactions(turned, interactions.confidence[order], interactions.preference[order])


def rows_of(interactions: Interactions, owners: Ints) -> Interactions:
    """The pairs of these owners, who become 0, 1, ... in their order."""
    lengths = interactions.pairs.lengths(owners)
    position = spread(interactions.pairs.indptr[owners], lengths)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    pairs = Pairs(indptr, interactions.pairs.values[position], interactions.pairs.width)
    return Interactions(pairs, interactions.confidence[position], interactions.preference[position])
