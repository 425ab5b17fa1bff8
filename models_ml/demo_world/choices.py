"""Which tracks are played: first plays by taste and popularity, replays of what was played before.

Belongs here: the model of choice, over arrays of all plays of a chunk.
Does not: when they are played (sessions.py), how they end (outcomes.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.draws import (
    Bools,
    Floats,
    Ints,
    Random,
    RowChoice,
    choose_within,
    place_in_segment,
    running_sum,
    running_within,
)
from models_ml.demo_world.genres import GENRE_COUNT
from models_ml.demo_world.latent import squared_distance, squared_distances
from models_ml.demo_world.listeners import NEXT_DOOR, POINTS, Listeners
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.sessions import Sessions
from models_ml.demo_world.size import DAY_MS

# Log weight for a squared distance of one, at a taste strength of one.
_DISTANCE_WEIGHT = 3.0
# Log weight of popularity at a conformity of one; a half is popularity in proportion.
_CONFORMITY_WEIGHT = 2.0
# A play is the best of a few that came to mind, give or take a mood of this size.
_CANDIDATES = 3
_WHIM = 0.25
_FRESH_DAYS = 28
# First plays at a conformity of one that come from what everybody plays, whatever the genre.
_CHART_SHARE = 0.3
_NEVER = 1e9
_KEY_DAYS = 1_000_000


@dataclass(frozen=True)
class Shelves:
    """What listening draws from, made once a world.

    first_track: (artists + 1,) where each artist's tracks begin.  within_artist: running sum of popularity
    by artist.  anywhere: running sum over the whole catalogue.  by_release: tracks sorted by genre and day
    on which they can first be played; release_key: genre and day of these; within_release: running sum.
    """

    first_track: Ints
    within_artist: Floats
    anywhere: Floats
    by_release: Ints
    release_key: Ints
    within_release: Floats


@dataclass(frozen=True)
class Plays:
    """Plays of a chunk in order of listener and time; arrays of (plays,).

    session: position in Sessions.  track: position in the catalogue.  is_first: not a replay.
    distance: squared, between the track and the taste that the sitting followed.
    """

    session: Ints
    track: Ints
    is_first: Bools
    distance: Floats

    def __len__(self) -> int:
        return len(self.session)

    def where(self, rows: Bools) -> "Plays":
        """The plays of some rows."""
        return Plays(self.session[rows], self.track[rows], self.is_first[rows], self.distance[rows])


def make_shelves(catalogue: Catalogue, params: WorldParams) -> Shelves:
    """Sorted and summed once, so that a draw costs a binary search."""
    tracks, artists = catalogue.tracks, catalogue.artists
    weight = tracks.weight ** (_CONFORMITY_WEIGHT * params.conformity)
    popularity = (artists.popularity[tracks.artist] * tracks.weight) ** (_CONFORMITY_WEIGHT * params.conformity)
    key = catalogue.track_genre * _KEY_DAYS + _day_key(tracks.playable_ms)
    order = np.argsort(key, kind="stable")
    return Shelves(
        first_track=np.searchsorted(tracks.artist, np.arange(len(artists.genre) + 1)),
        within_artist=running_sum(weight),
        anywhere=running_sum(popularity),
        by_release=order,
        release_key=key[order],
        within_release=running_sum(popularity[order]),
    )


def _day_key(moments_ms: Ints) -> Ints:
    """Days, raised so that those before 1970 are positive too."""
    return moments_ms // DAY_MS + _KEY_DAYS // 2


def artist_choice(listeners: Listeners, catalogue: Catalogue, params: WorldParams) -> RowChoice:
    """Chances of the artists of a genre at every point of every listener.

    Rows are (listener * modes + mode) * POINTS + point; those of modes that don't exist are empty.
    """
    artists = catalogue.artists
    genres = listeners.point_genre.reshape(-1)
    points = listeners.point.reshape(len(genres), -1)
    market = np.repeat(listeners.market, listeners.mode_genre.shape[1] * POINTS)
    fame = _CONFORMITY_WEIGHT * params.conformity * np.log(artists.popularity)
    place, first = np.zeros(len(genres), dtype=np.int64), np.zeros(len(genres), dtype=np.int64)
    length = np.zeros(len(genres), dtype=np.int64)
    blocks, rank, filled = [], 0, 0
    for genre in range(GENRE_COUNT):
        rows = np.flatnonzero(genres == genre)
        inside = slice(int(artists.first[genre]), int(artists.first[genre + 1]))
        width = inside.stop - inside.start
        logits = fame[inside] - params.taste_strength * _DISTANCE_WEIGHT * squared_distances(
            points[rows], artists.place[inside]
        )
        logits = logits + params.home_preference * (market[rows, None] == artists.market[None, inside])
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        sums = np.cumsum(weights, axis=1)
        place[rows] = rank + np.arange(len(rows))
        first[rows] = filled + np.arange(len(rows)) * width
        length[rows] = width
        blocks.append((sums / sums[:, -1:] + place[rows, None]).reshape(-1))
        rank, filled = rank + len(rows), filled + len(rows) * width
    return RowChoice(np.concatenate(blocks), place, first, length)


@dataclass(frozen=True)
class Chooser:
    """Everything that first plays of a chunk are chosen from.

    row: (sessions,) the point that each sitting follows, as a row of `choice` and of `points`.
    """

    listeners: Listeners
    sessions: Sessions
    catalogue: Catalogue
    shelves: Shelves
    params: WorldParams
    choice: RowChoice
    points: Ints
    row: Ints

    def by_taste(self, random: Random, session: Ints) -> Ints:
        """An artist by taste and fame, then one of the artist's tracks by fame."""
        row = self.row[session]
        genre = self.listeners.point_genre.reshape(-1)[row]
        artist = self.catalogue.artists.first[genre] + self.choice.draw(random, row)
        first = self.shelves.first_track
        return choose_within(random, self.shelves.within_artist, first[artist], first[artist + 1])

    def fresh(self, random: Random, session: Ints, otherwise: Ints) -> Ints:
        """A release of the genre of the last weeks, or what would be played otherwise where there is none."""
        genre = self.listeners.point_genre.reshape(-1)[self.row[session]]
        day = genre * _KEY_DAYS + _day_key(self.sessions.start_ms[session])
        start = np.searchsorted(self.shelves.release_key, day - _FRESH_DAYS)
        stop = np.searchsorted(self.shelves.release_key, day)
        found = np.flatnonzero(stop > start)
        tracks = otherwise.copy()
        drawn = choose_within(random, self.shelves.within_release, start[found], stop[found])
        tracks[found] = self.shelves.by_release[drawn]
        return tracks

    def anything(self, random: Random, count: int) -> Ints:
        """Tracks by fame alone."""
        start = np.zeros(count, dtype=np.int64)
        return choose_within(random, self.shelves.anywhere, start, start + len(self.catalogue.tracks))

    def distance(self, session: Ints, track: Ints) -> Floats:
        """Squared distance between taste and track; _NEVER where it can't be played there and then."""
        away = squared_distance(self.points[self.row[session]], self.catalogue.tracks.place[track])
        return np.where(self._playable(session, track), away, _NEVER)

    def _playable(self, session: Ints, track: Ints) -> Bools:
        """Out by then, available in the market, not explicit for those who don't want that."""
        tracks, listener = self.catalogue.tracks, self.sessions.listener[session]
        there = (tracks.markets[track] >> self.listeners.market[listener]) & 1 == 1
        out = tracks.playable_ms[track] <= self.sessions.start_ms[session]
        playable: Bools = there & out & (self.listeners.allow_explicit[listener] | ~tracks.explicit[track])
        return playable


def make_chooser(
    listeners: Listeners, sessions: Sessions, catalogue: Catalogue, shelves: Shelves, params: WorldParams
) -> Chooser:
    """The chooser of a chunk."""
    modes = listeners.mode_genre.shape[1]
    return Chooser(
        listeners=listeners,
        sessions=sessions,
        catalogue=catalogue,
        shelves=shelves,
        params=params,
        choice=artist_choice(listeners, catalogue, params),
        points=listeners.point.reshape(-1, listeners.point.shape[-1]),
        row=(sessions.listener * modes + sessions.mode) * POINTS + sessions.point,
    )


def draw_plays(random: Random, chooser: Chooser) -> Plays:
    """Every play of the chunk, in order of listener and time, what can't be played there left out."""
    sessions, listeners, params = chooser.sessions, chooser.listeners, chooser.params
    session = np.repeat(np.arange(len(sessions)), sessions.length)
    # What was met next door is replayed next door: that keeps every stream of one taste.
    modes = listeners.mode_genre.shape[1]
    stream = (sessions.listener * modes + sessions.mode) * 2 + (sessions.point == NEXT_DOOR)
    order = np.argsort(stream[session], kind="stable")
    ordered, streams = session[order], stream[session[order]]
    curious = np.clip(1 - params.replay_share + 0.35 * listeners.novelty, 0.05, 1.0)
    is_first = random.random(len(order)) < curious[sessions.listener[ordered]]
    is_first |= place_in_segment(streams) == 0
    track, distance = _first_plays(random, chooser, ordered[is_first])
    met = _met(random, is_first, streams, distance)
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    plays = Plays(session, track[met][back], is_first[back], distance[met][back])
    keep = plays.distance < _NEVER
    keep[1:] &= (session[1:] != session[:-1]) | (plays.track[1:] != plays.track[:-1])
    return plays.where(keep)


def _met(random: Random, is_first: Bools, streams: Ints, distance: Floats) -> Ints:
    """(plays,) the first play that each repeats: itself, or an earlier one of the stream, if liked sooner."""
    seen = running_within(is_first.astype(np.int64), streams)
    own = np.cumsum(is_first) - 1
    opening = own - seen + ~is_first
    best = np.zeros(len(own), dtype=np.int64)
    least = np.full(len(own), np.inf)
    for _ in range(_CANDIDATES):
        # The power prefers what was met early: favourites are old.
        pick = opening + (random.random(len(own)) ** 1.5 * np.maximum(seen, 1)).astype(np.int64)
        score = distance[pick] + _WHIM * random.random(len(own))
        better = score < least
        best, least = np.where(better, pick, best), np.where(better, score, least)
    return np.where(is_first, own, best)


def _first_plays(random: Random, chooser: Chooser, session: Ints) -> tuple[Ints, Floats]:
    """Track and squared distance of first plays: the best of a few; _NEVER where none can be played."""
    params = chooser.params
    novelty = chooser.listeners.novelty[chooser.sessions.listener[session]]
    level = random.random(len(session))
    fresh = level < params.fresh_share * (1 + novelty)
    noise = level > 1 - params.noise_share
    charts = noise | (random.random(len(session)) < _CHART_SHARE * params.conformity)
    best = np.zeros(len(session), dtype=np.int64)
    least = np.full(len(session), np.inf)
    distance = np.full(len(session), _NEVER)
    # Noise is what was played without choosing.
    pull = np.where(noise, 0.0, params.taste_strength)
    for _ in range(_CANDIDATES):
        track = chooser.by_taste(random, session)
        track = np.where(charts, chooser.anything(random, len(session)), track)
        track = np.where(fresh, chooser.fresh(random, session, track), track)
        away = chooser.distance(session, track)
        score = np.where(away < _NEVER, pull * away + _WHIM * random.random(len(track)), _NEVER)
        better = score < least
        best, least = np.where(better, track, best), np.where(better, score, least)
        distance = np.where(better, away, distance)
    return best, distance
