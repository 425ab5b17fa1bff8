"""The plain job's lists, a batch of listeners at a time: candidates, thirty of them, in order, with their reasons.

Belongs here: the order of these steps and what is handed from one to the next. Does not: the steps (plain_*.py),
tables (plain_ledgers.py).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH as LENGTH
from models_ml.assembly import AssemblyParams
from models_ml.exploration.params import ExplorationParams
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, POPULAR_RUNG
from tests.benchmarks.plain_candidates import COLUMNS, Finder, Found, Funnel
from tests.benchmarks.plain_catalogue import Catalogue
from tests.benchmarks.plain_draws import Chance, Division, Drawn, draw, draw_giving_way
from tests.benchmarks.plain_engagement import Weighted
from tests.benchmarks.plain_fusion import Space
from tests.benchmarks.plain_genres import Genres, distance, held, least_distance, popularity_parts, tastes
from tests.benchmarks.plain_input import Input
from tests.benchmarks.plain_order import order_heard
from tests.benchmarks.plain_reasons import Anchors, Parts, Sentences, Slots
from tests.benchmarks.plain_starts import Listeners
from tests.benchmarks.stopwatch import Stopwatch

RULES, EXPLORATION = AssemblyParams(), ExplorationParams()


@dataclass(frozen=True)
class Lists:
    """Lists of b listeners.

    users: (b,).  slots, parts, codes, reasons, rung: (b * 30,) in the order heard.  is_new, sources, drawn: (b, 30) the
    same.  number: (b, 30) which draw gave each slot.
    mixes: (b, 4) distance of genres and the least there is, of popularity and the least.
    """

    users: Ints
    slots: Slots
    parts: Parts
    codes: Ints
    reasons: Ints
    rung: Ints
    is_new: Bools
    sources: Ints
    drawn: Drawn
    number: Ints
    mixes: Floats


@dataclass(frozen=True)
class Chosen:
    """Thirty places in the grid of each of these listeners, best first, and the draw of each."""

    found: Found
    pick: Ints
    drawn: Drawn
    number: Ints


class ListMaker:
    """Makes the lists of a batch of listeners."""

    def __init__(
        self,
        given: Input,
        weighted: Weighted,
        catalogue: Catalogue,
        space: Space,
        listeners: Listeners,
        genres: Genres,
        anchors: Anchors,
        sampled: Bools,
    ) -> None:
        """The week's data.  sampled: (n,) whose rejected candidates are kept."""
        self._catalogue, self._space, self._listeners, self._genres = catalogue, space, listeners, genres
        self.funnel, self._anchors = Funnel(), anchors
        self._sentences = Sentences(given, catalogue, space, listeners, genres)
        users = given.users
        self._explores = users["lets_explore"].to_numpy()
        self._finder = Finder(weighted, catalogue, space, listeners, self._explores, sampled)
        length = np.linalg.norm(space.served, axis=1, keepdims=True)
        self._directions = space.served / np.where(length > 0, length, 1)
        liked = liked_of(weighted.signed)
        self._verb = said_of(liked, weighted.said)
        self._parts = popularity_parts(catalogue.percentile, RULES.popularity_middle_from, RULES.popularity_head_from)
        self.taste, self._popularity = tastes(genres, liked), tastes(self._parts, liked)
        # Nobody's mix is held on to who goes anywhere, twice as firmly of who goes nowhere.
        self._dial = 2.0 * (1.0 - users["adventurousness"].fillna(0.5).clip(0, 1).to_numpy())
        self.relaxations: list[pd.DataFrame] = []

    def lists(self, users: Ints, random: np.random.Generator, clock: Stopwatch) -> list[Lists]:
        """Lists of those of whom thirty tracks can be found; those for which rules gave way by themselves."""
        with clock("candidates"):
            found = self._finder.find(users, self.funnel)
        chance = self._chance(users, random)
        drawn = draw(found, self._genre_mix(users), self._popularity_mix(users), chance, clock)
        with clock("rules"):
            full, short = np.flatnonzero(drawn.full), np.flatnonzero(~drawn.full)
            parts = [_best_first(found.rows(full), drawn.rows(full))]
            if len(short):
                parts.append(self._given_way(found.rows(short), drawn.rows(short)))
        return [self._finished(chosen, clock) for chosen in parts if len(chosen.pick)]

    def _genre_mix(self, users: Ints) -> Division:
        return Division(self._genres, self.taste[users], RULES.calibration_weight * self._dial[users])

    def _popularity_mix(self, users: Ints) -> Division:
        weight = RULES.popularity_calibration_weight * self._dial[users]
        return Division(self._parts, self._popularity[users], weight)

    def _chance(self, users: Ints, random: np.random.Generator) -> Chance:
        soft = self._explores[users] & (random.random(len(users)) < EXPLORATION.softmax_listener_share)
        return Chance(self._explores[users], soft, self._catalogue.new_artist, random.random((len(users), LENGTH, 2)))

    def _given_way(self, found: Found, drawn: Drawn) -> Chosen:
        """Lists that could not be filled: from more candidates, around what chance drew, with rules giving way."""
        users = found.users
        deeper = _with_kept(self._finder.find_deeper(users), found, drawn)
        kept = np.where(drawn.feasible >= 0, deeper.recording.shape[1] - LENGTH + np.arange(LENGTH), -1)
        genres, popularity = self._genre_mix(users), self._popularity_mix(users)
        drawn, steps = draw_giving_way(deeper, genres, popularity, drawn, kept)
        for rows, rule, low, high in steps:
            told = pd.DataFrame({"user": users[rows]}).assign(rule_id=rule, limit_from=low, limit_to=high)
            self.relaxations.append(told)
        few = np.flatnonzero(~drawn.full)
        told = pd.DataFrame({"user": users[few]}).assign(rule_id="too_few_tracks", limit_from=float(LENGTH))
        self.relaxations.append(told.assign(limit_to=deeper.valid.sum(axis=1)[few].astype(float)))
        full = np.flatnonzero(drawn.full)
        return _best_first(deeper.rows(full), drawn.rows(full))

    def _finished(self, chosen: Chosen, clock: Stopwatch) -> Lists:
        """In the order heard, with reasons."""
        found = chosen.found
        with clock("order"):
            recording = np.take_along_axis(found.recording, chosen.pick, axis=1)
            artist = np.take_along_axis(found.artist, chosen.pick, axis=1)
            order = order_heard(artist, chosen.drawn.arm >= 0, self._directions[recording])
            pick, number = (np.take_along_axis(of, order, axis=1) for of in (chosen.pick, chosen.number))
            drawn = chosen.drawn.ordered(order)
        with clock("reasons"):
            slots, parts = self._explained(found, pick)
            codes = self._sentences.codes(slots, parts)
            reasons = self._sentences.of(slots, codes)
        with clock("ledgers"):
            sources = np.take_along_axis(found.sources, pick, axis=1)
            is_new = np.take_along_axis(found.is_new, pick, axis=1)
            mixes = self._mixes(found.users, slots.recording.reshape(-1, LENGTH))
            track = np.where(self._space.unproven[slots.recording], CONTENT_RUNG, COLLABORATIVE_RUNG)
            rung = np.maximum(track, self._listeners.rung[slots.owner])
            rung = np.where(slots.personal, rung, POPULAR_RUNG)
        return Lists(found.users, slots, parts, codes, reasons, rung, is_new, sources, drawn, number, mixes)

    def _explained(self, found: Found, pick: Ints) -> tuple[Slots, Parts]:
        """What each score is made of, and the heard track behind it."""
        users = found.users
        recording, track = (np.take_along_axis(of, pick, axis=1) for of in (found.recording, found.track))
        personal, scored = (
            np.take_along_axis(found.personal, pick, axis=1),
            np.take_along_axis(found.near, pick, axis=1),
        )
        anchor, place = self._anchors.of(users, recording, personal)
        verb = np.where(anchor >= 0, self._verb[place], 0)
        owner, flat = np.repeat(users, LENGTH), recording.ravel()
        text = np.zeros(len(flat))
        some = np.flatnonzero(personal.ravel() & self._space.text[flat].any(axis=1))
        text[some] = (self._listeners.vectors[owner[some]] * self._space.text[flat[some]]).sum(axis=1)
        near = scored.ravel().astype(np.float64)
        parts = Parts(
            np.where(personal.ravel(), near - text, 0.0),
            text,
            np.where(personal.ravel(), 0.0, near),
            self._finder.freshness(users, recording, personal).ravel(),
            self._finder.boost[flat],
        )
        return Slots(owner, flat, track.ravel(), personal.ravel(), anchor.ravel(), verb.ravel()), parts

    def _mixes(self, users: Ints, recordings: Ints) -> Floats:
        """(b, 4) as in Lists."""
        found = []
        for of, taste in ((self._genres, self.taste[users]), (self._parts, self._popularity[users])):
            found += [distance(taste, held(of, recordings), LENGTH), least_distance(taste, LENGTH)]
        return np.stack(found, axis=1)


def liked_of(signed: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """(n, m) confidence where liked."""
    liked = signed.maximum(0).tocsr()
    liked.eliminate_zeros()
    liked.sort_indices()
    return liked


def said_of(liked: scipy.sparse.csr_matrix, said: scipy.sparse.csr_matrix) -> Ints:
    """(nnz,) what was done with each that is liked beside listening, in its order."""
    of_each = liked.copy()
    of_each.data = np.arange(1, len(liked.data) + 1, dtype=np.int64)
    both = of_each.multiply(said > 0).tocsr()
    both.sort_indices()
    verb = np.zeros(len(liked.data), dtype=np.int64)
    told = said.multiply(liked > 0).tocsr()
    told.sort_indices()
    verb[both.data - 1] = told.data
    return verb


def _best_first(found: Found, drawn: Drawn) -> Chosen:
    """The thirty by score."""
    score = np.take_along_axis(found.score, drawn.pick, axis=1)
    order = np.argsort(-score, axis=1, kind="stable")
    number = order + 1
    return Chosen(found, np.take_along_axis(drawn.pick, order, axis=1), drawn.ordered(order), number)


def _with_kept(deeper: Found, found: Found, drawn: Drawn) -> Found:
    """The grid with what chance drew before at its end, and nowhere else."""
    pick = np.where(drawn.feasible >= 0, drawn.pick, 0)
    kept = {name: np.take_along_axis(getattr(found, name), pick, axis=1) for name in COLUMNS}
    kept["valid"] = drawn.feasible >= 0
    there = np.where(kept["valid"], kept["recording"], -1)
    again = (deeper.recording[:, :, None] == there[:, None, :]).any(axis=2)
    parts = {name: np.hstack([getattr(deeper, name), kept[name]]) for name in COLUMNS}
    parts["valid"][:, : deeper.recording.shape[1]] &= ~again
    return replace(deeper, **parts)
