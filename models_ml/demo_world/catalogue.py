"""The catalogue: artists, albums, tracks, where they lie in taste space and how popular they are.

Belongs here: drawing them, and the arrays that listening chooses from.
Does not: other editions (editions.py), names (names.py), the landing table of tracks (catalogue_tables.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Bools, Floats, Ints, Objects, Random, choose, generator, segment_starts
from models_ml.demo_world.genres import (
    GENRE_COUNT,
    GENRES,
    MARKETS,
    genre_sound,
)
from models_ml.demo_world.latent import (
    ALBUM_SPREAD,
    ARTIST_SPREAD,
    SCENES_PER_GENRE,
    TRACK_SPREAD,
    UNIT,
    Space,
    draw_space,
    scatter,
)
from models_ml.demo_world.names import artist_names, fill_any, track_titles, words_of
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.patterns import TITLE_PATTERNS
from models_ml.demo_world.size import DAY_MS, WEEKS_AHEAD, WorldSize, days_since_epoch

TRACKS_PER_ARTIST = 10
ALL_MARKETS = (1 << len(MARKETS)) - 1
_ALBUM_SIZES = np.array([1, 1, 2, 4, 5, 8, 9, 10, 10, 11, 12, 14])
_FIRST_RELEASE_YEARS_AGO = 45
_SONGS_IN_HOME_LANGUAGE = 0.6
_FLAVOURS = np.array([genre.flavour for genre in GENRES], dtype=object)


@dataclass(frozen=True)
class Artists:
    """Artists sorted by true genre; arrays of (artists,).

    genre: what they play.  label: the genre they are filed under.  word_genre: the genre their words are
    from.  scene: of Space.scenes.  popularity: Zipf weight.  place: (artists, dimensions) thousandths.
    market, language: home.  first: (genres + 1,) where each genre's artists begin.
    """

    genre: Ints
    label: Ints
    word_genre: Ints
    scene: Ints
    popularity: Floats
    place: Ints
    market: Ints
    language: Objects
    name: Objects
    first: Ints


@dataclass(frozen=True)
class Tracks:
    """Tracks sorted by artist, album and number; arrays of (tracks,).

    place: (tracks, dimensions) thousandths.  original: position of the recording's first edition, itself
    where there is no other.  edition_kind: 0 original, 1 same isrc, 2 same recording_id, 3 neither.
    playable_ms: from when on it can be heard.  available_ms: its own moment, 0 for none.
    markets: bits of genres.MARKETS.  sound: (tracks, 3) energy, darkness, acoustic, 0 to 1.
    heard_as: the genre whose sound it has.
    """

    artist: Ints
    album: Ints
    number: Ints
    title: Objects
    album_title: Objects
    place: Ints
    weight: Floats
    duration_ms: Ints
    released_day: Ints
    available_ms: Ints
    playable_ms: Ints
    markets: Ints
    explicit: Bools
    sung: Bools
    language: Objects
    sound: Floats
    heard_as: Ints
    tempo_bpm: Ints
    original: Ints
    edition_kind: Ints

    def __len__(self) -> int:
        return len(self.artist)


@dataclass(frozen=True)
class Catalogue:
    """Space, artists and tracks, and who stands under which public number.

    artist_number, track_number: permutations, so that ids don't give away genre or artist.
    """

    space: Space
    artists: Artists
    tracks: Tracks
    artist_number: Ints
    track_number: Ints

    @property
    def track_genre(self) -> Ints:
        """(tracks,) true genre of each track."""
        return self.artists.genre[self.tracks.artist]


def draw_artists(seed: int, count: int, space: Space, params: WorldParams) -> Artists:
    """Artists of every genre, at least two each, popular by Zipf's law in a random order."""
    random = generator(seed, "artists")
    weights = np.array([genre.weight for genre in GENRES])
    least = np.tile(np.arange(GENRE_COUNT), 2)
    genre = np.sort(np.concatenate([least, choose(random, weights, count - len(least))]))
    label = _told(random, genre, params.genre_carries_taste)
    word_genre = _told(random, genre, params.words_carry_taste)
    scene = genre * SCENES_PER_GENRE + random.integers(0, SCENES_PER_GENRE, count)
    rank = random.permutation(count) + 1
    market = choose(random, np.array([market.artist_weight for market in MARKETS]), count)
    language = np.array([MARKETS[place].language for place in market], dtype=object)
    return Artists(
        genre=genre,
        label=label,
        word_genre=word_genre,
        scene=scene,
        popularity=rank.astype(np.float64) ** -params.popularity_exponent,
        place=space.scenes[scene] + scatter(random, count, ARTIST_SPREAD),
        market=market,
        language=language,
        name=artist_names(random, _FLAVOURS[label], language),
        first=np.searchsorted(genre, np.arange(GENRE_COUNT + 1)),
    )


def _told(random: Random, truth: Ints, carries: float) -> Ints:
    """The truth for a share `carries` of the rows, anything at random for the others."""
    honest = random.random(len(truth)) < carries
    return np.where(honest, truth, random.integers(0, GENRE_COUNT, len(truth)))


def draw_tracks(seed: int, count: int, artists: Artists, size: WorldSize, params: WorldParams) -> Tracks:
    """First editions of `count` tracks, at least one an artist, in albums."""
    random = generator(seed, "tracks")
    names = len(artists.genre)
    # More popular artists have recorded more, far less than in proportion.
    extra = choose(random, artists.popularity**0.4, count - names)
    artist = np.sort(np.concatenate([np.arange(names), extra]))
    album_starts = _album_starts(random, artist)
    album = np.cumsum(album_starts) - 1
    number = np.arange(count) - np.flatnonzero(album_starts)[album]
    first = np.flatnonzero(album_starts)
    released = _release_days(random, artist[first], size, params)
    available = _availability(random, released, size, params)
    place = artists.place[artist] + scatter(random, len(first), ALBUM_SPREAD)[album]
    place = place + scatter(random, count, TRACK_SPREAD)
    heard_as, sound = draw_sound(random, seed, artists, artist, place, params)
    sung = random.random(count) < _of_genre("sung")[artists.genre[artist]]
    home = random.random(names) < _SONGS_IN_HOME_LANGUAGE
    language = np.where(home, artists.language, "en").astype(object)[artist]
    titles = track_titles(random, _FLAVOURS[artists.word_genre[artist]], language, artist)
    explicit = sung & (random.random(count) < _of_genre("explicit_share")[artists.genre[artist]])
    return Tracks(
        artist=artist,
        album=album,
        number=number + 1,
        title=titles,
        album_title=_album_titles(random, titles[first], artists.word_genre[artist[first]])[album],
        place=place,
        weight=_weights(random, artists, artist),
        duration_ms=_durations(random, sound, artists, artist, params.sound_carries_taste),
        released_day=released[album],
        available_ms=available[album],
        playable_ms=np.where(available > 0, available, released * DAY_MS)[album],
        markets=_markets(random, artists.market[artist[first]], params.restricted_share)[album],
        explicit=explicit,
        sung=sung,
        language=language,
        sound=sound,
        heard_as=heard_as,
        tempo_bpm=_tempos(random, artists, artist, sound, params.sound_carries_taste),
        original=np.arange(count),
        edition_kind=np.zeros(count, dtype=np.int64),
    )


def _of_genre(field: str) -> Floats:
    return np.array([float(getattr(genre, field)) for genre in GENRES])


def _album_starts(random: Random, artist: Ints) -> Bools:
    """Albums are a stream of drawn sizes, cut wherever the artist changes."""
    sizes = random.choice(_ALBUM_SIZES, len(artist))
    ends = np.cumsum(sizes)
    starts = segment_starts(artist)
    starts[ends[ends < len(artist)]] = True
    return starts


def _release_days(random: Random, artist: Ints, size: WorldSize, params: WorldParams) -> Ints:
    """(albums,) day of release: Fridays over decades, more of late, some in the history and after it."""
    start, end = days_since_epoch(size.first_day), days_since_epoch(size.last_week)
    career_days = random.random(int(artist.max()) + 1) ** 1.5 * _FIRST_RELEASE_YEARS_AGO * 365 + 200
    old = start - 1 - random.random(len(artist)) ** 1.3 * career_days[artist]
    recent = random.random(len(artist)) < params.released_in_history_share
    new = start + random.random(len(artist)) * (end + WEEKS_AHEAD * 7 - start)
    day = np.where(recent, new, old).astype(np.int64)
    # 1970-01-01 was a Thursday: Fridays are 1 modulo 7.
    return np.where(recent, day - (day - 1) % 7 + 7 * ((day - (day - 1) % 7) < start), day - (day - 1) % 7)


def _availability(random: Random, released: Ints, size: WorldSize, params: WorldParams) -> Ints:
    """(albums,) a moment of availability of its own for some, 0 for the others.

    Most come with the release; a tenth of them is an older album that came to the service during the history.
    """
    own = random.random(len(released)) < params.available_from_share
    late = (random.random(len(released)) < 0.1) & (released * DAY_MS < size.start_ms)
    with_release = released * DAY_MS + random.integers(0, 12, len(released)) * 3_600_000
    arrival = size.start_ms + random.integers(0, size.history_weeks * 7, len(released)) * DAY_MS
    # 0 stands for none, and nothing was available before 1970.
    return np.where(own, np.maximum(np.where(late, arrival, with_release), 0), 0)


def draw_sound(
    random: Random, seed: int, artists: Artists, artist: Ints, place: Floats, params: WorldParams
) -> tuple[Ints, Floats]:
    """(tracks,) genre heard; (tracks, 3) energy, darkness and acousticness of it, bent by where the track lies."""
    carries = params.sound_carries_taste
    honest = random.random(len(artists.genre)) < carries
    misheard_as = random.integers(0, GENRE_COUNT, len(artists.genre))[artist]
    # A wrong genre that an artist keeps says who made a track. What each track is given alone is drawn apart, so that
    # worlds without it stay as they were.
    alone = generator(seed, "sound", "genre alone")
    keeps = alone.random(len(artist)) < params.sound_tells_artist
    misheard_as = np.where(keeps, misheard_as, alone.integers(0, GENRE_COUNT, len(artist)))
    heard_as = np.where(honest[artist], artists.genre[artist], misheard_as)
    bend = generator(0, "sound", "directions").standard_normal((place.shape[1], 3))
    inside = (place - artists.place[artist]) / UNIT
    own = random.standard_normal((len(artist), 3)) * 0.12
    # einsum rather than BLAS: the same order of sums on every machine.
    bent = np.einsum("td,ds->ts", inside, bend, optimize=False) * 0.5 * carries
    sound: Floats = np.round(np.clip(genre_sound()[heard_as] + bent + own * (1 - 0.5 * carries), 0, 1), 3)
    return heard_as, sound


def _durations(random: Random, sound: Floats, artists: Artists, artist: Ints, carries: float) -> Ints:
    typical = _of_genre("duration_seconds")[artists.genre[artist]] * carries + 230 * (1 - carries)
    stretch = np.exp(0.22 * random.standard_normal(len(artist)) - 0.1 * (sound[:, 0] - 0.5))
    milliseconds: Ints = np.maximum(np.rint(typical * stretch * 1_000), 35_000).astype(np.int64)
    return milliseconds


def _tempos(random: Random, artists: Artists, artist: Ints, sound: Floats, carries: float) -> Ints:
    typical = _of_genre("tempo_bpm")[artists.genre[artist]] * carries + 115 * (1 - carries)
    tempo = typical + 20 * (sound[:, 0] - 0.5) + 9 * random.standard_normal(len(artist))
    return np.clip(np.rint(tempo), 50, 210).astype(np.int64)


def _weights(random: Random, artists: Artists, artist: Ints) -> Floats:
    """(tracks,) popularity inside the artist: one hit, then a tail."""
    order = np.lexsort((random.random(len(artist)), artist))
    first = np.searchsorted(artist, np.arange(len(artists.genre)))
    weights = np.empty(len(artist))
    weights[order] = 1.0 / (np.arange(len(artist)) - first[artist] + 1.5)
    return weights


def _markets(random: Random, home: Ints, restricted_share: float) -> Ints:
    """(albums,) bits of the markets where it may be played: all, or home and some others."""
    others = random.integers(1, ALL_MARKETS + 1, len(home)) | (1 << home)
    return np.where(random.random(len(home)) < restricted_share, others, ALL_MARKETS)


def _album_titles(random: Random, first_titles: Objects, genre: Ints) -> Objects:
    """Every second album is called like its first track, the others have a title of their own."""
    titles = first_titles.copy()
    own = random.random(len(titles)) < 0.5
    for place in range(GENRE_COUNT):
        rows = np.flatnonzero(own & (genre == place))
        titles[rows] = fill_any(random, TITLE_PATTERNS[_FLAVOURS[place]], words_of("en"), len(rows))
    return titles


def draw_base(seed: int, size: WorldSize, params: WorldParams) -> tuple[Space, Artists, Tracks]:
    """Space, artists and first editions; the other editions take the rest of the tracks."""
    space = draw_space(generator(seed, "space"))
    editions = int(size.track_count * params.edition_share)
    base = size.track_count - editions
    artists = draw_artists(seed, max(2 * GENRE_COUNT, base // TRACKS_PER_ARTIST), space, params)
    return space, artists, draw_tracks(seed, base, artists, size, params)
