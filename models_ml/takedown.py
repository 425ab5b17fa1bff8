"""Takedowns: what fills the slots of tracks that are taken out of lists already made.

Belongs here: which slots open, the next best candidate for each, the tables of the lists concerned.
Does not: scores and reasons (those of playlists.py), where the lists lie, who asked for the takedown.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, place_in_row
from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams, Slate, new_artists_needed
from models_ml.calibration import Calibration
from models_ml.catalogue import choose_editions
from models_ml.collaborative import CollaborativeFactors
from models_ml.eligibility import filter_codes
from models_ml.evidence import Content
from models_ml.features import WeekFeatures
from models_ml.giving_way import usage_of
from models_ml.near_duplicates import sound_keys
from models_ml.playlist_tables import MIXES_SCHEMA, RELAXATIONS_SCHEMA, SLOTS_SCHEMA, mixes_table, undrawn
from models_ml.playlists import Learning, PlaylistMaker, PlaylistParams
from models_ml.pools import Pool
from models_ml.rules import FILTER_CODES, NEW_ARTIST_SHARE, TAKEN_DOWN, TRACKS_PER_ALBUM, TRACKS_PER_ARTIST
from models_ml.slates import LaidOut

_IN_ORDER = [("user_index", "ascending"), ("position", "ascending")]


@dataclass(frozen=True)
class Mended:
    """The lists of the listeners concerned, whole: slots, the takedown's relaxations, mixes."""

    slots: pa.Table
    relaxations: pa.Table
    mixes: pa.Table


def concerned(slots: pa.Table, taken: Bools) -> Ints:
    """Listeners with a slot that holds a taken edition, ascending.  slots: user_index and edition_index at least."""
    return np.unique(slots["user_index"].to_numpy()[taken[slots["edition_index"].to_numpy()]])


def without(features: WeekFeatures, taken: Bools) -> WeekFeatures:
    """The week as if these editions had been taken down before it.  taken: (e,)."""
    code = np.uint8(FILTER_CODES[TAKEN_DOWN])
    editions = replace(features.editions, unavailable=np.where(taken, code, features.editions.unavailable))
    return replace(features, editions=editions, choice=choose_editions(editions, features.recording_count))


class ListMender(PlaylistMaker):
    """Fills what a takedown leaves open in the lists of a block of listeners."""

    def __init__(
        self,
        features: WeekFeatures,
        factors: CollaborativeFactors,
        params: PlaylistParams,
        taken: Bools,
        content: Content,
        calibration: Calibration | None,
        learning: Learning | None = None,
    ) -> None:
        """The week as its lists were made, and the editions taken down since. What fills a slot is not drawn."""
        super().__init__(without(features, taken), factors, params, content, calibration, learning=learning)
        self._taken = taken

    def mended(self, slots: pa.Table, listeners: Ints, pool: Pool) -> Mended:
        """The lists with every open slot filled by the best candidate that the filters and the soft rules let pass.

        slots: of exactly these listeners, by listener and position.  pool: their candidates.
        A rule that had given way for a list stays where it had gone. Neighbours by one artist are avoided among the
        candidates that were kept; beyond them a deeper search is made once. What nothing fills is left out.
        """
        lists = _OpenLists(slots, listeners, self._features, self._taken, self._params.assembly)
        passes = filter_codes(self._features, listeners[pool.rows], pool.recordings) == 0
        found = [self._filled_from(lists, listeners, pool.where(passes), apart=True)]
        short = np.flatnonzero(lists.open.any(axis=1))
        if len(short):
            depth = self._params.assembly.deep_candidate_count
            rest = lists.rows(short)
            deeper = self._sources.find_deeper(listeners[short], depth, top_up=True)
            found.append(self._filled_from(rest, listeners[short], deeper, apart=False))
        kept = slots.filter(pa.array(~self._taken[slots["edition_index"].to_numpy()]))
        whole = _numbered(pa.concat_tables([kept, *found]).sort_by(_IN_ORDER))
        return Mended(whole, _shortened(whole, listeners), self._mixes_of(whole))

    def _filled_from(self, lists: "_OpenLists", listeners: Ints, pool: Pool, *, apart: bool) -> pa.Table:
        """Rows of the slots that the pool fills, at their positions; `lists` knows of them afterwards."""
        if not len(pool):
            return SLOTS_SCHEMA.empty_table()
        laid = self._laid_out(listeners, pool)
        places = lists.fill(laid, self._features, apart=apart)
        rows = np.flatnonzero((places >= 0).any(axis=1))
        if not len(rows):
            return SLOTS_SCHEMA.empty_table()
        # Slots that stay are given some place of the listener's too: rows are made for whole lists, then left out.
        filled = places[rows] >= 0
        some = np.where(filled, places[rows], places[rows].max(axis=1)[:, None])
        table = self._rows.of(listeners[rows], laid.ranked, some, undrawn(len(rows)))
        place = table.schema.get_field_index("is_refill")
        refilled = table.set_column(place, "is_refill", pa.array(np.ones(len(table), dtype=bool)))
        return refilled.filter(pa.array(filled.ravel()))

    def _mixes_of(self, slots: pa.Table) -> pa.Table:
        """Mixes of these lists, those of one length at a time."""
        user, recording = slots["user_index"].to_numpy(), slots["recording_index"].to_numpy()
        listeners, lengths = np.unique(user, return_counts=True)
        parts = [MIXES_SCHEMA.empty_table()]
        for length in np.unique(lengths):
            some = listeners[lengths == length]
            recordings = recording[np.isin(user, some)].reshape(len(some), length)
            found: tuple[Floats, ...] = ()
            if self._calibration is not None:
                found = self._calibration.measured(self._features.interactions, some, recordings)
            parts.append(mixes_table(some, found))
        return pa.concat_tables(parts).sort_by("user_index")


class _OpenLists:
    """The lists of b listeners while their open slots are filled; arrays are (b, 30), -1 where a slot holds nothing.

    A track is told by its sound (near_duplicates.sound_keys), so that what sounds like one that stays fills no slot.
    """

    def __init__(
        self, slots: pa.Table, listeners: Ints, features: WeekFeatures, taken: Bools, params: AssemblyParams
    ) -> None:
        at = np.searchsorted(listeners, slots["user_index"].to_numpy()), slots["position"].to_numpy() - 1
        edition = np.full((len(listeners), PLAYLIST_LENGTH), -1, dtype=np.int64)
        self.is_new = np.zeros(edition.shape, dtype=bool)
        edition[at], self.is_new[at] = slots["edition_index"].to_numpy(), slots["is_new_artist"].to_numpy()
        there = edition >= 0
        self.artist = np.where(there, features.editions.artist[edition], -1)
        self.album = np.where(there, features.editions.album[edition], -1)
        usage = usage_of(
            Slate(self.artist, self.album, self.is_new, there), np.where(there, np.arange(PLAYLIST_LENGTH), -1)
        )
        self.artist_limit = np.maximum(params.tracks_per_artist, usage[TRACKS_PER_ARTIST])
        self.album_limit = np.maximum(params.tracks_per_album, usage[TRACKS_PER_ALBUM])
        self.new_needed = np.minimum(new_artists_needed(params.new_artist_share), usage[NEW_ARTIST_SHARE])
        self.open = there & taken[edition]
        self.sound = np.where(there & ~self.open, sound_keys(features)[features.editions.recording[edition]], -1)
        self.artist[self.open], self.album[self.open], self.is_new[self.open] = -1, -1, False

    def rows(self, chosen: Ints) -> "_OpenLists":
        """The lists of some of the listeners."""
        some = object.__new__(_OpenLists)
        vars(some).update({name: values[chosen] for name, values in vars(self).items()})
        return some

    def fill(self, laid: LaidOut, features: WeekFeatures, *, apart: bool) -> Ints:
        """(b, 30) place in the pool of what fills each open slot, first positions first, -1 where nothing does.

        apart: no neighbour of the slot may have the candidate's artist.
        """
        slate, order = laid.slate, laid.order
        rows, left = np.arange(len(order)), self.open.copy()
        sounds = sound_keys(features)[laid.ranked.pool.recordings[order]]
        places = np.full(left.shape, -1, dtype=np.int64)
        while left.any():
            slot = left.argmax(axis=1)
            fits = self._fitting(slate, sounds, slot, apart=apart)
            fits[~left.any(axis=1)] = False
            pick = fits.argmax(axis=1)
            done = np.flatnonzero(fits[rows, pick])
            left[rows, slot] = False
            at = done, slot[done]
            chosen = order[done, pick[done]]
            places[at], self.open[at] = chosen, False
            self.sound[at] = sounds[done, pick[done]]
            self.artist[at], self.album[at] = slate.artist[done, pick[done]], slate.album[done, pick[done]]
            self.is_new[at] = slate.is_new[done, pick[done]]
        return places

    def _fitting(self, slate: Slate, sounds: Ints, slot: Ints, *, apart: bool) -> Bools:
        """(b, K) candidates that may take each list's slot.  sounds: (b, K) of near_duplicates.sound_keys."""
        fits = slate.valid.copy()
        by_artist, on_album = np.zeros(fits.shape, dtype=np.int8), np.zeros(fits.shape, dtype=np.int8)
        for position in range(PLAYLIST_LENGTH):
            same_artist = slate.artist == self.artist[:, position, None]
            fits &= sounds != self.sound[:, position, None]
            if apart:
                fits &= ~(same_artist & (np.abs(slot - position) == 1)[:, None])
            by_artist += same_artist
            on_album += (slate.album == self.album[:, position, None]) & (slate.album >= 0)
        fits &= (by_artist < self.artist_limit[:, None]) & (on_album < self.album_limit[:, None])
        spare = self.open.sum(axis=1) > self.new_needed - self.is_new.sum(axis=1)
        return np.asarray(fits & (slate.is_new | spare[:, None]))


def _numbered(slots: pa.Table) -> pa.Table:
    """Positions from 1 without a gap.  slots: by listener and position."""
    position = place_in_row(slots["user_index"].to_numpy()) + 1
    place = slots.schema.get_field_index("position")
    return slots.set_column(place, slots.schema.field(place), pa.array(position.astype(np.int8)))


def _shortened(slots: pa.Table, listeners: Ints) -> pa.Table:
    """A row for each of these listeners whose list has fewer than thirty tracks."""
    owner = np.searchsorted(listeners, slots["user_index"].to_numpy())
    length = np.bincount(owner, minlength=len(listeners))
    short = np.flatnonzero(length < PLAYLIST_LENGTH)
    columns = {
        "user_index": listeners[short].astype(np.int32),
        "rule_id": pa.array([TAKEN_DOWN] * len(short), pa.string()),
        "step": np.ones(len(short), dtype=np.int32),
        "limit_from": np.full(len(short), float(PLAYLIST_LENGTH)),
        "limit_to": length[short].astype(np.float64),
    }
    return pa.table(columns, schema=RELAXATIONS_SCHEMA)


def with_mended(relaxations: pa.Table, mended: pa.Table, listeners: Ints) -> pa.Table:
    """The week's relaxations with what the takedown says of these listeners in place of what one said before."""
    theirs = pc.is_in(relaxations["user_index"], pa.array(listeners, pa.int32()))
    old = pc.and_(theirs, pc.equal(relaxations["rule_id"], TAKEN_DOWN))
    whole = pa.concat_tables([relaxations.filter(pc.invert(old)), mended])
    return whole.sort_by([("user_index", "ascending"), ("rule_id", "ascending"), ("step", "ascending")])
