"""One week's feature tables as arrays, checked once, for the steps from candidates to playlists.

Belongs here: reading the tables the warehouse hands over, and the errors that name what is wrong in them.
Does not: any decision about a listener or a recording.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Floats, Ints, Pairs, column, dense_index, pairs, strings
from models_ml.catalogue import (
    EditionChoice,
    Editions,
    Recordings,
    audiences,
    choose_editions,
    read_editions,
    read_recordings,
)
from models_ml.errors import InputError
from models_ml.popularity import PopularLists, read_popularity
from models_ml.rules import EXCLUSION_RULES, FILTER_CODES


@dataclass(frozen=True)
class Interactions:
    """What each listener did with each recording.

    pairs: listener to recordings.  confidence: (pairs,) float64 > 0.  preference: (pairs,) int8, 1 or -1.
    """

    pairs: Pairs
    confidence: Floats
    preference: Ints


@dataclass(frozen=True)
class WeekFeatures:
    """Everything that candidates and playlists of one week are made from; positions are those of the tables.

    user_id: n listener ids.  audience: (n,) int32, row of `choice`.  popular_list: (n,) row of `popular`.
    exclusions: listener to recordings, with exclusion_code (uint8) the filter rule of each pair.
    known_artists: listener to artists heard before, with prior_plays and prior_tracks (int64) of each pair.
    sound_of: (m,) int32 the first recording that each is the same as in sound, -1 where it is like no other; None where
    that isn't known (near_duplicates.py).
    """

    user_id: pa.Array
    audience: Ints
    popular_list: Ints
    recordings: Recordings
    editions: Editions
    choice: EditionChoice
    popular: PopularLists
    interactions: Interactions
    exclusions: Pairs
    exclusion_code: Ints
    blocked_artists: Pairs
    known_artists: Pairs
    prior_plays: Ints
    prior_tracks: Ints
    sound_of: Ints | None = None

    @property
    def listener_count(self) -> int:
        """Number of listeners n."""
        return len(self.user_id)

    @cached_property
    def artist_of_recording(self) -> Ints:
        """(m,) int32 first credited artist of each recording's preferred edition."""
        first = np.searchsorted(self.editions.recording, np.arange(self.recording_count))
        return np.asarray(self.editions.artist[first])

    @property
    def recording_count(self) -> int:
        """Number of recordings m."""
        return len(self.recordings)


def read_features(
    *,
    listeners: pa.Table,
    recordings: pa.Table,
    editions: pa.Table,
    interactions: pa.Table,
    exclusions: pa.Table,
    blocked_artists: pa.Table,
    known_artists: pa.Table,
    market_popularity: pa.Table,
) -> WeekFeatures:
    """The week's tables as arrays; InputError names table, column, row and value of what can't be used."""
    dense_index(listeners, "listeners", "user_index")
    catalogue = read_recordings(recordings)
    markets = strings(listeners, "listeners", "market")
    tracks = read_editions(editions, len(catalogue), markets)
    explicit = column(listeners, "listeners", "allow_explicit", np.bool_)
    popular = read_popularity(market_popularity, len(catalogue))
    count, width = listeners.num_rows, len(catalogue)
    artists = max(tracks.artist_count, _highest(blocked_artists), _highest(known_artists))
    return WeekFeatures(
        user_id=strings(listeners, "listeners", "user_id"),
        audience=audiences(markets, explicit, tracks.market_names),
        popular_list=popular.of_market(markets),
        recordings=catalogue,
        editions=tracks,
        choice=choose_editions(tracks, len(catalogue)),
        popular=popular,
        interactions=read_interactions(interactions, count, width),
        exclusions=pairs(exclusions, "exclusions", "user_index", "recording_index", count, width),
        exclusion_code=_exclusion_codes(strings(exclusions, "exclusions", "rule_id")),
        blocked_artists=pairs(blocked_artists, "blocked_artists", "user_index", "artist_index", count, artists),
        known_artists=pairs(known_artists, "known_artists", "user_index", "artist_index", count, artists),
        prior_plays=column(known_artists, "known_artists", "prior_plays", np.int64),
        prior_tracks=column(known_artists, "known_artists", "prior_tracks", np.int64),
    )


def read_interactions(table: pa.Table, listener_count: int, recording_count: int) -> Interactions:
    """The interactions table as arrays; InputError unless sorted, unique, finite, with preference 1 or -1."""
    name = "interactions"
    confidence = column(table, name, "confidence", np.float64)
    preference = column(table, name, "preference", np.int8)
    for bad, field, values, remedy in (
        (~(np.isfinite(confidence) & (confidence > 0)), "confidence", confidence, "it must be above 0"),
        (np.abs(preference) != 1, "preference", preference, "it must be 1 or -1"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InputError(f"{name}: {field} is {values[row]:g} in row {row}; {remedy}")
    owned = pairs(table, name, "user_index", "recording_index", listener_count, recording_count)
    return Interactions(owned, confidence, preference)


def _exclusion_codes(rules: pa.Array) -> Ints:
    """Filter code of each exclusion."""
    place = pc.fill_null(pc.index_in(rules, pa.array(EXCLUSION_RULES)), -1).to_numpy(zero_copy_only=False)
    if (place < 0).any():
        row = int(np.flatnonzero(place < 0)[0])
        message = f"exclusions: rule_id is {rules[row].as_py()!r} in row {row}"
        raise InputError(f"{message}; use one of {', '.join(EXCLUSION_RULES)}")
    codes = np.array([FILTER_CODES[rule] for rule in EXCLUSION_RULES], dtype=np.uint8)
    return np.asarray(codes[place])


def _highest(table: pa.Table) -> int:
    """One more than the highest artist index of a table, 0 where it is empty."""
    highest = pc.max(table.column("artist_index")).as_py() if "artist_index" in table.column_names else None
    return 0 if highest is None else int(highest) + 1
