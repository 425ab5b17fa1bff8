"""Importers at the size of a gigabyte and of a tenth of it: rows a second, MB a second, peak memory.

Run: .venv/bin/python -m tests.benchmarks.importers --megabytes 1000
Belongs here: writing such files, importing each in a process of its own. Does not: whether what lands is right.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from models_ml.importers.history import import_history
from models_ml.importers.options import ImportOptions

# Of all listeners, and what one listener gets to hear.
TRACKS, TRACKS_OF_ONE, LISTENERS = 300_000, 30_000, 50_000
STEEPNESS = 3  # half of what is played comes from an eighth of the tracks
FIRST_SECOND = 1_500_000_000
OPTIONS = ImportOptions(user_column="user", item_column="item", count_column="count", artist_column="artist")
Rows = Iterator[str]


def main() -> None:
    """Print a line for each format and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the larger file (default 1000)")
    parser.add_argument("--formats", nargs="*", default=list(WRITERS), choices=list(WRITERS))
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    header = f"{'seconds':>8} {'of CPU':>6} {'rows/s':>9} {'rows/s CPU':>11} {'MB/s':>6} {'peak MiB':>9}"
    print(f"{'format':<16} {'MB':>6} {'rows':>11} {header}", flush=True)
    for name in options.formats:
        for megabytes in (options.megabytes // 10, options.megabytes):
            folder = Path(tempfile.mkdtemp(prefix="importers_"))
            try:
                _measure(name, megabytes, folder)
            finally:
                shutil.rmtree(folder)


def _measure(name: str, megabytes: int, folder: Path) -> None:
    suffix, write = WRITERS[name]
    path = folder / f"source{suffix}"
    _write(path, write(random.Random(0)), megabytes * 1_000_000)
    size = path.stat().st_size
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rows, seconds, cpu_seconds, peak = pool.apply(_imported, (name, path, folder / "landing"))
    took = f"{seconds:>8.1f} {cpu_seconds:>6.1f} {rows / seconds:>9,.0f} {rows / cpu_seconds:>11,.0f}"
    print(
        f"{name:<16} {size / 1e6:>6,.0f} {rows:>11,} {took} {size / 1e6 / seconds:>6.0f} {peak / 2**20:>9,.0f}",
        flush=True,
    )


def _imported(name: str, path: Path, landing: Path) -> tuple[int, float, float, int]:
    """Rows, seconds, those of them on a core, and the most memory the process held, looked at fifty times a second."""
    process, done, peak = psutil.Process(), threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, cpu_started = time.monotonic(), time.process_time()
    report = import_history(name, [path], landing, OPTIONS)
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    done.set()
    watcher.join()
    return report.rows_read, seconds, cpu_seconds, peak[0]


def _write(path: Path, rows: Rows, size: int) -> None:
    """Rows until the size is reached, and what closes them."""
    with open(path, "w", encoding="utf-8") as file:
        written = 0
        for row in rows:
            written += file.write(row)
            if written >= size:
                break
        file.write({".json": "]", ".slice": "]}"}.get(path.suffix, ""))


def _track(draw: random.Random, tracks: int = TRACKS) -> int:
    """Few tracks are most of what is played, and each of the others is played now and then."""
    return int(tracks * draw.random() ** STEEPNESS)


def _names(track: int) -> tuple[str, str, str]:
    artist = track // 11
    return f"Ärtist {artist} & the {artist % 97}s", f"Song number {track} (Version {track % 3})", f"Album {track // 9}"


def _spotify_rows(draw: random.Random) -> Rows:
    for number in range(1_000_000_000):
        track = _track(draw, TRACKS_OF_ONE)
        artist, title, album = _names(track)
        row = {
            "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(FIRST_SECOND + 97 * number)),
            "platform": "Android OS 14 API 34 (Maker, Model-7)",
            "ms_played": draw.randrange(300_000),
            "conn_country": "DE",
            "ip_addr": "192.0.2.1",
            "master_metadata_track_name": title,
            "master_metadata_album_artist_name": artist,
            "master_metadata_album_album_name": album,
            "spotify_track_uri": f"spotify:track:{track:022d}",
            "episode_name": None,
            "episode_show_name": None,
            "spotify_episode_uri": None,
            "audiobook_title": None,
            "audiobook_uri": None,
            "audiobook_chapter_uri": None,
            "audiobook_chapter_title": None,
            "reason_start": "trackdone",
            "reason_end": "fwdbtn" if number % 5 == 0 else "trackdone",
            "shuffle": number % 2 == 0,
            "skipped": number % 5 == 0,
            "offline": False,
            "offline_timestamp": None,
            "incognito_mode": False,
        }
        yield ("," if number else "[") + json.dumps(row, ensure_ascii=False)


def _uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number * 7919:012x}"


def _listenbrainz_rows(draw: random.Random) -> Rows:
    for number in range(1_000_000_000):
        track = _track(draw)
        artist, title, album = _names(track)
        row = {
            "user_id": number % LISTENERS,
            "user_name": f"listener{number % LISTENERS}",
            "timestamp": FIRST_SECOND + 7 * number,
            "track_metadata": {
                "artist_name": artist,
                "track_name": title,
                "release_name": album,
                "additional_info": {
                    "duration_ms": 180_000 + track % 60_000,
                    "recording_msid": _uuid(track + 1),
                    "submission_client": "a player",
                    "submission_client_version": "1.2.3",
                },
                "mbid_mapping": {
                    "recording_mbid": _uuid(track),
                    "release_mbid": _uuid(track // 9),
                    "artist_mbids": [_uuid(track // 11)],
                    "artists": [
                        {"artist_mbid": _uuid(track // 11), "join_phrase": "", "artist_credit_name": artist},
                    ],
                },
            },
            "recording_msid": _uuid(track + 1),
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _lastfm_rows(draw: random.Random) -> Rows:
    for number in range(1_000_000_000):
        track = _track(draw)
        artist, title, _ = _names(track)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(FIRST_SECOND + 7 * number))
        yield f"user_{number % LISTENERS:06d}\t{moment}\t{_uuid(track // 11)}\t{artist}\t{_uuid(track)}\t{title}\n"


def _mpd_rows(draw: random.Random) -> Rows:
    yield '{"info": {"slice": "0-999", "version": "v1"}, "playlists": ['
    for number in range(1_000_000_000):
        tracks = [_mpd_track(position, _track(draw)) for position in range(draw.randrange(5, 130))]
        playlist = {
            "name": f"playlist {number % 1000}",
            "collaborative": "false",
            "pid": number,
            "modified_at": FIRST_SECOND + 86_400 * (number % 365),
            "num_tracks": len(tracks),
            "num_followers": 1,
            "tracks": tracks,
        }
        yield ("," if number else "") + json.dumps(playlist, ensure_ascii=False, indent=4)


def _mpd_track(position: int, track: int) -> dict[str, object]:
    artist, title, album = _names(track)
    return {
        "pos": position,
        "artist_name": artist,
        "track_uri": f"spotify:track:{track:022d}",
        "artist_uri": f"spotify:artist:{track // 11:022d}",
        "track_name": title,
        "album_uri": f"spotify:album:{track // 9:022d}",
        "duration_ms": 180_000 + track % 60_000,
        "album_name": album,
    }


def _count_rows(draw: random.Random) -> Rows:
    yield "user,item,artist,count\n"
    for number in range(1_000_000_000):
        artist, title, _ = _names(_track(draw))
        yield f"listener{number // 50},{title},{artist},{draw.randrange(1, 500)}\n"


WRITERS: dict[str, tuple[str, Callable[[random.Random], Rows]]] = {
    "spotify-history": (".json", _spotify_rows),
    "listenbrainz": (".jsonl", _listenbrainz_rows),
    "lastfm": (".tsv", _lastfm_rows),
    "playlists-mpd": (".slice", _mpd_rows),
    "play-counts": (".csv", _count_rows),
}

if __name__ == "__main__":
    main()
