"""The plain job's candidates: the nearest by one matrix product a batch, several sources, and what filters take out.

Belongs here: search, sources, filters with their names, the search again for who is left with few, the funnel.
Does not: which of the candidates are taken (plain_draws.py), vectors (plain_fusion.py, plain_starts.py).

A batch's candidates are one grid, a row a listener, so that every step is an operation on whole arrays.
"""

from collections import Counter
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse
import threadpoolctl

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import AssemblyParams
from models_ml.candidates import CandidateParams
from models_ml.exploration.params import ExplorationParams
from models_ml.ranking import RankingParams
from models_ml.rules import (
    COLLABORATIVE,
    EXPLORATION,
    FILTER_CODES,
    FILTER_RULES,
    FRESH,
    NEW_RELEASE,
    POPULAR,
    SOURCE_BITS,
)
from tests.benchmarks.plain_catalogue import Catalogue
from tests.benchmarks.plain_engagement import Weighted
from tests.benchmarks.plain_fusion import Space
from tests.benchmarks.plain_starts import Listeners

PARAMS, RANKING, ARMS, RULES = CandidateParams(), RankingParams(), ExplorationParams(), AssemblyParams()
# The best are looked for among those above a bound that every so manieth column gives.
SAMPLED = 8
# Further apart than any two scores: what is merely popular comes after what a vector found.
FAR = np.float32(100)
# What is a grid in Found.
COLUMNS = ("recording", "valid", "near", "sources", "personal", "track", "artist", "album", "is_new", "score")


@dataclass(frozen=True)
class Found:
    """Candidates of b listeners, in no order, (b, K) each.

    recording; valid: False where there is none, or a filter took it out.  near: inner product, or place among what is
    popular.  sources: bits of rules.SOURCE_BITS.  personal: found by the listener's vector.  track, artist, album: of
    the edition given.  is_new: by artists new to the listener.  score: the final one.
    """

    users: Ints
    recording: Ints
    valid: Bools
    near: Floats
    sources: Ints
    personal: Bools
    track: Ints
    artist: Ints
    album: Ints
    is_new: Bools
    score: Floats

    def rows(self, chosen: Ints) -> "Found":
        """Of some of the listeners."""
        return Found(*(getattr(self, part.name)[chosen] for part in fields(Found)))


@dataclass
class Funnel:
    """candidates, listeners: by (stage, rule).  rejected: rows of the sampled listeners."""

    candidates: Counter[tuple[str, str]] = field(default_factory=Counter)
    listeners: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: list[pd.DataFrame] = field(default_factory=list)

    def count(self, stage: str, rule: str, which: Bools) -> None:
        """Add the candidates that are true.  which: (b, K)."""
        by_listener = np.count_nonzero(which, axis=1)
        self.candidates[stage, rule] += int(by_listener.sum())
        self.listeners[stage, rule] += int(np.count_nonzero(by_listener))


class Finder:
    """Finds the candidates of a batch of listeners."""

    def __init__(
        self,
        weighted: Weighted,
        catalogue: Catalogue,
        space: Space,
        listeners: Listeners,
        explores: Bools,
        sampled: Bools,
    ) -> None:
        """explores: (n,) who has slots for arms.  sampled: (n,) whose rejected candidates are kept."""
        self._weighted, self._catalogue, self._listeners = weighted, catalogue, listeners
        self._vectors = np.ascontiguousarray(space.served.T)
        self._placed: Bools = np.asarray(space.served.any(axis=1))
        self._has_vector: Bools = np.asarray(listeners.vectors.any(axis=1))
        self._explores, self._sampled = explores, sampled
        self._nowhere = np.flatnonzero(~self._placed)
        self._threads, self._scored = threadpoolctl.ThreadpoolController(), np.empty(0, dtype=np.float32)
        released = self._placed & (catalogue.age_days <= PARAMS.fresh_days)
        self._beside = (
            (FRESH, np.flatnonzero(released & catalogue.fresh), PARAMS.fresh_count),
            (NEW_RELEASE, np.flatnonzero(released & space.unproven), PARAMS.new_release_count),
            (EXPLORATION, np.flatnonzero(self._placed & catalogue.new_artist), ARMS.candidates_per_arm),
        )
        ages = np.nan_to_num(catalogue.age_days, nan=np.inf)
        fresh = RANKING.freshness_weight * 0.5 ** (ages / RANKING.freshness_half_life_days)
        self._freshness, self.boost = fresh.astype(np.float32), RANKING.boost_weight * catalogue.boosted
        length = np.linalg.norm(listeners.vectors, axis=1)
        median = np.median(length[self._has_vector]) if self._has_vector.any() else 1.0
        self._reach = np.minimum(length / median, 1.0).astype(np.float32)

    def find(self, users: Ints, funnel: Funnel) -> Found:
        """What passes every filter; what doesn't is counted."""
        scores, codes = self._scores(users), self._codes(users)
        found = self._with_tracks(users, *self._sources(users, scores, PARAMS.candidate_count))
        code = np.take_along_axis(codes, found.recording, axis=1)
        self._blocked_artists(found, code)
        for name, bit in SOURCE_BITS.items():
            funnel.count("retrieve", name, found.valid & ((found.sources & bit) > 0))
        for number, name in enumerate(FILTER_RULES, start=1):
            funnel.count("filter", name, found.valid & (code == number))
        funnel.rejected.append(self._rejected(found, code))
        found = replace(found, valid=found.valid & (code == 0))
        few = np.flatnonzero(found.valid.sum(axis=1) < PARAMS.minimum_kept)
        if len(few):
            again = self._masked(users[few], scores[few], codes[few], PARAMS.candidate_count)
            funnel.count("search_again", "few_kept", again.valid)
            found = _replaced(found, few, again)
        funnel.count("keep", "passed", found.valid)
        return found

    def freshness(self, users: Ints, recording: Ints, personal: Bools) -> Floats:
        """(b, K) what is given for a late release, less where the listener's vector is short.  recording: (b, K)."""
        return np.asarray(self._freshness[recording] * np.where(personal, self._reach[users, None], np.float32(1)))

    def find_deeper(self, users: Ints) -> Found:
        """Many that pass every filter, and after them what is popular, for lists that can't be filled."""
        scores, codes = self._scores(users), self._codes(users)
        deep = self._masked(users, scores, codes, RULES.deep_candidate_count)
        popular = self._popular_scores(users)
        row, place = np.nonzero(deep.valid)
        popular[row, deep.recording[row, place]] = -np.inf
        top_up = self._masked(users, popular, codes, popular.shape[1])
        parts = [np.hstack([getattr(deep, name), getattr(top_up, name)]) for name in COLUMNS]
        both = replace(deep, **dict(zip(COLUMNS, parts, strict=True)))
        both.personal[:, deep.recording.shape[1] :] = False
        both.score[:, deep.recording.shape[1] :] -= FAR
        return both

    def _scores(self, users: Ints) -> Floats:
        """(b, m) float32 inner products; what is popular, for who has no vector; -inf for what can't be found."""
        shape = (len(users), len(self._placed))
        # In the memory of the batch before: fresh pages take longer than the product.
        if self._scored.size < shape[0] * shape[1]:
            self._scored = np.empty(shape, dtype=np.float32)
        scores = self._scored.reshape(-1)[: shape[0] * shape[1]].reshape(shape)
        with self._threads.limit(limits=2, user_api="blas"):
            np.matmul(self._listeners.vectors[users], self._vectors, out=scores)
        scores[:, self._nowhere] = -np.inf
        without = np.flatnonzero(~self._has_vector[users])
        if len(without):
            scores[without] = self._popular_scores(users[without])
        return scores

    def _popular_scores(self, users: Ints) -> Floats:
        """(b, m) falling from 1 along the list of each market, -inf outside."""
        popular = self._catalogue.popular[self._catalogue.market[users]]
        length = np.maximum((popular >= 0).sum(axis=1), 1)[:, None]
        strength = (1.0 - np.arange(popular.shape[1]) / length).astype(np.float32)
        scores = np.full((len(users), self._vectors.shape[1] + 1), -np.inf, dtype=np.float32)
        np.put_along_axis(scores, np.where(popular >= 0, popular, scores.shape[1] - 1), strength, axis=1)
        return scores[:, :-1]

    def _codes(self, users: Ints) -> Ints:
        """(b, m) uint8 the filter that takes each recording out, 0 where it passes; blocked artists beside."""
        codes = self._catalogue.rule[self._catalogue.audience[users]]
        own = self._weighted.excluded[users]
        at = np.repeat(np.arange(len(users)) * codes.shape[1], np.diff(own.indptr)) + own.indices
        flat = codes.reshape(-1)
        flat[at] = np.where(flat[at] > 0, flat[at], own.data)
        return codes

    def _sources(self, users: Ints, scores: Floats, count: int) -> tuple[Ints, Bools, Floats, Ints]:
        """(recording, valid, near, sources), (b, K) each, every recording once in a row."""
        has_vector = self._has_vector[users, None]
        own = np.where(has_vector, SOURCE_BITS[COLLABORATIVE], SOURCE_BITS[POPULAR]).astype(np.uint8)
        parts = [(best_of(scores, count), own)]
        for name, columns, most in self._beside if count == PARAMS.candidate_count else ():
            theirs = has_vector & (self._explores[users, None] | (name != EXPLORATION))
            if len(columns):
                near = columns[best_of(scores[:, columns], most)]
                parts.append((near, np.where(theirs, SOURCE_BITS[name], 0).astype(np.uint8)))
        bits = np.zeros(scores.shape, dtype=np.uint8)
        new = []
        for ids, bit in parts:
            before = np.take_along_axis(bits, ids, axis=1)
            np.put_along_axis(bits, ids, before | bit, axis=1)
            new.append((before == 0) & (bit > 0))
        recording = np.hstack([ids for ids, _ in parts])
        score: Floats = np.take_along_axis(scores, recording, axis=1)
        return recording, np.hstack(new) & np.isfinite(score), score, np.take_along_axis(bits, recording, axis=1)

    def _with_tracks(self, users: Ints, recording: Ints, valid: Bools, near: Floats, sources: Ints) -> Found:
        catalogue = self._catalogue
        track = catalogue.edition[catalogue.audience[users, None], recording]
        known = _any_credit(self._weighted.known_artists[users], self._weighted.credits, track)
        personal = np.broadcast_to(self._has_vector[users, None], recording.shape).copy()
        score = near + self.freshness(users, recording, personal) + self.boost[recording].astype(np.float32)
        artist, album = catalogue.artist[track], catalogue.album[track]
        return Found(users, recording, valid, near, sources, personal, track, artist, album, ~known, score)

    def _blocked_artists(self, found: Found, code: Ints) -> None:
        """Write the filter's code where an artist is blocked."""
        blocked = self._weighted.blocked_artists[found.users]
        rows = np.flatnonzero(np.diff(blocked.indptr))
        if len(rows):
            hit = _any_credit(blocked[rows], self._weighted.credits, found.track[rows])
            code[rows] = np.where(hit & (code[rows] == 0), FILTER_CODES["blocked_artist"], code[rows])

    def _masked(self, users: Ints, scores: Floats, codes: Ints, count: int) -> Found:
        """The best that no filter takes out."""
        scores = np.where(codes == 0, scores, -np.inf).astype(np.float32)
        found = self._with_tracks(users, *self._sources(users, scores, min(count, scores.shape[1])))
        code = np.zeros(found.recording.shape, dtype=np.uint8)
        self._blocked_artists(found, code)
        return replace(found, valid=found.valid & (code == 0))

    def _rejected(self, found: Found, code: Ints) -> pd.DataFrame:
        """What filters took out of sampled listeners' candidates, with the place each would have had among the rest."""
        rows = np.flatnonzero(self._sampled[found.users])
        near, out = np.where(found.valid[rows], found.near[rows], -np.inf), code[rows] > 0
        order = np.argsort(-near, axis=1, kind="stable")
        passed = np.take_along_axis(~out, order, axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, passed.cumsum(axis=1) - passed + 1, axis=1)
        row, place = np.nonzero(found.valid[rows] & out)
        return pd.DataFrame(
            {
                "user": found.users[rows[row]],
                "recording": found.recording[rows[row], place],
                "code": code[rows[row], place],
                "counterfactual_rank": rank[row, place],
            }
        )


def best_of(scores: Floats, count: int) -> Ints:
    """(b, count) columns of the highest of each row, in no order.

    Only what lies above a bound is sorted: about as many of every eighth column lie above it as of all above the last.
    """
    width = scores.shape[1]
    count = min(count, width)
    if width < 4 * SAMPLED * count:
        return np.argpartition(scores, width - count, axis=1)[:, width - count :]
    sample = scores[:, ::SAMPLED]
    expected = count // SAMPLED
    place = sample.shape[1] - expected - 3 * int(np.sqrt(expected)) - 1
    bound = np.maximum(np.partition(sample, place, axis=1)[:, place], np.finfo(np.float32).min)
    above_bound = scores >= bound[:, None]
    lengths = np.count_nonzero(above_bound, axis=1)
    at = np.flatnonzero(above_bound)  # many times as fast as nonzero
    there = np.arange(max(int(lengths.max()), count)) < lengths[:, None]
    columns: Ints = np.zeros(there.shape, dtype=np.int64)
    above: Floats = np.full(there.shape, -np.inf, dtype=np.float32)
    columns[there], above[there] = at - np.repeat(np.arange(len(scores)) * width, lengths), scores.take(at)
    most = above.shape[1]
    best = np.argpartition(above, most - count, axis=1)[:, most - count :]
    found = np.take_along_axis(columns, best, axis=1)
    few = np.flatnonzero(lengths < count)
    found[few] = np.argpartition(scores[few], width - count, axis=1)[:, width - count :]
    return np.asarray(found)


def _any_credit(flags: scipy.sparse.csr_matrix, credits: Ints, track: Ints) -> Bools:
    """(b, K) true where a credited artist of the track is among a listener's.  flags: (b, artists + 1)."""
    dense = flags.toarray().astype(bool)
    at = np.arange(len(track))[:, None] * dense.shape[1]
    flat = dense.reshape(-1)
    found = flat[at + credits[track, 0]]
    for place in range(1, credits.shape[1]):
        found |= flat[at + credits[track, place]]
    return np.asarray(found)


def _replaced(found: Found, rows: Ints, others: Found) -> Found:
    """The grid with these rows taken from another."""
    width = max(found.recording.shape[1], others.recording.shape[1])
    parts = {}
    for name in COLUMNS:
        here, there = getattr(found, name), getattr(others, name)
        grid = np.zeros((len(here), width), dtype=here.dtype)
        grid[:, : here.shape[1]] = here
        grid[rows] = 0
        grid[rows, : there.shape[1]] = there
        parts[name] = grid
    return replace(found, **parts)
