"""Mixing: notes and hits of a score as one wave of 16-bit samples.

Belongs here: adding them up, the room, what makes it brighter, louder, overdriven.
Does not: the score (arrangement.py), files (files.py).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from models_ml.demo_world.sound.arrangement import Score
from models_ml.demo_world.sound.bank import Bank
from models_ml.demo_world.sound.instruments import HELD_SHARE, is_held
from models_ml.demo_world.sound.plans import BRIGHT, DRIVE, HIGH, LOW, MIDDLE, ROOM, TrackPlan
from models_ml.demo_world.sound.players import Note
from models_ml.demo_world.sound.styles import Style
from models_ml.demo_world.sound.waves import SAMPLE_RATE, Wave, band_noise, decay, times

Pcm = npt.NDArray[np.int16]
# Highest peak of the calmest and the most energetic tracks, dBFS.
CALM_PEAK_DB, LOUD_PEAK_DB = -4.0, -1.0
# How far peaks are pressed: root mean square of what goes into the limiter, calmest and most energetic, dBFS.
_CALM_DB, _LOUD_DB = -22.0, -12.0
# 12 of the 16 bits: files are a third smaller, and the noise lies 60 dB below the music.
_COARSE = np.float32(16)
# Lengths are whole multiples of this: transforms of 131,072 samples take half as long as those of 132,300.
_COUNT_STEP = 4_096
_RELEASE_SAMPLES = 440
_FADE_SAMPLES = 220
_DUCK_SECONDS = 0.28
_ROOM_SECONDS = (0.25, 0.7, 1.8)
# Where each of the seven bands of the equaliser lies, and how they count as low to high, -1 to 1.
_BAND_HERTZ = np.array([60.0, 150.0, 400.0, 1_000.0, 2_500.0, 5_000.0, 9_000.0])
_TILT = np.linspace(-1, 1, len(_BAND_HERTZ))
_RAMP = np.linspace(1, 0, _RELEASE_SAMPLES, dtype=np.float32)


@dataclass(frozen=True)
class Desk:
    """What all tracks of one length are mixed with.

    bands: (7, frequencies) share of each band of the equaliser at each frequency.  rooms: their transfer functions.
    """

    count: int
    bands: npt.NDArray[np.float32]
    rooms: tuple[npt.NDArray[np.complex64], ...]
    duck: Wave
    bank: Bank


def make_desk(seconds: float, bank: Bank) -> Desk:
    """A desk for tracks of about so many seconds."""
    count = max(1, round(seconds * SAMPLE_RATE / _COUNT_STEP)) * _COUNT_STEP
    octaves = np.log2(np.maximum(scipy.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0))
    bands = np.stack([np.exp(-0.5 * ((octaves - np.log2(hertz)) / 0.8) ** 2) for hertz in _BAND_HERTZ])
    rooms = tuple(_room(length, count) for length in _ROOM_SECONDS)
    duck = 1 - decay(times(_DUCK_SECONDS), _DUCK_SECONDS / 3)
    return Desk(count, bands.astype(np.float32), rooms, duck.astype(np.float32), bank)


def _room(seconds: float, count: int) -> npt.NDArray[np.complex64]:
    """Transfer function of a room: noise from 200 to 5,000 Hz that dies away, 12 ms after the sound."""
    when = times(min(3 * seconds, count / SAMPLE_RATE))
    tail = band_noise(f"room {seconds}", len(when), 200, 5_000) * decay(when, seconds / 2)
    echo = np.zeros(count)
    late = round(0.012 * SAMPLE_RATE)
    echo[late : len(tail)] = tail[: max(len(tail) - late, 0)]
    echo /= np.sqrt((echo**2).sum())
    return np.asarray(scipy.fft.rfft(echo), dtype=np.complex64)


def mix(score: Score, plan: TrackPlan, style: Style, desk: Desk) -> Pcm:
    """(samples,) the track."""
    drums = np.zeros(desk.count, dtype=np.float32)
    for hit in score.hits:
        _add(drums, desk.bank.hit(hit.piece, score.kit, score.tuning), hit.start, None, hit.gain)
    music = np.zeros(desk.count, dtype=np.float32)
    for note in score.notes:
        _add_note(music, note, desk.bank)
    if style.pump and score.kicks:
        music *= _ducked(score.kicks, style.pump, desk)
    return _as_pcm(_in_room(_driven(drums + music, style, plan), style, plan, desk), plan.energy)


def _add_note(bus: Wave, note: Note, bank: Bank) -> None:
    """Add a note; one that is held longer than its samples last begins anew while they fade."""
    wave = bank.note(note.instrument, note.pitch)
    start, end = note.start, note.start + note.length
    if is_held(note.instrument):
        again = int(len(wave) * HELD_SHARE)
        while end - start > len(wave) and start < len(bus):
            _add(bus, wave, start, None, note.gain)
            start += again
    _add(bus, wave, start, end - start, note.gain)


def _add(bus: Wave, wave: Wave, start: int, length: int | None, gain: float) -> None:
    """Add a wave to the bus from a sample on, let go after `length` samples; what is past the end is lost."""
    held = len(wave) if length is None else min(length, len(wave))
    end = min(start + held, len(bus))
    if start >= end:
        return
    bus[start:end] += wave[: end - start] * np.float32(gain)
    released = min(_RELEASE_SAMPLES, len(wave) - held, len(bus) - end)
    if released > 0:
        bus[end : end + released] += wave[held : held + released] * _RAMP[:released] * np.float32(gain)


def _ducked(kicks: list[int], pump: float, desk: Desk) -> Wave:
    """(samples,) 1, lower after each kick."""
    level = np.ones(desk.count, dtype=np.float32)
    down = 1 - np.float32(pump) * (1 - desk.duck)
    for start in kicks:
        here = level[start : start + len(down)]
        np.minimum(here, down[: len(here)], out=here)
    return level


def _driven(wave: Wave, style: Style, plan: TrackPlan) -> Wave:
    """The wave bent as by an amplifier that is turned up as far as the style has it."""
    drive = style.drive + 0.05 * float(plan.colour[DRIVE])
    if drive < 0.05:
        return wave
    wave *= np.float32((0.15 + 0.6 * drive) / _effective(wave))
    return np.tanh(wave, out=wave)


def _in_room(wave: Wave, style: Style, plan: TrackPlan, desk: Desk) -> Wave:
    """Equalised and with the room's answer; the end goes on at the beginning, as in a cut from the middle."""
    wet = min(max(style.room + 0.06 * float(plan.colour[ROOM]), 0.0), 0.9)
    room = desk.rooms[0 if style.room < 0.15 else 1 if style.room < 0.4 else 2]
    shape = _equaliser(plan, desk) * (1 + np.float32(wet) * room)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(wave) * shape, desk.count), dtype=np.float32)


def _equaliser(plan: TrackPlan, desk: Desk) -> npt.NDArray[np.float32]:
    """(frequencies,) amplitude; energetic tracks are brighter, dark ones darker, and each has its own body."""
    tilt = 4.0 * (plan.energy - 0.5) - 5.0 * (plan.darkness - 0.5) + 1.8 * float(plan.colour[BRIGHT]) + plan.brighter
    decibels = tilt * _TILT
    for column, band in ((LOW, 1), (MIDDLE, 3), (HIGH, 5)):
        decibels[band] += 2.5 * float(plan.colour[column])
    shape = np.zeros(desk.bands.shape[1], dtype=np.float32)
    # One after the other rather than as a product of matrices: the same order of sums on every machine.
    for band, value in zip(desk.bands, decibels.astype(np.float32), strict=True):
        shape += band * value
    return np.asarray(np.exp(shape * np.float32(np.log(10) / 20)), dtype=np.float32)


def _as_pcm(wave: Wave, energy: float) -> Pcm:
    """As loud and as pressed as the energy says, faded in and out within 10 ms; silence stays silent."""
    pressed = np.tanh(wave * np.float32(_ratio(_CALM_DB + (_LOUD_DB - _CALM_DB) * energy) / _effective(wave)))
    peak = float(np.abs(pressed).max()) or 1.0
    pressed *= np.float32(_ratio(CALM_PEAK_DB + (LOUD_PEAK_DB - CALM_PEAK_DB) * energy) * 32_767 / peak)
    fade = np.linspace(0, 1, _FADE_SAMPLES, dtype=np.float32)
    pressed[:_FADE_SAMPLES] *= fade
    pressed[-_FADE_SAMPLES:] *= fade[::-1]
    return np.asarray(np.rint(pressed / _COARSE) * _COARSE, dtype=np.int16)


def _effective(wave: Wave) -> float:
    """Root mean square; 1 for silence."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) or 1.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))
