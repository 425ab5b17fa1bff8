"""Spotify's streaming history: the extended one, and the year of it in the account data.

Belongs here: which files hold plays, what each field becomes, what is left out and under which name.
Does not: what counts as heard or skipped (the warehouse weighs milliseconds, lengths and reasons).

`ts` is when a stream ended; what lands is when it began, as scrobbles say it too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from models_ml.errors import InputError
from models_ml.importers.json_stream import array_blocks
from models_ml.importers.plays import EventColumns, Work
from models_ml.importers.sources import Kind, Member, members
from models_ml.importers.times import NO_MOMENT, moments_of
from models_ml.importers.track_book import Track, TrackFacts

EXPECTED: Final = "a JSON array of streams, as in Streaming_History_Audio_*.json"
# With this much the warehouse decides by the end's reason and the length; with less, a skip is one in any case.
_SKIPPED_BELOW_MS: Final = 30_000
_LONGEST_MS: Final = 7 * 24 * 60 * 60 * 1000
_FILES = Kind(
    ["streaming_history_audio_*.json", "streaming_history_video_*.json", "endsong*.json", "streaminghistory*.json"]
)
_FIELDS: Final = (
    "ts",
    "ms_played",
    "master_metadata_track_name",
    "master_metadata_album_artist_name",
    "master_metadata_album_album_name",
    "spotify_track_uri",
    "incognito_mode",
    "skipped",
    "reason_start",
    "reason_end",
    "platform",
    "shuffle",
    "username",
)
_BASIC_NAMES: Final = {
    "endTime": "ts",
    "msPlayed": "ms_played",
    "artistName": "master_metadata_album_artist_name",
    "trackName": "master_metadata_track_name",
    "podcastName": "episode_show_name",
    "episodeName": "episode_name",
}


def import_spotify_history(paths: Sequence[Path], work: Work) -> None:
    """Plays of one listener, or of several where the files name them and no listener was given."""
    events = EventColumns(work, "spotify")
    for member in members(paths, _FILES, work.tally.ignored_files):
        work.tally.files.append(member.shown_as)
        _import_member(member, events, work)


def _import_member(member: Member, events: EventColumns, work: Work) -> None:
    with member.open() as stream:
        for number, block in enumerate(array_blocks(stream, member.shown_as, EXPECTED)):
            rows = [_in_extended_names(row) for row in block.values if type(row) is dict]
            if number == 0 and block.values and not any("ts" in row for row in rows):
                raise InputError(f"{member.shown_as}: no stream has a ts or an endTime; expected {EXPECTED}")
            unreadable = block.unreadable + len(block.values) - len(rows)
            work.tally.rows_read += len(rows) + unreadable
            if unreadable:
                work.tally.skipped["unreadable_row"] += unreadable
            _add(rows, events, work)
            work.tell(member.shown_as)


def _in_extended_names(row: dict[str, Any]) -> dict[str, Any]:
    """A stream of the account data under the names of the extended history."""
    if "endTime" not in row:
        return row
    return {_BASIC_NAMES.get(name, name): value for name, value in row.items()}


class _Stream(NamedTuple):
    """What is used of a stream, in the order of _FIELDS. Each row is taken apart once, while it is at hand."""

    ended: Any
    played_ms: Any
    title: Any
    artist: Any
    album: Any
    uri: Any
    is_private: Any
    skipped: Any
    reason_start: Any
    reason_end: Any
    platform: Any
    shuffle: Any
    username: Any


def _add(rows: Iterable[dict[str, Any]], events: EventColumns, work: Work) -> None:
    kept: list[tuple[Any, ...]] = []
    tracks: list[Track] = []
    skipped, known = work.tally.skipped, work.tracks.known
    for row in rows:
        values = tuple(map(row.get, _FIELDS))
        _, played, title, artist, album, uri, is_private, *_ = values
        reason = _reason_to_skip(row, title, artist, played, is_private)
        if reason is not None:
            skipped[reason] += 1
            continue
        key = (uri if type(uri) is str else None, artist, title)
        track = known.get(key)
        if track is None:
            track = work.tracks.add(key, TrackFacts(str(title), str(artist), album, spotify=uri))
        kept.append(values)
        tracks.append(track)
    if kept:
        _add_kept(_Stream(*zip(*kept, strict=True)), tracks, events, work)


def _reason_to_skip(row: dict[str, Any], title: Any, artist: Any, played: Any, is_private: Any) -> str | None:
    """The name under which the stream is left out, None for a play of a track."""
    if is_private is True:
        return "private_session"
    if not (type(title) is str and type(artist) is str and title.strip() and artist.strip()):
        if row.get("episode_name") or row.get("spotify_episode_uri"):
            return "podcast_episode"
        if row.get("audiobook_title") or row.get("audiobook_uri") or row.get("audiobook_chapter_uri"):
            return "audiobook_chapter"
        return "no_track"
    if type(played) is not int or not 0 <= played <= _LONGEST_MS:
        return "unreadable_length"
    return None


def _add_kept(streams: _Stream, tracks: list[Track], events: EventColumns, work: Work) -> None:
    """streams: a column each."""
    ended = moments_of(_texts(streams.ended))
    readable = ended != NO_MOMENT
    work.tally.skipped["unreadable_time"] += int((~readable).sum())
    given, otherwise = work.options.user, work.options.user_or_default
    users = [given or _name(name) or otherwise for name in streams.username]
    types = [
        "skip" if skipped is True and played < _SKIPPED_BELOW_MS else "play"
        for skipped, played in zip(streams.skipped, streams.played_ms, strict=True)
    ]
    played = np.array(streams.played_ms, dtype=np.int64)
    more = {
        "reason_start": _texts(streams.reason_start),
        "reason_end": _texts(streams.reason_end),
        "device_type": _texts(streams.platform),
        "shuffle": pa.array([value if type(value) is bool else None for value in streams.shuffle], pa.bool_()),
    }
    events.add(users, tracks, ended - played, types, played, more, readable)


def _name(value: Any) -> str | None:
    return value.strip() or None if type(value) is str else None


def _texts(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([value if type(value) is str else None for value in values], pa.string())
