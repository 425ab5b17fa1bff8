"""Arrangement: the notes and hits of one track, from its plan and the style of its genre.

Belongs here: which instruments play, bars, chords, swing.
Does not: the notes of each way of playing (players.py), sound (mixing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from models_ml.demo_world.draws import Random, generator
from models_ml.demo_world.sound.drums import TUNINGS
from models_ml.demo_world.sound.harmony import chord
from models_ml.demo_world.sound.instruments import VOWELS
from models_ml.demo_world.sound.plans import CHOICE, CHOICES, FEEL, KIT, VOICE, TrackPlan
from models_ml.demo_world.sound.players import Note, Setting, play
from models_ml.demo_world.sound.style_list import STYLES
from models_ml.demo_world.sound.styles import MELODY, STEPS_A_BAR, Part, Style, pattern_steps, steps_of
from models_ml.demo_world.sound.waves import SAMPLE_RATE

Option = TypeVar("Option")


@dataclass(frozen=True)
class Hit:
    """A hit of a drum; start in samples."""

    start: int
    piece: str
    gain: float


@dataclass(frozen=True)
class Score:
    """All that is played; kit and tuning of the drums, starts of the kicks in samples."""

    notes: list[Note]
    hits: list[Hit]
    kit: str
    tuning: int

    @property
    def kicks(self) -> list[int]:
        """When the kick is hit, samples."""
        return [hit.start for hit in self.hits if hit.piece == "kick"]


def arrange(plan: TrackPlan, seed: int, seconds: float) -> Score:
    """The score of the first seconds of a track. Depends on seed and plan alone."""
    style = STYLES[plan.genre]
    random = generator(seed, "sound", "track", plan.number)
    step_samples = SAMPLE_RATE * 60 / plan.tempo_bpm / 4
    setting = Setting(
        key=plan.key,
        minor=plan.minor,
        chords=_chords(style, plan.minor, random),
        chord_steps=style.chord_steps,
        starts=step_starts(step_samples, seconds, style, 0.012 * float(plan.colour[FEEL])),
        step_samples=step_samples,
        # People are some milliseconds early or late, machines are not.
        jitter_samples=SAMPLE_RATE * 0.005 * plan.acoustic,
    )
    players = _players(style, plan)
    notes = [note for part, instrument in players for note in _played(part, instrument, setting, plan, seed)]
    hits = _hits(style, setting, plan, random)
    return Score(notes, hits, _chosen(style.kits, plan.colour[KIT]), _chosen(range(TUNINGS), plan.colour[KIT] * 2.7))


def step_starts(step_samples: float, seconds: float, style: Style, push: float) -> list[int]:
    """Samples at which the sixteenths begin, swung, as many as begin inside the seconds; push: more swing."""
    swing = min(max(style.swing + push, 0.5), 0.72) if style.swing > 0.5 else 0.5
    unit = 1 if style.swing_sixteenths else 2
    steps = np.arange(int(seconds * SAMPLE_RATE / step_samples) + 1)
    place = (steps % (2 * unit)) / (2 * unit)
    swung = np.where(place <= 0.5, place * 2 * swing, swing + (place - 0.5) * 2 * (1 - swing))
    starts = np.rint((steps - steps % (2 * unit) + swung * 2 * unit) * step_samples).astype(np.int64)
    return [int(start) for start in starts if start < seconds * SAMPLE_RATE]


def _chords(style: Style, minor: bool, random: Random) -> list[tuple[int, ...]]:
    progressions = style.minor if minor else style.major
    progression = progressions[int(random.integers(len(progressions)))]
    return [chord(degree, minor, style.chord_kind) for degree in progression]


def _chosen(options: Sequence[Option], colour: float) -> Option:
    """One of the options, all about equally likely for a normally distributed colour."""
    share = 1 / (1 + np.exp(-1.7 * float(colour)))
    return options[min(int(share * len(options)), len(options) - 1)]


def _players(style: Style, plan: TrackPlan) -> list[tuple[Part, str]]:
    """The parts that play and their instruments; the band of an artist stays about the same."""
    parts = [part for part in style.parts if plan.energy >= part.from_energy]
    front = style.song if plan.sung else style.lead
    parts += [front] if front else []
    return [(part, _instrument(part, number, plan)) for number, part in enumerate(parts)]


def _instrument(part: Part, number: int, plan: TrackPlan) -> str:
    colour = plan.colour[CHOICE + number % CHOICES]
    natural = 1 / (1 + np.exp(-1.7 * float(plan.colour[CHOICE]))) < plan.acoustic
    name = _chosen(part.natural if natural else part.electric, colour)
    return f"{'low' if plan.colour[VOICE] < 0 else 'high'} {name}" if name in ("voice", "speech") else name


def _played(part: Part, instrument: str, setting: Setting, plan: TrackPlan, seed: int) -> list[Note]:
    """Notes of one part; each draws for itself, so that one part less doesn't change the others."""
    random = generator(seed, "sound", "part", plan.number, part.how, part.lowest, instrument)
    rhythm = _by_level(part.rhythms, plan.level(), random)
    notes = play(part, rhythm, instrument, setting, random)
    if instrument.endswith(("voice", "speech")):
        # High voices sing higher.
        up = 7 if instrument.startswith("high") and part.how == MELODY else 0
        vowels = random.integers(0, len(VOWELS), len(notes))
        return [
            Note(note.start, note.length, f"{instrument} {VOWELS[vowel]}", note.pitch + up, note.gain)
            for note, vowel in zip(notes, vowels, strict=True)
        ]
    return notes


def _by_level(options: Sequence[Option], level: float, random: Random) -> Option:
    """Calm options for calm tracks, with some freedom."""
    place = (level + 0.22 * float(random.standard_normal())) * len(options)
    return options[min(max(int(place), 0), len(options) - 1)]


def _hits(style: Style, setting: Setting, plan: TrackPlan, random: Random) -> list[Hit]:
    """Hits of the drums over all bars; the fourth bar ends with a fill where there is enough energy."""
    beat = _by_level(style.beats, plan.level(), random)
    loud = style.drums_gain * (0.75 + 0.35 * plan.energy)
    hits = [
        Hit(setting.starts[place], piece, loud * step.velocity * _PIECE_GAINS.get(piece, 0.3))
        for piece, pattern in beat.items()
        for first in range(0, len(setting.starts), pattern_steps(pattern))
        for step in steps_of(pattern)
        if (place := first + step.place) < len(setting.starts)
    ]
    if "snare" in beat and random.random() < plan.energy:
        hits += _fill(setting, loud, int(random.integers(2, 4)) * STEPS_A_BAR)
    return hits


def _fill(setting: Setting, loud: float, end: int) -> list[Hit]:
    pieces = ("snare", "snare", "high tom", "low tom")
    places = range(end - 4, min(end, len(setting.starts)))
    return [Hit(setting.starts[place], pieces[place - end + 4], 0.4 * loud) for place in places]


_PIECE_GAINS = {
    "kick": 0.85,
    "snare": 0.6,
    "clap": 0.5,
    "brush": 0.35,
    "hat": 0.2,
    "open hat": 0.2,
    "ride": 0.22,
    "crash": 0.3,
    "shaker": 0.16,
    "tambourine": 0.16,
    "clave": 0.25,
    "rim": 0.35,
    "high conga": 0.4,
    "low conga": 0.45,
    "high tom": 0.5,
    "low tom": 0.55,
}
