"""Styles played on wood and strings: folk, songs, country, blues, jazz, classical.

Belongs here: their rhythms, players and progressions.
Does not: what the fields mean (styles.py).
"""

from models_ml.demo_world.sound.harmony import DOMINANT, NINTH, SEVENTH
from models_ml.demo_world.sound.styles import (
    BLOCK,
    CALM_SONG,
    MELODY,
    SINGLE,
    SONG,
    STRUM,
    WALK,
    Part,
    Style,
    singer,
)

_NONE: dict[str, str] = {}
_PICKED = ("a...c.b.d...c.b.", "a.c.b.c.d.c.b.c.", "acbdacbdacbdacbd")
_FOLK_MAJOR = ((0, 3, 0, 4), (0, 5, 3, 4), (0, 4, 3, 0))
_FOLK_MINOR = ((0, 6, 5, 6), (0, 3, 0, 6), (0, 2, 6, 0))

FOLK = Style(
    (_NONE, {"shaker": "..5...5...5...5."}, {"kick": "6...6...6...6...", "tambourine": "....5.......5..."}),
    ("wood",),
    (
        Part(SINGLE, ("steel guitar", "nylon guitar"), ("steel guitar",), _PICKED, 52, 0.4),
        Part(SINGLE, ("upright bass",), ("electric bass",), ("r.......f.......", "r...f...r...f..."), 36, 0.4, 0, 0.2),
        Part(
            STRUM,
            ("banjo", "steel guitar"),
            ("steel guitar",),
            ("....5.......5...", "5...5.5.5...5.5."),
            60,
            0.1,
            0,
            0.3,
        ),
        Part(MELODY, ("solo violin", "accordion", "flute"), ("harmonica",), CALM_SONG, 69, 0.12, 0, 0.25),
    ),
    _FOLK_MAJOR,
    _FOLK_MINOR,
    singer(rhythms=CALM_SONG, lowest=55, gain=0.5),
    Part(MELODY, ("solo violin", "flute"), ("accordion",), SONG, 67, 0.3),
    drums_gain=0.45,
    drive=0.0,
    room=0.18,
)
SINGER_SONGWRITER = Style(
    (
        _NONE,
        {"kick": "5.......5.......", "rim": "....4.......4..."},
        {"brush": "....5.......5...", "kick": "6.....4.6......."},
    ),
    ("brushes", "wood"),
    (
        Part(BLOCK, ("felt piano", "piano"), ("electric piano",), ("8.......6.......", "8...5...7...5..."), 55, 0.22),
        Part(
            SINGLE,
            ("nylon guitar", "felt piano"),
            ("clean guitar",),
            ("a...c...d...c...", "a.c.d.c.b.c.d.c."),
            57,
            0.24,
        ),
        Part(
            SINGLE, ("upright bass",), ("electric bass",), ("r...............", "r.......f......."), 33, 0.36, 0, 0.25
        ),
        Part(BLOCK, ("cello", "strings"), ("glass pad",), ("5...............",), 48, 0.07),
    ),
    ((0, 4, 5, 3), (0, 2, 3, 4), (0, 3, 0, 4)),
    ((0, 5, 2, 6), (0, 3, 5, 6)),
    singer(rhythms=CALM_SONG, lowest=57, gain=0.62),
    Part(MELODY, ("felt piano", "cello"), ("electric piano",), CALM_SONG, 67, 0.3),
    chord_kind=NINTH,
    drums_gain=0.35,
    drive=0.0,
    room=0.3,
)
COUNTRY = Style(
    (
        {"kick": "8.......8.......", "snare": "....6.......6...", "hat": "4.4.4.4.4.4.4.4."},
        {"kick": "8.......8.......", "brush": "..5...5...5...5.", "snare": "....7.......7..."},
        {"kick": "8.......8.....6.", "snare": "..5.7.5...5.7.5.", "hat": "5.5.5.5.5.5.5.5."},
    ),
    ("wood", "brushes"),
    (
        Part(SINGLE, ("upright bass",), ("electric bass",), ("r.......f.......", "r...f...r...f..."), 33, 0.5, 5),
        Part(
            STRUM,
            ("steel guitar",),
            ("steel guitar", "clean guitar"),
            ("....8..5....8..5", "..7.8.7...7.8.7."),
            55,
            0.2,
        ),
        Part(
            SINGLE,
            ("banjo", "twang guitar"),
            ("twang guitar",),
            ("acbdacbdacbdacbd", "adcbadcbacbdadcb"),
            62,
            0.18,
            0,
            0.35,
        ),
        Part(MELODY, ("solo violin", "harmonica"), ("twang guitar",), CALM_SONG, 69, 0.12),
    ),
    ((0, 3, 4, 0), (0, 0, 3, 4), (0, 3, 0, 4)),
    ((0, 6, 0, 4), (0, 5, 6, 0)),
    singer(lowest=55, gain=0.5),
    Part(MELODY, ("solo violin",), ("twang guitar",), SONG, 67, 0.3),
    drums_gain=0.6,
    drive=0.05,
    room=0.15,
)
BLUES = Style(
    (
        {"kick": "8.......8.......", "brush": "....7.......7...", "ride": "6...6.4.6...6.4."},
        {"kick": "9.......9.....5.", "snare": "....8.......8...", "hat": "7.5.7.5.7.5.7.5."},
    ),
    ("wood", "brushes"),
    (
        Part(SINGLE, ("upright bass",), ("electric bass",), ("r...t...f...s...", "r.r.t.t.f.f.s.s."), 31, 0.5),
        Part(
            BLOCK,
            ("piano", "harmonica"),
            ("organ", "clean guitar"),
            ("......7.......7.", "7.....7...7....."),
            57,
            0.14,
            2,
        ),
        Part(STRUM, ("steel guitar",), ("crunch chord", "clean guitar"), ("7.7.7.7.7.7.7.7.",), 50, 0.12, 1.5),
        Part(MELODY, ("harmonica",), ("lead guitar",), ("......6.6.5..... ..........6.5...",), 64, 0.14),
    ),
    ((0, 3, 0, 4), (0, 0, 3, 0), (0, 3, 4, 0)),
    ((0, 3, 0, 4), (0, 0, 3, 0)),
    singer(rhythms=CALM_SONG, lowest=50, gain=0.5),
    Part(MELODY, ("harmonica",), ("lead guitar",), SONG, 62, 0.28),
    chord_kind=DOMINANT,
    swing=0.66,
    drums_gain=0.6,
    drive=0.2,
    room=0.16,
)
JAZZ = Style(
    (
        {"ride": "7...7.5.7...7.5.", "brush": "....5.......5..."},
        {
            "ride": "7...7.5.7...7.5.",
            "hat": "....6.......6...",
            "kick": "4...4...4...4...",
            "snare": "......3.......4.",
        },
        {
            "ride": "8...8.6.8...8.6.",
            "hat": "....6.......6...",
            "snare": "..4...5...4..6..",
            "kick": "6.....5.......5.",
        },
    ),
    ("brushes", "wood"),
    (
        Part(WALK, ("upright bass",), ("upright bass", "electric bass"), ("9...9...9...9...",), 33, 0.55),
        Part(BLOCK, ("piano", "vibraphone"), ("electric piano",), ("7.....7.........", "......7...7....."), 55, 0.2, 3),
        Part(MELODY, ("trumpet", "saxophone", "piano"), ("vibraphone",), SONG, 62, 0.22),
    ),
    ((0, 5, 1, 4), (1, 4, 0, 0), (0, 3, 2, 5)),
    ((0, 1, 4, 0), (0, 3, 1, 4), (0, 5, 1, 4)),
    singer(lowest=57, gain=0.46),
    Part(
        MELODY,
        ("saxophone", "trumpet", "vibraphone"),
        ("saxophone", "electric piano"),
        ("5.6.5.6.5...6... ..5.6.5.6.7.5...", "..5.6.6.5.4..... 6.6.5.6.7...5..."),
        64,
        0.34,
    ),
    chord_kind=SEVENTH,
    swing=0.65,
    drums_gain=0.5,
    drive=0.0,
    room=0.2,
)
CLASSICAL = Style(
    (_NONE,),
    ("brushes",),
    (
        Part(
            SINGLE, ("piano", "harp"), ("piano",), ("a...c...b...c...", "a.c.b.c.a.c.b.c.", "acbcacbcacbcacbc"), 52, 0.3
        ),
        Part(BLOCK, ("strings",), ("strings",), ("6...............", "6.......6......."), 55, 0.14),
        Part(SINGLE, ("cello",), ("cello",), ("r...............", "r.......f......."), 36, 0.24),
    ),
    ((0, 4, 5, 2), (0, 3, 4, 0), (0, 5, 1, 4)),
    ((0, 3, 4, 0), (0, 5, 3, 4), (0, 6, 5, 4)),
    singer(rhythms=CALM_SONG, lowest=62, gain=0.4),
    Part(
        MELODY,
        ("solo violin", "flute", "piano"),
        ("solo violin",),
        ("5.......6...5... 4.......5.......", "5...6.5.4...5... 6.5.4.5.4.......", "5.5.6.5.4.5.6.7. 6...5...4......."),
        67,
        0.34,
    ),
    drums_gain=0.0,
    drive=0.0,
    room=0.45,
)
