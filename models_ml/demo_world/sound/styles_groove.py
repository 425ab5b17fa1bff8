"""Styles that live on their groove: soul, r&b, funk, hip hop, reggae, latin, afrobeat.

Belongs here: their rhythms, players and progressions.
Does not: what the fields mean (styles.py).
"""

from models_ml.demo_world.sound.harmony import DOMINANT, NINTH, SEVENTH
from models_ml.demo_world.sound.styles import (
    BLOCK,
    CALM_SONG,
    MELODY,
    RIFF,
    SINGLE,
    SONG,
    SPEECH,
    SPOKEN_SONG,
    STRUM,
    Part,
    Style,
    singer,
)

SOUL = Style(
    (
        {
            "kick": "8......58.......",
            "snare": "....7.......7...",
            "hat": "5.4.5.4.5.4.5.4.",
            "tambourine": "....4.......4...",
        },
        {
            "kick": "9.....7..7......",
            "snare": "....8..3....8...",
            "hat": "6.5.6.5.6.5.6.5.",
            "tambourine": "....6.......6...",
        },
    ),
    ("wood",),
    (
        Part(SINGLE, ("electric bass",), ("electric bass",), ("r..r..t.f...s...", "r.rt.f..r.o.s.f."), 31, 0.52),
        Part(
            BLOCK, ("piano", "organ"), ("electric piano", "organ"), ("7.......5.....6.", "7..7....7.....7."), 55, 0.17
        ),
        Part(
            BLOCK,
            ("brass",),
            ("brass",),
            ("..........8..8.. ................", "8.....8......... ......8.8......."),
            60,
            0.13,
            2,
        ),
        Part(STRUM, ("clean guitar",), ("clean guitar",), ("....7.......7...",), 62, 0.16, 1),
    ),
    ((0, 3, 1, 4), (0, 2, 3, 4), (0, 5, 1, 4)),
    ((0, 3, 5, 4), (0, 6, 5, 4)),
    singer(lowest=57, gain=0.55),
    Part(MELODY, ("saxophone",), ("organ",), SONG, 62, 0.28),
    chord_kind=SEVENTH,
    swing=0.56,
    swing_sixteenths=True,
    drums_gain=0.65,
    drive=0.1,
    room=0.22,
)
R_AND_B = Style(
    (
        {"kick": "9......6..7.....", "clap": "....7.......7...", "hat": "4.4.4.444.4.4.4."},
        {"kick": "9..7......7..7..", "clap": "....8.......8...", "hat": "545454545.555454", "rim": ".......5......5."},
    ),
    ("deep", "machine"),
    (
        Part(SINGLE, ("electric bass",), ("sub bass", "long bass"), ("r......r..r.....", "r..r......f..o.."), 29, 0.75),
        Part(
            BLOCK,
            ("electric piano",),
            ("electric piano", "bell piano"),
            ("7.......5.......", "7.....6...5....."),
            55,
            0.22,
        ),
        Part(BLOCK, ("choir",), ("air pad", "choir"), ("5...............",), 60, 0.07),
        Part(
            SINGLE, ("nylon guitar",), ("bell piano", "synth pluck"), ("d...c..b....a...", "..d.c..b..c.d..."), 67, 0.1
        ),
    ),
    ((0, 2, 1, 4), (0, 2, 3, 4), (0, 5, 1, 4)),
    ((0, 6, 5, 4), (0, 3, 5, 6), (0, 3, 0, 4)),
    singer(rhythms=(*SONG, *CALM_SONG), lowest=60, gain=0.55),
    Part(MELODY, ("electric piano",), ("square lead",), CALM_SONG, 67, 0.24),
    chord_kind=NINTH,
    swing=0.58,
    swing_sixteenths=True,
    drums_gain=0.75,
    drive=0.1,
    room=0.28,
)
FUNK = Style(
    (
        {"kick": "9..7......7..7..", "snare": "....9..3.3..9...", "hat": "6565656565656565"},
        {
            "kick": "9..7..7...7..7..",
            "snare": "....9..4.4.39..4",
            "hat": "757575.575757575",
            "open hat": "......6.........",
            "cowbell": "5...5...5...5...",
        },
    ),
    ("wood", "loud"),
    (
        Part(
            SINGLE, ("slap bass",), ("slap bass", "synth bass"), ("r..r..o...s.r.o.", "r.or.so.r.o.fso."), 31, 0.62, 1.2
        ),
        Part(
            STRUM,
            ("muted guitar",),
            ("muted guitar", "clean guitar"),
            ("..8.88.8..8.88.8", "88.88.88.88.8.88"),
            62,
            0.3,
            0.9,
        ),
        Part(BLOCK, ("clavinet",), ("clavinet",), ("8..8.8..8..8..8.", "8.88..8.8.88.88."), 55, 0.13, 1),
        Part(
            BLOCK,
            ("brass",),
            ("brass",),
            ("9..9............ ..........9.9...", "..9...9.9....... 9..9..9........."),
            62,
            0.2,
            1.2,
        ),
    ),
    ((0, 0, 3, 0), (0, 0, 0, 3)),
    ((0, 0, 3, 0), (0, 0, 0, 3)),
    singer(lowest=60, gain=0.42),
    Part(MELODY, ("saxophone", "trumpet"), ("clavinet",), SONG, 64, 0.24),
    chord_kind=DOMINANT,
    swing=0.54,
    swing_sixteenths=True,
    drums_gain=0.8,
    drive=0.2,
    room=0.08,
)
HIP_HOP = Style(
    (
        {"kick": "9.....7...9.....", "snare": "....9.......9...", "hat": "6.4.6.4.6.4.6.4."},
        {"kick": "9..9......9..7..", "snare": "....9.......9...", "hat": "6.646.4464.46.46"},
        {
            "kick": "9.......7..9....",
            "clap": "........9.......",
            "hat": "6.6.6.666.6.6666",
            "open hat": "..............5.",
        },
    ),
    ("deep", "machine", "wood"),
    (
        Part(SINGLE, ("upright bass",), ("sub bass", "long bass"), ("r.....r...r.....", "r..r......r..f.."), 28, 0.85),
        Part(
            RIFF, ("piano", "harp"), ("bell piano", "electric piano"), ("7..7...7..7.....", "7...7..7....7..."), 62, 0.2
        ),
        Part(BLOCK, ("strings",), ("saw pad", "choir"), ("6...............",), 55, 0.06),
    ),
    ((0, 0, 5, 5), (0, 3, 0, 3)),
    ((0, 0, 5, 5), (0, 0, 3, 4), (0, 6, 5, 5)),
    singer(SPEECH, SPOKEN_SONG, lowest=47, gain=0.62),
    Part(RIFF, ("trumpet",), ("synth pluck", "vibraphone"), ("6..6..6...6.....",), 67, 0.2),
    swing=0.58,
    swing_sixteenths=True,
    drums_gain=1.0,
    drive=0.3,
    room=0.1,
)
REGGAE = Style(
    (
        {"kick": "........9.......", "rim": "........8.......", "hat": "5.6.5.6.5.6.5.6."},
        {
            "kick": "........9.......",
            "snare": "........7.......",
            "hat": "6.656.656.656.65",
            "bongo": "...4..4....4..4.",
        },
        {"kick": "8...8...8...8...", "rim": "........8..5..5.", "hat": "5.6.5.6.5.6.5.6."},
    ),
    ("wood",),
    (
        Part(
            BLOCK,
            ("piano", "organ"),
            ("organ", "clean guitar"),
            ("....8.......8...", "....8.5.....8.5."),
            58,
            0.24,
            1.2,
        ),
        Part(STRUM, ("muted guitar",), ("muted guitar",), ("....9.......9...",), 62, 0.32, 1),
        Part(
            SINGLE,
            ("electric bass",),
            ("electric bass", "sub bass"),
            ("r..r..f...t.r...", "..r.r.f...s.f.t."),
            28,
            0.85,
        ),
        Part(BLOCK, ("organ",), ("organ",), ("..4.4.4...4.4.4.",), 52, 0.07, 1),
    ),
    ((0, 3, 0, 3), (0, 3, 4, 3), (0, 4, 3, 4)),
    ((0, 3, 0, 3), (0, 6, 0, 6)),
    singer(lowest=57, gain=0.45),
    Part(MELODY, ("trumpet", "harmonica"), ("organ",), CALM_SONG, 64, 0.24),
    swing=0.57,
    swing_sixteenths=True,
    drums_gain=0.7,
    drive=0.05,
    room=0.34,
)
LATIN = Style(
    (
        {
            "clave": "9..9..9...9.9...",
            "low conga": "......7.7.....7.",
            "high conga": "4.7.4...4.7.4...",
            "shaker": "5.4.5.4.5.4.5.4.",
        },
        {
            "kick": "9...9...9...9...",
            "snare": "...8..8....8..8.",
            "shaker": "5454545454545454",
            "bongo": "..4...4...4...4.",
        },
        {
            "kick": "9..6..6.9..6..6.",
            "cowbell": "7...7.5.7...7.5.",
            "clave": "9..9..9...9.9...",
            "high conga": "..7.77....7.77..",
            "low conga": "......8.8.....8.",
        },
    ),
    ("wood", "machine"),
    (
        Part(
            BLOCK, ("piano", "nylon guitar"), ("piano", "stab"), ("8.7.77.77.7.77.7", "8..8.8.8.8.8.88."), 60, 0.2, 1.5
        ),
        Part(
            SINGLE,
            ("upright bass",),
            ("synth bass", "electric bass"),
            ("......f.....o...", "r..f..o...f.r..."),
            33,
            0.6,
        ),
        Part(
            BLOCK,
            ("brass", "accordion"),
            ("brass",),
            ("..........8.8... 8...............", "8..8..8......... ........8..8...."),
            62,
            0.18,
            2,
        ),
        Part(STRUM, ("nylon guitar",), ("nylon guitar",), ("7..7..7...7..7..",), 55, 0.14),
    ),
    ((0, 3, 4, 3), (0, 4, 3, 4), (0, 5, 3, 4)),
    ((0, 3, 4, 0), (0, 5, 6, 4), (0, 6, 5, 4)),
    singer(lowest=57, gain=0.48),
    Part(MELODY, ("trumpet", "flute"), ("trumpet",), SONG, 64, 0.28),
    drums_gain=0.75,
    drive=0.08,
    room=0.16,
)
AFROBEAT = Style(
    (
        {
            "kick": "9.....7...7.....",
            "rim": "...7..7.....7...",
            "shaker": "6.456.456.456.45",
            "high conga": "..6...66..6...66",
        },
        {
            "kick": "9..7......7.7...",
            "snare": "...5..8....5..8.",
            "hat": "6.656.656.656.65",
            "agogo": "7..7..7.7..7..7.",
            "low conga": "......7.......77",
        },
    ),
    ("wood",),
    (
        Part(
            RIFF,
            ("muted guitar", "kalimba"),
            ("clean guitar", "muted guitar"),
            ("8.88.8.88.88.8..", "8.8.88.88.8.88.8"),
            64,
            0.3,
            1,
        ),
        Part(
            RIFF, ("clean guitar", "marimba"), ("clean guitar",), ("..7..7.7...7..7.", ".7.7..7..7.7..7."), 57, 0.22, 1
        ),
        Part(SINGLE, ("electric bass",), ("electric bass",), ("r..r.f..r.s.f...", "r.r..f.o..s.f.r."), 31, 0.58),
        Part(
            BLOCK,
            ("brass",),
            ("brass",),
            ("................ 8..8..8.8.......", "8.8...8......... ....8.8..8......"),
            60,
            0.22,
            1.6,
        ),
        Part(BLOCK, ("organ",), ("organ", "electric piano"), ("..6...6...6...6.",), 57, 0.08, 1),
    ),
    ((0, 0, 3, 3), (0, 4, 0, 4)),
    ((0, 0, 3, 3), (0, 6, 0, 6)),
    singer(lowest=55, gain=0.42),
    Part(MELODY, ("saxophone",), ("saxophone", "organ"), SONG, 60, 0.3),
    chord_kind=SEVENTH,
    drums_gain=0.75,
    drive=0.12,
    room=0.14,
)
