"""Sound in and out of the lake: files to analyse, what was heard of them, the network's vectors.

Belongs here: which tables and files the sound steps read, and where what they make lies. Does not: analysis, training
(models_ml/sound).
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.catalogue_io import artist_ids, preferred_editions
from dagster_project.configuration import Configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import parent_week
from models_ml.arrays import Floats, Ints, Progress, floats_with_nan, ranges, vector_column, vectors_of
from models_ml.content_prediction import is_held_out
from models_ml.errors import InputError
from models_ml.near_duplicates import Heard, NearDuplicateParams, near_duplicates
from models_ml.sound.attributes import MINOR
from models_ml.sound.hashes import hash_files
from models_ml.sound.labels import HEARD_SCHEMA, heard_columns, read_labels
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.spectrograms import Bytes, SpectrogramParams
from models_ml.sound.store import MISSING, OK, SoundStore
from models_ml.sound.targets import SoundTargets, evidence_weight

if TYPE_CHECKING:
    from models_ml.sound.vectors import SoundModel, SoundPredictions

# torch, 1.5 s to load, is loaded where a network is trained: a home without sound never needs it.

SOUNDS, AUDIO_RECORDINGS = "vectors/recording_sounds", "vectors/audio_recordings"
NEAR_DUPLICATES = "vectors/near_duplicates"
MEASURED = (
    "tempo_bpm",
    "tempo_confidence",
    "key",
    "mode",
    "key_confidence",
    "energy",
    "brightness_hz",
    "loudness_lufs",
)
NETWORK, GIVEN, NOTHING = "network", "track_vectors", "nothing"
# A network that fewer recordings teach learns them by heart.
_FEWEST_TEACHERS = 100


def store_folder(home: Home) -> Path:
    """Where spectrograms are kept, by content."""
    return home.lake / "sound"


def analyse_sounds(
    home: Home, week: dt.date, params: SpectrogramParams, progress: Progress
) -> tuple[pa.Table, list[str]]:
    """(a row per recording that has a file: what was measured of it, what can't be used in words)."""
    lake = Lake(home.lake)
    listed = lake.read_week("features/recording_sounds", week)
    paths = [_absolute(home, path) for path in listed["path"].to_pylist()]
    hashed = hash_files(paths, store_folder(home), progress)
    heard = SoundStore(store_folder(home), params).analyse(hashed.files, progress)
    of_path = {file.path: file.content_hash for file in hashed.files}
    row_of = {hash_: row for row, hash_ in enumerate(heard["content_hash"].to_pylist())}
    place = np.array([row_of.get(of_path.get(path, ""), -1) for path in paths], dtype=np.int64)
    table = _with_measures(listed, heard, place)
    unusable = [row["message"] for row in heard.to_pylist() if row["status"] != OK]
    return table, [*unusable, *(f"{path}: can't be opened" for path in hashed.missing)]


def _absolute(home: Home, path: str) -> Path:
    return Path(path) if Path(path).is_absolute() else home.landing / path


def _with_measures(listed: pa.Table, heard: pa.Table, place: Ints) -> pa.Table:
    """The listed recordings with what was heard of each; null, and status missing, where there is no file."""
    taken = pa.array(place, mask=place < 0)
    table = listed.select(["recording_index", "track_id", "genres", "is_instrumental"])
    for name in ("content_hash", "status", "duration_seconds", *MEASURED):
        values = heard[name].combine_chunks().take(taken)
        table = table.append_column(name, values.fill_null(MISSING) if name == "status" else values)
    return table


@dataclass(frozen=True)
class HeardRecordings:
    """Recordings whose sound is usable.  rows: their recording_index.  hashes: of their content, in the same order."""

    rows: Ints
    hashes: list[str]
    table: pa.Table

    @classmethod
    def of(cls, sounds: pa.Table) -> "HeardRecordings":
        """Those of the week's table."""
        usable = sounds.filter(pc.equal(sounds["status"], OK))
        return cls(usable["recording_index"].to_numpy().astype(np.int64), usable["content_hash"].to_pylist(), usable)


def train_on_sounds(
    home: Home,
    week: dt.date,
    heard: HeardRecordings,
    recording_factors: Floats,
    liked: Ints,
    artist: pa.Array,
    params: tuple[SpectrogramParams, SoundModelParams],
    seed: int,
    progress: Progress,
) -> "tuple[SoundModel, SoundPredictions]":
    """The network, from last week's where there is one, and what it hears in every usable recording."""
    from models_ml.sound.training import train_sound

    store, model_params = SoundStore(store_folder(home), params[0]), params[1]
    labels = read_labels(heard.table)
    targets = SoundTargets(
        vectors=recording_factors[heard.rows],
        weight=evidence_weight(liked[heard.rows], model_params),
        artist=np.unique(np.asarray(artist.take(pa.array(heard.rows))), return_inverse=True)[1],
        aside=is_held_out(artist)[heard.rows],
        **vars(labels),
    )

    home.models(week).mkdir(parents=True, exist_ok=True)
    checkpoint = home.models(week) / "sound.checkpoint"
    with _side_by_side(store, heard.hashes, home.models(week) / "sound.mels", params[0]) as mels:
        model = train_sound(
            lambda rows: np.asarray(mels[rows]),
            targets,
            model_params,
            seed,
            checkpoint,
            _previous(home, week),
            progress,
        )
        model.save(model_path(home, week))
        checkpoint.unlink(missing_ok=True)
        told = model.embed((np.asarray(mels[start:stop]) for start, stop in ranges(len(mels), 256)), progress)
    return model, told


@contextmanager
def _side_by_side(store: SoundStore, hashes: list[str], file: Path, params: SpectrogramParams) -> Iterator[Bytes]:
    """(n, excerpts, mels, frames) spectrograms in a file that is gone afterwards: training asks for them at random,
    and shard by shard each batch would read half the store.
    """
    shape = (len(hashes), *params.shape)
    try:
        mels = np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        for positions, block in store.mel_blocks(hashes):
            mels[positions] = block
        yield mels
    finally:
        file.unlink(missing_ok=True)


def model_path(home: Home, week: dt.date) -> Path:
    """Where a week's network lies."""
    return home.models(week) / "sound.model"


def _previous(home: Home, week: dt.date) -> bytes | None:
    parent = parent_week(home, week)
    path = model_path(home, parent) if parent else None
    return path.read_bytes() if path and path.exists() else None


def keep_audio(lake: Lake, week: dt.date, rows: Ints, vectors: Floats, heard: pa.Table | None, source: str) -> int:
    """Write the vectors of sound, and beside what the network hears, null without it; the source stands in each row."""
    table = pa.table(
        {
            "recording_index": rows.astype(np.int32),
            "vector": vector_column(vectors),
            "source": pa.array([source] * len(rows), pa.string()),
        }
    )
    for field in HEARD_SCHEMA:
        values = pa.nulls(len(rows), field.type) if heard is None else heard[field.name]
        table = table.append_column(field, values)
    return lake.replace_week(AUDIO_RECORDINGS, week, table)


def read_audio(lake: Lake, week: dt.date, recording_count: int) -> Floats | None:
    """(m, d) float32 unit vectors of sound, zero where nothing was heard; None where nothing was at all."""
    table = lake.read_week(AUDIO_RECORDINGS, week)
    if not table.num_rows:
        return None
    some = vectors_of(table, AUDIO_RECORDINGS)
    vectors = np.zeros((recording_count, some.shape[1]), dtype=np.float32)
    vectors[table["recording_index"].to_numpy()] = some
    return vectors


def given_vectors(lake: Lake, week: dt.date, kind: str) -> tuple[Ints, Floats] | None:
    """(recordings, their landed vectors at length 1) in place of ours; None where none landed.

    Raises InputError naming track and lengths where they differ.
    """
    table = lake.read_week("features/recording_given_vectors", week)
    table = table.filter(pc.equal(table["kind"], kind))
    if not table.num_rows:
        return None
    lengths = pc.list_value_length(table["vector"]).to_numpy()
    odd = np.flatnonzero(lengths != lengths[0])
    if len(odd):
        track, first = table["track_id"][int(odd[0])].as_py(), table["track_id"][0].as_py()
        raise InputError(
            f"track_vectors: vector of track {track} has {lengths[odd[0]]} numbers, that of {first} {lengths[0]}; "
            f"land one kind of vector as {kind}"
        )
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    vectors = flat.reshape(len(lengths), -1)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return table["recording_index"].to_numpy().astype(np.int64), vectors / np.where(norms > 0, norms, 1)


def make_audio_vectors(
    home: Home, week: dt.date, settings: Configuration, seed: int, progress: Progress
) -> dict[str, Any]:
    """Keep the week's vectors of sound, from where the settings say; returns what a person wants to see of them."""
    lake, source = Lake(home.lake), settings.run.audio_source
    given = given_vectors(lake, week, "audio") if source in ("auto", GIVEN) else None
    if given is not None:
        return {"dagster/row_count": keep_audio(lake, week, *given, None, GIVEN), "source": GIVEN}
    heard = HeardRecordings.of(lake.read_week(SOUNDS, week))
    recordings = vectors_of(lake.read_week("vectors/recording_factors", week), "recording_factors")
    liked = _liked(lake, week, len(recordings))
    taught = (liked[heard.rows] >= settings.sound_model.minimum_listeners) & recordings[heard.rows].any(axis=1)
    if source not in ("auto", NETWORK) or taught.sum() < _FEWEST_TEACHERS:
        # As many numbers as the network will give: the published column is of one type before it hears and after.
        width = settings.sound_model.embedding * settings.sound_model.towers
        nothing = np.zeros(0, dtype=np.int64), np.zeros((0, width), dtype=np.float32)
        return {"dagster/row_count": keep_audio(lake, week, *nothing, None, NOTHING), "source": NOTHING}
    from models_ml.sound.vectors import centred

    model, told = train_on_sounds(
        home,
        week,
        heard,
        recordings,
        liked,
        artist_ids(lake, week),
        (settings.sound, settings.sound_model),
        seed,
        progress,
    )
    columns = heard_columns(told, model.genre_names)
    rows = keep_audio(lake, week, heard.rows, centred(told.embedding), columns, NETWORK)
    return {"dagster/row_count": rows, "source": NETWORK, **dataclasses.asdict(model.quality)}


def keep_near_duplicates(lake: Lake, week: dt.date, params: NearDuplicateParams) -> int:
    """Write which recordings are the same one in sound: a row for each that isn't the only one. Returns how many."""
    heard = HeardRecordings.of(lake.read_week(SOUNDS, week))
    lengths_ms = floats_with_nan(preferred_editions(lake, week, ["duration_ms"]), "editions", "duration_ms")
    vectors = read_audio(lake, week, len(lengths_ms))
    rows = heard.rows if vectors is not None else heard.rows[:0]
    if vectors is not None:
        same = rows[near_duplicates(sound_facts(heard, vectors[rows], lengths_ms[rows] / 1000), params)]
        several = np.bincount(same, minlength=len(lengths_ms))[same] > 1
        rows, same = rows[several], same[several]
    else:
        same = rows
    return lake.replace_week(NEAR_DUPLICATES, week, pa.table({"recording_index": rows, "same_as": same}))


def sound_facts(recordings: HeardRecordings, vectors: Floats, length_seconds: Floats) -> Heard:
    """What tells them apart. length_seconds: as the catalogue has them, NaN where that of the file stands for it."""
    table = recordings.table
    key, tempo, of_file = (floats_with_nan(table, SOUNDS, name) for name in ("key", "tempo_bpm", "duration_seconds"))
    is_minor = pc.fill_null(pc.equal(table["mode"], MINOR), False).to_numpy()
    lengths = np.where(np.isnan(length_seconds), of_file, length_seconds)
    return Heard(vectors, tempo, lengths, (2 * key + is_minor).astype(np.int64))


def _liked(lake: Lake, week: dt.date, recording_count: int) -> Ints:
    """(m,) how many like each recording."""
    table = lake.read_week("features/interactions", week, ["recording_index", "preference"])
    liked = table["preference"].to_numpy() > 0
    return np.bincount(table["recording_index"].to_numpy()[liked], minlength=recording_count)
