"""Hold-outs: what is kept from the model so that its lists can be asked for it.

Belongs here: pairs drawn at random and a week without them; truth from the window after a week. Does not: which weeks
(the caller), metrics (evaluation/metrics.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Pairs, column, place_in_row, spread
from models_ml.evaluation.tables import read_truth
from models_ml.features import Interactions, WeekFeatures
from models_ml.funnel import hashes
from models_ml.rules import FILTER_CODES

# A fifth of what a listener likes is hidden, of listeners who like five or more.
ONE_OF: Final = 5


@dataclass(frozen=True)
class Hidden:
    """Pairs that a model must not know, sorted by owner then recording.  owner, recording: (h,) int64 positions."""

    owner: Ints
    recording: Ints

    def contains(self, owner: Ints, recording: Ints, width: int) -> Bools:
        """Which of these pairs are hidden; width: the number of recordings."""
        if not len(self.owner):
            return np.zeros(len(owner), dtype=bool)
        keys = self.owner * width + self.recording
        asked = owner.astype(np.int64) * width + recording
        return np.asarray(keys[np.minimum(np.searchsorted(keys, asked), len(keys) - 1)] == asked)


@dataclass(frozen=True)
class HeldOutTruth:
    """listeners: (b,) ascending positions.  pairs: b rows, the recordings that each should be given."""

    listeners: Ints
    pairs: Pairs


def draw_hidden(interactions: Interactions, seed: int) -> Hidden:
    """A fifth, rounded down, of the recordings that each listener likes, drawn without replacement."""
    owners = np.repeat(np.arange(len(interactions.pairs.indptr) - 1), np.diff(interactions.pairs.indptr))
    liked = interactions.preference > 0
    owner, recording = owners[liked], interactions.pairs.values[liked].astype(np.int64)
    order = np.lexsort((np.random.default_rng(seed).random(len(owner)), owner))
    hidden = place_in_row(owner[order]) < (np.bincount(owner, minlength=1) // ONE_OF)[owner[order]]
    chosen = np.sort(order[hidden])
    return Hidden(owner[chosen], recording[chosen])


def hidden_truth(hidden: Hidden, features: WeekFeatures, most: int) -> HeldOutTruth:
    """The hidden pairs as truth, of at most so many listeners: those whose ids have the lowest hashes; 0: all."""
    listeners = _sampled(np.unique(hidden.owner), features, most)
    mine = np.isin(hidden.owner, listeners)
    indptr = np.searchsorted(hidden.owner[mine], np.append(listeners, np.iinfo(np.int64).max)).astype(np.int64)
    return HeldOutTruth(
        listeners, Pairs(indptr, hidden.recording[mine].astype(np.int32), max(features.recording_count, 1))
    )


def without(tables: Mapping[str, pa.Table], features: WeekFeatures, hidden: Hidden) -> dict[str, pa.Table]:
    """The week's feature tables as if the hidden pairs had never been: likes, exclusions, artists known, popularity.

    tables: those that read_features takes, features: the same as arrays. Artists count by recordings that stay heard,
    editions of one recording as one, as many plays as recordings; popular lists stay as they are.
    """
    width = features.recording_count
    kept = dict(tables)
    for name in ("interactions", "exclusions"):
        table = tables[name]
        pairs = column(table, name, "user_index", np.int64), column(table, name, "recording_index", np.int64)
        kept[name] = table.filter(pa.array(~hidden.contains(*pairs, width)))
    kept["known_artists"] = _known_artists(features, hidden, tables["known_artists"].schema)
    kept["recordings"] = _recordings(tables["recordings"], features, hidden)
    return kept


def temporal_truth(truth: pa.Table, features: WeekFeatures, most: int, *, kept_only: bool) -> HeldOutTruth:
    """What listeners of the week first heard in the window after it, other than in our own lists.

    truth: user_id, recording_id, kept, via_own_playlist.  kept_only: and kept.
    most: at most so many listeners, those whose ids have the lowest hashes; 0: all.
    """
    known = read_truth(truth, features)
    chosen = known.where(~known.via_own_playlist & (known.is_kept | (not kept_only)))
    listeners = _sampled(np.unique(chosen.listener), features, most)
    return HeldOutTruth(listeners, chosen.pairs(listeners))


def _sampled(listeners: Ints, features: WeekFeatures, most: int) -> Ints:
    if not most or len(listeners) <= most:
        return listeners.astype(np.int64)
    order = np.argsort(hashes(features.user_id.take(pa.array(listeners))), kind="stable")
    return np.sort(listeners[order[:most]]).astype(np.int64)


def _known_artists(features: WeekFeatures, hidden: Hidden, schema: pa.Schema) -> pa.Table:
    """Credited artists of what each listener has heard, the hidden left out."""
    excluded = features.exclusions
    owner = np.repeat(np.arange(features.listener_count, dtype=np.int64), np.diff(excluded.indptr))
    heard = features.exclusion_code == FILTER_CODES["heard"]
    heard &= ~hidden.contains(owner, excluded.values, features.recording_count)
    edition = np.searchsorted(features.editions.recording, excluded.values[heard])
    credits = features.editions.credits
    lengths = credits.lengths(edition)
    artist = credits.values[spread(credits.indptr[edition], lengths)].astype(np.int64)
    pairs, tracks = np.unique(np.repeat(owner[heard], lengths) * credits.width + artist, return_counts=True)
    columns = {
        "user_index": pairs // credits.width,
        "artist_index": pairs % credits.width,
        "prior_plays": tracks,
        "prior_tracks": tracks,
    }
    return pa.table([pa.array(columns[field.name]).cast(field.type) for field in schema], schema=schema)


def _recordings(table: pa.Table, features: WeekFeatures, hidden: Hidden) -> pa.Table:
    """The recordings, each with as many listeners fewer as pairs of it are hidden."""
    liked = features.interactions.preference > 0
    pairs = features.interactions.pairs
    owners = np.repeat(np.arange(features.listener_count, dtype=np.int64), np.diff(pairs.indptr))[liked]
    recordings = pairs.values[liked]
    gone = recordings[hidden.contains(owners, recordings, features.recording_count)]
    count = features.recordings.listener_count - np.bincount(gone, minlength=features.recording_count)
    for name, values in (("listener_count", np.maximum(count, 0)), ("popularity_percentile", _percent_rank(count))):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.field(place), pa.array(values).cast(table.field(place).type))
    return table


def _percent_rank(count: Ints) -> Floats:
    """Share of the others that are lower, as SQL's percent_rank."""
    return np.searchsorted(np.sort(count), count) / max(len(count) - 1, 1)
