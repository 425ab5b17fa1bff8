"""What playlists are called and what is written about them.

Belongs here: words for genres, patterns of titles and descriptions.
Does not: which tracks are in a playlist (playlists.py), reviews (documents.py).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.demo_world.catalogue_tables import texts
from models_ml.demo_world.draws import Ints, Objects, Random
from models_ml.demo_world.genres import GENRE_COUNT, MOODS

# In the order of genres.GENRES: what people write for it.
GENRE_WORDS: tuple[tuple[str, ...], ...] = (
    ("pop", "pop hits", "bangers"),
    ("indie pop", "bedroom pop", "dream pop"),
    ("rock", "classic rock", "guitar"),
    ("indie rock", "indie", "alternative"),
    ("punk", "pop punk", "hardcore"),
    ("metal", "doom", "thrash"),
    ("folk", "acoustic folk", "campfire"),
    ("singer-songwriter", "songwriters", "acoustic"),
    ("country", "honky tonk", "americana"),
    ("blues", "slide guitar", "delta blues"),
    ("soul", "northern soul", "motown"),
    ("r&b", "neo soul", "slow jams"),
    ("funk", "groove", "disco funk"),
    ("hip hop", "rap", "boom bap"),
    ("jazz", "bebop", "cool jazz"),
    ("classical", "piano", "strings"),
    ("ambient", "drone", "soundscapes"),
    ("electronic", "synth", "electro"),
    ("house", "deep house", "disco house"),
    ("techno", "warehouse techno", "acid"),
    ("drum and bass", "dnb", "jungle"),
    ("reggae", "dub", "dancehall"),
    ("latin", "reggaeton", "salsa"),
    ("afrobeat", "afrobeats", "highlife"),
)
_PATTERNS = (
    "{mood} {genre}",
    "{mood} {genre} {emoji}",
    "{genre} for {mood}",
    "{genre}",
    "my {genre}",
    "{mood} {emoji}",
    "best of {genre}",
    "{genre} {year}",
    "{mood} mix ({genre})",
)
_DESCRIPTIONS = (
    "all the {genre} I keep coming back to",
    "{genre} only",
    "mostly {genre}, some surprises",
    "everything {genre}, old and new",
)


def playlist_titles(random: Random, genre: Ints, mood: Ints, carries: float) -> Objects:
    """(playlists,) titles whose words fit genre and mood for a share `carries` of them."""
    count = len(genre)
    honest = random.random(count) < carries
    genre = np.where(honest, genre, random.integers(0, GENRE_COUNT, count))
    mood = np.where(honest, mood, random.integers(0, len(MOODS), count))
    parts = {
        "{genre}": _genre_words(random, genre),
        "{mood}": _mood_words(random, mood),
        "{emoji}": np.array([entry.emoji for entry in MOODS], dtype=object)[mood],
        "{year}": np.array([str(year) for year in range(2010, 2027)], dtype=object)[random.integers(0, 17, count)],
    }
    titles = _filled(random, _PATTERNS, parts, count)
    shout = random.random(count) < 0.15
    titles[shout] = pc.utf8_title(texts(titles[shout])).to_numpy(zero_copy_only=False)
    return titles


def descriptions(random: Random, genre: Ints, carries: float, share: float) -> pa.Array:
    """(playlists,) a line about some of them, null for the others."""
    count = len(genre)
    honest = random.random(count) < carries
    told = np.where(honest, genre, random.integers(0, GENRE_COUNT, count))
    lines = _filled(random, _DESCRIPTIONS, {"{genre}": _genre_words(random, told)}, count)
    return texts(lines, random.random(count) < share)


def _genre_words(random: Random, genre: Ints) -> Objects:
    table = np.array(GENRE_WORDS, dtype=object)
    words: Objects = table[genre, np.minimum(random.geometric(0.55, len(genre)) - 1, table.shape[1] - 1)]
    return words


def _mood_words(random: Random, mood: Ints) -> Objects:
    table = np.array([entry.words for entry in MOODS], dtype=object)
    return table[mood, random.integers(0, table.shape[1], len(mood))]


def _filled(random: Random, patterns: tuple[str, ...], parts: dict[str, Objects], count: int) -> Objects:
    """A pattern for each row, its slots replaced by the row's parts."""
    which = random.integers(0, len(patterns), count)
    lines = np.empty(count, dtype=object)
    for place, pattern in enumerate(patterns):
        rows = np.flatnonzero(which == place)
        line = np.full(len(rows), "", dtype=object)
        rest = pattern
        while "{" in rest:
            before, slot = rest[: rest.index("{")], rest[rest.index("{") : rest.index("}") + 1]
            line = line + before + parts[slot][rows]
            rest = rest[rest.index("}") + 1 :]
        lines[rows] = line + rest
    return lines
