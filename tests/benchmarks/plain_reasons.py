"""The plain job's reasons: what each score is made of, the heard track that is named, the sentence.

Belongs here: contributions by family, anchors named in turn, reason codes and their words.
Does not: which tracks, their order (plain_lists.py). That a playlist holds both is never said here: ours says it of
three slots in a million.

What a heard track adds is its confidence times its inner product with the given one in the space where all listening
together is the identity, which is the decomposition of Hu et al. 2008 but for the listener's own matrix.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints
from models_ml.candidates import CandidateParams
from models_ml.reasons import (
    BECAUSE_YOU_PLAYED,
    COMPLETES_THE_LIST,
    NEAR_WHAT_YOU_NAMED,
    NEAR_YOUR_SEGMENT,
    NEW_RELEASE,
    POPULAR,
    POPULAR_IN_MARKET,
    ReasonParams,
)
from models_ml.rules import CONTENT_RUNG, SEGMENT_RUNG
from tests.benchmarks.plain_catalogue import Catalogue
from tests.benchmarks.plain_fusion import Space
from tests.benchmarks.plain_genres import Genres
from tests.benchmarks.plain_input import Input
from tests.benchmarks.plain_starts import Listeners

ANCHOR_SHARE = ReasonParams().anchor_share
FRESH_DAYS = CandidateParams().fresh_days
CODES = (
    *(NEW_RELEASE, BECAUSE_YOU_PLAYED, NEAR_WHAT_YOU_NAMED, NEAR_YOUR_SEGMENT, POPULAR_IN_MARKET, POPULAR),
    COMPLETES_THE_LIST,
)
# Listeners with histories about as long are compared at once.
ANCHOR_LISTENERS = 256
VERBS = ("play", "liked", "added", "saved")


@dataclass(frozen=True)
class Parts:
    """(c,) float64 each: what a score is made of."""

    collaborative: Floats
    text: Floats
    popularity: Floats
    freshness: Floats
    boost: Floats


class Anchors:
    """Names the heard recording that each slot is explained by."""

    def __init__(self, items: Floats, served: Floats, regularization: float, liked: scipy.sparse.csr_matrix) -> None:
        """items: (m, f) of the fit.  liked: (n, m) confidence."""
        gram = items.T.astype(np.float64) @ items + regularization * np.eye(items.shape[1])
        lower = np.linalg.cholesky(gram)
        self._heard, self._given = (
            scipy.linalg.solve_triangular(lower, of.T, lower=True).T.astype(np.float32) for of in (items, served)
        )
        self._liked = liked

    def of(self, users: Ints, lists: Ints, personal: Bools) -> tuple[Ints, Ints]:
        """((b, 30) heard recording, -1 without one, (b, 30) its place among all that is liked).

        lists: (b, 30) recordings in the order heard.  Of what adds nearly as much as the strongest, that is named which
        was named least.
        """
        anchor, place = np.full(lists.shape, -1), np.full(lists.shape, -1)
        lengths = np.diff(self._liked.indptr)[users]
        by_length = np.argsort(lengths, kind="stable")
        by_length = by_length[(lengths[by_length] > 0) & np.any(personal[by_length], axis=1)]
        for start in range(0, len(by_length), ANCHOR_LISTENERS):
            some = by_length[start : start + ANCHOR_LISTENERS]
            history, confidence, at = self._history(users[some])
            adds = self._given[lists[some]] @ self._heard[history].transpose(0, 2, 1)
            adds *= confidence[:, None, :]
            best = _in_turn(adds)
            positive = np.take_along_axis(adds, best[:, :, None], axis=2)[:, :, 0] > 0
            anchor[some] = np.where(positive & personal[some], np.take_along_axis(history, best, axis=1), -1)
            place[some] = np.take_along_axis(at, best, axis=1)
        return anchor, place

    def _history(self, owners: Ints) -> tuple[Ints, Floats, Ints]:
        """((b, h) liked recordings, confidence, 0 past the end, place among all that is liked)."""
        start, lengths = self._liked.indptr[owners], np.diff(self._liked.indptr)[owners]
        steps = np.arange(int(lengths.max()))
        there = steps < lengths[:, None]
        at = np.where(there, start[:, None] + steps, 0)
        return self._liked.indices[at], np.where(there, self._liked.data[at], 0).astype(np.float32), at


def _in_turn(adds: Floats) -> Ints:
    """(b, s) place in the history named for each slot.  adds: (b, s, h)."""
    strongest = adds.max(axis=2, keepdims=True)
    strong = (adds >= ANCHOR_SHARE * strongest) & (strongest > 0)
    # Less than any difference of times named, so that among those named as often the strongest is.
    pull = np.where(strong, -0.5 * adds / np.maximum(strongest, 1e-30), np.float32(np.inf))
    named, rows = np.zeros((len(adds), adds.shape[2]), dtype=np.float32), np.arange(len(adds))
    best = np.empty(adds.shape[:2], dtype=np.int64)
    for slot in range(adds.shape[1]):
        best[:, slot] = (named + pull[:, slot]).argmin(axis=1)
        named[rows, best[:, slot]] += 1
    return best


@dataclass(frozen=True)
class Slots:
    """c slots.  owner: listener.  anchor: recording or -1.  verb: what was done with it, place in VERBS."""

    owner: Ints
    recording: Ints
    track: Ints
    personal: Bools
    anchor: Ints
    verb: Ints


class Sentences:
    """Says why."""

    def __init__(self, given: Input, catalogue: Catalogue, space: Space, listeners: Listeners, genres: Genres) -> None:
        self._given, self._catalogue, self._listeners, self._genres = given, catalogue, listeners, genres
        tracks = given.tracks
        self._quoted = ("“" + tracks["title"] + "” by " + tracks["artist_name"]).to_numpy(dtype=object)
        self._artist_name = tracks["artist_name"].to_numpy(dtype=object)
        self._market = given.users["market"].to_numpy(dtype=object)
        self._has_market = given.users["market"].notna().to_numpy()
        markets, count = len(catalogue.popular), len(space.liked_by)
        self._is_own, self._is_popular = np.zeros((2, markets, count), dtype=bool)
        row, place = np.nonzero(catalogue.popular >= 0)
        recording = catalogue.popular[row, place]
        self._is_own[row, recording] = place < catalogue.own[row]
        self._is_popular[row, recording] = (catalogue.recent[recording] > 0) | (space.liked_by[recording] > 0)

    def codes(self, slots: Slots, parts: Parts) -> Ints:
        """(c,) place in CODES of the evidence that weighs most."""
        fresh = np.where(self._catalogue.age_days[slots.recording] <= FRESH_DAYS, parts.freshness, 0.0)
        strongest = np.maximum.reduce([parts.collaborative, parts.text, parts.popularity, fresh])
        near, rung = parts.collaborative > 0, self._listeners.rung[slots.owner]
        market = self._catalogue.market[slots.owner]
        own, popular = self._is_own[market, slots.recording], self._is_popular[market, slots.recording]
        chosen = (
            (NEW_RELEASE, (fresh > 0) & (fresh >= strongest)),
            (BECAUSE_YOU_PLAYED, near & (parts.collaborative >= strongest) & (slots.anchor >= 0)),
            (NEAR_WHAT_YOU_NAMED, near & (rung == CONTENT_RUNG)),
            (NEAR_YOUR_SEGMENT, near & (rung == SEGMENT_RUNG)),
            (POPULAR_IN_MARKET, (parts.popularity > 0) & own),
            (POPULAR, (parts.popularity > 0) & popular),
            (BECAUSE_YOU_PLAYED, near & (slots.anchor >= 0)),
            (NEW_RELEASE, fresh > 0),
            (POPULAR_IN_MARKET, own),
            (POPULAR, popular),
        )
        codes = [CODES.index(code) for code, _ in chosen]
        return np.select([true for _, true in chosen], codes, CODES.index(COMPLETES_THE_LIST))

    def of(self, slots: Slots, codes: Ints) -> Ints:
        """(c,) one sentence each."""
        said = np.full(len(codes), "Completes the list", dtype=object)
        said[codes == CODES.index(NEW_RELEASE)] = "A new release"
        rows = np.flatnonzero(codes == CODES.index(BECAUSE_YOU_PLAYED))
        began = np.array([f"Because you {verb} " for verb in VERBS], dtype=object)
        said[rows] = began[slots.verb[rows]] + self._quoted[self._catalogue.main_edition[slots.anchor[rows]]]
        said[(codes == CODES.index(POPULAR)) | (codes == CODES.index(POPULAR_IN_MARKET))] = "Others listen to it"
        for code, before, after in (
            (NEAR_YOUR_SEGMENT, "Near what listeners in ", " care for"),
            (POPULAR_IN_MARKET, "Listeners in ", " play it these weeks"),
        ):
            rows = np.flatnonzero((codes == CODES.index(code)) & self._has_market[slots.owner])
            said[rows] = before + self._market[slots.owner[rows]] + after
        rows = np.flatnonzero(codes == CODES.index(NEAR_WHAT_YOU_NAMED))
        said[rows] = self._named(slots, rows)
        return said

    def _named(self, slots: Slots, rows: Ints) -> Ints:
        """What the listener named that the track is of: its artist, else a genre."""
        owner, track = slots.owner[rows], slots.track[rows]
        named_artists = self._listeners.named_artists[owner].tocoo()
        by_artist = np.zeros(len(rows), dtype=bool)
        by_artist[named_artists.row[named_artists.col == self._catalogue.artist[track][named_artists.row]]] = True
        wide = np.pad(self._listeners.named_genres[owner].toarray(), ((0, 0), (0, 1)))
        recording = slots.recording[rows]
        # A guess is no genre that anyone named.
        place = np.where(self._genres.guessed[recording, None], len(self._genres.names), self._genres.place[recording])
        named = wide[np.arange(len(rows))[:, None], place] > 0
        genre = np.where(named, place, len(self._genres.names)).min(axis=1, initial=len(self._genres.names))
        names = np.array([*self._genres.names, ""], dtype=object)
        what = np.where(by_artist, self._artist_name[track], names[genre])
        return np.where(
            what == "", "Near what you named as your favourites", "Because you named " + what + " as a favourite"
        )
