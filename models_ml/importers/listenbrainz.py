"""ListenBrainz listens: one listener's export, or a dump of all.

Belongs here: which files hold listens, what each field becomes, what is left out and under which name.
Does not: ids (identities.py), archives (sources.py).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from models_ml.errors import InputError
from models_ml.importers.json_stream import line_blocks
from models_ml.importers.plays import EventColumns, Work
from models_ml.importers.sources import Kind, Member, members
from models_ml.importers.times import NO_MOMENT, unix_moments
from models_ml.importers.track_book import Track, TrackFacts

EXPECTED: Final = "ListenBrainz listens, one JSON object with track_metadata a line"
_FILES = Kind(
    ["*.listens", "*.jsonl", "*.ndjson", "*.json"],
    besides=["user.json", "feedback.jsonl", "pinned_recording.jsonl", "pinned_recordings.jsonl"],
)
_NOTHING: Final[dict[str, Any]] = {}


def import_listenbrainz(paths: Sequence[Path], work: Work) -> None:
    """Plays of whoever the rows name, else of the listener given."""
    events = EventColumns(work, "listenbrainz")
    for member in members(paths, _FILES, work.tally.ignored_files):
        work.tally.files.append(member.shown_as)
        _import_member(member, events, work)


def _import_member(member: Member, events: EventColumns, work: Work) -> None:
    with member.open() as stream:
        for number, block in enumerate(line_blocks(stream)):
            work.tally.rows_read += len(block.values) + block.unreadable
            if block.unreadable:
                work.tally.skipped["unreadable_row"] += block.unreadable
            if number == 0 and not any(type(row) is dict and "track_metadata" in row for row in block.values):
                raise InputError(f"{member.shown_as}: no line is a listen; expected {EXPECTED}")
            _add(block.values, events, work)
            work.tell(member.shown_as)


def _add(rows: Sequence[Any], events: EventColumns, work: Work) -> None:
    users: list[str] = []
    tracks: list[Track] = []
    moments: list[Any] = []
    known, otherwise = work.tracks.known, work.options.user_or_default
    for row in rows:
        metadata = row.get("track_metadata") if type(row) is dict else None
        if type(metadata) is not dict:
            work.tally.skipped["no_track"] += 1
            continue
        title, artist = metadata.get("track_name"), metadata.get("artist_name")
        if type(title) is not str or type(artist) is not str or not (title.strip() and artist.strip()):
            work.tally.skipped["no_track"] += 1
            continue
        info, mapping = metadata.get("additional_info"), metadata.get("mbid_mapping")
        info = info if type(info) is dict else _NOTHING
        mapping = mapping if type(mapping) is dict else _NOTHING
        recording, spotify = mapping.get("recording_mbid") or info.get("recording_mbid"), info.get("spotify_id")
        # What tells one description of a track from another, as it stands in the row.
        key = (
            title,
            artist,
            recording if type(recording) is str else None,
            spotify if type(spotify) is str else None,
            "duration_ms" in info or "duration" in info,
        )
        user = row.get("user_name")
        users.append(user if type(user) is str and user else _user_number(row) or otherwise)
        tracks.append(known.get(key) or work.tracks.add(key, _facts(title, artist, metadata, info, mapping)))
        moments.append(row.get("listened_at") or row.get("timestamp"))
    moments_ms = unix_moments(moments)
    readable = moments_ms != NO_MOMENT
    work.tally.skipped["unreadable_time"] += int((~readable).sum())
    events.add(users, tracks, moments_ms, kept=readable)


def _facts(
    title: str, artist: str, metadata: dict[str, Any], info: dict[str, Any], mapping: dict[str, Any]
) -> TrackFacts:
    """ListenBrainz's own mapping goes before what a player sent: it sends different players to one recording."""
    return TrackFacts(
        title,
        artist,
        album=metadata.get("release_name"),
        duration_ms=_milliseconds(info.get("duration_ms"), 1) or _milliseconds(info.get("duration"), 1000),
        spotify=info.get("spotify_id"),
        recording_mbid=mapping.get("recording_mbid") or info.get("recording_mbid"),
        isrc=info.get("isrc"),
    )


def _milliseconds(value: Any, unit_ms: int) -> int | None:
    try:
        return round(float(value) * unit_ms)
    except (TypeError, ValueError, OverflowError):
        return None


def _user_number(row: dict[str, Any]) -> str | None:
    """Older dumps number their listeners."""
    number = row.get("user_id")
    return str(number) if type(number) in (int, str) and number != "" else None
