"""The catalogue as arrays: recordings, their editions, and which edition each audience gets.

Belongs here: reading the two tables, choosing editions by market and explicitness, naming why there is none.
Does not: what a single listener heard or blocked (eligibility.py).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import (
    Bools,
    Floats,
    Ints,
    Pairs,
    column,
    dense_index,
    floats_with_nan,
    in_range,
    joined,
    strings,
)
from models_ml.errors import InputError
from models_ml.rules import FILTER_CODES, UNAVAILABLE_RULES


@dataclass(frozen=True)
class Recordings:
    """One entry per recording.

    age_days: (m,) float64 days since release as of the Monday, NaN where unknown.
    idle_days: (m,) float64 days since anyone heard it, NaN where unknown.  listener_count: (m,) int64, ever.
    recent_listener_count: (m,) int64, last 28 days.  popularity_percentile: (m,) float64 in [0, 1].
    is_boosted: (m,) bool, by an editorial decision in force.
    """

    recording_id: pa.Array
    age_days: Floats
    idle_days: Floats
    listener_count: Ints
    recent_listener_count: Ints
    popularity_percentile: Floats
    is_boosted: Bools

    def __len__(self) -> int:
        """Number of recordings m."""
        return len(self.age_days)


@dataclass(frozen=True)
class Editions:
    """One entry per edition (track), sorted by recording and preference.

    recording, artist, album: (e,) int32, album -1 where none.  explicit: (e,) bool.
    unavailable: (e,) uint8 code of the rule, 0 where available.
    credits: every credited artist of each edition, the first credit included.
    everywhere: (e,) bool, True where no list of markets restricts the edition.
    in_market: (markets, e) bool, True where the edition may be played there.
    market_names: names of the rows of in_market.
    """

    recording: Ints
    artist: Ints
    album: Ints
    explicit: Bools
    unavailable: Ints
    credits: Pairs
    everywhere: Bools
    in_market: Bools
    market_names: pa.Array

    def __len__(self) -> int:
        """Number of editions e."""
        return len(self.recording)

    @property
    def artist_count(self) -> int:
        """One more than the highest artist index."""
        return self.credits.width


@dataclass(frozen=True)
class EditionChoice:
    """What each audience gets.

    edition: (audiences, m) int32, -1 where there is none.
    rule: (audiences, m) uint8, the code of the filter rule that says why there is none, else 0.
    """

    edition: Ints
    rule: Ints


def read_recordings(table: pa.Table) -> Recordings:
    """The recordings table as arrays; InputError names the column and the row that is wrong."""
    dense_index(table, "recordings", "recording_index")
    age_days = floats_with_nan(table, "recordings", "age_days")
    if (age_days < 0).any():
        row = int(np.flatnonzero(age_days < 0)[0])
        raise InputError(f"recordings: age_days is {age_days[row]:g} in row {row}; leave what is not out yet null")
    percentile = column(table, "recordings", "popularity_percentile", np.float64)
    if not ((percentile >= 0) & (percentile <= 1)).all():
        row = int(np.flatnonzero(~((percentile >= 0) & (percentile <= 1)))[0])
        raise InputError(f"recordings: popularity_percentile is {percentile[row]:g} in row {row}; must be 0 to 1")
    return Recordings(
        recording_id=strings(table, "recordings", "recording_id"),
        age_days=age_days,
        idle_days=floats_with_nan(table, "recordings", "idle_days"),
        listener_count=column(table, "recordings", "listener_count", np.int64),
        recent_listener_count=column(table, "recordings", "recent_listener_count", np.int64),
        popularity_percentile=percentile,
        is_boosted=_boosted(table),
    )


def _boosted(table: pa.Table) -> Bools:
    """Which recordings are boosted; weeks of before boosts counted say nothing, and nothing was."""
    if "is_boosted" not in table.column_names:
        return np.zeros(len(table), dtype=bool)
    return column(table, "recordings", "is_boosted", np.bool_)


def read_editions(table: pa.Table, recording_count: int, markets: pa.Array) -> Editions:
    """The editions table as arrays; InputError unless sorted by recording, each recording having one.

    markets: those of the listeners; lists of other markets matter to nobody and are left out.
    """
    dense_index(table, "editions", "edition_index")
    recording = column(table, "editions", "recording_index", np.int32)
    in_range(recording, recording_count, "editions", "recording_index")
    if (np.diff(recording) < 0).any():
        row = int(np.flatnonzero(np.diff(recording) < 0)[0]) + 1
        raise InputError(f"editions: recording_index falls in row {row}; sort by recording_index, preference")
    without = np.flatnonzero(np.bincount(recording, minlength=recording_count) == 0)
    if len(without):
        raise InputError(f"editions: recording_index {without[0]} has no edition; give each recording at least one")
    artist = column(table, "editions", "artist_index", np.int32)
    album = column(table, "editions", "album_index", np.int32)
    in_range(artist, np.iinfo(np.int32).max, "editions", "artist_index")
    in_range(album, np.iinfo(np.int32).max, "editions", "album_index", lowest=-1)
    market_lists = joined(table.column("markets"))
    everywhere = pc.is_null(market_lists).to_numpy(zero_copy_only=False)
    names, in_market = _markets(market_lists, everywhere, markets)
    return Editions(
        recording=recording,
        artist=artist,
        album=album,
        explicit=column(table, "editions", "explicit", np.bool_),
        unavailable=_unavailable_codes(strings(table, "editions", "unavailable_rule")),
        credits=_credits(artist, joined(table.column("artist_indexes"))),
        everywhere=everywhere,
        in_market=in_market,
        market_names=names,
    )


def _unavailable_codes(rules: pa.Array) -> Ints:
    """Code of each edition's unavailable_rule, 0 for null."""
    place = pc.fill_null(pc.index_in(rules, pa.array(UNAVAILABLE_RULES)), -1).to_numpy(zero_copy_only=False)
    unknown = pc.is_valid(rules).to_numpy(zero_copy_only=False) & (place < 0)
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        message = f"editions: unavailable_rule is {rules[row].as_py()!r} in row {row}"
        raise InputError(f"{message}; use null or one of {', '.join(UNAVAILABLE_RULES)}")
    codes = np.array([0, *(FILTER_CODES[rule] for rule in UNAVAILABLE_RULES)], dtype=np.uint8)
    return np.asarray(codes[place + 1])


def _list_rows(lists: pa.Array) -> Ints:
    """Row of each value in the flattened lists."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists)), lengths)


def _credits(artist: Ints, lists: pa.Array) -> Pairs:
    """Each edition's credited artists, ascending and once each, the first credit always among them."""
    listed = pc.list_flatten(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    rows = np.concatenate([np.arange(len(artist)), _list_rows(lists)])
    artists = np.concatenate([artist.astype(np.int64), listed])
    width = int(artists.max(initial=0)) + 1
    keys = np.unique(rows * width + artists)
    indptr = np.searchsorted(keys, np.arange(len(artist) + 1) * width)
    return Pairs(indptr.astype(np.int64), (keys % width).astype(np.int32), width)


def _markets(lists: pa.Array, everywhere: Bools, wanted: pa.Array) -> tuple[pa.Array, Bools]:
    """Names of the wanted markets that are listed, and (markets, editions) whether it may be played there."""
    listed = pc.list_flatten(lists)
    names = pc.unique(listed).drop_null()
    names = names.filter(pc.is_in(names, pc.unique(wanted))).sort()
    allowed = np.tile(everywhere, (len(names), 1))
    places = pc.fill_null(pc.index_in(listed, names), -1).to_numpy(zero_copy_only=False)
    rows = _list_rows(lists)
    allowed[places[places >= 0], rows[places >= 0]] = True
    return names, allowed


def audiences(markets: pa.Array, allow_explicit: Bools, market_names: pa.Array) -> Ints:
    """Audience of each listener: 2 x market class + explicit allowed.

    Market classes: 0 where no listener states a market (the rule can't be applied to anyone), 1 an unknown market
    beside known ones, or one that no edition lists (only what may be played everywhere), 2 and up the listed
    markets in the order of market_names.
    """
    listed = pc.fill_null(pc.index_in(markets, market_names), -1).to_numpy(zero_copy_only=False)
    known = pc.is_valid(markets).to_numpy(zero_copy_only=False)
    market_class = np.where(listed >= 0, listed + 2, 1 if known.any() else 0)
    return (2 * market_class + allow_explicit).astype(np.int32)


def choose_editions(editions: Editions, recording_count: int) -> EditionChoice:
    """The first playable edition of each recording, for every audience (see `audiences`).

    Reasons: the preferred edition's own rule where no edition is available at all, else 'market'
    where none may be played there, else 'explicit'.
    """
    available = editions.unavailable == 0
    classes = [np.ones(len(editions), dtype=bool), editions.everywhere, *editions.in_market]
    edition = np.full((2 * len(classes), recording_count), -1, dtype=np.int32)
    rule = np.zeros(edition.shape, dtype=np.uint8)
    anywhere = _first(available, editions.recording, recording_count)
    preferred = _first(np.ones(len(editions), dtype=bool), editions.recording, recording_count)
    for place, in_market in enumerate(classes):
        here = available & in_market
        with_explicit = _first(here, editions.recording, recording_count)
        without = _first(here & ~editions.explicit, editions.recording, recording_count)
        base = np.where(with_explicit >= 0, FILTER_CODES["explicit"], FILTER_CODES["market"])
        reason = np.where(anywhere >= 0, base, editions.unavailable[preferred])
        for row, chosen in ((2 * place, without), (2 * place + 1, with_explicit)):
            edition[row] = chosen
            rule[row] = np.where(chosen >= 0, 0, reason)
    return EditionChoice(edition, rule)


def _first(usable: Bools, recording: Ints, recording_count: int) -> Ints:
    """Position of the first usable edition of each recording, -1 where none."""
    first = np.full(recording_count, -1, dtype=np.int32)
    positions = np.flatnonzero(usable)[::-1]
    first[recording[positions]] = positions
    return first
