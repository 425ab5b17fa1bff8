"""Harmony: scales, chords on their degrees, and which notes an instrument takes of them.

Belongs here: pitches. Keys are 0 (C) to 11, pitches MIDI numbers.
Does not: when they are played (arrangement.py).
"""

import functools

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
MAJOR_PENTATONIC = (0, 2, 4, 7, 9)
MINOR_PENTATONIC = (0, 3, 5, 7, 10)

# Kinds of chords: of the scale's own notes, or built alike on every degree.
TRIAD, SEVENTH, DOMINANT, NINTH, OPEN = "triad", "seventh", "dominant", "ninth", "open"


def scale_of(minor: bool) -> tuple[int, ...]:
    """Semitones of the scale above its tonic."""
    return MINOR if minor else MAJOR


def pentatonic_of(minor: bool) -> tuple[int, ...]:
    """Semitones of the five notes that fit everywhere."""
    return MINOR_PENTATONIC if minor else MAJOR_PENTATONIC


def chord(degree: int, minor: bool, kind: str) -> tuple[int, ...]:
    """Semitones above the tonic of a chord on a degree, 0 to 6, its root first."""
    scale = scale_of(minor)
    if kind == DOMINANT:
        third = 3 if minor else 4
        return tuple(scale[degree] + step for step in (0, third, 7, 10))
    steps = {TRIAD: (0, 2, 4), SEVENTH: (0, 2, 4, 6), NINTH: (0, 2, 4, 6, 8), OPEN: (0, 4, 8)}[kind]
    return tuple(scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in steps)


def at_or_above(lowest: int, tone: int) -> int:
    """The pitch of a tone's kind at `lowest` or in the octave above it."""
    return lowest + (tone - lowest) % 12


@functools.cache
def close_voicing(tones: tuple[int, ...], lowest: int) -> tuple[int, ...]:
    """Pitches of all tones inside the octave above `lowest`, ascending: neighbours stay near when chords change."""
    return tuple(sorted({at_or_above(lowest, tone) for tone in tones}))


@functools.cache
def scale_pitches(key: int, steps: tuple[int, ...], lowest: int, count: int) -> tuple[int, ...]:
    """The first `count` pitches of a scale from `lowest` up."""
    kinds = {(key + step) % 12 for step in steps}
    return tuple(pitch for pitch in range(lowest, lowest + 12 * count) if pitch % 12 in kinds)[:count]
