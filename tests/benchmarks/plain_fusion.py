"""The plain job's vectors of recordings: by listening, and new ones by what their words and their artist predict.

Belongs here: ridge regressions from words and artist, how far they are trusted against so much listening, the artist's
mean that is served with each vector. Does not: training (plain_job.py), words (plain_words.py), listeners
(plain_starts.py).

A new recording's vector is v = (e UtU + sum (c - e) u ut + lambda I)^-1 (sum c p u + lambda mu): models_ml/fusion.py
says why. UtU is taken apart once, so that only one small system a recording is left, of its listeners.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints
from models_ml.content_prediction import is_held_out
from models_ml.fusion import FusionParams
from models_ml.prior_strength import LEVELS
from models_ml.serving import ServingParams

PARAMS, SERVING = FusionParams(), ServingParams()
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
EXPOSURES = (0.01, 0.03, 0.1, 0.3, 1.0)
FEWEST_TEACHERS = 20
FEWEST_LISTENERS, MOST_THINNED, FEWEST_THINNED = 20, 300, 10
GROWING_UP_DAYS = 4 * PARAMS.new_days


@dataclass(frozen=True)
class Space:
    """Where m recordings lie.

    served: (m, f) float32 what is searched.  text: (m, f) the part of it that comes from words.
    unproven: (m,) so few like it that words and artist place it.  liked_by: (m,).
    """

    served: Floats
    text: Floats
    unproven: Bools
    liked_by: Ints


@dataclass(frozen=True)
class Prediction:
    """(m, f) float64 what listening to others, and what words, say of each recording; zero where nothing does."""

    listening: Floats
    text: Floats

    @property
    def whole(self) -> Floats:
        """(m, f)."""
        return self.listening + self.text


@dataclass(frozen=True)
class Evidence:
    """Who listened to each recording.

    by_recording: (m, n) signed confidence.  gram: (f, f) UtU.  values, axes: its eigenvalues and eigenvectors.
    turned: (n, f) listeners' vectors along these axes.
    """

    by_recording: scipy.sparse.csr_matrix
    gram: Floats
    values: Floats
    axes: Floats
    turned: Floats

    @classmethod
    def of(cls, signed: scipy.sparse.csr_matrix, users: Floats) -> "Evidence":
        """signed: (n, m).  users: (n, f)."""
        users = users.astype(np.float64)
        values, axes = np.linalg.eigh(users.T @ users)
        return cls(signed.T.tocsr(), users.T @ users, np.maximum(values, 0.0), axes, users @ axes)


@dataclass(frozen=True)
class Listening:
    """Of r recordings.  confidence: (r, h) signed, 0 past the end.  turned: (r, h, f) of those who gave it."""

    confidence: Floats
    turned: Floats

    @classmethod
    def of(cls, evidence: Evidence, rows: scipy.sparse.csr_matrix) -> "Listening":
        """rows: (r, n) signed confidence."""
        lengths = np.diff(rows.indptr)
        there = np.arange(max(int(lengths.max(initial=0)), 1)) < lengths[:, None]
        listener, confidence = np.zeros(there.shape, dtype=np.int64), np.zeros(there.shape)
        listener[there], confidence[there] = rows.indices, rows.data
        return cls(confidence, np.where(there[:, :, None], evidence.turned[listener], 0.0))


@dataclass(frozen=True)
class Recordings:
    """(m,) each: position of the first artist, held_out by artist, days out (NaN: long)."""

    artist: Ints
    held_out: Bools
    out_days: Floats


def recordings_of(tracks: pd.DataFrame, heard_by: Ints, week: pd.Timestamp) -> Recordings:
    """By the track of each recording that most know.  heard_by: (tracks,) listeners."""
    order = ["recording", "heard_by", "released_on", "track_id"]
    main = tracks.assign(heard_by=heard_by).sort_values(order, ascending=[True, False, True, True])
    main = main.drop_duplicates("recording")
    known_from = tracks.groupby("recording")["known_from"].min()
    heard = pd.Series(heard_by).groupby(tracks["recording"]).sum()
    out = (week - known_from.dt.floor("D")).dt.days.astype(float)
    out_days = out.where(out.notna() | (heard > 0), 0.0).to_numpy()
    artist_id = main["artist_id"]
    return Recordings(pd.factorize(artist_id)[0], is_held_out(pa.array(artist_id, pa.string())), out_days)


def fuse(
    items: Floats, users: Floats, signed: scipy.sparse.csr_matrix, text: Floats, of: Recordings, regularization: float
) -> Space:
    """Vectors of all recordings.  items: (m, f), users: (n, f) of the fit.  text: (m, d)."""
    evidence = Evidence.of(signed, users)
    liked_by = np.bincount(signed.indices[signed.data > 0], minlength=len(items))
    is_new = of.out_days <= PARAMS.new_days
    wanted = is_new & (liked_by <= PARAMS.evidence_limit)
    learnt = items.any(axis=1)
    known = learnt & (liked_by >= PARAMS.teacher_listeners)
    weight = known * (liked_by / (liked_by + PARAMS.teacher_listeners))
    artist = _artist_mean(items, of.artist, np.log1p(liked_by) * learnt, others=True)
    judged = of.held_out & (weight > 0)
    honest = _predicted(items, text, artist, weight, judged, of.held_out, honest=True)
    predicted = _predicted(items, text, artist, weight, wanted, of.held_out, honest=False)
    placed, words = items.astype(np.float64), np.zeros(items.shape)
    share: Floats = np.where(learnt, 1.0, 0.0)
    level_of = np.searchsorted(LEVELS, liked_by, side="right") - 1
    for level, listeners in enumerate(LEVELS):
        trust = _trust(evidence, items, honest.whole, liked_by, judged, of.out_days, listeners, regularization)
        rows = np.flatnonzero(wanted & (level_of == level) & predicted.whole.any(axis=1))
        if trust is None or not len(rows):
            continue
        strength, exposure, scale = trust
        priors = [predicted.listening[rows], predicted.text[rows]]
        listening = Listening.of(evidence, evidence.by_recording[rows])
        parts = solved(evidence, listening, priors, strength, exposure) if exposure else priors
        placed[rows], words[rows] = scale * parts[0], scale * parts[1]
        share[rows] = np.maximum(share[rows], scale)
    return _served(items, placed, words, share, liked_by, of.artist)


def _served(items: Floats, listening: Floats, words: Floats, share: Floats, liked_by: Ints, artist: Ints) -> Space:
    """Each vector, helped by its artist's mean."""
    placed = (listening + words).any(axis=1)
    means = _artist_mean(items, artist, np.log1p(liked_by) * items.any(axis=1), others=False)
    served = listening + words + SERVING.artist_weight * share[:, None] * means
    served[~placed] = 0.0
    unproven = placed & (liked_by < PARAMS.content_below)
    return Space(served.astype(np.float32), words.astype(np.float32), unproven, liked_by)


def _artist_mean(items: Floats, artist: Ints, weight: Floats, *, others: bool) -> Floats:
    """(m, f) weighted mean vector of each artist's recordings; others: without the recording itself."""
    own = items * weight[:, None]
    belongs = scipy.sparse.csr_matrix((np.ones(len(artist)), (artist, np.arange(len(artist)))))
    sums, total = (belongs @ own)[artist], (belongs @ weight)[artist]
    if others:
        sums, total = sums - own, total - weight
    return np.where(total[:, None] > 1e-9, sums / np.maximum(total, 1e-9)[:, None], 0.0)


def _predicted(
    items: Floats, text: Floats, artist: Floats, weight: Floats, wanted: Bools, held_out: Bools, *, honest: bool
) -> Prediction:
    """By one regression for each set of signals that a wanted recording has.  honest: held-out artists don't teach."""
    listening, words = np.zeros(items.shape), np.zeros(items.shape)
    has_text, has_artist = text.any(axis=1), artist.any(axis=1)
    for with_text, with_artist in ((True, True), (True, False), (False, True)):
        rows = np.flatnonzero(wanted & (has_text == with_text) & (has_artist == with_artist))
        width = text.shape[1] * with_text
        inputs = np.hstack([text[:, :width], artist[:, : artist.shape[1] * with_artist]])
        teach = (weight > 0) & (has_text | (not with_text)) & (has_artist | (not with_artist))
        found = _ridge(inputs, items, weight * teach, held_out, honest=honest) if len(rows) else None
        if found is None:
            continue
        words[rows] = inputs[rows, :width] @ found[1 : 1 + width]
        listening[rows] = found[0] + inputs[rows, width:] @ found[1 + width :]
    return Prediction(listening, words)


def _ridge(inputs: Floats, items: Floats, weight: Floats, held_out: Bools, *, honest: bool) -> Floats | None:
    """(1 + d, f) coefficients, the constant first; the ridge by the artists held out.  None where too few teach."""
    train, judge = np.flatnonzero((weight > 0) & ~held_out), np.flatnonzero((weight > 0) & held_out)
    if len(train) < FEWEST_TEACHERS:
        return None
    (gram, sums), (more_gram, more_sums) = (_normal(inputs[rows], items[rows], weight[rows]) for rows in (train, judge))
    asked = np.hstack([np.ones((len(judge), 1)), inputs[judge]])

    def missed(ridge: float) -> float:
        off = asked @ _with_pull(gram, sums, ridge) - items[judge]
        return float((weight[judge, None] * off**2).sum())

    best = min(RIDGES, key=missed) if len(judge) else 1.0
    return _with_pull(gram, sums, best) if honest else _with_pull(gram + more_gram, sums + more_sums, best)


def _normal(inputs: Floats, targets: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(XtWX, XtWY), the first column of X the constant."""
    whole = np.hstack([np.ones((len(inputs), 1)), inputs])
    weighted = whole * weight[:, None]
    return weighted.T @ whole, weighted.T @ targets


def _with_pull(gram: Floats, sums: Floats, ridge: float) -> Floats:
    pull = np.full(len(gram), max(ridge * float(np.diag(gram)[1:].mean()) / (len(gram) - 1), 1e-9))
    pull[0] = 1e-9
    return np.linalg.solve(gram + np.diag(pull), sums)


def _trust(
    evidence: Evidence,
    items: Floats,
    predicted: Floats,
    liked_by: Ints,
    judged: Bools,
    out_days: Floats,
    listeners: int,
    regularization: float,
) -> tuple[float, float, float] | None:
    """(lambda, e, scale) at so many listeners, from recordings thinned to so many; None where too few can be."""
    rows = np.flatnonzero(judged & predicted.any(axis=1) & (liked_by >= max(3 * listeners, FEWEST_LISTENERS)))
    if len(rows) < FEWEST_THINNED:
        return None
    random = np.random.default_rng(listeners)
    rows = np.sort(random.permutation(rows)[:MOST_THINNED])
    targets, prior = items[rows].astype(np.float64), predicted[rows]
    grown_up = ~(out_days <= PARAMS.new_days)
    lately = grown_up & (out_days <= GROWING_UP_DAYS)
    like_it = (lately if lately.sum() >= 30 else grown_up) & (liked_by >= listeners)
    shorter = min(1.0, _length(items[like_it], evidence.gram) / max(_length(targets, evidence.gram), 1e-12))
    if not listeners:
        return 0.0, 0.0, _error(prior, targets, evidence.gram)[1] * shorter
    thin = Listening.of(evidence, _thinned(evidence.by_recording[rows], listeners, random))
    tried = []
    for exposure in EXPOSURES:
        for strength in STRENGTHS:
            found = solved(evidence, thin, [prior], strength * regularization, exposure)[0]
            tried.append((*_error(found, targets, evidence.gram), strength * regularization, exposure))
    _, scale, strength, exposure = min(tried)
    return strength, exposure, scale * shorter


def _length(vectors: Floats, gram: Floats) -> float:
    """Root of the mean squared score of all listeners."""
    return float(np.sqrt(((vectors @ gram) * vectors).sum(axis=1).mean())) if len(vectors) else 0.0


def _error(found: Floats, targets: Floats, gram: Floats) -> tuple[float, float]:
    """(share of the squared scores missed after the best scaling, that scale)."""
    both, own = float(((found @ gram) * targets).sum()), float(((found @ gram) * found).sum())
    scale = max(both / own, 0.0) if own > 0 else 0.0
    return 1.0 - scale * (2 * both - scale * own) / float(((targets @ gram) * targets).sum()), scale


def _thinned(rows: scipy.sparse.csr_matrix, listeners: int, random: np.random.Generator) -> scipy.sparse.csr_matrix:
    """So many of those who like each, drawn at random."""
    liked = rows.tocoo()
    frame = pd.DataFrame({"row": liked.row, "column": liked.col, "value": liked.data})
    frame = frame[frame["value"] > 0].sample(frac=1.0, random_state=int(random.integers(2**31)))
    frame = frame[frame.groupby("row").cumcount() < listeners]
    return scipy.sparse.csr_matrix((frame["value"], (frame["row"], frame["column"])), shape=rows.shape)


def solved(
    evidence: Evidence, listening: Listening, priors: Sequence[Floats], strength: float, exposure: float
) -> list[Floats]:
    """What each prior, the first with the listening, gives these recordings; (r, f) each.

    In the axes of UtU its part of the matrix is a diagonal d, and (d + Xt k X)^-1 by Woodbury needs one system of as
    many rows as a recording has listeners.
    """
    diagonal = exposure * evidence.values + strength
    confidence, turned = listening.confidence, listening.turned
    extra = np.maximum(np.abs(confidence) - exposure, 1e-9)
    over = turned / diagonal
    small = over @ turned.transpose(0, 2, 1)
    each = np.arange(small.shape[1])
    small[:, each, each] += 1.0 / extra
    pulls = np.stack([strength * (prior @ evidence.axes) for prior in priors], axis=2)  # (r, f, p)
    pulls[:, :, 0] += (np.maximum(confidence, 0.0)[:, None, :] @ turned)[:, 0]
    first = pulls / diagonal[:, None]
    found = first - over.transpose(0, 2, 1) @ np.linalg.solve(small, turned @ first)
    return [found[:, :, place] @ evidence.axes.T for place in range(len(priors))]
