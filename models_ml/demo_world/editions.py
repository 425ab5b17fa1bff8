"""Other editions of a recording: remasters, deluxe albums, singles.

Belongs here: adding them to the tracks, and what tells that they are the same recording.
Does not: the recordings themselves (catalogue.py).
"""

import dataclasses

import numpy as np

from models_ml.demo_world.catalogue import Artists, Catalogue, Tracks, draw_base
from models_ml.demo_world.draws import Ints, Objects, Random, choose, generator
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.patterns import ALBUM_SUFFIXES, EDITIONS
from models_ml.demo_world.size import DAY_MS, WorldSize, days_since_epoch

# Kinds of editions; 0 is the original.
SAME_ISRC, SAME_RECORDING_ID, SAME_TITLE = 1, 2, 3
# Lengths of the same recording differ by a fade or a gap; the contract takes 3 s as the most.
LENGTH_DIFFERENCE_MS = 2_000
# An edition is played less than the original, and released some years later.
_WEIGHT = 0.35
_YEARS_LATER = 12


def draw_catalogue(seed: int, size: WorldSize, params: WorldParams) -> Catalogue:
    """The whole catalogue of a world."""
    space, artists, tracks = draw_base(seed, size, params)
    tracks = _with_editions(seed, tracks, artists, size)
    random = generator(seed, "ids")
    return Catalogue(
        space=space,
        artists=artists,
        tracks=tracks,
        artist_number=random.permutation(len(artists.genre)) + 1,
        track_number=random.permutation(len(tracks)) + 1,
    )


def _with_editions(seed: int, tracks: Tracks, artists: Artists, size: WorldSize) -> Tracks:
    """Tracks and editions together, sorted by artist, album and number again."""
    missing = size.track_count - len(tracks)
    random = generator(seed, "editions")
    editions = _editions(random, tracks, artists, missing, size)
    columns = {
        field.name: np.concatenate([getattr(tracks, field.name), getattr(editions, field.name)])
        for field in dataclasses.fields(Tracks)
    }
    order = np.lexsort((columns["number"], columns["album"], columns["artist"]))
    moved = np.empty(len(order), dtype=np.int64)
    moved[order] = np.arange(len(order))
    sorted_columns = {name: column[order] for name, column in columns.items()}
    sorted_columns["original"] = moved[sorted_columns["original"]]
    return Tracks(**sorted_columns)


def _editions(random: Random, tracks: Tracks, artists: Artists, count: int, size: WorldSize) -> Tracks:
    """`count` editions of different tracks, the popular ones first of all."""
    latest = days_since_epoch(size.first_day)
    eligible = np.flatnonzero(tracks.released_day < latest - 400)
    # Weighted choice without repetition: the largest of u ** (1 / weight), Efraimidis and Spirakis (2006).
    popularity = (tracks.weight * artists.popularity[tracks.artist])[eligible]
    keys = np.log(random.random(len(eligible))) / popularity
    original = np.sort(eligible[np.argsort(-keys, kind="stable")[:count]])
    count = len(original)
    room = (latest - tracks.released_day[original]).astype(np.float64)
    later = np.minimum(random.random(count) * _YEARS_LATER * 365 + 180, room)
    released = tracks.released_day[original] + later.astype(np.int64)
    base = {field.name: getattr(tracks, field.name)[original] for field in dataclasses.fields(Tracks)}
    shift = random.integers(-LENGTH_DIFFERENCE_MS, LENGTH_DIFFERENCE_MS + 1, count)
    return Tracks(
        **{
            **base,
            "album": tracks.album.max() + 1 + tracks.album[original],
            "album_title": _suffixed(random, base["album_title"]),
            "title": _edition_titles(random, base["title"], released),
            "weight": base["weight"] * _WEIGHT,
            "duration_ms": base["duration_ms"] + shift,
            "released_day": released,
            "available_ms": np.zeros(count, dtype=np.int64),
            "playable_ms": released * DAY_MS,
            "original": original,
            "edition_kind": choose(random, np.array([3, 2, 2]), count) + 1,
        }
    )


def _edition_titles(random: Random, titles: Objects, released_day: Ints) -> Objects:
    years = released_day.astype("datetime64[D]").astype("datetime64[Y]").astype(str).astype(object)
    which = random.integers(0, len(EDITIONS), len(titles))
    named = titles.copy()
    for place, pattern in enumerate(EDITIONS):
        rows = np.flatnonzero(which == place)
        before, after = pattern.removeprefix("{title}").partition("{year}")[::2]
        year = years[rows] if "{year}" in pattern else ""
        named[rows] = titles[rows] + before + year + after
    return named


def _suffixed(random: Random, album_titles: Objects) -> Objects:
    suffixes = np.array([f" {suffix}" for suffix in ALBUM_SUFFIXES], dtype=object)
    suffixed: Objects = album_titles + suffixes[random.integers(0, len(suffixes), len(album_titles))]
    return suffixed
