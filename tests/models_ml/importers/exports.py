"""Small exports as other services write them, made up for the tests, and what an import of them landed.

Belongs here: writing such files, packing them, reading landing back. Does not: expectations of one test.
"""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def stream_of(title: str | None, artist: str | None = "Nina Simone", **changes: Any) -> Row:
    """One stream of Spotify's extended history."""
    return {
        "ts": "2026-03-01T12:03:20Z",
        "username": None,
        "platform": "linux",
        "ms_played": 200_000,
        "conn_country": "SE",
        "master_metadata_track_name": title,
        "master_metadata_album_artist_name": artist,
        "master_metadata_album_album_name": "Pastel Blues",
        "spotify_track_uri": None,
        "episode_name": None,
        "spotify_episode_uri": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "incognito_mode": False,
        **changes,
    }


def listen_of(title: str, artist: str = "Nina Simone", at: Any = 1_772_000_000, **changes: Any) -> Row:
    """One ListenBrainz listen; `info` and `mapping` go into its metadata, anything else into the row."""
    metadata = {
        "artist_name": artist,
        "track_name": title,
        "release_name": "Pastel Blues",
        "additional_info": changes.pop("info", {}),
        "mbid_mapping": changes.pop("mapping", None),
    }
    return {"listened_at": at, "track_metadata": metadata, **changes}


def playlist_of(pid: int, titles: Sequence[str], **changes: Any) -> Row:
    """One playlist of a Million Playlist slice; a track's id is its title without blanks, or its bytes in hex."""
    tracks = [
        {
            "pos": position,
            "artist_name": "Nina Simone",
            "track_uri": f"spotify:track:{_track_id(title)}",
            "artist_uri": "spotify:artist:1",
            "track_name": title,
            "album_uri": "spotify:album:1",
            "duration_ms": 200_000,
            "album_name": "Pastel Blues",
        }
        for position, title in enumerate(titles)
    ]
    return {"name": f"list {pid}", "pid": pid, "modified_at": 1_772_000_000, "tracks": tracks, **changes}


def _track_id(title: str) -> str:
    joined = title.replace(" ", "")
    return joined if joined.isalnum() else title.encode().hex()


def write_json(path: Path, value: Any, indent: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def compressed(path: Path, compression: str) -> Path:
    """The file beside itself, with .gz or .zst at its end."""
    target = path.with_name(path.name + {"gzip": ".gz", "zstd": ".zst"}[compression])
    with pa.output_stream(str(target), compression=compression) as stream:
        stream.write(path.read_bytes())
    return target


def zipped(path: Path, contents: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, contents: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def packed_in(ending: str, folder: Path, contents: Mapping[str, bytes]) -> Path:
    """A tar of them: tar, tar.gz or tar.zst."""
    path = tarred(folder / "export.tar", contents)
    return path if ending == "tar" else compressed(path, {"tar.gz": "gzip", "tar.zst": "zstd"}[ending])


def landed(landing: Path, dataset: str) -> list[Row]:
    """Rows of a dataset in the order of the files; moments as ISO text, nulls left out."""
    rows: list[Row] = []
    for path in sorted((landing / dataset).rglob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    ]


def files(landing: Path) -> dict[str, bytes]:
    """Everything that lies in landing, hidden files too, except the lock."""
    return {
        path.relative_to(landing).as_posix(): path.read_bytes()
        for path in landing.rglob("*")
        if path.is_file() and path.name != ".import.lock"
    }
