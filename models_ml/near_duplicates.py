"""Near-duplicates: recordings that are the same one in sound, though their names and codes don't say so.

Belongs here: finding them; of several a listener is given one, and none where one is excluded.
Does not: editions of a recording (the warehouse joins them by code and name), vectors and attributes (sound/).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints, Pairs, spread
from models_ml.features import WeekFeatures
from models_ml.pools import Pool
from models_ml.retrieval import inner_products
from models_ml.rules import FILTER_CODES, NEAR_DUPLICATE

_PAIRS_AT_ONCE = 1 << 20
# Further apart than any two tempos, in octaves.
_NEXT_KEY = 100.0


@dataclass(frozen=True)
class NearDuplicateParams:
    """From where on two recordings are the same one in sound."""

    minimum_cosine: float = field(
        # Demo world, 499 other editions and 34 million pairs of different recordings, at 0.85, 0.9, 0.93, 0.95, 0.97:
        # .936, .932, .912, .868, .693 of the editions are found, and 15, 8, 4, 3, 0 of the pairs.
        default=0.9,
        metadata={
            "unit": "cosine",
            "min": 0.0,
            "max": 2.0,
            "doc": "Of their vectors of sound, at least; over 1: off.",
        },
    )
    tempo_tolerance: float = field(
        # Nineteen of twenty editions differ by less than .0003. At .02, 49 of the different pairs are found, not 8.
        default=0.0035,
        metadata={"unit": "share", "min": 0.0, "max": 0.5, "doc": "Their tempos differ by at most."},
    )
    length_tolerance_seconds: float = field(
        default=3.0, metadata={"unit": "seconds", "min": 0.0, "max": 60.0, "doc": "Their lengths differ by at most."}
    )


@dataclass(frozen=True)
class Heard:
    """What is known of the sound of n recordings.

    vectors: (n, d) float32 of length 1, zero where unknown.  tempo_bpm, length_seconds: (n,) NaN where unknown.
    tonality: (n,) a number for each key and mode, and one for no key.
    """

    vectors: Floats
    tempo_bpm: Floats
    length_seconds: Floats
    tonality: Ints


def near_duplicates(heard: Heard, params: NearDuplicateParams) -> Ints:
    """(n,) the first recording that each is the same as in sound, itself where there is none.

    Two are the same that have one key and mode, tempos, lengths and vectors that hardly differ, and so are all that a
    chain of such pairs joins.
    """
    count = len(heard.vectors)
    pairs = np.concatenate([np.empty((2, 0), dtype=np.int64), *alike(heard, params)], axis=1)
    graph = scipy.sparse.coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(count, count))
    clusters, label = scipy.sparse.csgraph.connected_components(graph, directed=False)
    first = np.full(clusters, count)
    np.minimum.at(first, label, np.arange(count))
    return np.asarray(first[label])


def alike(heard: Heard, params: NearDuplicateParams) -> Iterator[Ints]:
    """(2, pairs) at a time: sorted by key and tempo, only neighbours are compared, so many at once."""
    known = np.flatnonzero(np.isfinite(heard.tempo_bpm) & heard.vectors.any(axis=1))
    place = heard.tonality[known] * _NEXT_KEY + np.log2(heard.tempo_bpm[known])
    order = np.argsort(place, kind="stable")
    known, place = known[order], place[order]
    until = np.searchsorted(place, place + np.log2(1 + params.tempo_tolerance), side="right")
    after = np.arange(1, len(known) + 1)
    total = np.cumsum(until - after)
    start = 0
    while start < len(known):
        before = int(total[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + _PAIRS_AT_ONCE, side="right")))
        counts = (until - after)[start:stop]
        left = known[np.repeat(np.arange(start, stop), counts)]
        right = known[spread(after[start:stop], counts)]
        apart = np.abs(heard.length_seconds[left] - heard.length_seconds[right])
        near = apart <= params.length_tolerance_seconds
        left, right = left[near], right[near]
        same = inner_products(heard.vectors, heard.vectors, left, right) >= params.minimum_cosine
        yield np.stack([left[same], right[same]])
        start = stop


def with_near_duplicates(features: WeekFeatures, recordings: Ints, same_as: Ints) -> WeekFeatures:
    """The features, where what is excluded for a listener excludes what sounds the same too.

    recordings: those that have a near-duplicate.  same_as: the first one of each.
    """
    if not len(recordings):
        return features
    sound_of = np.full(features.recording_count, -1, dtype=np.int32)
    sound_of[recordings] = same_as
    exclusions, codes = _excluded_too(features, sound_of)
    return replace(features, exclusions=exclusions, exclusion_code=codes, sound_of=sound_of)


def _excluded_too(features: WeekFeatures, sound_of: Ints) -> tuple[Pairs, Ints]:
    """(exclusions, codes) with the near-duplicates of what is excluded already."""
    pairs, width = features.exclusions, features.exclusions.width
    owner = np.repeat(np.arange(features.listener_count), np.diff(pairs.indptr))
    keys = owner * width + pairs.values
    hit = np.flatnonzero(sound_of[pairs.values] >= 0)
    members = np.flatnonzero(sound_of >= 0)
    members = members[np.argsort(sound_of[members], kind="stable")]
    sounds, wanted = sound_of[members], sound_of[pairs.values[hit]]
    starts, stops = np.searchsorted(sounds, wanted, side="left"), np.searchsorted(sounds, wanted, side="right")
    mates = members[spread(starts, stops - starts)]
    added = np.setdiff1d(np.repeat(owner[hit], stops - starts) * width + mates, keys)
    places = np.searchsorted(keys, added)
    indptr = pairs.indptr + np.searchsorted(added, np.arange(features.listener_count + 1) * width)
    values = np.insert(pairs.values, places, (added % width).astype(pairs.values.dtype))
    codes = np.insert(features.exclusion_code, places, np.uint8(FILTER_CODES[NEAR_DUPLICATE]))
    return Pairs(indptr.astype(np.int64), values, width), codes


def worse_of_their_sound(pool: Pool, sound_of: Ints | None, passing: Bools) -> Ints:
    """Places of passing candidates whose listener has a better one that sounds the same; ties by recording."""
    if sound_of is None or not len(pool):
        return np.empty(0, dtype=np.int64)
    sound = sound_of[pool.recordings]
    places = np.flatnonzero(passing & (sound >= 0))
    order = np.lexsort((pool.recordings[places], -pool.scores[places], sound[places], pool.rows[places]))
    places = places[order]
    key = pool.rows[places].astype(np.int64) * len(sound_of) + sound[places]
    return np.asarray(places[1:][key[1:] == key[:-1]])


def sound_keys(features: WeekFeatures) -> Ints:
    """(m,) a number for each recording that those of its sound share, and no others."""
    itself = np.arange(features.recording_count)
    return itself if features.sound_of is None else np.where(features.sound_of >= 0, features.sound_of, itself)


def without_sounds_of(pool: Pool, given: Pool, sound_of: Ints | None) -> Pool:
    """The pool without what sounds the same as another recording that its listener is given anyway."""
    if sound_of is None or not len(pool):
        return pool
    width = len(sound_of)
    sounds, theirs = sound_of[pool.recordings], sound_of[given.recordings]
    sounding = (given.rows * width + theirs)[theirs >= 0]
    same = (sounds >= 0) & np.isin(pool.rows * width + sounds, sounding)
    itself = np.isin(pool.rows * width + pool.recordings, given.rows * width + given.recordings)
    return pool.where(~same | itself)


def repeated_sounds(lists: Ints, sound_of: Ints) -> Bools:
    """(b, k) True for each recording that sounds the same as one before it in its list.  lists: (b, k), -1 for none."""
    sound = np.where(lists >= 0, sound_of[lists], -1)
    order = np.argsort(sound, axis=1, kind="stable")
    ordered = np.take_along_axis(sound, order, axis=1)
    again = np.zeros(lists.shape, dtype=bool)
    again[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    repeated = np.zeros(lists.shape, dtype=bool)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated
