"""How much sound is analysed in a minute, beside a plain librosa pipeline over the same sound.

Run: .venv/bin/python -m tests.benchmarks.sound_speed [CLIPS_DIR]
Belongs here: the same files through both, in turns, in one process and in two; hours of sound a minute, ratios.
Does not: quality of what is heard.

Both hear the same 20 s of each file, at 22.05 kHz in mono, in 96 mel bands from 30 to 8,000 Hz of windows of 2,048
samples each 512, in decibels; ours equalises loudness too. A clip of 20 s is heard whole, of a track of three minutes
four excerpts, which librosa loads by offset and duration. Each goes to three ends: `mel`; `mel and attributes`, that
is all that an analysis keeps, tempo and key beside the spectrogram, librosa's from the spectrum that it has anyway;
and `to vector`, that with the network over it, at its default size and untrained, which takes as long. Rounds
alternate and the median counts; all files have been read before, so that no disk is measured. Hours are of sound
heard, not of the tracks it is taken from.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import soundfile
import soxr
import threadpoolctl

from models_ml.arrays import Floats
from models_ml.sound.attributes import attributes_of
from models_ml.sound.decoding import UnusableSoundError, excerpt_starts, read_excerpts
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.network import NetworkShape, SoundNetwork
from models_ml.sound.spectrograms import Bytes, SpectrogramParams, mel_power, quantised
from models_ml.sound.vectors import SoundModel, SoundQuality
from tests.real_data import SHARED_DATA

PARAMS = SpectrogramParams()
ROUNDS = 5
WARM_UP_CLIPS = 4
WIDE_RATE = 44_100
LONG_SECONDS = 30.0
HEARD_SECONDS = PARAMS.excerpts * PARAMS.excerpt_seconds
CLIPS_A_TRACK = 9
FACTORS, GENRES = 128, 12
PLAIN_BANDS = {
    "sr": PARAMS.sample_rate,
    "n_mels": PARAMS.mels,
    "fmin": PARAMS.lowest_hz,
    "fmax": PARAMS.highest_hz,
}


def mels(path: Path) -> Bytes:
    """(excerpts, mels, frames) what the store keeps of a file, without attributes."""
    sound = read_excerpts(path, PARAMS.excerpts, PARAMS.excerpt_seconds, PARAMS.sample_rate)
    return quantised(mel_power(sound.samples, PARAMS).decibels)


def mels_and_attributes(path: Path) -> Bytes:
    """All that the store keeps of a file."""
    sound = read_excerpts(path, PARAMS.excerpts, PARAMS.excerpt_seconds, PARAMS.sample_rate)
    power = mel_power(sound.samples, PARAMS)
    attributes_of(sound.samples, power, PARAMS)
    return quantised(power.decibels)


def plain_mels(path: Path) -> Bytes:
    """The pipeline of librosa's tutorial, with our parameters and excerpts."""
    power = librosa.feature.melspectrogram(
        y=_loaded(path), n_fft=PARAMS.window_samples, hop_length=PARAMS.hop_samples, **PLAIN_BANDS
    )
    return _in_excerpts(librosa.power_to_db(power))


def plain_mels_and_attributes(path: Path) -> Bytes:
    """The same with tempo and pitch classes, one spectrum for all."""
    spectrum = np.abs(librosa.stft(_loaded(path), n_fft=PARAMS.window_samples, hop_length=PARAMS.hop_samples)) ** 2
    decibels = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum, **PLAIN_BANDS))
    onsets = librosa.onset.onset_strength(S=decibels, sr=PARAMS.sample_rate)
    librosa.feature.tempo(onset_envelope=onsets, sr=PARAMS.sample_rate, hop_length=PARAMS.hop_samples)
    librosa.feature.chroma_stft(S=spectrum, sr=PARAMS.sample_rate).mean(axis=1)
    return _in_excerpts(decibels)


def _loaded(path: Path) -> Floats:
    """The samples of a short file, of a long one its excerpts."""
    length, seconds = librosa.get_duration(path=path), PARAMS.excerpt_seconds
    if length <= LONG_SECONDS:
        return np.asarray(librosa.load(path, sr=PARAMS.sample_rate)[0])
    starts = excerpt_starts(round(length), PARAMS.excerpts, round(seconds))
    return np.concatenate(
        [librosa.load(path, sr=PARAMS.sample_rate, offset=start, duration=seconds)[0] for start in starts]
    )


def _in_excerpts(decibels: Floats) -> Bytes:
    """(mels, frames) of a file as (excerpts, mels, frames), the last frame again where some are missing."""
    wanted = PARAMS.excerpts * PARAMS.frames
    whole = np.pad(decibels, ((0, 0), (0, max(wanted - decibels.shape[1], 0))), mode="edge")[:, :wanted]
    return quantised(whole.reshape(PARAMS.mels, PARAMS.excerpts, PARAMS.frames).transpose(1, 0, 2))


def of_each(analyse: Callable[[Path], Bytes]) -> Callable[[Sequence[Path]], None]:
    """One file after the other."""

    def work(files: Sequence[Path]) -> None:
        for path in files:
            analyse(path)

    return work


def to_vectors(analyse: Callable[[Path], Bytes]) -> Callable[[Sequence[Path]], None]:
    """One file after the other, and the network over all of them."""

    def work(files: Sequence[Path]) -> None:
        _network().embed([np.stack([analyse(path) for path in files])])

    return work


@cache
def _network() -> SoundModel:
    """A network of the default size, as it is before training."""
    how = SoundModelParams()
    shape = NetworkShape(PARAMS.mels, how.channels, how.embedding, FACTORS, GENRES, how.towers, how.dropout)
    nothing = SoundQuality(0, 0, False, 0, 0, *[np.nan] * 4)
    names = tuple(str(place) for place in range(GENRES))
    return SoundModel(SoundNetwork(shape), np.zeros(FACTORS, dtype=np.float32), 1.0, names, nothing, threads=1)


# Ours, and beside it librosa's to the same end.
PIPELINES: dict[str, Callable[[Sequence[Path]], None]] = {
    "ours, mel": of_each(mels),
    "librosa, mel": of_each(plain_mels),
    "ours, mel and attributes": of_each(mels_and_attributes),
    "librosa, mel and attributes": of_each(plain_mels_and_attributes),
    "ours, to vector": to_vectors(mels_and_attributes),
    "librosa, to vector": to_vectors(plain_mels_and_attributes),
}


@dataclass(frozen=True)
class Taken:
    """Seconds of a round: on the clock, and of all its processes' CPU time."""

    clock: float
    processor: float


def main() -> None:
    """Measure every format with one and two processes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="?", default=SHARED_DATA / "audio_clips")
    parser.add_argument("--clips-a-round", type=int, default=100)
    options = parser.parse_args()
    paths = sorted(path for path in options.clips.rglob("*") if path.suffix in (".ogg", ".wav", ".flac", ".mp3"))
    if not paths:
        print(f"skipped: no clips at {options.clips}", file=sys.stderr)
        return
    chosen = [path for path in paths if _is_usable(path)][: options.clips_a_round]
    print("| files | processes | pipeline | hours a minute | a core | CPU ms a clip | times librosa | in CPU time |")
    print("|---|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        clips = {"as they are": chosen}
        for ending in ("flac", "mp3"):
            clips[f"{ending}, 44.1 kHz, stereo"] = _rewritten(chosen, Path(folder) / "clips", ending, 1)
            clips[f"the same, 3 minutes, {ending}"] = _rewritten(chosen, Path(folder) / "tracks", ending, CLIPS_A_TRACK)
        for (name, files), processes in itertools.product(clips.items(), (1, 2)):
            _compare(name, files, processes)


def _compare(name: str, files: Sequence[Path], processes: int) -> None:
    """Rows of one set of files."""
    seconds = sum(min(HEARD_SECONDS, soundfile.info(path).duration) for path in files)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        shares = [files[place::processes] for place in range(processes)]
        rounds: dict[str, list[Taken]] = {pipeline: [] for pipeline in PIPELINES}
        for pipeline in PIPELINES:
            _round(pool, pipeline, [share[:WARM_UP_CLIPS] for share in shares])
        for _, pipeline in itertools.product(range(ROUNDS), PIPELINES):
            rounds[pipeline].append(_round(pool, pipeline, shares))
    clock = {pipeline: statistics.median(taken.clock for taken in all_) for pipeline, all_ in rounds.items()}
    processor = {pipeline: statistics.median(taken.processor for taken in all_) for pipeline, all_ in rounds.items()}
    for pipeline in PIPELINES:
        hours_a_minute = seconds / 60 / clock[pipeline]
        beside = pipeline.replace("ours", "librosa")
        ratio, cpu_ratio = (each[beside] / each[pipeline] for each in (clock, processor))
        print(
            f"| {name} | {processes} | {pipeline} | {hours_a_minute:.1f} | {hours_a_minute / processes:.1f} "
            f"| {1000 * processor[pipeline] / len(files):.1f} | {ratio:.2f} | {cpu_ratio:.2f} |",
            flush=True,
        )


def _round(pool: ProcessPoolExecutor, pipeline: str, shares: Sequence[Sequence[Path]]) -> Taken:
    started = time.perf_counter()
    processor = sum(pool.map(_work, [pipeline] * len(shares), shares))
    return Taken(time.perf_counter() - started, processor)


def _work(pipeline: str, files: Sequence[Path]) -> float:
    """CPU seconds that this process takes for the files."""
    work = PIPELINES[pipeline]
    with threadpoolctl.threadpool_limits(1):
        started = time.process_time()
        work(files)
        return time.process_time() - started


def _is_usable(path: Path) -> bool:
    try:
        mels(path)
    except UnusableSoundError:
        return False
    return True


def _rewritten(paths: Sequence[Path], folder: Path, ending: str, clips_a_file: int) -> list[Path]:
    """The clips as stereo of 44.1 kHz, each beginning a file that goes on with those after it."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = [_stereo(path) for path in paths]
    targets = []
    for place in range(0, len(paths), (clips_a_file + 1) // 2):
        target = folder / f"{paths[place].stem}.{ending}"
        following = [clips[(place + further) % len(clips)] for further in range(clips_a_file)]
        soundfile.write(target, np.concatenate(following), WIDE_RATE)
        targets.append(target)
    return targets


def _stereo(path: Path) -> np.ndarray:
    """(n, 2) int16 at WIDE_RATE."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wide = np.clip(soxr.resample(samples.mean(axis=1), rate, WIDE_RATE), -1, 1)
    return np.repeat((wide * 32_767).astype(np.int16)[:, None], 2, axis=1)


if __name__ == "__main__":
    main()
