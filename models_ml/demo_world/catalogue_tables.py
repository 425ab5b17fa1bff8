"""The catalogue as landing tables: tracks, tags, overrides; and ids of what is in it.

Belongs here: turning catalogue arrays into the contract's columns.
Does not: drawing the catalogue (catalogue.py, editions.py), reviews (documents.py).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.demo_world.catalogue import ALL_MARKETS, Catalogue
from models_ml.demo_world.draws import Bools, Ints, Objects, Random, choose, generator
from models_ml.demo_world.editions import SAME_ISRC, SAME_RECORDING_ID, SAME_TITLE
from models_ml.demo_world.genres import (
    GENRE_NAMES,
    MARKET_CODES,
    MOODS,
    SOUND_NAMES,
    mood_sound,
    neighbour_table,
)
from models_ml.demo_world.ids import artist_ids, joined, numbered, track_ids, user_ids
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.size import DAY_MS, WorldSize
from models_ml.demo_world.sound.plans import Heard

# ISO 639-2: no linguistic content.
NO_WORDS = "zxx"
_SECOND_GENRE_SHARE = 0.35
_SECOND_ARTIST_SHARE = 0.06
# Shares of recordings that carry the ids which tie editions together; the others go by title and length.
_ISRC_SHARE = 0.9
_RECORDING_ID_SHARE = 0.15
MOMENT = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True)
class CatalogueIds:
    """Public ids as Arrow texts: (tracks,) track and album, (artists,) artist."""

    track: pa.Array
    album: pa.Array
    artist: pa.Array


def catalogue_ids(catalogue: Catalogue) -> CatalogueIds:
    """Ids of the catalogue; an album goes by the number of its first track."""
    _, first, album = np.unique(catalogue.tracks.album, return_index=True, return_inverse=True)
    return CatalogueIds(
        track=track_ids(catalogue.track_number),
        album=numbered("al", catalogue.track_number[first][album], 8),
        artist=artist_ids(catalogue.artist_number),
    )


def moments(milliseconds: Ints, known: Bools | None = None) -> pa.Array:
    """UTC moments from milliseconds since 1970; null where not known."""
    mask = None if known is None else ~known
    return pa.array(np.asarray(milliseconds, dtype=np.int64), pa.int64(), mask=mask).cast(MOMENT)


def texts(values: np.ndarray, known: Bools | None = None) -> pa.Array:
    """Objects as texts; null where not known."""
    return pa.array(values, pa.string(), mask=None if known is None else ~known)


def lists(flat: pa.Array, counts: Ints, known: Bools | None = None) -> pa.Array:
    """Lists of `counts` consecutive values each; null where not known."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, flat, mask=None if known is None else pa.array(~known))


def track_table(seed: int, catalogue: Catalogue, ids: CatalogueIds, params: WorldParams) -> pa.Table:
    """One row per track, editions included, sorted by track_id: the contract's `tracks`."""
    random = generator(seed, "track table")
    tracks, artists = catalogue.tracks, catalogue.artists
    isrc, recording_id = _recording_ids(random, catalogue)
    credited, counts = _credits(random, catalogue, ids)
    table = pa.table(
        {
            "track_id": ids.track,
            "title": texts(tracks.title),
            "artist_id": ids.artist.take(pa.array(tracks.artist)),
            "artist_name": texts(artists.name[tracks.artist]),
            "artist_ids": lists(credited, counts),
            "album_id": ids.album,
            "album_title": texts(tracks.album_title),
            "duration_ms": pa.array(tracks.duration_ms, mask=random.random(len(tracks)) < 0.005),
            "released_on": pa.array(tracks.released_day.astype(np.int32)).cast(pa.date32()),
            "available_from": moments(tracks.available_ms, tracks.available_ms > 0),
            "genres": _genres(random, catalogue, params),
            "language": texts(np.where(tracks.sung, tracks.language, NO_WORDS)),
            "explicit": pa.array(tracks.explicit),
            "markets": _markets(tracks.markets),
            "isrc": isrc,
            "recording_id": recording_id,
        }
    )
    return table.take(pa.array(np.argsort(catalogue.track_number)))


def _credits(random: Random, catalogue: Catalogue, ids: CatalogueIds) -> tuple[pa.Array, Ints]:
    """Ids of everyone credited, first credit first, and how many they are on each track."""
    tracks, artists = catalogue.tracks, catalogue.artists
    genre = artists.genre[tracks.artist]
    width = artists.first[genre + 1] - artists.first[genre]
    # A guest is somebody else of the same genre.
    guest = (
        artists.first[genre]
        + (tracks.artist - artists.first[genre] + 1 + random.integers(0, 1_000, len(tracks))) % width
    )
    counts = 1 + ((random.random(len(tracks)) < _SECOND_ARTIST_SHARE) & (guest != tracks.artist))[tracks.original]
    both = np.stack([tracks.artist, guest[tracks.original]], axis=1)
    return ids.artist.take(pa.array(both[np.arange(2) < counts[:, None]])), counts


def _genres(random: Random, catalogue: Catalogue, params: WorldParams) -> pa.Array:
    """(tracks,) lists: the artist's label, at times a related one beside it, null for some."""
    label = catalogue.artists.label[catalogue.tracks.artist]
    table, neighbours = neighbour_table()
    second = table[label, random.integers(0, 1_000, len(label)) % neighbours[label]]
    counts = 1 + (random.random(len(label)) < _SECOND_GENRE_SHARE)
    both = np.stack([label, second], axis=1)
    known = random.random(len(label)) >= params.tracks_without_genre_share
    flat = pa.array(GENRE_NAMES, pa.string()).take(pa.array(both[np.arange(2) < (counts * known)[:, None]]))
    return lists(flat, counts * known, known)


def _markets(bits: Ints) -> pa.Array:
    """(tracks,) lists of markets, null where it may be played everywhere."""
    there = (bits[:, None] >> np.arange(len(MARKET_CODES))) & 1 == 1
    limited = bits != ALL_MARKETS
    there &= limited[:, None]
    flat = pa.array(MARKET_CODES, pa.string()).take(pa.array(np.nonzero(there)[1]))
    return lists(flat, there.sum(axis=1), limited)


def _recording_ids(random: Random, catalogue: Catalogue) -> tuple[pa.Array, pa.Array]:
    """The columns isrc and recording_id: shared by editions that are to be known by them."""
    tracks = catalogue.tracks
    number = catalogue.track_number
    kind = tracks.edition_kind
    shared = np.where(kind == SAME_ISRC, number[tracks.original], number)
    has_isrc = (random.random(len(tracks)) < _ISRC_SHARE)[tracks.original]
    has_isrc &= kind != SAME_TITLE
    has_recording = (random.random(len(tracks)) < _RECORDING_ID_SHARE)[tracks.original]
    by_kind = {wanted: np.zeros(len(tracks), dtype=bool) for wanted in (SAME_ISRC, SAME_RECORDING_ID, SAME_TITLE)}
    for wanted, there in by_kind.items():
        there[tracks.original[kind == wanted]] = True
    # Ids outrank titles: whoever is to be known by the title must not carry an id of its own.
    untold = by_kind[SAME_TITLE] | (kind == SAME_TITLE)
    has_isrc = (has_isrc | by_kind[SAME_ISRC] | (kind == SAME_ISRC)) & ~untold
    told = by_kind[SAME_RECORDING_ID] | (kind == SAME_RECORDING_ID)
    has_recording = (has_recording & ~by_kind[SAME_ISRC] & (kind != SAME_ISRC) & ~untold) | told
    country = texts(MARKET_CODES[catalogue.artists.market[tracks.artist]])
    year = pc.utf8_slice_codeunits(
        pa.array(tracks.released_day[tracks.original].astype(np.int32)).cast(pa.date32()).cast(pa.string()),
        2,
        4,
    )
    # Country, registrant, year and a five-digit number; a further registrant for each 100,000.
    registrant = numbered("M", shared // 100_000, 2)
    isrc = joined("", country, registrant, year, numbered("", shared % 100_000, 5))
    recording = numbered("rec-", number[tracks.original], 8)
    return _where(has_isrc, isrc), _where(has_recording, recording)


def _where(known: Bools, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(known), values, pa.scalar(None, pa.string()))


def tag_table(seed: int, catalogue: Catalogue, ids: CatalogueIds, size: WorldSize, params: WorldParams) -> pa.Table:
    """One row per listener, track and tag: genres, moods, and words that say nothing."""
    random = generator(seed, "tags")
    tracks = catalogue.tracks
    count = int(params.tags_per_track * len(tracks))
    fame = catalogue.artists.popularity[tracks.artist] * tracks.weight
    track = choose(random, fame**0.5, count)
    honest = random.random(count) < params.words_carry_taste
    described = np.where(honest, track, random.integers(0, len(tracks), count))
    mood = nearest_mood(random, tracks.sound[described])
    mood_words = np.array([entry.words[0] for entry in MOODS], dtype=object)[mood]
    plain = np.array(["favourite", "seen live", "2020s", "love", "check out", "vinyl"], dtype=object)
    kind = random.random(count)
    words = np.where(kind < 0.55, GENRE_NAMES[catalogue.track_genre[described]], mood_words)
    words = np.where(kind > 0.92, plain[random.integers(0, len(plain), count)], words)
    first = np.maximum(tracks.playable_ms[track], size.start_ms - 700 * DAY_MS)
    tagged = first + (random.random(count) * np.maximum(size.end_ms - first, 0)).astype(np.int64)
    table = pa.table(
        {
            "track_id": ids.track.take(pa.array(track)),
            "tag": texts(words),
            "user_id": user_ids(random.integers(0, size.listeners, count)),
            "tagged_at": moments(tagged),
        }
    )
    return table.filter(pa.array(tagged < size.end_ms)).sort_by([("tagged_at", "ascending"), ("track_id", "ascending")])


def nearest_mood(random: Random, sound: np.ndarray) -> Ints:
    """(n,) the mood that each sound (n, 3) lies nearest to, give or take."""
    away = ((sound[:, None, :] - mood_sound()[None, :, :]) ** 2).sum(axis=2)
    return np.asarray((away + 0.12 * random.random(away.shape)).argmin(axis=1))


def override_table(seed: int, catalogue: Catalogue, ids: CatalogueIds, size: WorldSize) -> pa.Table:
    """One row per decision of the house: two takedowns, one of them of an artist, and one embargo."""
    random = generator(seed, "overrides")
    track = random.integers(0, len(catalogue.tracks), 2)
    artist = random.integers(0, len(catalogue.artists.genre), 1)
    since = size.end_ms - np.array([30, 9, 16]) * DAY_MS
    until = np.array([0, 0, size.end_ms + 14 * DAY_MS])
    tracks = ids.track.take(pa.array(track)).to_pylist()
    return pa.table(
        {
            "track_id": pa.array([tracks[0], None, tracks[1]], pa.string()),
            "artist_id": pa.array([None, ids.artist[int(artist[0])].as_py(), None], pa.string()),
            "action": pa.array(["takedown", "takedown", "embargo"]),
            "valid_from": moments(since),
            "valid_to": moments(until, until > 0),
        }
    )


def truth_table(catalogue: Catalogue, ids: CatalogueIds, heard: Heard, sound_files: Objects) -> pa.Table:
    """One row per track: what it really is. For evaluation, outside landing.

    sound_files: (tracks,) what each track's sound file is like.
    """
    tracks = catalogue.tracks
    dimensions = tracks.place.shape[1]
    columns = {name: pa.array(tracks.sound[:, place]) for place, name in enumerate(SOUND_NAMES)}
    table = pa.table(
        {
            "track_id": ids.track,
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array(tracks.place.reshape(-1) / 1_000, pa.float32()), dimensions
            ),
            "genre": texts(GENRE_NAMES[catalogue.track_genre]),
            "scene": pa.array(catalogue.artists.scene[tracks.artist].astype(np.int32)),
            "popularity": pa.array(np.round(catalogue.artists.popularity[tracks.artist] * tracks.weight, 6)),
            "mood": texts(np.array([mood.words[0] for mood in MOODS], dtype=object)[_plain_mood(tracks.sound)]),
            "tempo_bpm": pa.array(tracks.tempo_bpm),
            **columns,
            "heard_genre": texts(GENRE_NAMES[tracks.heard_as]),
            "key": pa.array(heard.key.astype(np.int32)),
            "mode": texts(np.where(heard.minor, "minor", "major").astype(object)),
            "instrumental": pa.array(~heard.sung),
            "sound_file": texts(sound_files),
            "original_track_id": ids.track.take(pa.array(tracks.original)),
        }
    )
    return table.take(pa.array(np.argsort(catalogue.track_number)))


def _plain_mood(sound: np.ndarray) -> Ints:
    return np.asarray(((sound[:, None, :] - mood_sound()[None, :, :]) ** 2).sum(axis=2).argmin(axis=1))
