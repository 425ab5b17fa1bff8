"""Last.fm scrobbles: the Last.fm-1K table, and the CSV files that exporters write.

Belongs here: which column is which, what is left out and under which name. Does not: reading CSV (tables.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.errors import InputError
from models_ml.importers.plays import EventColumns, Work
from models_ml.importers.sources import ByteStream, Kind, members
from models_ml.importers.tables import Layout, TableBlock, delimited_blocks, first_row, opened_table
from models_ml.importers.times import NO_MOMENT, moments_of
from models_ml.importers.track_book import Track, TrackFacts

EXPECTED: Final = (
    "scrobbles: the six columns of Last.fm-1K, or a CSV with columns for artist, track and date, "
    'or without names as "artist,album,title,01 Jan 2020 12:34"'
)
_FILES = Kind(["*.csv", "*.tsv", "*.txt"], besides=["readme.txt", "userid-profile.tsv", "license.txt"])
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("user", "username", "user_name", "userid"),
    "artist": ("artist", "artist name", "artist_name", "artistname"),
    "album": ("album", "album name", "album_name", "release"),
    "title": ("track", "track name", "track_name", "trackname", "title", "name", "song"),
    "time": ("uts", "unix_timestamp", "timestamp", "utc_time", "date", "datetime", "time", "played at", "scrobbled_at"),
    "mbid": ("track_mbid", "track mbid", "recording_mbid", "mbid"),
}
# One exporter puts the listener's name into the name of the column: Date#name.
_DATE_OF = "date#"


@dataclass(frozen=True)
class _Scrobbles:
    """Places of the columns from 0; user: whose they are where the file says so itself."""

    layout: Layout
    places: Mapping[str, int]
    user: str | None = None


def import_lastfm(paths: Sequence[Path], work: Work) -> None:
    """Plays of whoever the table or its header names, else of the listener given."""
    events = EventColumns(work, "lastfm")
    for member in members(paths, _FILES, work.tally.ignored_files):
        work.tally.files.append(member.shown_as)
        with opened_table(member) as stream:
            _add_all(stream, events, work)


def _add_all(stream: ByteStream, events: EventColumns, work: Work) -> None:
    scrobbles = _recognised(stream)
    if scrobbles is None:
        return
    wanted = list(scrobbles.places.values())
    for block in delimited_blocks(stream, scrobbles.layout, wanted, EXPECTED):
        work.tally.rows_read += block.rows + block.unreadable
        if block.unreadable:
            work.tally.skipped["unreadable_row"] += block.unreadable
        _add(scrobbles, block, events, work)
        work.tell(stream.shown_as)


def _recognised(stream: ByteStream) -> _Scrobbles | None:
    """How the file is laid out, None where it is empty."""
    row = first_row(stream, "\t")
    if len(row) == 6 and _is_moment(row[1]):
        places = {"user": 0, "time": 1, "artist": 3, "mbid": 4, "title": 5}
        return _Scrobbles(Layout(6, "\t", is_quoted=False, header_rows=0), places)
    delimiter, row = max(((mark, first_row(stream, mark)) for mark in ",;\t"), key=lambda found: len(found[1]))
    if not row:
        return None
    is_quoted = delimiter != "\t"
    names = [name.strip().lower() for name in row]
    places = _named_places(names)
    if {"artist", "title", "time"} <= places.keys():
        title = row[places["time"]].strip()
        user = title[len(_DATE_OF) :] if title.lower().startswith(_DATE_OF) else None
        return _Scrobbles(Layout(len(row), delimiter, is_quoted, header_rows=1), places, user)
    if len(row) == 4 and _is_moment(row[3]):
        return _Scrobbles(
            Layout(4, delimiter, is_quoted, header_rows=0), {"artist": 0, "album": 1, "title": 2, "time": 3}
        )
    raise InputError(f"{stream.shown_as}: the first line has {len(row)} values, {row[:6]}; expected {EXPECTED}")


def _named_places(names: Sequence[str]) -> dict[str, int]:
    places = {
        meaning: names.index(found)
        for meaning, known in _NAMES.items()
        if (found := next((name for name in known if name in names), None)) is not None
    }
    dated = next((place for place, name in enumerate(names) if name.startswith(_DATE_OF)), None)
    return places if dated is None else {**places, "time": dated}


def _is_moment(text: str) -> bool:
    return bool(moments_of(pa.array([text]))[0] != NO_MOMENT)


def _add(scrobbles: _Scrobbles, block: TableBlock, events: EventColumns, work: Work) -> None:
    columns = {name: column.to_pylist() for name, column in zip(scrobbles.places, block.columns, strict=True)}
    nothing = [""] * block.rows
    mbids, albums = columns.get("mbid", nothing), columns.get("album", nothing)
    owner = scrobbles.user or work.options.user_or_default
    owners = columns.get("user", nothing)
    moments = moments_of(block.columns[list(scrobbles.places).index("time")])
    is_dated = (moments != NO_MOMENT).tolist()
    users: list[str] = []
    tracks: list[Track] = []
    kept: list[int] = []
    skipped, known = work.tally.skipped, work.tracks.known
    rows = zip(columns["artist"], columns["title"], mbids, is_dated, strict=True)
    for row, (artist, title, recording, has_moment) in enumerate(rows):
        if not artist.strip() or not title.strip():
            skipped["no_track"] += 1
        elif not has_moment:
            skipped["unreadable_time"] += 1
        else:
            key = (artist, title, recording)
            track = known.get(key) or work.tracks.add(
                key, TrackFacts(title, artist, albums[row], recording_mbid=recording)
            )
            users.append(owners[row].strip() or owner)
            tracks.append(track)
            kept.append(row)
    events.add(users, tracks, moments[np.array(kept, dtype=np.int64)])
