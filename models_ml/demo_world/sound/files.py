"""Sound files of a demo world: which tracks have one, what is wrong with some, and writing them.

Belongs here: FLAC files named by track id, faults, progress.
Does not: what is in them (arrangement.py, mixing.py).
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from models_ml.arrays import Progress, in_order, ranges, silent, worker_count
from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.catalogue_tables import CatalogueIds
from models_ml.demo_world.draws import Bools, Objects, generator
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.size import WEEK_MS, WorldSize
from models_ml.demo_world.sound.arrangement import arrange
from models_ml.demo_world.sound.bank import Bank
from models_ml.demo_world.sound.mixing import Pcm, make_desk, mix
from models_ml.demo_world.sound.plans import TrackPlan, draw_colours, draw_heard, track_plan
from models_ml.demo_world.sound.style_list import STYLES
from models_ml.demo_world.sound.waves import SAMPLE_RATE

# What a track's file is like.
NO_FILE, WHOLE, SILENT, SHORT, CORRUPT = "none", "whole", "silent", "short", "corrupt"
# Tracks out for less than this need sound most: hardly anybody has played them.
RECENT_WEEKS = 8
SHORT_SECONDS = 0.05
# Level 3 of 8: 2 % smaller than level 0 in 2.0 rather than 1.9 ms a file; above it only the time grows. Vorbis takes
# 21 ms for a third of the size, and numbers its streams at random: no two files have the same bytes.
_COMPRESSION = 0.4
_TRACKS_A_BLOCK = 25
_TRACKS_A_LINE = 500


@dataclass(frozen=True)
class _Sounds:
    """One writing of sound files."""

    folder: Path
    names: list[str]
    states: Objects
    plans: list[TrackPlan]
    seed: int
    seconds: float


def sound_states(seed: int, catalogue: Catalogue, size: WorldSize, params: WorldParams) -> Objects:
    """(tracks,) NO_FILE, WHOLE, or what is wrong with the file; recent tracks have a whole one."""
    states = np.full(len(catalogue.tracks), NO_FILE, dtype=object)
    if not size.has_sound or not params.sound_share:
        return states
    random = generator(seed, "sound", "files")
    recent = catalogue.tracks.playable_ms >= size.end_ms - RECENT_WEEKS * WEEK_MS
    has_file: Bools = recent | (random.random(len(states)) < params.sound_share)
    states[has_file] = WHOLE
    broken = random.permutation(np.flatnonzero(has_file & ~recent))
    for state, count in (
        (SILENT, params.silent_sound_files),
        (SHORT, params.short_sound_files),
        (CORRUPT, params.corrupt_sound_files),
    ):
        states[broken[:count]] = state
        broken = broken[count:]
    return states


def write_sound(
    landing: Path,
    seed: int,
    catalogue: Catalogue,
    ids: CatalogueIds,
    states: Objects,
    params: WorldParams,
    progress: Progress = silent,
    threads: int = 0,
) -> int:
    """Write `audio/<shard>/<track id>.flac` for every track that has a file; returns how many.

    states: of sound_states.  threads: 0 for one a core; the bytes don't depend on it.
    """
    carries = params.sound_carries_taste
    heard, colours = draw_heard(seed, catalogue, carries), draw_colours(seed, catalogue, carries)
    positions = np.flatnonzero(states != NO_FILE)
    sounds = _Sounds(
        folder=landing / "audio",
        names=ids.track.take(positions).to_pylist(),
        states=states[positions],
        plans=[track_plan(catalogue, heard, colours, int(position)) for position in positions],
        seed=seed,
        seconds=params.sound_seconds,
    )
    _write_all(sounds, progress, worker_count(threads))
    return len(positions)


def _write_all(sounds: _Sounds, progress: Progress, threads: int) -> None:
    desk = make_desk(sounds.seconds, Bank())

    def write_block(block: tuple[int, int]) -> int:
        for row in range(*block):
            plan = sounds.plans[row]
            sound = mix(arrange(plan, sounds.seed, sounds.seconds), plan, STYLES[plan.genre], desk)
            path = sound_path(sounds.folder, sounds.names[row])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_content(sound, str(sounds.states[row])))
        return block[1]

    for done in in_order(write_block, ranges(len(sounds.names), _TRACKS_A_BLOCK), threads):
        if done % _TRACKS_A_LINE == 0 or done == len(sounds.names):
            progress(f"{done} of {len(sounds.names)} sound files written")


def sound_path(folder: Path, track_id: str) -> Path:
    """A hundred folders, so that none grows long."""
    return folder / track_id[-2:] / f"{track_id}.flac"


def file_content(sound: Pcm, state: str) -> bytes:
    """The bytes of a file; a corrupt one has lost its beginning, and nothing can be read of it."""
    if state == SILENT:
        sound = np.zeros_like(sound)
    if state == SHORT:
        sound = sound[: round(SHORT_SECONDS * SAMPLE_RATE)]
    stream = io.BytesIO()
    soundfile.write(stream, sound, SAMPLE_RATE, "PCM_16", format="FLAC", compression_level=_COMPRESSION)
    content = stream.getvalue()
    return content[len(content) // 2 :] if state == CORRUPT else content
