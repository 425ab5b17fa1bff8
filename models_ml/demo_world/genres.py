"""Genres, moods, markets and languages: the fixed facts of the demo world.

Belongs here: small tables of facts, and the arrays made of them.
Does not: words for names and titles (vocabulary.py), anything drawn at random.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Floats, Ints


@dataclass(frozen=True)
class Genre:
    """A kind of music.

    neighbours: genres that its listeners also care for.  weight: share of the audience, relative.
    energy, darkness, acoustic: 0 to 1.  flavour: how its artists and tracks are named.
    sung: share of tracks with words.
    """

    name: str
    neighbours: tuple[str, ...]
    weight: float
    energy: float
    darkness: float
    acoustic: float
    tempo_bpm: int
    duration_seconds: int
    explicit_share: float
    flavour: str
    sung: float = 1.0


GENRES = (
    Genre("pop", ("indie pop", "r&b", "electronic"), 10, 0.65, 0.25, 0.25, 116, 200, 0.12, "pop"),
    Genre("indie pop", ("pop", "indie rock", "singer-songwriter"), 5, 0.5, 0.35, 0.4, 118, 215, 0.05, "indie"),
    Genre("rock", ("indie rock", "metal", "blues", "punk"), 8, 0.75, 0.45, 0.25, 124, 240, 0.06, "rock"),
    Genre("indie rock", ("rock", "indie pop", "punk"), 6, 0.65, 0.5, 0.3, 126, 225, 0.06, "indie"),
    Genre("punk", ("rock", "indie rock", "metal"), 3, 0.95, 0.5, 0.1, 168, 145, 0.2, "rock"),
    Genre("metal", ("rock", "punk"), 4, 0.95, 0.9, 0.05, 140, 290, 0.15, "metal"),
    Genre("folk", ("singer-songwriter", "country"), 3, 0.3, 0.35, 0.9, 102, 220, 0.01, "folk"),
    Genre("singer-songwriter", ("folk", "indie pop", "country"), 4, 0.3, 0.45, 0.8, 104, 225, 0.03, "folk"),
    Genre("country", ("folk", "singer-songwriter", "blues"), 4, 0.5, 0.3, 0.7, 112, 205, 0.02, "country"),
    Genre("blues", ("rock", "soul", "country"), 2, 0.45, 0.55, 0.6, 96, 250, 0.02, "blues"),
    Genre("soul", ("r&b", "funk", "blues", "jazz"), 4, 0.5, 0.3, 0.5, 98, 225, 0.02, "soul"),
    Genre("r&b", ("soul", "hip hop", "pop"), 6, 0.5, 0.4, 0.3, 94, 210, 0.25, "soul"),
    Genre("funk", ("soul", "jazz", "afrobeat"), 2, 0.8, 0.15, 0.3, 110, 245, 0.03, "soul", 0.8),
    Genre("hip hop", ("r&b", "electronic", "reggae"), 9, 0.7, 0.55, 0.1, 92, 190, 0.6, "hip hop"),
    Genre("jazz", ("soul", "funk", "classical"), 3, 0.35, 0.35, 0.85, 118, 330, 0.0, "jazz", 0.15),
    Genre("classical", ("ambient", "jazz"), 3, 0.2, 0.4, 0.95, 90, 300, 0.0, "classical", 0.05),
    Genre("ambient", ("classical", "electronic"), 2, 0.1, 0.5, 0.4, 76, 320, 0.0, "ambient", 0.05),
    Genre("electronic", ("house", "techno", "ambient"), 6, 0.7, 0.45, 0.05, 120, 250, 0.02, "electronic", 0.4),
    Genre("house", ("techno", "electronic", "funk"), 4, 0.8, 0.25, 0.05, 124, 330, 0.02, "electronic", 0.4),
    Genre("techno", ("house", "electronic", "drum and bass"), 3, 0.9, 0.75, 0.02, 132, 370, 0.0, "techno", 0.05),
    Genre(
        "drum and bass",
        ("techno", "electronic", "hip hop"),
        2,
        0.95,
        0.6,
        0.02,
        174,
        290,
        0.03,
        "techno",
        0.25,
    ),
    Genre("reggae", ("hip hop", "afrobeat", "soul"), 2, 0.45, 0.15, 0.4, 78, 235, 0.04, "reggae"),
    Genre("latin", ("pop", "reggae", "afrobeat"), 5, 0.75, 0.2, 0.3, 100, 205, 0.08, "latin"),
    Genre("afrobeat", ("funk", "latin", "reggae"), 2, 0.75, 0.15, 0.3, 106, 255, 0.02, "afrobeat"),
)
GENRE_COUNT = len(GENRES)
GENRE_NAMES = np.array([genre.name for genre in GENRES], dtype=object)
# Columns of the sound of a genre: what every track's sound is made from.
SOUND_NAMES = ("energy", "darkness", "acoustic")


def genre_sound() -> Floats:
    """(genres, 3) energy, darkness and acousticness."""
    return np.array([[genre.energy, genre.darkness, genre.acoustic] for genre in GENRES])


def neighbour_table() -> tuple[Ints, Ints]:
    """(genres, most) positions of each genre's neighbours, filled up with itself; (genres,) how many."""
    position = {genre.name: place for place, genre in enumerate(GENRES)}
    counts = np.array([len(genre.neighbours) for genre in GENRES])
    table = np.repeat(np.arange(GENRE_COUNT)[:, None], int(counts.max()), axis=1)
    for place, genre in enumerate(GENRES):
        table[place, : len(genre.neighbours)] = [position[name] for name in genre.neighbours]
    return table, counts


@dataclass(frozen=True)
class Mood:
    """A mood or moment that playlists are made for; energy, darkness, acoustic: 0 to 1, where it lies."""

    words: tuple[str, ...]
    energy: float
    darkness: float
    acoustic: float
    emoji: str


MOODS = (
    Mood(("rainy", "rainy day", "grey sky"), 0.25, 0.65, 0.65, "🌧️"),
    Mood(("gym", "workout", "heavy lifting"), 0.95, 0.6, 0.05, "💪"),
    Mood(("late night", "after midnight", "3 am"), 0.4, 0.75, 0.2, "🌙"),
    Mood(("sunny", "summer", "beach"), 0.7, 0.05, 0.4, "☀️"),
    Mood(("focus", "study", "deep work"), 0.25, 0.4, 0.5, "📚"),
    Mood(("road trip", "driving", "highway"), 0.7, 0.35, 0.3, "🚗"),
    Mood(("sad", "heartbreak", "crying"), 0.2, 0.8, 0.7, "💔"),
    Mood(("party", "friday night", "dancing"), 0.9, 0.15, 0.05, "🎉"),
    Mood(("sunday morning", "coffee", "slow"), 0.25, 0.15, 0.85, "☕"),
    Mood(("running", "10k", "sprint"), 0.9, 0.35, 0.05, "🏃"),
    Mood(("dinner", "cooking", "kitchen"), 0.45, 0.15, 0.6, "🍝"),
    Mood(("sleep", "quiet", "lullaby"), 0.05, 0.3, 0.8, "😴"),
    Mood(("angry", "rage", "loud"), 0.95, 0.95, 0.05, "🔥"),
    Mood(("autumn", "melancholy", "foggy"), 0.3, 0.6, 0.8, "🍂"),
)


def mood_sound() -> Floats:
    """(moods, 3) where each mood lies in energy, darkness and acousticness."""
    return np.array([[mood.energy, mood.darkness, mood.acoustic] for mood in MOODS])


@dataclass(frozen=True)
class Market:
    """A country with listeners.

    weight: share of listeners, relative.  artist_weight: share of artists.  language: of its own songs.
    zones: time zones with their weights.
    """

    code: str
    weight: float
    artist_weight: float
    language: str
    zones: tuple[tuple[str, float], ...]


MARKETS = (
    Market("US", 30, 34, "en", (("America/New_York", 5), ("America/Chicago", 3), ("America/Los_Angeles", 2))),
    Market("GB", 14, 18, "en", (("Europe/London", 1),)),
    Market("DE", 13, 9, "de", (("Europe/Berlin", 1),)),
    Market("FR", 9, 8, "fr", (("Europe/Paris", 1),)),
    Market("BR", 12, 9, "pt", (("America/Sao_Paulo", 1),)),
    Market("MX", 9, 8, "es", (("America/Mexico_City", 1),)),
    Market("SE", 5, 6, "sv", (("Europe/Stockholm", 1),)),
    Market("JP", 8, 8, "ja", (("Asia/Tokyo", 1),)),
)
MARKET_CODES = np.array([market.code for market in MARKETS], dtype=object)

# Offset from UTC in hours and whose daylight saving applies. Kept here rather than looked up, so that a world
# doesn't depend on the time zone database of the machine that makes it.
_ZONES = {
    "America/New_York": (-5, "us"),
    "America/Chicago": (-6, "us"),
    "America/Los_Angeles": (-8, "us"),
    "Europe/London": (0, "eu"),
    "Europe/Berlin": (1, "eu"),
    "Europe/Paris": (1, "eu"),
    "America/Sao_Paulo": (-3, ""),
    "America/Mexico_City": (-6, ""),
    "Europe/Stockholm": (1, "eu"),
    "Asia/Tokyo": (9, ""),
}
ZONE_NAMES = np.array(list(_ZONES), dtype=object)


def zone_chances() -> Floats:
    """(markets, zones) chance of each time zone among the listeners of a market."""
    chances = np.zeros((len(MARKETS), len(_ZONES)))
    position = {name: place for place, name in enumerate(_ZONES)}
    for place, market in enumerate(MARKETS):
        for name, weight in market.zones:
            chances[place, position[name]] = weight
    shares: Floats = chances / chances.sum(axis=1, keepdims=True)
    return shares


def zone_offsets_ms(first_day: dt.date, days: int) -> Ints:
    """(zones, days) local time minus UTC on each day; changes of the clock take effect at midnight."""
    dates = [first_day + dt.timedelta(days=day) for day in range(days)]
    summer = {rule: np.array([_is_summer(rule, date) for date in dates], dtype=np.int64) for rule in ("us", "eu", "")}
    return np.stack([(hours + summer[rule]) * 3_600_000 for hours, rule in _ZONES.values()])


def _is_summer(rule: str, day: dt.date) -> bool:
    if rule == "eu":  # last Sunday of March to last Sunday of October
        return _sunday_until(dt.date(day.year, 3, 31)) <= day < _sunday_until(dt.date(day.year, 10, 31))
    if rule == "us":  # second Sunday of March to first Sunday of November
        return _sunday_until(dt.date(day.year, 3, 14)) <= day < _sunday_until(dt.date(day.year, 11, 7))
    return False


def _sunday_until(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=(day.weekday() + 1) % 7)
