"""What a style of music is made of: beats, parts, progressions, the room.

Belongs here: the shape of a style, reading its rhythms.
Does not: the styles themselves (styles_*.py), turning them into notes (arrangement.py).
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from models_ml.demo_world.sound.harmony import TRIAD

STEPS_A_BAR = 16
# How the notes of a part follow from the harmony.
BLOCK, STRUM, SINGLE, WALK, POWER, DRONE, MELODY, RIFF, SPEECH = (
    "block",
    "strum",
    "single",
    "walk",
    "power",
    "drone",
    "melody",
    "riff",
    "speech",
)
Beat = Mapping[str, str]
Progression = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """A sign of a rhythm: at which sixteenth of its pattern, and what stands there."""

    place: int
    sign: str

    @property
    def velocity(self) -> float:
        """0 to 1; letters are full notes."""
        return int(self.sign) / 9 if self.sign.isdigit() else 0.9


@functools.cache
def steps_of(pattern: str) -> tuple[Step, ...]:
    """The signs of a rhythm: one character a sixteenth, `.` for none, blanks don't count.

    Digits 1 to 9 are velocities. Letters choose from the chord: a to e its notes from below, r its root,
    t third, f fifth, s seventh (the sixth of a triad's scale where there is none), o the root an octave up.
    """
    return tuple(Step(place, sign) for place, sign in enumerate(pattern.replace(" ", "")) if sign != ".")


@functools.cache
def pattern_steps(pattern: str) -> int:
    """Sixteenths in a rhythm."""
    return len(pattern.replace(" ", ""))


@dataclass(frozen=True)
class Part:
    """One player.

    how: BLOCK and the others above.  natural, electric: instruments to choose from, by how acoustic the track is.
    rhythms: of one or two bars, calm ones first.  lowest: MIDI number below which it doesn't go.
    gain: loudness of its notes.  gate: length of notes in sixteenths, 0 until the next one.
    from_energy: it is silent in calmer tracks.
    """

    how: str
    natural: tuple[str, ...]
    electric: tuple[str, ...]
    rhythms: tuple[str, ...]
    lowest: int
    gain: float
    gate: float = 0.0
    from_energy: float = 0.0


@dataclass(frozen=True)
class Style:
    """A style of music.

    beats: rhythms by piece of the kit, calm ones first.  kits: to choose from.  progressions: degrees 0 to 6, in
    major and in minor.  chord_kind: see harmony.  chord_steps: sixteenths a chord lasts.  swing: share of the
    first of two notes, 0.5 straight; of eighths, or of sixteenths where swing_sixteenths.  drive: 0 to 1, how
    overdriven all is.  room: 0 to 1, share of reverberation.  pump: 0 to 1, how far all gives way to the kick.
    lead: who plays the melody where nobody sings; None where nobody does.  song: the singer.
    """

    beats: tuple[Beat, ...]
    kits: tuple[str, ...]
    parts: tuple[Part, ...]
    major: tuple[Progression, ...]
    minor: tuple[Progression, ...]
    song: Part
    lead: Part | None = None
    chord_kind: str = TRIAD
    chord_steps: int = 16
    swing: float = 0.5
    swing_sixteenths: bool = False
    drums_gain: float = 1.0
    drive: float = 0.1
    room: float = 0.2
    pump: float = 0.0


# Phrases to sing, of two bars; where a line breathes is part of it.
CALM_SONG = (
    "5.....6.4....... 5...6.....4.....",
    "..5...6...5..... 4.....5.6.......",
    "5.......6...5... 4...............",
)
SONG = (
    "5..5..6...5.4... ..5..6...5......",
    "..5.5.6.5...5... 6...5.4...5.....",
    "5...5.5.6...4... 5...5.5.4.......",
    "....5.5.6.5.5... ....5.5.6.5.4...",
)
FAST_SONG = (
    "5.5.5.6.5.5.4... 5.5.6.5.5.......",
    "5..55.5.6..55... 5..55.5.4.......",
    "5.5.5.5.7...5... 5.5.5.5.6...4...",
)
SPOKEN_SONG = (
    "6.55.55.6.55.5.. 6.55.5656.5.5...",
    "6..55.5.65.5.5.5 ..565.5.65.55...",
    "65.5.55.6.5.55.5 65.5.55.5.6.....",
)


def singer(how: str = MELODY, rhythms: tuple[str, ...] = SONG, lowest: int = 57, gain: float = 0.5) -> Part:
    """A voice; the name of the instrument is filled in with whose it is and the vowel."""
    kind = "speech" if how == SPEECH else "voice"
    return Part(how, (kind,), (kind,), rhythms, lowest, gain)
