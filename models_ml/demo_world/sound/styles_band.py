"""Styles of bands with guitars: pop, indie, rock, punk, metal.

Belongs here: their rhythms, players and progressions.
Does not: what the fields mean (styles.py).
"""

from models_ml.demo_world.sound.harmony import NINTH, OPEN
from models_ml.demo_world.sound.styles import (
    BLOCK,
    FAST_SONG,
    MELODY,
    POWER,
    RIFF,
    SINGLE,
    SONG,
    STRUM,
    Part,
    Style,
    singer,
)

_STRAIGHT = (
    {"kick": "9.......9.......", "snare": "....8.......8...", "hat": "5.4.5.4.5.4.5.4."},
    {"kick": "9.....7.9.......", "snare": "....9.......9...", "hat": "6.4.6.4.6.4.6.4."},
    {"kick": "9.....7.9.7...7.", "snare": "....9.......9..3", "hat": "7.5.7.5.7.5.7.5.", "crash": "6" + "." * 31},
)
_POP = (
    {"kick": "9......59.......", "clap": "....7.......7...", "hat": "4.4.4.4.4.4.4.4.", "shaker": "3.5.3.5.3.5.3.5."},
    {"kick": "9...9...9...9...", "clap": "....8.......8...", "hat": "..6...6...6...6.", "shaker": "3454345434543454"},
    {"kick": "9...9...9...9.5.", "clap": "....8.......8...", "open hat": "..5...5...5...5.", "hat": "4545454545454545"},
)
_DRIVING = (
    {
        "kick": "9...7...9...7...",
        "snare": "....8.......8...",
        "hat": "6.4.6.4.6.4.6.4.",
        "tambourine": "..4...4...4...4.",
    },
    {"kick": "9..7..7.9..7....", "snare": "....9.......9...", "hat": "7.5.7.5.7.5.7.5."},
    {"kick": "9.7...7.9.7...7.", "snare": "....9..3....9...", "open hat": "6.5.6.5.6.5.6.5."},
)
_FAST = (
    {"kick": "9.....9.9.....9.", "snare": "....9.......9...", "hat": "8.7.8.7.8.7.8.7."},
    {"kick": "9...9...9...9...", "snare": "..9...9...9...9.", "open hat": "7.6.7.6.7.6.7.6.", "crash": "7" + "." * 31},
)
_DOUBLE_KICK = (
    {"kick": "9.9...9.9.9...9.", "snare": "....9.......9...", "ride": "7...6...7...6...", "crash": "8" + "." * 15},
    {"kick": "9797979797979797", "snare": "....9.......9...", "ride": "7.5.7.5.7.5.7.5.", "crash": "8" + "." * 31},
    {
        "kick": "99.99.9.99.99.9.",
        "snare": "........9.......",
        "crash": "7.......6.......",
        "low tom": "............8.8.",
    },
)
_EIGHTHS = "r.r.r.r.r.r.r.r."
_POP_MAJOR = ((0, 4, 5, 3), (0, 3, 0, 4), (0, 5, 3, 4), (0, 4, 3, 0))
_POP_MINOR = ((0, 5, 2, 6), (0, 3, 5, 6), (0, 5, 6, 0))
_ROCK_MAJOR = ((0, 3, 4, 3), (0, 0, 3, 4), (0, 4, 3, 3))
_ROCK_MINOR = ((0, 6, 5, 6), (0, 2, 6, 3), (0, 5, 6, 0))

POP = Style(
    _POP,
    ("machine", "deep"),
    (
        Part(
            BLOCK, ("piano",), ("super saw", "stab", "bell piano"), ("9.....9...9.....", "9..9..9...9..9.."), 58, 0.16
        ),
        Part(
            SINGLE, ("electric bass",), ("synth bass", "long bass"), ("r.....r.r.....f.", "r..r..r.r..r..o."), 33, 0.5
        ),
        Part(SINGLE, ("nylon guitar",), ("synth pluck",), ("a.c.b.d.c.b.a.c.", "abcdcbabcdcbabcd"), 70, 0.16, 0, 0.5),
        Part(BLOCK, ("strings",), ("saw pad",), ("6...............",), 55, 0.07),
    ),
    _POP_MAJOR,
    _POP_MINOR,
    singer(lowest=58, gain=0.62),
    Part(MELODY, ("flute",), ("saw lead", "square lead"), SONG, 69, 0.28),
    drums_gain=0.85,
    room=0.18,
    pump=0.35,
)
INDIE_POP = Style(
    _STRAIGHT,
    ("wood", "machine"),
    (
        Part(STRUM, ("steel guitar",), ("clean guitar",), ("8..55.8...6.8.5.", "8.668.6.8.668.68"), 55, 0.17),
        Part(SINGLE, ("electric bass",), ("electric bass", "synth bass"), ("r...r...r...f...", _EIGHTHS), 33, 0.42),
        Part(SINGLE, ("marimba",), ("bell piano", "square lead"), ("d.c.b.c.d.c.a.b.", "a..c..b..d..c..b"), 69, 0.13),
        Part(BLOCK, ("organ",), ("glass pad",), ("6...............",), 57, 0.06),
    ),
    _POP_MAJOR,
    _POP_MINOR,
    singer(lowest=60, gain=0.5),
    Part(MELODY, ("clean guitar",), ("clean guitar",), SONG, 64, 0.3),
    chord_kind=NINTH,
    drums_gain=0.7,
    room=0.32,
)
ROCK = Style(
    _STRAIGHT,
    ("loud", "wood"),
    (
        Part(
            POWER,
            ("crunch chord",),
            ("power chord", "crunch chord"),
            ("9...9.9...9.9...", "9.9.9.9.9.9.9.9."),
            40,
            0.36,
        ),
        Part(SINGLE, ("electric bass",), ("electric bass",), ("r...r.r...r.r...", _EIGHTHS), 28, 0.5),
        Part(RIFF, ("steel guitar",), ("lead guitar",), ("9.9..9.9..9.....", "9.99.9.9..9.9..."), 57, 0.14, 0, 0.45),
        Part(BLOCK, ("organ", "piano"), ("organ",), ("7.......7.......",), 57, 0.05),
    ),
    _ROCK_MAJOR,
    _ROCK_MINOR,
    singer(lowest=55, gain=0.52),
    Part(MELODY, ("lead guitar",), ("lead guitar",), SONG, 62, 0.3),
    drive=0.35,
    room=0.16,
)
INDIE_ROCK = Style(
    _DRIVING,
    ("wood", "loud"),
    (
        Part(POWER, ("crunch chord",), ("crunch chord",), ("9..9..9...9..9..", "9.7.9.7.9.7.9.7."), 43, 0.24),
        Part(
            SINGLE,
            ("clean guitar",),
            ("twang guitar", "clean guitar"),
            ("a.c.d.c.b.d.c.b.", "abacabadabacabad"),
            62,
            0.22,
        ),
        Part(SINGLE, ("electric bass",), ("electric bass",), (_EIGHTHS, "r.r.r.r.f.f.o.o."), 31, 0.48),
    ),
    _POP_MAJOR,
    _ROCK_MINOR,
    singer(lowest=55, gain=0.45),
    Part(MELODY, ("clean guitar",), ("lead guitar",), SONG, 64, 0.22),
    chord_kind=OPEN,
    drive=0.22,
    room=0.26,
)
PUNK = Style(
    _FAST,
    ("loud",),
    (
        Part(
            POWER, ("crunch chord",), ("power chord", "crunch chord"), ("9.9.9.9.9.9.9.9.", "9898989898989898"), 40, 0.5
        ),
        Part(SINGLE, ("electric bass",), ("electric bass",), (_EIGHTHS, "rrrrrrrrrrrrrrrr"), 28, 0.46),
    ),
    ((0, 3, 4, 4), (0, 4, 5, 3), (0, 3, 0, 4)),
    ((0, 6, 5, 4), (0, 2, 3, 6)),
    singer(rhythms=FAST_SONG, lowest=57, gain=0.5),
    Part(MELODY, ("lead guitar",), ("lead guitar",), FAST_SONG, 62, 0.26),
    chord_steps=8,
    drive=0.5,
    room=0.07,
)
METAL = Style(
    _DOUBLE_KICK,
    ("loud", "hard"),
    (
        Part(POWER, ("muted chord",), ("muted chord",), ("9.99.99.9.99.99.", "9979997999799979"), 36, 0.5, 1),
        Part(POWER, ("power chord",), ("power chord",), ("9...............", "9.....9........."), 36, 0.4),
        Part(SINGLE, ("electric bass",), ("electric bass",), ("r.rr.rr.r.rr.rr.", "rrrrrrrrrrrrrrrr"), 28, 0.36),
        Part(RIFF, ("lead guitar",), ("lead guitar",), ("9.9.9.9.9.9.9.9.", "9999999999999999"), 60, 0.12, 0, 0.8),
    ),
    ((0, 0, 5, 4), (0, 3, 5, 4)),
    ((0, 0, 5, 6), (0, 1, 0, 6), (0, 5, 3, 1)),
    singer(rhythms=FAST_SONG, lowest=45, gain=0.36),
    Part(MELODY, ("lead guitar",), ("lead guitar",), FAST_SONG, 64, 0.24),
    drive=0.6,
    room=0.1,
)
