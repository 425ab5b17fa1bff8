"""Sound files as mono samples: a few excerpts of each, read without the rest where the format can seek.

Belongs here: decoding, mixing to mono, resampling, where excerpts lie, and why a file can't be used.
Does not: loudness, spectra, what is kept of a file.

wav, flac, ogg (Vorbis and Opus), mp3 and aiff are read by libsndfile; whatever it doesn't know goes through an `ffmpeg`
program where one is on the PATH, which is how m4a is read.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from models_ml.arrays import Floats
from models_ml.errors import InputError

Reason = Literal["unreadable", "too_short", "silent", "no_decoder", "missing"]

SHORTEST_SECONDS = 3.0
# libsndfile takes all of them, but 4 kHz leaves no music, and a header may claim any number of channels.
_LOWEST_SAMPLE_RATE = 4_000
_MOST_CHANNELS = 32
# Files are read whole up to so many times what is wanted of them: a seek costs about as much as a second of decoding.
_WHOLE_BELOW = 1.25
_LONGEST_WHOLE_SECONDS = 3_600
# What libsndfile says of a stream that doesn't tell how long it is, as a flac need not: it reads none of it.
_FRAMES_UNKNOWN = 2**63 - 1
_MOST_MISSING_SECONDS = 0.25
_FFMPEG_TIMEOUT_SECONDS = 300
_LIBSNDFILE_ENDINGS = frozenset((".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf"))


@dataclass(frozen=True)
class Sound:
    """A whole piece. samples: (n,) float32, mono, full scale 1."""

    samples: Floats
    sample_rate: int


@dataclass(frozen=True)
class Excerpts:
    """Parts of a piece. samples: (excerpts, n) float32, mono, full scale 1.  duration_seconds: of the whole piece."""

    samples: Floats
    sample_rate: int
    duration_seconds: float


class UnusableSoundError(InputError):
    """A sound file that has to be left out; the message names it.

    reason: `unreadable` (corrupt, or values that are no numbers), `too_short`, `silent`, `no_decoder` (another program
    could read it), `missing` (not there, or not ours to open).  what: the message without the name.
    """

    def __init__(self, path: Path, reason: Reason, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.reason: Reason = reason
        self.what = what


class _LengthUnknownError(Exception):
    """A file that doesn't say how long it is."""


def read_excerpts(path: Path, count: int, seconds: float, sample_rate: int) -> Excerpts:
    """`count` excerpts of `seconds` each, spread over the piece as `excerpt_starts` says, at `sample_rate`.

    A piece shorter than one excerpt is continued by its own mirror image: no jump at the seam, no level of its own.
    A file that was cut off counts as what is left of it, unless its header says how long it was (flac, most mp3).
    Raises UnusableSoundError.
    """
    try:
        with _opened(path) as file:
            return _excerpts_of(path, file, count, seconds, sample_rate)
    except (soundfile.LibsndfileError, _LengthUnknownError) as error:
        sound = Sound(_through_ffmpeg(path, sample_rate, error), sample_rate)
    return cut_excerpts(path, sound, count, seconds)


def read_sound(path: Path, sample_rate: int) -> Sound:
    """The whole piece, or its first hour. Raises UnusableSoundError."""
    try:
        with _opened(path) as file:
            samples = _read(path, file, 0, min(file.frames, _LONGEST_WHOLE_SECONDS * file.samplerate))
            return Sound(_resampled(samples, file.samplerate, sample_rate), sample_rate)
    except (soundfile.LibsndfileError, _LengthUnknownError) as error:
        return Sound(_through_ffmpeg(path, sample_rate, error), sample_rate)


def excerpt_starts(length: int, count: int, excerpt: int) -> list[int]:
    """First samples of `count` excerpts of `excerpt` samples in a piece of `length`.

    Each is in the middle of its share of a long piece. In a piece shorter than all of them together they overlap
    evenly, from its first sample to its last; in one shorter than a single excerpt all are the same.
    """
    if length <= excerpt:
        return [0] * count
    if length < count * excerpt:
        return [place * (length - excerpt) // (count - 1) for place in range(count)]
    return [((2 * place + 1) * length // count - excerpt) // 2 for place in range(count)]


def cut_excerpts(path: Path, sound: Sound, count: int, seconds: float) -> Excerpts:
    """Excerpts of a piece that is in memory; `path` is what an error names.

    Raises UnusableSoundError where the piece is shorter than SHORTEST_SECONDS.
    """
    excerpt = round(seconds * sound.sample_rate)
    duration = len(sound.samples) / sound.sample_rate
    _long_enough(path, duration)
    starts = excerpt_starts(len(sound.samples), count, excerpt)
    parts = [_fitted(sound.samples[start : start + excerpt], excerpt) for start in starts]
    return Excerpts(np.stack(parts), sound.sample_rate, duration)


def has_ffmpeg() -> bool:
    """Whether files that libsndfile doesn't know can be read here."""
    return shutil.which("ffmpeg") is not None


def _opened(path: Path) -> soundfile.SoundFile:
    """The open file. Raises LibsndfileError, or _LengthUnknownError, where it isn't one of libsndfile's."""
    try:
        with open(path, "rb") as stream:
            is_empty = not stream.read(1)
    except OSError as error:
        message = f"the sound file can't be opened ({error.strerror or error})"
        raise UnusableSoundError(path, "missing", message) from error
    if is_empty:
        raise UnusableSoundError(path, "unreadable", "the sound file is empty")
    file = soundfile.SoundFile(path)
    if file.frames == _FRAMES_UNKNOWN:
        file.close()
        raise _LengthUnknownError
    return file


def _excerpts_of(path: Path, file: soundfile.SoundFile, count: int, seconds: float, sample_rate: int) -> Excerpts:
    _plausible(path, file)
    rate, excerpt = file.samplerate, round(seconds * file.samplerate)
    duration = file.frames / rate
    _long_enough(path, duration)
    if not file.seekable() or duration <= _WHOLE_BELOW * count * seconds:
        samples = _read(path, file, 0, min(file.frames, _LONGEST_WHOLE_SECONDS * rate))
        return cut_excerpts(path, Sound(_resampled(samples, rate, sample_rate), sample_rate), count, seconds)
    wanted = round(seconds * sample_rate)
    starts = excerpt_starts(file.frames, count, excerpt)
    parts = [_resampled(_read(path, file, start, excerpt), rate, sample_rate) for start in starts]
    return Excerpts(np.stack([_fitted(part, wanted) for part in parts]), sample_rate, duration)


def _plausible(path: Path, file: soundfile.SoundFile) -> None:
    if file.samplerate < _LOWEST_SAMPLE_RATE:
        message = f"sample rate {file.samplerate} Hz; music needs {_LOWEST_SAMPLE_RATE} or more"
        raise UnusableSoundError(path, "unreadable", message)
    if file.channels > _MOST_CHANNELS:
        raise UnusableSoundError(path, "unreadable", f"{file.channels} channels; at most {_MOST_CHANNELS} are read")


def _long_enough(path: Path, duration: float) -> None:
    if duration < SHORTEST_SECONDS:
        message = f"{duration:.2f} s of sound; {SHORTEST_SECONDS:.0f} s are the least that can be described"
        raise UnusableSoundError(path, "too_short", message)


def _read(path: Path, file: soundfile.SoundFile, start: int, count: int) -> Floats:
    """(n,) float32: frames from `start` on, channels averaged, at the file's own rate."""
    try:
        if file.tell() != start:
            file.seek(start)
        samples = _mono(file, count)
    except soundfile.LibsndfileError as error:
        raise UnusableSoundError(path, "unreadable", f"the sound can't be decoded ({error.error_string})") from error
    if (count - len(samples)) > _MOST_MISSING_SECONDS * file.samplerate:
        found = (start + len(samples)) / file.samplerate
        message = f"the sound ends after {found:.1f} s of the {file.frames / file.samplerate:.1f} s its header promises"
        raise UnusableSoundError(path, "unreadable", message)
    if not np.isfinite(samples).all():
        raise UnusableSoundError(path, "unreadable", "the sound holds values that are not numbers (NaN or infinite)")
    return samples


def _mono(file: soundfile.SoundFile, count: int) -> Floats:
    """(n,) float32: the next `count` frames, or what is left, as the mean of their channels.

    In one read, since soundfile seeks after each, and channel by channel: the mean of 20 s of stereo at 44.1 kHz
    takes 1 ms so, and 17 by `mean(axis=1)`.
    """
    frames = file.read(count, dtype="float32", always_2d=True)
    if file.channels == 1:
        return np.asarray(frames[:, 0])
    mixed = frames[:, 0] + frames[:, 1]
    for channel in range(2, file.channels):
        mixed += frames[:, channel]
    mixed *= np.float32(1 / file.channels)
    return np.asarray(mixed)


def _resampled(samples: Floats, rate: int, wanted: int) -> Floats:
    """(n,) float32 at the wanted rate."""
    if rate == wanted:
        return samples
    return np.asarray(soxr.resample(samples, rate, wanted, quality="HQ"))


def _fitted(samples: Floats, length: int) -> Floats:
    """Exactly so many samples: the rest cut, or continued by mirror images."""
    if len(samples) >= length:
        return samples[:length]
    return np.pad(samples, (0, length - len(samples)), mode="symmetric")


def _through_ffmpeg(path: Path, sample_rate: int, error: soundfile.LibsndfileError | _LengthUnknownError) -> Floats:
    """(n,) float32: the first hour of what ffmpeg makes of a file that libsndfile doesn't know."""
    program = shutil.which("ffmpeg")
    if program is None and isinstance(error, _LengthUnknownError):
        message = "a file that doesn't say how long it is needs the program ffmpeg, which is not on the PATH"
        raise UnusableSoundError(path, "no_decoder", message) from error
    if program is None and path.suffix.lower() in _LIBSNDFILE_ENDINGS and not isinstance(error, _LengthUnknownError):
        raise UnusableSoundError(path, "unreadable", f"the file can't be decoded ({error.error_string})") from error
    if program is None:
        message = f"{path.suffix or 'this'} files need the program ffmpeg, which is not on the PATH"
        raise UnusableSoundError(path, "no_decoder", message) from error
    samples = np.frombuffer(_ffmpeg_output(program, path, sample_rate), dtype="<f4")
    if not np.isfinite(samples).all():
        raise UnusableSoundError(path, "unreadable", "the sound holds values that are not numbers (NaN or infinite)")
    return samples


def _ffmpeg_output(program: str, path: Path, sample_rate: int) -> bytes:
    """Little-endian float32 samples, mono, at the rate."""
    only_sound = ["-map", "0:a:0", "-ac", "1", "-ar", str(sample_rate), "-t", str(_LONGEST_WHOLE_SECONDS)]
    source = ["-nostdin", "-v", "error", "-i", f"file:{path}"]
    command = [program, *source, *only_sound, "-f", "f32le", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_FFMPEG_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableSoundError(path, "unreadable", f"ffmpeg gives nothing ({error})") from error
    if done.returncode or len(done.stdout) % 4:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        message = f"ffmpeg can't decode the file ({said[-1] if said else f'exit {done.returncode}'})"
        raise UnusableSoundError(path, "unreadable", message)
    return done.stdout
