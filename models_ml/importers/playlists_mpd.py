"""The Million Playlist Dataset: playlists as listeners, their tracks as what they added.

Belongs here: slices, what each field becomes, what is left out and under which name.
Does not: the words of playlists as a signal (the warehouse and the text vectors).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from models_ml.errors import InputError
from models_ml.importers.json_stream import array_blocks
from models_ml.importers.plays import EventColumns, Work
from models_ml.importers.sources import Kind, Member, members
from models_ml.importers.times import NO_MOMENT, unix_moments
from models_ml.importers.track_book import Track, TrackFacts

EXPECTED: Final = 'a slice of the Million Playlist Dataset, {"info": …, "playlists": […]}'
_FILES = Kind(["mpd.slice.*.json"])
_MOMENT = pa.timestamp("ms", "UTC")


def import_playlists_mpd(paths: Sequence[Path], work: Work) -> None:
    """Playlists with their tracks, dated by when the playlist was last changed: no other moment is known."""
    events = EventColumns(work, "playlists_mpd")
    for member in members(paths, _FILES, work.tally.ignored_files):
        work.tally.files.append(member.shown_as)
        _import_member(member, events, work)


def _import_member(member: Member, events: EventColumns, work: Work) -> None:
    with member.open() as stream:
        for number, block in enumerate(array_blocks(stream, member.shown_as, EXPECTED, "playlists")):
            playlists = [value for value in block.values if type(value) is dict and _is_playlist(value)]
            if number == 0 and block.values and not playlists:
                raise InputError(f"{member.shown_as}: no playlist has a pid and tracks; expected {EXPECTED}")
            unreadable = block.unreadable + len(block.values) - len(playlists)
            work.tally.rows_read += unreadable
            if unreadable:
                work.tally.skipped["unreadable_playlist"] += unreadable
            _add(playlists, events, work)
            work.tell(member.shown_as)


def _is_playlist(value: dict[str, Any]) -> bool:
    pid = value.get("pid")
    return type(pid) is int and type(value.get("tracks")) is list


def _add(playlists: Sequence[dict[str, Any]], events: EventColumns, work: Work) -> None:
    ids = [f"mpd:{playlist['pid']}" for playlist in playlists]
    changed = unix_moments([playlist.get("modified_at") for playlist in playlists]).tolist()
    users: list[str] = []
    tracks: list[Track] = []
    moments: list[int] = []
    positions: list[int | None] = []
    for playlist, user, moment in zip(playlists, ids, changed, strict=True):
        work.tally.rows_read += len(playlist["tracks"])
        if moment == NO_MOMENT:
            work.tally.skipped["unreadable_time"] += len(playlist["tracks"])
            continue
        for entry in playlist["tracks"]:
            track = _track(entry, work)
            if track is None:
                work.tally.skipped["no_track"] += 1
                continue
            users.append(user)
            tracks.append(track)
            moments.append(moment)
            positions.append(_place(entry.get("pos")))
    moments_ms = np.array(moments, dtype=np.int64)
    events.add(users, tracks, moments_ms, "playlist_add")
    if users:
        columns = {
            "playlist_id": users,
            "track_id": [track.track_id for track in tracks],
            "position": positions,
            "added_at": pa.array(moments_ms).cast(_MOMENT),
        }
        work.writer.add("playlist_tracks", columns)
    _add_playlists(playlists, ids, changed, work)


def _track(entry: Any, work: Work) -> Track | None:
    if type(entry) is not dict:
        return None
    title, artist, uri = entry.get("track_name"), entry.get("artist_name"), entry.get("track_uri")
    if type(title) is not str or type(artist) is not str or type(uri) not in (str, type(None)):
        return None
    key = (uri, artist, title)
    found = work.tracks.known.get(key)
    if found is not None:
        return found
    if not title.strip() or not artist.strip():
        return None
    length = entry.get("duration_ms")
    facts = TrackFacts(title, artist, entry.get("album_name"), length if type(length) is int else None, spotify=uri)
    return work.tracks.add(key, facts)


def _place(position: Any) -> int | None:
    """Places count from 0 in the slices, from 1 here."""
    return position + 1 if type(position) is int and 0 <= position < 1_000_000 else None


def _add_playlists(playlists: Sequence[dict[str, Any]], ids: Sequence[str], changed: Sequence[int], work: Work) -> None:
    titled = [
        (user, playlist["name"], playlist.get("description"), moment)
        for playlist, user, moment in zip(playlists, ids, changed, strict=True)
        if type(playlist.get("name")) is str and playlist["name"].strip() and moment != NO_MOMENT
    ]
    if titled:
        users, titles, descriptions, moments = zip(*titled, strict=True)
        columns = {
            "playlist_id": users,
            "title": titles,
            "description": [text if type(text) is str else None for text in descriptions],
            "owner_id": users,
            "updated_at": pa.array(moments, pa.int64()).cast(_MOMENT),
        }
        work.writer.add("playlists", columns)
