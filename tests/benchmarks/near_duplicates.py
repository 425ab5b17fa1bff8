"""Which recordings count as one in sound: of other editions, and of different tracks.

Run: .venv/bin/python -m tests.benchmarks.near_duplicates        (--seeds for some of it)
Belongs here: the thresholds that are tried, the table. Does not: the rule, running the world (demo_weeks.py).

The worlds of demo_weeks.py, with sound. Of tracks that the warehouse joins into one recording by code or name, the
week listens to one file. Here the others' files are analysed too, and the week's network hears them: an edition that is
found to be its recording counts as caught. The files of the week itself are of different recordings: each pair of these
that is found is wrong.
"""

import argparse
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from dagster_project.catalogue_io import preferred_editions
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.sound_io import SOUNDS, HeardRecordings, model_path, sound_facts, store_folder
from models_ml.arrays import Floats, Ints, floats_with_nan, ranges
from models_ml.demo_world import WorldParams
from models_ml.near_duplicates import Heard, NearDuplicateParams, alike
from models_ml.sound.hashes import hash_files
from models_ml.sound.store import SoundStore
from models_ml.sound.vectors import SoundModel
from tests.benchmarks.demo_weeks import RELEASED_SHARE, SEEDS, WEEK, run_world

DEFAULTS = NearDuplicateParams()
COSINES = (0.8, 0.85, 0.9, 0.93, 0.95, 0.97)
TRIED = {
    **{f"cosine {cosine:g}": (replace(DEFAULTS, minimum_cosine=cosine), True) for cosine in COSINES},
    "0.9, any length": (replace(DEFAULTS, length_tolerance_seconds=1e9), True),
    "0.9, tempo within .02": (replace(DEFAULTS, tempo_tolerance=0.02), True),
    "0.9, any key": (DEFAULTS, False),
}


def main() -> None:
    """Run the worlds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="near_duplicates_"))
    found: dict[str, list[tuple[int, int, int, int]]] = {name: [] for name in TRIED}
    for seed in options.seeds:
        home = Home((folder / f"as_is-{seed}").resolve())
        run_world(home, WorldParams(released_in_history_share=RELEASED_SHARE), seed)
        recordings, editions, of = _heard(home)
        for name, (params, by_key) in TRIED.items():
            found[name].append(_counted(recordings, editions, of, params, by_key))
        if not options.keep:
            shutil.rmtree(home.root)
    print("| same where | editions caught | different pairs found | recordings in these |\n|---|---|---|---|")
    for name, counts in found.items():
        caught, asked, wrong, involved = np.sum(counts, axis=0)
        print(f"| {name} | {caught} of {asked}, {caught / asked:.3f} | {wrong:,} | {involved:,} |")


def _heard(home: Home) -> tuple[Heard, Heard, Ints]:
    """(the week's recordings, other editions, (editions,) the recording of each)."""
    lake, settings = Lake(home.lake), load_configuration([home.config_file])
    ours = HeardRecordings.of(lake.read_week(SOUNDS, WEEK))
    store, model = SoundStore(store_folder(home), settings.sound), SoundModel.load(model_path(home, WEEK))
    editions = lake.read_week("features/editions", WEEK, ["recording_index", "track_id", "duration_ms"]).to_pandas()
    place = {recording: row for row, recording in enumerate(ours.rows)}
    files = {path.stem: path for path in home.landing.glob("audio/*/*.flac")}
    used = set(ours.table["track_id"].to_pylist())
    other = editions[editions["track_id"].isin(files) & ~editions["track_id"].isin(used)]
    other = other[other["recording_index"].isin(place)]
    hashed = hash_files([files[track] for track in other["track_id"]], store_folder(home))
    analysed = store.analyse(hashed.files).to_pandas().set_index("content_hash")
    hash_of = {file.path.stem: file.content_hash for file in hashed.files}
    other = other.assign(content_hash=other["track_id"].map(hash_of)).join(analysed, on="content_hash")
    other = other[other["status"] == "ok"]
    vectors = _embedded(store, model, [*ours.hashes, *other["content_hash"]])
    vectors = vectors - vectors[: len(ours.rows)].mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths = floats_with_nan(preferred_editions(lake, WEEK, ["duration_ms"]), "editions", "duration_ms")[ours.rows]
    theirs = Heard(
        vectors[len(ours.rows) :],
        other["tempo_bpm"].to_numpy(dtype=np.float64),
        other["duration_ms"].to_numpy(dtype=np.float64) / 1000,
        (2 * other["key"] + (other["mode"] == "minor")).to_numpy(dtype=np.int64),
    )
    mine = sound_facts(ours, vectors[: len(ours.rows)], lengths / 1000)
    return mine, theirs, other["recording_index"].map(place).to_numpy(dtype=np.int64)


def _embedded(store: SoundStore, model: SoundModel, hashes: list[str]) -> Floats:
    blocks = (store.mels(hashes[start:stop]) for start, stop in ranges(len(hashes), 512))
    return model.embed(blocks).embedding.astype(np.float32)


def _counted(
    recordings: Heard, editions: Heard, of: Ints, params: NearDuplicateParams, by_key: bool
) -> tuple[int, int, int, int]:
    """(editions caught, editions, different pairs found, recordings in these)."""
    together = Heard(*(np.concatenate([ours, theirs]) for ours, theirs in _fields(recordings, editions)))
    if not by_key:
        together = replace(together, tonality=np.zeros_like(together.tonality))
    pairs = np.concatenate([np.empty((2, 0), dtype=np.int64), *alike(together, params)], axis=1)
    pairs.sort(axis=0)
    count = len(recordings.vectors)
    right = (pairs[1] >= count) & (pairs[0] == of[np.maximum(pairs[1] - count, 0)])
    wrong = pairs[1] < count
    return int(right.sum()), len(of), int(wrong.sum()), len(np.unique(pairs[:, wrong]))


def _fields(ours: Heard, theirs: Heard) -> list[tuple[Floats, Floats]]:
    return [(getattr(ours, name), getattr(theirs, name)) for name in vars(ours)]


if __name__ == "__main__":
    main()
