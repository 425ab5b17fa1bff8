"""Standing: where a recording that is not in a listener's list stands, by the code that made the list.

Belongs here: its score and rank beside the list's, which soft rule keeps it out, how far retrieval was from it.
Does not: filters (eligibility.py), the answer in words (dagster_project/cli_why.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Floats, Ints
from models_ml.assembly import new_artists_needed
from models_ml.eligibility import forbidden
from models_ml.playlists import PlaylistMaker
from models_ml.pools import Pool, merged
from models_ml.retrieval import inner_products
from models_ml.rules import (
    COLLABORATIVE,
    NEW_ARTIST_SHARE,
    POPULAR,
    SOURCE_BITS,
    TRACKS_PER_ALBUM,
    TRACKS_PER_ARTIST,
)

# Why something scored higher and is not in the list, where no cap says so.
OTHER_RULES: Final = "other_rules"


@dataclass(frozen=True)
class Standing:
    """rank: place by final score among the count candidates, from 1; one that was not found is added to them.

    score, components: its own.  lowest: the score of the list's weakest.  held_back: the soft rule that keeps out what
    scored higher than that, None where nothing but its score does.
    """

    rank: int
    count: int
    score: float
    components: dict[str, float]
    lowest: float
    held_back: str | None


@dataclass(frozen=True)
class Nearness:
    """place: of a recording among what passes every filter, from 1.  among: how many those are.

    source: `collaborative`, by the listener's vector, or `popular`, where they have none.  place is None where the
    recording has no vector, or isn't in the popular list.
    """

    place: int | None
    among: int
    source: str


class ListQuestions(PlaylistMaker):
    """Answers about one listener at a time."""

    def standing(self, listener: int, pool: Pool, recording: int, slots: pa.Table) -> Standing:
        """pool: the listener's kept candidates.  slots: their list."""
        if recording not in pool.recordings:
            pool = merged([pool, self._added(listener, recording)])
        laid = self._laid_out(np.array([listener]), pool)
        places = laid.order[0][laid.slate.valid[0]]
        rank = int(np.flatnonzero(laid.ranked.pool.recordings[places] == recording)[0])
        components = {name: float(part[places[rank]]) for name, part in laid.ranked.components.each().items()}
        score, lowest = float(laid.ranked.components.final[places[rank]]), float(np.min(slots["final_score"]))
        edition, is_new = int(laid.ranked.edition[places[rank]]), bool(laid.ranked.is_new[places[rank]])
        held_back = self._held_back(edition, slots, is_new=is_new) if score > lowest else None
        return Standing(rank + 1, len(places), score, components, lowest, held_back)

    def nearness(self, listener: int, recording: int) -> Nearness:
        """How far the search for candidates was from a recording that passes every filter."""
        features, sources = self._features, self._sources
        open_to = ~forbidden(features, np.array([listener]))[0]
        if not sources.has_vector[listener]:
            popular = features.popular.recording[features.popular_list[listener]]
            passing = popular[(popular >= 0) & open_to[np.maximum(popular, 0)]]
            found = np.flatnonzero(passing == recording)
            return Nearness(int(found[0]) + 1 if len(found) else None, len(passing), POPULAR)
        open_to &= self._factors.retrievable
        near = self._near(listener, np.arange(features.recording_count))
        place = 1 + int(np.count_nonzero(near[open_to] > near[recording]))
        return Nearness(place if open_to[recording] else None, int(open_to.sum()), COLLABORATIVE)

    def _near(self, listener: int, recordings: Ints) -> Floats:
        factors = self._factors
        return inner_products(factors.listener_factors, factors.served, np.full(len(recordings), listener), recordings)

    def _added(self, listener: int, recording: int) -> Pool:
        """A recording that no source found, as if the one that serves this listener had."""
        one, source = np.array([recording]), COLLABORATIVE if self._sources.has_vector[listener] else POPULAR
        scores = self._near(listener, one).astype(np.float32)
        return Pool(
            np.zeros(1, dtype=np.int64), one.astype(np.int32), scores, np.array([SOURCE_BITS[source]], np.uint8)
        )

    def _held_back(self, edition: int, slots: pa.Table, *, is_new: bool) -> str:
        editions, rules = self._features.editions, self._params.assembly
        listed = slots["edition_index"].to_numpy()
        if np.count_nonzero(editions.artist[listed] == editions.artist[edition]) >= rules.tracks_per_artist:
            return TRACKS_PER_ARTIST
        album = editions.album[edition]
        if album >= 0 and np.count_nonzero(editions.album[listed] == album) >= rules.tracks_per_album:
            return TRACKS_PER_ALBUM
        new = int(np.sum(slots["is_new_artist"].to_numpy()))
        if not is_new and new <= new_artists_needed(rules.new_artist_share):
            return NEW_ARTIST_SHARE
        return OTHER_RULES
