"""Reading what is known of listeners before they play: named favourites, market, sign-up week.

Belongs here: tables to arrays. Does not: what is made of them (starting.py).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Ints, Pairs, column, joined, pairs, strings
from models_ml.starting import Newcomers

_WEEK_US = 7 * 86_400_000_000


def read_newcomers(
    *,
    listeners: pa.Table,
    favourite_artists: pa.Table,
    favourite_genres: pa.Table,
    editions: pa.Table,
    recordings: pa.Table,
) -> Newcomers:
    """The week's tables as arrays; InputError names table, column, row and value of what can't be used."""
    count = listeners.num_rows
    heard_by = column(recordings, "recordings", "listener_count", np.int64)
    edition_recording = column(editions, "editions", "recording_index", np.int64)
    artist = column(editions, "editions", "artist_index", np.int64)
    genre_lists = joined(editions.column("genres"))
    genre_row = pc.list_parent_indices(genre_lists).to_numpy()
    genre_name = pc.utf8_lower(pc.utf8_trim_whitespace(pc.list_flatten(genre_lists)))
    genres = pc.unique(genre_name).drop_null().sort()
    genre = pc.index_in(genre_name, genres).to_numpy(zero_copy_only=False).astype(np.int64)
    artists = int(max(artist.max(initial=-1), pc.max(favourite_artists["artist_index"]).as_py() or 0)) + 1
    named_genre = pc.index_in(strings(favourite_genres, "favourite_genres", "genre"), genres)
    known = favourite_genres.append_column("genre_index", named_genre).filter(pc.is_valid(named_genre))
    known = known.sort_by([("user_index", "ascending"), ("genre_index", "ascending")])
    return Newcomers(
        artist=pairs(favourite_artists, "favourite_artists", "user_index", "artist_index", count, artists),
        artist_recordings=_most_heard(artist, edition_recording, artists, heard_by),
        genre=pairs(known, "favourite_genres", "user_index", "genre_index", count, max(len(genres), 1)),
        genre_recordings=_most_heard(genre, edition_recording[genre_row], len(genres), heard_by),
        market=_codes(strings(listeners, "listeners", "market")),
        cohort=_cohorts(listeners),
    )


def _most_heard(owner: Ints, recording: Ints, owners: int, heard_by: Ints) -> Pairs:
    """The recordings of each owner, those with the most listeners first, each once, nobody's left out.

    Unlike other Pairs their values are in the order of listeners: only their first few are asked for.
    """
    width = max(len(heard_by), 1)
    keys = np.unique(owner * width + recording)
    owner, recording = keys // width, keys % width
    liked = heard_by[recording] > 0
    owner, recording = owner[liked], recording[liked]
    order = np.lexsort((recording, -heard_by[recording], owner))
    indptr = np.searchsorted(owner[order], np.arange(owners + 1)).astype(np.int64)
    return Pairs(indptr, recording[order].astype(np.int32), width)


def _codes(values: pa.Array) -> Ints:
    """Dense codes, -1 for null."""
    known = pc.unique(values).drop_null().sort()
    return np.asarray(pc.fill_null(pc.index_in(values, known), -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _cohorts(listeners: pa.Table) -> Ints:
    """Dense codes of market and sign-up week, -1 where either is unknown."""
    market = _codes(strings(listeners, "listeners", "market"))
    registered = joined(listeners.column("registered_at")).cast(pa.timestamp("us")).cast(pa.int64())
    # From the Monday before the epoch, which was a Thursday.
    week = (pc.fill_null(registered, -_WEEK_US).to_numpy(zero_copy_only=False) + 3 * _WEEK_US // 7) // _WEEK_US
    both = np.where((market >= 0) & (week >= 0), market * (int(week.max(initial=0)) + 1) + week, -1)
    _, code = np.unique(both, return_inverse=True)
    return np.where(both >= 0, code, -1)
