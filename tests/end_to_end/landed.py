"""What landing files say as of a Monday, read anew: simple, slow, and nothing of the pipeline in it.

Belongs here: the contract's rules on what is known, heard, blocked and available, row by row in Python.
Does not: what was published, or comparing the two (guarantees.py).
"""

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]

EVENT_TYPES = {
    "play",
    "skip",
    "save",
    "unsave",
    "playlist_add",
    "playlist_remove",
    "like",
    "dislike",
    "block_track",
    "block_artist",
    "impression",
}
HEARING_ACTS = {"save", "like", "dislike", "playlist_add"}
HEARD_MS = 30_000
SAMPLED_WEEKS = 26
LENGTH_TOLERANCE_MS = 3_000
EDITION_WORDS = re.compile(
    r"remaster|deluxe|edition|version|anniversary|mono|stereo|bonus|explicit|clean|radio edit"
    r"|single|feat|ft\b"
)
PERFORMANCE_WORDS = re.compile(r"live|remix|acoustic|instrumental|demo|karaoke|extended|session|cover|orchestra")


@dataclass(frozen=True)
class Track:
    """A track as its last landed row has it."""

    track_id: str
    title: str
    artist_id: str
    artist_name: str
    credits: frozenset[str]
    album_id: str | None
    duration_ms: int | None
    released_on: dt.date | None
    explicit: bool
    markets: frozenset[str] | None
    isrc: str | None
    recording_id: str | None
    genres: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Listener:
    """A listener's statements, as their last landed row has them."""

    market: str | None = None
    timezone: str | None = None
    allow_explicit: bool = True
    favourite_artists: frozenset[str] = frozenset()
    favourite_genres: frozenset[str] = frozenset()


@dataclass
class Landed:
    """Everything known before a Monday; ids are strings, moments naive UTC."""

    monday: dt.date
    tracks: dict[str, Track] = field(default_factory=dict)
    listeners: dict[str, Listener] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    heard: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sampled: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    skips: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    played: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    played_lately: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    acts: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    blocked_tracks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    blocked_artists: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unavailable_tracks: set[str] = field(default_factory=set)
    unavailable_artists: set[str] = field(default_factory=set)
    playlists: dict[str, tuple[str, set[str]]] = field(default_factory=dict)

    def editions(self, track_ids: set[str], of: Track) -> set[str]:
        """Those of the tracks that are editions of one recording with `of`, itself included."""
        return {other for other in track_ids if other in self.tracks and same_recording(self.tracks[other], of)}

    def reason_against(self, user_id: str, track: Track) -> str | None:
        """The filter that keeps a track from a listener, None where none does."""
        listener = self.listeners[user_id]
        if track.track_id in self.unavailable_tracks or track.credits & self.unavailable_artists:
            return "taken down or embargoed"
        if track.explicit and not listener.allow_explicit:
            return "explicit"
        states_markets = any(other.market for other in self.listeners.values())
        if track.markets is not None and states_markets and listener.market not in track.markets:
            return "not available in the market"
        if track.credits & self.blocked_artists[user_id]:
            return "by a blocked artist"
        for name, tracks in (("heard", self.heard), ("blocked", self.blocked_tracks), ("sampled", self.sampled)):
            if self.editions(tracks[user_id], track):
                return name
        if sum(same_recording(self.tracks[skipped], track) for skipped in self.skips[user_id]) >= 2:
            return "skipped twice"
        return None

    def recordings_that_pass(self, user_id: str) -> int:
        """How many recordings no filter keeps from a listener."""
        passing = [track for track in self.tracks.values() if self.reason_against(user_id, track) is None]
        group = {track.track_id: track.track_id for track in passing}
        for one, other in combinations(passing, 2):
            if same_recording(one, other):
                old, new = group[one.track_id], group[other.track_id]
                group = {name: new if value == old else value for name, value in group.items()}
        return len(set(group.values()))


def same_recording(one: Track, other: Track) -> bool:
    """The contract's rule: recording_id, else isrc, else bare title, artist and a length within three seconds."""
    if one.track_id == other.track_id:
        return True
    if one.recording_id and other.recording_id:
        return one.recording_id == other.recording_id
    if one.isrc and other.isrc:
        return one.isrc == other.isrc
    if one.artist_id != other.artist_id or bare_title(one.title) != bare_title(other.title):
        return False
    if one.duration_ms is None or other.duration_ms is None:
        return one.duration_ms is other.duration_ms
    return abs(one.duration_ms - other.duration_ms) <= LENGTH_TOLERANCE_MS


def bare_title(title: str) -> str:
    """Lower-case letters and digits of a title, without what names an edition."""
    letters = unicodedata.normalize("NFKD", title.lower())
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    for pattern in (r"[(\[]([^)\]]*)[)\]]", r"\s[-–]\s([^-–]*)$"):
        for found in list(re.finditer(pattern, text)):
            if EDITION_WORDS.search(found[1]) and not PERFORMANCE_WORDS.search(found[1]):
                text = text.replace(found[0], " ")
    bare = " ".join("".join(letter if letter.isalnum() else " " for letter in text).split())
    return bare or text


def read_landed(landing: Path, monday: dt.date) -> Landed:
    """Every landed dataset that a list depends on, cut before the Monday."""
    landed = Landed(monday)
    landed.tracks = _tracks(landing, monday)
    active = set(_take_events(landed, landing)) | set(_take_counts(landed, landing))
    users = {
        row["user_id"]: Listener(
            row["market"].upper() if row.get("market") else None,
            row.get("timezone"),
            row.get("allow_explicit") != "false",
            frozenset(_listed(row.get("favourite_artist_ids"))),
            frozenset(genre.strip().lower() for genre in _listed(row.get("favourite_genres"))),
        )
        for row in _rows(landing, "users")
        if row["user_id"] and _is_known(row.get("registered_at"), monday)
    }
    landed.deleted = {row["user_id"] for row in _rows(landing, "deletions") if moment(row["requested_at"])}
    landed.listeners = {
        user_id: users.get(user_id, Listener()) for user_id in sorted((active | set(users)) - landed.deleted)
    }
    landed.playlists = {
        row["playlist_id"]: (row["title"].strip(), set())
        for row in _rows(landing, "playlists")
        if row.get("title") and _is_known(row.get("updated_at"), monday)
    }
    for row in _rows(landing, "playlist_tracks"):
        if row["playlist_id"] in landed.playlists and _is_known(row.get("added_at"), monday):
            landed.playlists[row["playlist_id"]][1].add(row["track_id"])
    for row in _rows(landing, "overrides"):
        midnight = dt.datetime.combine(monday, dt.time())
        begins, ends = moment(row.get("valid_from")) or midnight, moment(row.get("valid_to")) or dt.datetime.max
        if row["action"] in ("takedown", "embargo") and begins <= midnight < ends:
            (landed.unavailable_tracks if row.get("track_id") else landed.unavailable_artists).add(
                row.get("track_id") or row["artist_id"]
            )
    return landed


def _tracks(landing: Path, monday: dt.date) -> dict[str, Track]:
    known = [
        row
        for row in _rows(landing, "tracks")
        if all(row.get(name) for name in ("track_id", "title", "artist_id", "artist_name"))
        and _is_known(row.get("available_from") or row.get("released_on"), monday)
    ]
    return {
        row["track_id"]: Track(
            row["track_id"],
            row["title"],
            row["artist_id"],
            row["artist_name"],
            frozenset([row["artist_id"], *_listed(row.get("artist_ids"))]),
            row.get("album_id"),
            int(row["duration_ms"]) if row.get("duration_ms") else None,
            dt.date.fromisoformat(row["released_on"]) if row.get("released_on") else None,
            row.get("explicit") == "true",
            frozenset(market.upper() for market in _listed(row.get("markets"))) or None,
            row["isrc"].replace("-", "").upper() if row.get("isrc") else None,
            row.get("recording_id"),
            frozenset(genre.strip().lower() for genre in _listed(row.get("genres"))),
        )
        for row in known
    }


def _take_events(landed: Landed, landing: Path) -> Iterator[str]:
    """Files events where they belong; yields whoever has one that counts."""
    seen: set[str] = set()
    for row in _rows(landing, "events"):
        occurred_at = moment(row.get("occurred_at"))
        if not _is_usable(row) or occurred_at is None or occurred_at >= dt.datetime.combine(landed.monday, dt.time()):
            continue
        if row.get("event_id") and row["event_id"] in seen:
            continue
        seen.add(row.get("event_id") or "")
        track = landed.tracks.get(row.get("track_id") or "")
        if track is None and row.get("track_id"):
            continue
        yield row["user_id"]
        if row["event_type"] == "block_artist":
            landed.blocked_artists[row["user_id"]].add(row.get("artist_id") or (track.artist_id if track else ""))
        elif track is not None and row.get("is_private") != "true":
            _take_listening(landed, row, track, occurred_at)


def _is_usable(row: Row) -> bool:
    if not row.get("user_id") or row.get("event_type") not in EVENT_TYPES:
        return False
    milliseconds = row.get("ms_played")
    named = row.get("track_id") or (row["event_type"] == "block_artist" and row.get("artist_id"))
    return bool(named) and (not milliseconds or milliseconds.isdigit())


def _take_listening(landed: Landed, row: Row, track: Track, occurred_at: dt.datetime) -> None:
    user_id, kind = row["user_id"], row["event_type"]
    landed.acts[user_id, kind].add(track.track_id)
    if kind == "skip":
        landed.skips[user_id].append(track.track_id)
    if kind == "block_track":
        landed.blocked_tracks[user_id].add(track.track_id)
    if kind in HEARING_ACTS or (kind in ("play", "skip") and _is_long_enough(row, track)):
        landed.heard[user_id].add(track.track_id)
        if kind in ("play", "skip"):
            landed.played[user_id].add(track.track_id)
        if occurred_at >= dt.datetime.combine(landed.monday, dt.time()) - dt.timedelta(days=28):
            landed.played_lately[track.track_id].add(user_id)
    elif kind in ("play", "skip") and occurred_at.date() >= landed.monday - dt.timedelta(weeks=SAMPLED_WEEKS):
        landed.sampled[user_id].add(track.track_id)


def _is_long_enough(row: Row, track: Track) -> bool:
    """Thirty seconds or half the track; a play without a duration is a scrobble."""
    if not row.get("ms_played"):
        return bool(row["event_type"] == "play")
    played = int(row["ms_played"])
    return played >= HEARD_MS or bool(track.duration_ms is not None and 0 < track.duration_ms <= 2 * played)


def _take_counts(landed: Landed, landing: Path) -> Iterator[str]:
    """Files totals where they belong; yields whoever has one that counts."""
    latest: dict[tuple[str, str], tuple[dt.datetime, int]] = {}
    for row in _rows(landing, "play_counts"):
        if (
            row["user_id"]
            and row["track_id"] in landed.tracks
            and _is_known(row.get("observed_at"), landed.monday)
            and (row["play_count"] or "-").isdigit()
        ):
            yield row["user_id"]
            key, at = (row["user_id"], row["track_id"]), moment(row.get("observed_at")) or dt.datetime.min
            if key not in latest or at >= latest[key][0]:
                latest[key] = at, int(row["play_count"])
    for (user_id, track_id), (_, total) in latest.items():
        if total > 0:
            landed.heard[user_id].add(track_id)
            landed.played[user_id].add(track_id)


def moment(text: str | None) -> dt.datetime | None:
    """Naive UTC of a text, None where there is none or it can't be read."""
    try:
        read = dt.datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read


def _is_known(text: str | None, monday: dt.date) -> bool:
    """Null is always known, what can't be read never, the rest before the Monday."""
    if not text:
        return True
    read = moment(text)
    return read is not None and read < dt.datetime.combine(monday, dt.time())


def _listed(value: list[str] | str | None) -> list[str]:
    """Values of a list column, which in CSV is JSON or separated by bars."""
    values = re.split(r'[|,"\[\]]+', value) if isinstance(value, str) else value or []
    return [text.strip() for text in values if text and text.strip()]


def _rows(landing: Path, dataset: str) -> list[Row]:
    """Rows of a dataset's readable files in order of path and row: text, or lists of text, blanks as None."""
    rows: list[Row] = []
    for path in sorted((landing / dataset).rglob("*"), key=lambda path: path.relative_to(landing).as_posix()):
        if path.is_file() and not path.name.startswith((".", "_")):
            rows += _read(path)
    return rows


def _read(path: Path) -> list[Row]:
    options = {"parquet": "read_parquet(?, hive_partitioning = false)", "csv": "read_csv(?, all_varchar = true)"}
    format_name = next(name for name in ("parquet", "csv", "json") if name in path.name)
    source = options.get(format_name, "read_json(?, format = 'newline_delimited', ignore_errors = true)")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        try:
            columns = connection.execute(f"describe from {source}", [str(path)]).fetchall()
            listed = ", ".join(
                f'"{name}"' if kind.endswith("[]") else f'trim("{name}"::varchar) as "{name}"'
                for name, kind, *_ in columns
            )
            rows = connection.execute(f"select {listed} from {source}", [str(path)]).to_arrow_table().to_pylist()
        except duckdb.Error:
            return []  # a broken file gives nothing, and the others go on
    return [{name: value if value != "" else None for name, value in row.items()} for row in rows]
