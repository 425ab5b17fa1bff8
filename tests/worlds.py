"""A world small enough to know by heart, written as landing files.

Belongs here: helpers that land data for tests. Does not: the demo world, which users see.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MONDAY = dt.date(2026, 11, 23)
GENRES = ("jazz", "metal", "folk")
HISTORY_WEEKS = 8


def land_small_world(
    landing: Path,
    listeners: int = 40,
    tracks: int = 360,
    plays: int = 40,
    seed: int = 0,
    until: dt.date = MONDAY,
    loved: float = 0.85,
    skipped: float = 0.6,
) -> None:
    """Listeners who love one of three genres; artists, albums and tracks that belong to one each.

    Track t belongs to genre t % 3, artist t // 6 and album t // 3; listener u loves genre u % 3. Every seventh track
    has a second edition. Plays fall in the eight weeks before `until`; `loved` of them are of the genre that is loved,
    of the others `skipped` are left early.
    """
    random = np.random.default_rng(seed)
    land(landing, "tracks/tracks.parquet", _tracks(tracks))
    land(landing, "users/users.parquet", _users(listeners))
    land(landing, "events/history.parquet", _events(random, listeners, tracks, plays, until, loved, skipped))


def land(landing: Path, name: str, rows: pa.Table | list[dict[str, object]]) -> Path:
    """Write one landing file; Parquet."""
    path = landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows), path)
    return path


def _tracks(count: int) -> pa.Table:
    rows = [_track(number, f"t{number:04d}", f"{GENRES[number % 3].title()} {number}") for number in range(count)]
    rows += [
        _track(number, f"t{number:04d}r", f"{GENRES[number % 3].title()} {number} (Remastered)")
        for number in range(0, count, 7)
    ]
    return pa.Table.from_pylist(rows)


def _track(number: int, track_id: str, title: str) -> dict[str, object]:
    # Artists of one genre: the artist's number keeps the remainder of the track's.
    artist = number // 6 * 3 + number % 3
    return {
        "track_id": track_id,
        "title": title,
        "artist_id": f"a{artist:04d}",
        "artist_name": f"Artist {artist}",
        "album_id": f"b{number // 3:04d}",
        "album_title": f"Album {number // 3}",
        "duration_ms": 180_000 + 10 * number,
        "released_on": dt.date(2026, 11, 1) if number % 20 == 0 else dt.date(2015, 1, 1),
        "genres": [GENRES[number % 3]],
        "explicit": number % 11 == 0,
        "markets": ["DE", "SE"] if number % 13 == 0 else None,
    }


def _users(count: int) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "user_id": f"u{number:03d}",
                "market": ("DE", "US")[number % 2],
                "timezone": ("Europe/Berlin", "America/New_York")[number % 2],
                "allow_explicit": number % 5 != 0,
                "registered_at": dt.datetime(2026, 1, 1),
            }
            for number in range(count)
        ]
    )


def _events(
    random: np.random.Generator,
    listeners: int,
    tracks: int,
    plays: int,
    until: dt.date,
    loved_share: float,
    skipped_share: float,
) -> pa.Table:
    count = (listeners - 1) * plays  # the last listener registered and has played nothing
    listener = np.repeat(np.arange(listeners - 1), plays)
    loved = random.random(count) < loved_share
    genre = np.where(loved, listener % 3, random.integers(0, 3, count))
    track = np.minimum((random.beta(0.6, 1.4, count) * (tracks // 3)).astype(int), tracks // 3 - 1) * 3 + genre
    seconds = random.integers(0, HISTORY_WEEKS * 7 * 86_400, count)
    start = np.datetime64(until, "us") - np.timedelta64(HISTORY_WEEKS * 7, "D")
    kind = np.where(random.random(count) < 0.1, "save", "play")
    skipped = (genre != listener % 3) & (random.random(count) < skipped_share)
    return pa.table(
        {
            "event_id": [f"e{number}" for number in range(count)],
            "user_id": [f"u{number:03d}" for number in listener],
            "track_id": [f"t{number:04d}" for number in track],
            "event_type": kind,
            "occurred_at": pa.array(start + seconds.astype("timedelta64[s]"), pa.timestamp("us")),
            "ms_played": np.where(skipped, 8_000, 170_000),
            "reason_end": np.where(skipped, "fwdbtn", "trackdone"),
            "context_type": np.array(["search", "collection", "radio"])[random.integers(0, 3, count)],
        }
    )
