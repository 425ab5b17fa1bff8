"""From sound alone, which soundtrack does a clip nobody has heard belong to? Ours beside MFCC statistics.

Run: .venv/bin/python -m tests.benchmarks.sound CLIPS_DIR LABEL_COLUMN     (or: make bench-sound CLIPS=DIR LABEL=COLUMN)
Belongs here: simulated listeners, splits, the plain ways, the table. Does not: the network (models_ml/sound).

CLIPS_DIR holds clips.csv, a row a clip, and the clips; LABEL_COLUMN says what each belongs to, a soundtrack for short.
In each split a quarter of each soundtrack's clips has no listening. Simulated listeners favour two or three
soundtracks and hear the other clips accordingly; `fit_collaborative` makes vectors of that, and the network learns from
the heard clips' sound and vectors alone, never from a label. An unheard clip counts as right where the vector predicted
for it points nearest to the mean direction of its own soundtrack's heard clips.

Beside it, on the same splits: MFCC means and deviations with logistic regression on the labels themselves, the same
statistics with ridge regression to the same vectors, and always naming the largest soundtrack. Progress goes to
standard error; the last line is `sound ours X baseline Y ratio Z`, shares of clips that are right.
"""

import argparse
import csv
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from models_ml.arrays import Bools, Floats, Ints
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.errors import InputError
from models_ml.evaluation.bootstrap import Interval, paired_difference, ratio_of_means
from models_ml.sound.decoding import read_sound
from models_ml.sound.hashes import hash_files
from models_ml.sound.spectrograms import Bytes, SpectrogramParams
from models_ml.sound.store import OK, SoundStore
from models_ml.sound.training import SoundModelParams, SoundTargets, evidence_weight, train_sound
from tests.real_data import SHARED_DATA

LISTENERS, CLIPS_HEARD, FACTORS = 400, 20, 32
# Of a listener's draws, so many are of any clip.
STRAY_SHARE = 0.1
MFCCS, SAMPLE_RATE = 20, 22_050
OURS, LOGISTIC, RIDGE, LARGEST = "ours", "logistic", "ridge", "largest"
NAMES = {
    OURS: "ours: network on log-mel, to collaborative vectors",
    LOGISTIC: "MFCC statistics, logistic regression on labels",
    RIDGE: "MFCC statistics, ridge to collaborative vectors",
    LARGEST: "always the largest",
}
# A few hundred clips are little: several networks, and none kept aside to tell when to stop.
PARAMS = SoundModelParams(towers=2, epochs=60, validation_share=0.0, minimum_listeners=1, threads=1, device="cpu")


@dataclass(frozen=True)
class Clips:
    """Clips that can be heard. mels: (n, excerpts, mels, frames).  mfcc: (n, 2 MFCCS).  label: (n,) dense."""

    mels: Bytes
    mfcc: Floats
    label: Ints
    label_names: tuple[str, ...]


def main() -> None:
    """Read the clips, work through the splits, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, nargs="?", default=SHARED_DATA / "audio_clips")
    parser.add_argument("label", nargs="?", default="source_package")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="splits worked on at once, a thread each")
    options = parser.parse_args()
    try:
        clips = read_clips(options.clips, options.label)
    except InputError as error:
        sys.exit(f"sound benchmark: {error}")
    started = time.monotonic()
    right = np.array([*_measured(clips, options.splits, options.workers)])  # (splits, ways)
    _print_table(clips, dict(zip(NAMES, right.T, strict=True)), time.monotonic() - started)


def read_clips(folder: Path, label_column: str) -> Clips:
    """All clips of the folder that can be heard; InputError naming what is missing."""
    paths, labels = _listed(folder, label_column)
    with tempfile.TemporaryDirectory() as scratch:
        hashed = hash_files(paths, Path(scratch), _tell)
        store = SoundStore(Path(scratch), SpectrogramParams())
        heard = store.analyse(hashed.files, _tell).to_pylist()
        status = {row["content_hash"]: row for row in heard}
        label_of = dict(zip(paths, labels, strict=True))
        usable = [file for file in hashed.files if status[file.content_hash]["status"] == OK]
        for file in hashed.files:
            if file not in usable:
                _tell(f"left out, {status[file.content_hash]['status']}: {file.path}")
        if not usable:
            raise InputError(f"{folder}: none of {len(paths)} clips can be heard")
        names, label = np.unique([label_of[file.path] for file in usable], return_inverse=True)
        if len(names) < 2:
            raise InputError(
                f"{folder / 'clips.csv'}: column {label_column} says {names[0]} of all clips; two are needed"
            )
        mfcc = np.stack([_mfcc_statistics(file.path) for file in usable])
        mels = store.mels([file.content_hash for file in usable])
    return Clips(mels, mfcc, label.astype(np.int64), tuple(map(str, names)))


def _listed(folder: Path, label_column: str) -> tuple[list[Path], list[str]]:
    """Paths and labels of clips.csv, rows without a label left out; files are named in the column that names most."""
    table = folder / "clips.csv"
    if not table.is_file():
        raise InputError(f"{table}: not there; the folder needs a clips.csv with a row a clip")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    columns = list(rows[0]) if rows else []
    if label_column not in columns:
        raise InputError(f"{table}: column {label_column} is missing; it has {', '.join(columns) or 'no rows'}")
    found = {column: sum(bool(row[column]) and (folder / row[column]).is_file() for row in rows) for column in columns}
    file_column = max(columns, key=lambda column: found[column])
    if not found[file_column]:
        raise InputError(f"{table}: no column names files in {folder}; one of {', '.join(columns)} should")
    kept = [row for row in rows if row[label_column] and row[file_column] and (folder / row[file_column]).is_file()]
    _tell(f"{len(kept)} of {len(rows)} rows name a file in column {file_column} and have a {label_column}")
    return [folder / row[file_column] for row in kept], [row[label_column] for row in kept]


def _mfcc_statistics(path: Path) -> Floats:
    """(2 MFCCS,) mean and deviation of each coefficient over the whole clip."""
    sound = read_sound(path, SAMPLE_RATE)
    mfcc = librosa.feature.mfcc(y=sound.samples, sr=SAMPLE_RATE, n_mfcc=MFCCS)
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)])


def _measured(clips: Clips, splits: int, workers: int) -> Iterator[list[float]]:
    """Shares that are right, a list a split in the order of NAMES; processes started afresh, as torch wants them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _remember, (clips,)) as pool:
        for split, found in enumerate(pool.map(_one_split, range(splits))):
            _tell(f"split {split + 1} of {splits}: " + ", ".join(f"{share:.3f}" for share in found))
            yield found


_CLIPS: list[Clips] = []


def _remember(clips: Clips) -> None:
    """The clips of this process, handed over once."""
    _CLIPS[:] = [clips]


def _one_split(split: int) -> list[float]:
    """Shares of unheard clips that are right, in the order of NAMES."""
    clips = _CLIPS[0]
    heard = _heard(clips.label, np.random.default_rng([split, 0]))
    rows, unheard = np.flatnonzero(heard), np.flatnonzero(~heard)
    label = clips.label[rows]
    vectors, listeners = _collaborative(label, split)
    scaler = StandardScaler().fit(clips.mfcc[rows])
    known, asked = scaler.transform(clips.mfcc[rows]), scaler.transform(clips.mfcc[unheard])
    logistic = LogisticRegression(max_iter=5000).fit(known, label)
    ridge = RidgeCV(np.logspace(0, 4, 17)).fit(known, vectors)
    named = {
        OURS: _nearest(_ours(clips.mels, rows, unheard, vectors, listeners, split), vectors, label),
        LOGISTIC: logistic.predict(asked),
        RIDGE: _nearest(ridge.predict(asked), vectors, label),
        LARGEST: np.full(len(unheard), np.bincount(label).argmax()),
    }
    return [float((named[name] == clips.label[unheard]).mean()) for name in NAMES]


def _heard(label: Ints, random: np.random.Generator) -> Bools:
    """(n,) False for a quarter of each soundtrack's clips, at least one of two or more."""
    heard = np.ones(len(label), dtype=bool)
    for name in np.unique(label):
        rows = random.permutation(np.flatnonzero(label == name))
        heard[rows[: max(round(len(rows) / 4), int(len(rows) > 1))]] = False
    return heard


def _collaborative(label: Ints, split: int) -> tuple[Floats, Ints]:
    """(n, FACTORS) vectors of n heard clips, and how many heard each: the project's own fit on made-up listeners."""
    random = np.random.default_rng([split, 1])
    taste = np.full((LISTENERS, label.max() + 1), STRAY_SHARE / len(label))
    for listener in range(LISTENERS):
        names = np.unique(label)
        favourites = random.choice(names, min(int(random.integers(2, 4)), max(len(names) - 1, 1)), replace=False)
        clips_of = np.bincount(label, minlength=label.max() + 1)[favourites]
        taste[listener, favourites] += (1 - STRAY_SHARE) * random.dirichlet(np.full(len(favourites), 2.0)) / clips_of
    chance = taste[:, label] * random.lognormal(0.0, 0.5, len(label))
    pairs = [
        np.sort(random.choice(len(label), min(3 + random.poisson(CLIPS_HEARD), len(label)), False, row / row.sum()))
        for row in chance
    ]
    listener, clip = np.repeat(np.arange(LISTENERS), [len(row) for row in pairs]), np.concatenate(pairs)
    confidence = 1 + 3 * np.log1p(random.lognormal(0.0, 0.7, len(clip)))
    interactions = pa.table(
        {
            "user_index": pa.array(listener, pa.int32()),
            "recording_index": pa.array(clip, pa.int32()),
            "confidence": pa.array(confidence, pa.float64()),
            "preference": pa.array(np.ones(len(clip)), pa.int8()),
        }
    )
    ids = [pa.array([str(place) for place in range(count)]) for count in (LISTENERS, len(label))]
    factors = fit_collaborative(interactions, *ids, CollaborativeParams(factors=FACTORS, threads=1), split)
    return factors.recording_factors, np.bincount(clip, minlength=len(label))


def _ours(mels: Bytes, rows: Ints, unheard: Ints, vectors: Floats, listeners: Ints, split: int) -> Floats:
    """(unheard, FACTORS) predicted vectors. Every clip counts as an artist of its own: soundtracks are not told."""
    targets = SoundTargets(vectors, evidence_weight(listeners, PARAMS), np.arange(len(rows)))
    model = train_sound(lambda asked: mels[rows[asked]], targets, PARAMS, split)
    return model.embed([mels[unheard]]).vectors


def _nearest(predicted: Floats, vectors: Floats, label: Ints) -> Ints:
    """The soundtrack in whose mean direction each predicted vector points most; (unheard,) labels."""
    directions = _of_length_one(vectors)
    names = np.unique(label)
    means = _of_length_one(np.stack([directions[label == name].mean(axis=0) for name in names]))
    return names[np.argmax(_of_length_one(predicted) @ means.T, axis=1)]


def _of_length_one(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _print_table(clips: Clips, right: dict[str, Floats], seconds: float) -> None:
    """A row a way, with its ratio and difference to the logistic regression."""
    splits = len(right[OURS])
    unheard = int((~_heard(clips.label, np.random.default_rng([0, 0]))).sum())
    print(
        f"{len(clips.label)} clips of {len(clips.label_names)} soundtracks, {unheard} unheard, {splits} splits, "
        f"{seconds:.0f} s. Chance {1 / len(clips.label_names):.3f}.\n"
    )
    print("| | right | deviation over splits | ours / it | ours - it, paired over splits |")
    print("|---|---|---|---|---|")
    for name, title in NAMES.items():
        values = right[name]
        beside = ""
        if name != OURS:
            ratio, difference = ratio_of_means(right[OURS], values, 0), paired_difference(right[OURS], values, 0)
            beside = f"{_interval(ratio)} | {_interval(difference)}"
        print(f"| {title} | {values.mean():.3f} | {values.std():.3f} | {beside or '|'} |")
    ours, baseline = right[OURS].mean(), right[LOGISTIC].mean()
    print(f"\nsound ours {ours:.3f} baseline {baseline:.3f} ratio {ours / baseline:.2f}")


def _interval(found: Interval) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
