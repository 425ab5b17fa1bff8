"""Players: the notes that each way of playing makes of a rhythm and the harmony.

Belongs here: blocks, strums, figures, walking basses, riffs, melodies.
Does not: which parts play (arrangement.py), how a note sounds (instruments.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models_ml.demo_world.draws import Ints, Random
from models_ml.demo_world.sound.harmony import (
    at_or_above,
    close_voicing,
    pentatonic_of,
    scale_of,
    scale_pitches,
)
from models_ml.demo_world.sound.styles import (
    BLOCK,
    DRONE,
    MELODY,
    POWER,
    RIFF,
    SINGLE,
    SPEECH,
    STRUM,
    WALK,
    Part,
    Step,
    pattern_steps,
    steps_of,
)

_STRUM_SAMPLES = 260  # 12 ms from string to string
_MELODY_PITCHES = 10
_MELODY_MOVES = (-2, -1, -1, -1, 0, 1, 1, 1, 2, 3)
_RIFF_MOVES = (-1, -1, 0, 0, 1, 1, 2)
_SPEECH_MOVES = (-2, -1, 0, 0, 0, 0, 1, 3)


@dataclass(frozen=True)
class Note:
    """One note; start and length in samples, pitch a MIDI number."""

    start: int
    length: int
    instrument: str
    pitch: int
    gain: float


@dataclass(frozen=True)
class Setting:
    """Time and harmony that all players share.

    key: 0 to 11.  chords: semitones above the tonic, root first, each chord_steps sixteenths long, round and round.
    starts: samples at which the sixteenths begin.
    """

    key: int
    minor: bool
    chords: list[tuple[int, ...]]
    chord_steps: int
    starts: list[int]
    step_samples: float
    jitter_samples: float

    def chord_at(self, place: int) -> tuple[int, ...]:
        """Tones of the chord at a sixteenth, root first, as semitones above C."""
        steps = self.chords[place // self.chord_steps % len(self.chords)]
        return tuple(self.key + step for step in steps)

    def chord_after(self, place: int) -> tuple[int, ...]:
        """Tones of the chord that comes next."""
        return self.chord_at((place // self.chord_steps + 1) * self.chord_steps)


@dataclass(frozen=True)
class Moment:
    """One sign of the rhythm in its place: which sixteenth of the track, which sign of the pattern, how long."""

    place: int
    number: int
    step: Step
    start: int
    length: int


# What one sign becomes: pitches, from the part, the setting, the moment and numbers drawn once for the pattern.
Pitches = Callable[[Part, Setting, Moment, Ints], Sequence[int]]


def play(part: Part, rhythm: str, instrument: str, setting: Setting, random: Random) -> list[Note]:
    """All notes of a part."""
    steps = steps_of(rhythm)
    # Drawn once: the phrase comes again with every round of the pattern.
    drawn = random.integers(0, 1 << 16, len(steps) + 1)
    moments = _moments(part, rhythm, setting, random)
    notes = []
    for moment in moments:
        pitches = PITCHES[part.how](part, setting, moment, drawn)
        gain = part.gain * moment.step.velocity / len(pitches) ** 0.5
        apart = _STRUM_SAMPLES if part.how == STRUM else 0
        notes += [
            Note(moment.start + apart * number, moment.length, instrument, pitch, gain)
            for number, pitch in enumerate(pitches)
        ]
    return notes


def _moments(part: Part, rhythm: str, setting: Setting, random: Random) -> list[Moment]:
    """Signs of the rhythm round after round until the end, each as long as its gate or until the next."""
    steps = steps_of(rhythm)
    size = pattern_steps(rhythm)
    count = len(setting.starts)
    places = [(first + step.place, number) for first in range(0, count, size) for number, step in enumerate(steps)]
    jitter = random.standard_normal(len(places)) * setting.jitter_samples
    moments = []
    for turn, (place, number) in enumerate(places):
        if place < count:
            following = places[turn + 1][0] if turn + 1 < len(places) else place + size
            length = int((part.gate or following - place) * setting.step_samples)
            start = max(0, setting.starts[place] + int(jitter[turn]))
            moments.append(Moment(place, number, steps[number], start, length))
    return moments


def _block(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    return close_voicing(setting.chord_at(moment.place), part.lowest)


def _strum(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    pitches = close_voicing(setting.chord_at(moment.place), part.lowest)
    spread = [*pitches, pitches[0] + 12]
    # Down on the beat, up between.
    return spread if moment.place % 4 == 0 else spread[::-1]


def _single(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    tones = setting.chord_at(moment.place)
    sign = moment.step.sign
    if sign in "rtfso":
        root = at_or_above(part.lowest, tones[0])
        sixth = 9 if len(tones) < 4 else tones[3] - tones[0]
        third, fifth = (tones[1] - tones[0]) % 12, 7
        return [root + {"r": 0, "t": third, "f": fifth, "s": sixth % 12, "o": 12}[sign]]
    pitches = close_voicing(tones, part.lowest)
    number = "abcde".index(sign)
    return [pitches[number % len(pitches)] + 12 * (number // len(pitches))]


def _walk(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    """Root, then chord tones, then a half step from the next root."""
    tones = setting.chord_at(moment.place)
    root = at_or_above(part.lowest, tones[0])
    beat = moment.place % setting.chord_steps // 4
    if beat == setting.chord_steps // 4 - 1:
        side = 1 if int(drawn[0]) % 2 else -1
        return [at_or_above(part.lowest, setting.chord_after(moment.place)[0]) + side]
    return [root + (tones[beat % len(tones)] - tones[0]) % 12]


def _power(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    return [at_or_above(part.lowest, setting.chord_at(moment.place)[0])]


def _drone(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    tonic = at_or_above(part.lowest, setting.key)
    return [tonic, tonic + 7, tonic + 12]


def _riff(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    """The same few notes that fit every chord, from the tonic up."""
    pitches = scale_pitches(setting.key, pentatonic_of(setting.minor), at_or_above(part.lowest, setting.key), 6)
    return [pitches[_walked(drawn, moment.number, _RIFF_MOVES, 0, len(pitches))]]


def _melody(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    """A walk on the scale; on strong beats it comes to rest on the chord."""
    pitches = scale_pitches(setting.key, scale_of(setting.minor), part.lowest, _MELODY_PITCHES)
    begin = 2 + int(drawn[-1]) % 4
    pitch = pitches[_walked(drawn, moment.number, _MELODY_MOVES, begin, len(pitches))]
    if moment.place % 8 == 0:
        kinds = {tone % 12 for tone in setting.chord_at(moment.place)[:3]}
        pitch = min((one for one in pitches if one % 12 in kinds), key=lambda one: (abs(one - pitch), one))
    return [pitch]


def _speech(part: Part, setting: Setting, moment: Moment, drawn: Ints) -> Sequence[int]:
    """Near one pitch, which is the fifth of the key."""
    near = at_or_above(part.lowest, setting.key + 7)
    return [near + _SPEECH_MOVES[int(drawn[moment.number]) % len(_SPEECH_MOVES)]]


def _walked(drawn: Ints, number: int, moves: tuple[int, ...], begin: int, count: int) -> int:
    """Where a walk of these moves is at its number-th note, turned back at both ends."""
    place = begin
    for value in drawn[:number]:
        place += moves[int(value) % len(moves)]
    around = place % (2 * count - 2)
    return min(around, 2 * count - 2 - around)


PITCHES: Mapping[str, Pitches] = {
    BLOCK: _block,
    STRUM: _strum,
    SINGLE: _single,
    WALK: _walk,
    POWER: _power,
    DRONE: _drone,
    RIFF: _riff,
    MELODY: _melody,
    SPEECH: _speech,
}
