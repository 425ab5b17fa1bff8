"""Writing a demo world: chunk by chunk beside its place, then moved there, with a marker of whose it is.

Belongs here: the order of the steps, what counts as written, refusing what would be overwritten.
Does not: what the world holds (the other modules).
"""

import dataclasses
import datetime as dt
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from models_ml.arrays import Progress, silent
from models_ml.demo_world import catalogue_tables, people_tables
from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.catalogue_tables import CatalogueIds, catalogue_ids
from models_ml.demo_world.choices import Shelves, make_chooser, make_shelves
from models_ml.demo_world.chunks import draw_chunk
from models_ml.demo_world.dirt import with_dirt
from models_ml.demo_world.documents import document_table
from models_ml.demo_world.draws import generator
from models_ml.demo_world.editions import draw_catalogue
from models_ml.demo_world.event_rows import EVENT_SCHEMA, count_table, event_table
from models_ml.demo_world.listeners import chunk_listeners, draw_listeners
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.playlists import editorial_playlists, listener_playlists
from models_ml.demo_world.sessions import draw_sessions
from models_ml.demo_world.size import WorldSize
from models_ml.demo_world.sound.files import sound_states, write_sound
from models_ml.demo_world.sound.plans import draw_heard
from models_ml.demo_world.world_files import FILE_NAMES, WorldFiles
from models_ml.errors import InputError

# Raised whenever the same arguments would give another world.
WORLD_VERSION = 3
MARKER = ".demo_world.json"
_UNFINISHED_MARKER = f"{MARKER}.part"
_BESIDE = ".writing"
_WRITING, _WRITTEN = "writing", "written"
_DATASETS = (*FILE_NAMES, "events", "audio")
_TRUTH_FILES = ("listeners.parquet", "tracks.parquet", "world.json")
_UNREADABLE_ROWS = 200


@dataclass(frozen=True)
class WorldReport:
    """What was written.

    rows: by dataset, duplicates and broken rows included.  mondays: the weeks to be run, oldest first.
    was_there: True where the same world had been written before and was left as it is.
    """

    rows: Mapping[str, int]
    mondays: tuple[dt.date, ...]
    was_there: bool


def write_world(
    landing: Path,
    truth: Path,
    size: WorldSize,
    params: WorldParams,
    seed: int,
    progress: Progress = silent,
) -> WorldReport:
    """Write landing files of an invented music service, and beside them what is true of it.

    landing: an empty or missing folder, or one that holds this very world or the rest of an unfinished one.
    truth: folder for listeners.parquet, tracks.parquet, world.json; must not lie inside landing.
    The same size, params and seed give the same bytes.
    Raises InputError where landing holds anything else.
    """
    arguments = _arguments(size, params, seed)
    found = _found(landing, truth, arguments)
    if found is not None:
        progress(f"{landing}: this world is already there")
        return WorldReport(found, size.mondays, was_there=True)
    landing.mkdir(parents=True, exist_ok=True)
    _mark(landing, {"state": _WRITING, "arguments": arguments})
    _clear(landing, truth)
    rows = _write_all(landing / _BESIDE, truth / _BESIDE, size, params, seed, progress)
    (truth / _BESIDE / "world.json").write_bytes(_json(arguments))
    for folder in (truth, landing):
        _move_up(folder / _BESIDE, folder)
    _mark(landing, {"state": _WRITTEN, "arguments": arguments, "rows": rows})
    return WorldReport(rows, size.mondays, was_there=False)


def world_last_week(landing: Path) -> dt.date | None:
    """The last Monday of the demo world that landing holds or was begun to be given; None where it holds none."""
    marker = landing / MARKER
    size = _read_marker(marker).get("arguments", {}).get("size", {}) if marker.is_file() else {}
    return dt.date.fromisoformat(size["last_week"]) if "last_week" in size else None


def _arguments(size: WorldSize, params: WorldParams, seed: int) -> dict[str, Any]:
    """Everything that the world depends on, as plain values."""
    sizes = {
        **dataclasses.asdict(size),
        "tracks": size.track_count,
        "sound": size.has_sound,
        "last_week": size.last_week.isoformat(),
    }
    return {"version": WORLD_VERSION, "seed": seed, "size": sizes, "params": dataclasses.asdict(params)}


def _found(landing: Path, truth: Path, arguments: Mapping[str, Any]) -> Mapping[str, int] | None:
    """Rows of the same world if it is there; None where there is room to write one."""
    if landing.resolve() == truth.resolve() or landing.resolve() in truth.resolve().parents:
        raise InputError(f"{truth}: the truth would lie in landing; name another folder")
    marker = landing / MARKER
    if not marker.is_file():
        _require_room(landing, truth, arguments)
        return None
    told = _read_marker(marker)
    if told.get("state") == _WRITING:
        return None
    if told.get("arguments") != orjson.loads(_json(arguments)):
        raise InputError(
            f"{landing}: holds a demo world of another size, seed, last week or parameters; name an empty folder"
        )
    if all((truth / name).is_file() for name in _TRUTH_FILES):
        return dict(told["rows"])
    raise InputError(f"{truth}: the truth about {landing} is missing; empty both folders and write the world again")


def _require_room(landing: Path, truth: Path, arguments: Mapping[str, Any]) -> None:
    """Check that writing takes nothing away from anybody."""
    if landing.is_dir() and any(entry.name != _UNFINISHED_MARKER for entry in landing.iterdir()):
        raise InputError(f"{landing}: holds files that are no demo world's; name an empty folder")
    told = truth / "world.json"
    if told.is_file() and told.read_bytes() != _json(arguments):
        raise InputError(f"{told}: holds the truth about another demo world; name another folder")


def _read_marker(marker: Path) -> dict[str, Any]:
    """The marker; one that broke off was being written."""
    try:
        told = orjson.loads(marker.read_bytes())
    except orjson.JSONDecodeError:
        return {"state": _WRITING}
    return told if isinstance(told, dict) else {"state": _WRITING}


def _clear(landing: Path, truth: Path) -> None:
    """Take away what an unfinished writing left, and nothing else."""
    for folder in (landing / _BESIDE, truth / _BESIDE, *(landing / dataset for dataset in _DATASETS)):
        shutil.rmtree(folder, ignore_errors=True)
    for name in _TRUTH_FILES:
        (truth / name).unlink(missing_ok=True)
    for folder in (landing / _BESIDE, truth / _BESIDE):
        folder.mkdir(parents=True)


def _mark(landing: Path, told: Mapping[str, Any]) -> None:
    beside = landing / _UNFINISHED_MARKER
    beside.write_bytes(_json(told))
    beside.replace(landing / MARKER)


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _move_up(beside: Path, folder: Path) -> None:
    for entry in sorted(beside.iterdir()):
        entry.replace(folder / entry.name)
    beside.rmdir()


def _write_all(
    landing: Path, truth: Path, size: WorldSize, params: WorldParams, seed: int, progress: Progress
) -> dict[str, int]:
    """Every file of the world; rows by dataset."""
    catalogue = draw_catalogue(seed, size, params)
    ids = catalogue_ids(catalogue)
    states = sound_states(seed, catalogue, size, params)
    heard = draw_heard(seed, catalogue, params.sound_carries_taste)
    pq.write_table(catalogue_tables.truth_table(catalogue, ids, heard, states), truth / "tracks.parquet")
    shelves = make_shelves(catalogue, params)
    with WorldFiles(landing, size) as files, WorldFiles(truth, size) as truths:
        _write_catalogue(files, catalogue, ids, size, params, seed)
        progress(f"{len(catalogue.tracks)} tracks by {len(catalogue.artists.genre)} artists written")
        step = chunk_listeners(params)
        for first in range(0, size.listeners, step):
            _write_chunk(files, truths, first, catalogue, ids, shelves, size, params, seed)
            done = min(first + step, size.listeners)
            progress(f"{done} of {size.listeners} listeners, {files.rows.get('events', 0)} events written")
        rows = dict(files.rows)
    sounds = write_sound(landing, seed, catalogue, ids, states, params, progress)
    return {"audio": sounds, **rows} if sounds else rows


def _write_catalogue(
    files: WorldFiles,
    catalogue: Catalogue,
    ids: CatalogueIds,
    size: WorldSize,
    params: WorldParams,
    seed: int,
) -> None:
    files.write("tracks", catalogue_tables.track_table(seed, catalogue, ids, params))
    files.write("track_tags", catalogue_tables.tag_table(seed, catalogue, ids, size, params))
    files.write("overrides", catalogue_tables.override_table(seed, catalogue, ids, size))
    files.write("documents", document_table(seed, catalogue, ids, size, params))
    playlists, tracks = editorial_playlists(seed, catalogue, ids, size, params)
    files.write("playlists", playlists)
    files.write("playlist_tracks", tracks)


def _write_chunk(
    files: WorldFiles,
    truths: WorldFiles,
    first: int,
    catalogue: Catalogue,
    ids: CatalogueIds,
    shelves: Shelves,
    size: WorldSize,
    params: WorldParams,
    seed: int,
) -> None:
    """One chunk of listeners and everything that they did; each step draws from a generator of its own."""
    step = chunk_listeners(params)
    number = first // step
    count = min(step, size.listeners - first)
    listeners = draw_listeners(seed, first, count, catalogue.space, size, params)
    sessions = draw_sessions(generator(seed, "sessions", number), listeners, size, params)
    chooser = make_chooser(listeners, sessions, catalogue, shelves, params)
    chunk = draw_chunk(number, chooser, size, seed)
    events = event_table(generator(seed, "event rows", number), chunk, ids, params.event_id_missing_share)
    dirty, retries = with_dirt(generator(seed, "dirt", number), number, events, params)
    files.write_events(dirty.cast(EVENT_SCHEMA))
    files.write_retries(retries)
    if number == 0:
        files.write_unreadable(events.slice(0, _UNREADABLE_ROWS), params.unreadable_files)
    files.write("play_counts", count_table(chunk, ids, size))
    files.write("users", people_tables.user_table(generator(seed, "users", number), chooser, ids))
    files.write(
        "subscriptions",
        people_tables.subscription_table(generator(seed, "subscriptions", number), listeners, size),
    )
    words = generator(seed, "playlist words", number)
    playlists, tracks = listener_playlists(words, chooser, ids, chunk.members)
    files.write("playlists", playlists)
    files.write("playlist_tracks", tracks)
    truths.append("listeners.parquet", "listeners", people_tables.truth_table(listeners))
