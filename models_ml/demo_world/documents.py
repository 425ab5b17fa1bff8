"""Short reviews that name an artist and a title.

Belongs here: which tracks are written about, and what is said.
Does not: playlist titles (playlist_words.py).
"""

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.catalogue_tables import CatalogueIds, lists, moments, nearest_mood, texts
from models_ml.demo_world.draws import Floats, Objects, Random, choose, generator
from models_ml.demo_world.genres import MOODS
from models_ml.demo_world.ids import joined, numbered
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.playlist_words import GENRE_WORDS
from models_ml.demo_world.size import DAY_MS, WorldSize

_OPENINGS = (
    "On ",
    "With ",
    "You can hear it from the first bar of ",
    "It took me three plays to get ",
    "Everything turns on ",
)
_CLOSINGS = (
    " A record to come back to.",
    " Not for everyone, and better for it.",
    " The second half drags a little.",
    " The best thing they have done so far.",
    "",
)
_LOUD = ("is loud, fast and all elbows", "never sits still", "goes straight for the chest")
_CALM = ("takes its time", "barely raises its voice", "leaves room between the notes")
_DARK = ("and the mood is bleak", "under a heavy sky", "with a shadow over every chorus")
_LIGHT = ("and it is full of light", "with a grin", "as warm as an open window")
# Reviews look back this far.
_ARCHIVE_DAYS = 900


def document_table(
    seed: int, catalogue: Catalogue, ids: CatalogueIds, size: WorldSize, params: WorldParams
) -> pa.Table:
    """One row per review, sorted by document_id: `documents`. track_ids is given for every second one."""
    random = generator(seed, "documents")
    tracks = catalogue.tracks
    fame = catalogue.artists.popularity[tracks.artist] * tracks.weight
    count = int(params.documents_per_hundred_tracks * len(tracks) / 100)
    track = np.sort(choose(random, fame**0.7, count))
    first = np.maximum(tracks.playable_ms[track], size.end_ms - _ARCHIVE_DAYS * DAY_MS)
    published = first + (random.random(count) * np.maximum(size.end_ms - first, 0)).astype(np.int64)
    known = published < size.end_ms
    track, published = track[known], published[known]
    count = len(track)
    honest = random.random(count) < params.words_carry_taste
    told = np.where(honest, track, random.integers(0, len(tracks), count))
    names = catalogue.artists.name[tracks.artist[track]]
    titles = tracks.title[track]
    number = numbered("d", np.arange(count) + 1, 6)
    linked = random.random(count) < 0.5
    body = _sentences(random, catalogue, told, names, titles)
    return pa.table(
        {
            "document_id": number,
            "body": texts(body),
            "title": texts(names + ": " + titles, random.random(count) < 0.9),
            "url": joined("", pa.scalar("https://reviews.example/"), number),
            "published_at": moments(published),
            "track_ids": lists(ids.track.take(pa.array(track[linked])), linked.astype(np.int64), linked),
        }
    )


def _sentences(random: Random, catalogue: Catalogue, told: np.ndarray, names: Objects, titles: Objects) -> Objects:
    """What is said: the work, the genre, how it sounds and when to hear it."""
    sound = catalogue.tracks.sound[told]
    table = np.array(GENRE_WORDS, dtype=object)
    genre = table[catalogue.track_genre[told], random.integers(0, table.shape[1], len(told))]
    moods = np.array([entry.words for entry in MOODS], dtype=object)
    mood = moods[nearest_mood(random, sound), random.integers(0, moods.shape[1], len(told))]
    energy = _either(random, sound[:, 0], _LOUD, _CALM)
    darkness = _either(random, sound[:, 1], _DARK, _LIGHT)
    opening, closing = _any(random, _OPENINGS, len(told)), _any(random, _CLOSINGS, len(told))
    first = opening + "“" + titles + "”, " + names + " " + energy + ", " + darkness + "."
    body: Objects = first + " It is " + genre + " for " + mood + "." + closing
    return body


def _either(random: Random, level: Floats, high: tuple[str, ...], low: tuple[str, ...]) -> Objects:
    return np.where(level > 0.5, _any(random, high, len(level)), _any(random, low, len(level)))


def _any(random: Random, lines: tuple[str, ...], count: int) -> Objects:
    return np.array(lines, dtype=object)[random.integers(0, len(lines), count)]
