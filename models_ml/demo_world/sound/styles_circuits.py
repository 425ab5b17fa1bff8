"""Styles made by circuits: ambient, electronic, house, techno, drum and bass.

Belongs here: their rhythms, players and progressions.
Does not: what the fields mean (styles.py).
"""

from models_ml.demo_world.sound.harmony import NINTH, OPEN, SEVENTH
from models_ml.demo_world.sound.styles import (
    BLOCK,
    CALM_SONG,
    DRONE,
    MELODY,
    RIFF,
    SINGLE,
    SONG,
    Part,
    Style,
    singer,
)

_NONE: dict[str, str] = {}

AMBIENT = Style(
    (_NONE, {"shaker": "..2.....2...2...", "low tom": "3...............  ................"}),
    ("brushes", "deep"),
    (
        Part(DRONE, ("cello", "strings"), ("air pad", "glass pad"), ("7" + "." * 31,), 36, 0.24),
        Part(BLOCK, ("strings", "choir"), ("glass pad", "saw pad", "air pad"), ("6" + "." * 31,), 55, 0.16),
        Part(
            SINGLE,
            ("harp", "felt piano"),
            ("bell piano", "vibraphone"),
            ("a.........d..... ....c...........", "..d.....b....... c.......a......."),
            67,
            0.12,
        ),
    ),
    ((0, 3), (0, 5), (3, 0)),
    ((0, 5), (0, 2), (0, 3)),
    singer(rhythms=("3............... 4...............",), lowest=62, gain=0.2),
    Part(MELODY, ("flute", "felt piano"), ("glass pad",), ("3............... ........4.......",), 69, 0.12),
    chord_kind=NINTH,
    chord_steps=32,
    drums_gain=0.4,
    drive=0.0,
    room=0.75,
)
ELECTRONIC = Style(
    (
        {"kick": "9.....7...8.....", "snare": "....7.......7...", "hat": "4.5.4.5.4.5.4.54"},
        {"kick": "9..7..7.9..7....", "clap": "....8.......8...", "hat": "5.555.55.5.555.5", "rim": "..5..5..5..5...."},
    ),
    ("machine", "deep"),
    (
        Part(SINGLE, ("kalimba",), ("synth pluck", "square lead"), ("abcdbcdabcdabcdb", "adbcadbdadbcaddc"), 60, 0.26),
        Part(
            SINGLE, ("synth bass",), ("synth bass", "wobble bass"), ("r.....r...r.....", "r..r..r..r..r.o."), 31, 0.46
        ),
        Part(BLOCK, ("strings",), ("saw pad", "super saw"), ("6...............", "6.....6...6....."), 55, 0.11),
        Part(RIFF, ("vibraphone",), ("saw lead", "bell piano"), ("..6..6....6..6..", "6..6..6..6..6.6."), 69, 0.12),
    ),
    ((0, 4, 5, 3), (0, 0, 3, 3)),
    ((0, 5, 2, 6), (0, 0, 5, 6), (0, 3, 0, 5)),
    singer(rhythms=CALM_SONG, lowest=62, gain=0.34),
    None,
    chord_kind=SEVENTH,
    drums_gain=0.85,
    drive=0.15,
    room=0.28,
    pump=0.3,
)
HOUSE = Style(
    (
        {"kick": "9...9...9...9...", "clap": "....7.......7...", "open hat": "..7...7...7...7."},
        {
            "kick": "9...9...9...9...",
            "clap": "....8.......8...",
            "open hat": "..7...7...7...7.",
            "hat": "5454545454545454",
            "shaker": "4.454.454.454.45",
        },
        {
            "kick": "9...9...9...9..5",
            "clap": "....8.......8..4",
            "open hat": "..8...8...8...8.",
            "hat": "5545554555455545",
            "high conga": "...5..5....5.5..",
        },
    ),
    ("machine",),
    (
        Part(
            BLOCK,
            ("piano", "organ"),
            ("stab", "organ", "piano"),
            ("..8..8....8..8..", "8..8..8...8..8.."),
            57,
            0.24,
            1.5,
        ),
        Part(
            SINGLE,
            ("electric bass",),
            ("synth bass", "long bass"),
            ("..r...r...r...r.", "..r..rr...r.o.r."),
            33,
            0.56,
            1.6,
        ),
        Part(BLOCK, ("strings",), ("saw pad",), ("6...............",), 60, 0.08),
        Part(RIFF, ("marimba",), ("synth pluck",), ("6..6..6..6..6...", "6.6..6.66.6..6.."), 72, 0.1, 1, 0.6),
    ),
    ((0, 5, 3, 4), (0, 3, 0, 4), (0, 3, 0, 3)),
    ((0, 5, 3, 6), (0, 0, 5, 6), (0, 3, 0, 3)),
    singer(rhythms=CALM_SONG, lowest=62, gain=0.42),
    None,
    chord_kind=SEVENTH,
    swing=0.54,
    swing_sixteenths=True,
    drums_gain=1.0,
    drive=0.12,
    room=0.18,
    pump=0.6,
)
TECHNO = Style(
    (
        {"kick": "9...9...9...9...", "hat": "..7...7...7...7."},
        {
            "kick": "9...9...9...9...",
            "open hat": "..7...7...7...7.",
            "hat": "5655565556555655",
            "rim": "...6..6....6..6.",
        },
        {
            "kick": "9...9...9...9...",
            "ride": "6.6.6.6.6.6.6.6.",
            "clap": "............7...",
            "low tom": "...5..5..5...55.",
        },
    ),
    ("hard", "machine"),
    (
        Part(RIFF, ("acid",), ("acid", "synth bass"), ("8.88.88.8.88.88.", "8888888888888888"), 36, 0.5, 0.9),
        Part(SINGLE, ("sub bass",), ("sub bass",), ("..r...r...r...r.", "..rr..rr..rr..rr"), 29, 0.42, 1.5),
        Part(
            BLOCK,
            ("stab",),
            ("stab",),
            ("......8......... ..........8.....", "...8.....8...... ...8.....8..8..."),
            57,
            0.16,
            1,
        ),
        Part(DRONE, ("air pad",), ("air pad", "wobble bass"), ("5" + "." * 31,), 48, 0.05),
    ),
    ((0, 0), (0, 3)),
    ((0, 0), (0, 0, 0, 1)),
    singer(rhythms=("....5........... ....6...........",), lowest=55, gain=0.25),
    None,
    chord_kind=OPEN,
    chord_steps=32,
    drums_gain=1.15,
    drive=0.5,
    room=0.2,
    pump=0.5,
)
DRUM_AND_BASS = Style(
    (
        {"kick": "9.........9.....", "snare": "....9.......9...", "hat": "6.5.6.5.6.5.6.5."},
        {
            "kick": "9.........9..... 9.9.......9.....",
            "snare": "....9..4.4..9... ....9..4.4..9..4",
            "ride": "6.5.6.5.6.5.6.5.",
        },
        {
            "kick": "9.9.......9..9..",
            "snare": "....9..5.5..9.55",
            "hat": "6565656565656565",
            "open hat": "..........6.....",
        },
    ),
    ("hard", "loud"),
    (
        Part(
            SINGLE,
            ("sub bass",),
            ("wobble bass", "sub bass"),
            ("r...............  ........f.......", "r.....r......... o.....f........."),
            28,
            0.6,
        ),
        Part(BLOCK, ("strings",), ("saw pad", "air pad"), ("6" + "." * 31,), 55, 0.11),
        Part(RIFF, ("electric piano",), ("synth pluck", "stab"), ("7.....7...7.....", "7..7..7...7..7.."), 62, 0.17),
    ),
    ((0, 5), (3, 0)),
    ((0, 5), (0, 6), (0, 3)),
    singer(rhythms=SONG, lowest=62, gain=0.34),
    None,
    chord_kind=SEVENTH,
    chord_steps=32,
    drums_gain=1.1,
    drive=0.3,
    room=0.24,
)
