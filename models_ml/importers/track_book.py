"""Tracks met so far: each distinct description gets its ids once, each track its landing row once.

Belongs here: bounded memories of what was seen, and the rows of `tracks`. Does not: how ids are made (identities.py).
"""

from array import array
from collections.abc import Hashable
from typing import Any, NamedTuple

from models_ml.importers.identities import (
    album_id,
    artist_id,
    digest,
    mbid,
    name_id,
    normalised_artist,
    spotify_id,
)
from models_ml.importers.landing_writer import SCHEMAS, LandingWriter

# Descriptions remembered, some hundred bytes each. A full memory is set aside and a new one begun, so that what comes
# often is never forgotten and what is remembered is at most twice this.
REMEMBERED_DESCRIPTIONS = 65_536
REMEMBERED_ARTISTS = 65_536
REMEMBERED_ALBUMS = 65_536
# Slots for tracks already written, 8 bytes each: a power of two. A track that lost its slot is written again, and
# staging drops the repeat.
_SLOTS = 1 << 21
_LONGEST_TRACK_MS = 24 * 60 * 60 * 1000


class Track(NamedTuple):
    """track_id, and 64 bits of it for event ids."""

    track_id: str
    number: int


class TrackFacts(NamedTuple):
    """What a source says about a track; title and artist are never blank."""

    title: str
    artist: str
    album: Any = None
    duration_ms: int | None = None
    spotify: Any = None
    recording_mbid: Any = None
    isrc: Any = None


class TrackBook:
    """Ids of tracks by how a source describes them.

    known: tracks by description; a key that is in it needs no `add`. Look it up directly: that is most rows.
    """

    def __init__(self, writer: LandingWriter) -> None:
        self.known: dict[Hashable, Track] = {}
        self._before: dict[Hashable, Track] = {}
        self._writer = writer
        self._artists: dict[str, tuple[str, str]] = {}
        self._albums: dict[tuple[str, str], str] = {}
        self._written = array("Q", bytes(8 * _SLOTS))
        self._rows: list[tuple[Any, ...]] = []

    def add(self, key: Hashable, facts: TrackFacts) -> Track:
        """Remember a description, and write the track's row where it says more than one before."""
        if len(self.known) >= REMEMBERED_DESCRIPTIONS:
            self._before = self.known.copy()
            self.known.clear()
        track = self.known[key] = self._before.get(key) or self._added(facts)
        return track

    def _added(self, facts: TrackFacts) -> Track:
        recording = mbid(facts.recording_mbid)
        track_id = spotify_id(facts.spotify) or recording or name_id(self._artist(facts.artist)[0], facts.title)
        track = Track(track_id, int.from_bytes(digest(track_id), "little"))
        length = facts.duration_ms if facts.duration_ms and 0 < facts.duration_ms < _LONGEST_TRACK_MS else None
        if self._says_more(track.number, length is not None):
            self._rows.append(self._row(track_id, facts, length, recording))
        return track

    def _row(self, track_id: str, facts: TrackFacts, length: int | None, recording: str | None) -> tuple[Any, ...]:
        """A landing row, in the order of SCHEMAS["tracks"]."""
        compared_artist, artist = self._artist(facts.artist)
        album = facts.album if isinstance(facts.album, str) and facts.album.strip() else None
        in_album = self._album(compared_artist, album) if album else None
        return track_id, facts.title, artist, facts.artist, in_album, album, length, _isrc(facts.isrc), recording

    def flush(self) -> None:
        """Hand the rows to the writer."""
        if self._rows:
            self._writer.add("tracks", dict(zip(SCHEMAS["tracks"].names, zip(*self._rows, strict=True), strict=True)))
            self._rows = []

    def _artist(self, name: str) -> tuple[str, str]:
        """The name as it is compared, and its id."""
        found = self._artists.get(name)
        if found is None:
            compared = normalised_artist(name)
            if len(self._artists) >= REMEMBERED_ARTISTS:
                self._artists.clear()
            found = self._artists[name] = (compared, artist_id(compared))
        return found

    def _album(self, compared_artist: str, title: str) -> str:
        key = (compared_artist, title)
        found = self._albums.get(key)
        if found is None:
            if len(self._albums) >= REMEMBERED_ALBUMS:
                self._albums.clear()
            found = self._albums[key] = album_id(compared_artist, title)
        return found

    def _says_more(self, number: int, has_length: bool) -> bool:
        """Whether the track hasn't been written, or only without its length: of its rows the last one holds."""
        slot = number & (_SLOTS - 1)
        # The lowest bit is in the slot's number already; here it says whether the length was known.
        seen, marked = self._written[slot], number | 1 if has_length else number & ~1
        if seen == marked or seen == number | 1:
            return False
        self._written[slot] = marked
        return True


def _isrc(value: Any) -> str | None:
    first = value[0] if isinstance(value, list) and value else value
    return first.strip() or None if isinstance(first, str) else None
