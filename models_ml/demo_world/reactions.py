"""How listeners react to the playlists they got: opening, going down the list, skips, saves, and moods that follow.

Belongs here: the model of reactions, over arrays of the lists of a chunk of listeners.
Does not: what they listen to otherwise (choices.py), landing rows (reaction_rows.py), files (reaction_files.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Bools, Floats, Ints, Random, logistic
from models_ml.demo_world.latent import squared_distance
from models_ml.demo_world.outcomes import (
    CLOSED,
    CLOSED_SHARE,
    FINISHED,
    LIKE_SHARE,
    SAVE_SHARE,
    SKIPPED,
    draw_ms_played,
    fit,
    skip_odds,
)
from models_ml.demo_world.params import WorldParams

# Log odds of opening for a full mood.
_OPENING_DELIGHT, _OPENING_BOREDOM = 1.5, -2.0
# What is tired of is skipped more, what delights less: log odds.
_SKIP_SATIATION, _SKIP_DELIGHT = 0.5, -1.0
# A skip makes stopping this much likelier than a finished track does.
_STOPPING_AFTER_SKIP = 2.0
# Heard this often in the last weeks, an artist, or a genre, tires by log(2).
_ARTIST_TIMES, _GENRE_TIMES = 2.0, 40.0
_GENRE_TIRES = 0.5
# Saves and likes of what delights in full, against those of what merely fits.
_DELIGHT_KEEPS = 2.0
# What is left of a mood after a week with a list, and after one without.
_MOOD_STAYS, _MOOD_STAYS_UNOPENED = 0.6, 0.9
_BORED, _BORED_WEEKS = 0.5, 3
# Against a list of skips alone, one that is merely tiring bores this much.
_TIRES = 0.15
# Of what was liked, a week later this much is still come back to.
_COMEBACK_STAYS = 0.6


@dataclass(frozen=True)
class Moods:
    """State of listeners between weeks; arrays of (listeners,).

    boredom, delight: 0 to 1.  bored_weeks: weeks in a row in which they were bored.  gone: they left for good.
    """

    boredom: Floats
    delight: Floats
    bored_weeks: Ints
    gone: Bools

    @classmethod
    def none(cls, count: int) -> "Moods":
        """Before the first playlist."""
        return cls(np.zeros(count), np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool))


@dataclass(frozen=True)
class Lists:
    """The playlists of a chunk of listeners; arrays of (lists, places) unless said otherwise.

    novelty: (lists,) love of the new, -1 to 1.  ever: (lists,) False for those who open no playlist.
    distance: squared, between the track and the nearest of the listener's tastes.  artist, genre: of the tracks.
    artist_heard, genre_heard: times that lists of the last weeks had brought them.  is_new: new to the listener.
    duration_ms: of the tracks.
    """

    novelty: Floats
    ever: Bools
    distance: Floats
    artist: Ints
    genre: Ints
    artist_heard: Ints
    genre_heard: Ints
    is_new: Bools
    duration_ms: Ints


@dataclass(frozen=True)
class Reactions:
    """What became of the lists; arrays of (lists, places) unless said otherwise.

    opened: (lists,).  leaves: (lists,) they cancel in the end.  reached: the listener came that far; the other arrays
    say nothing elsewhere.  end: FINISHED, SKIPPED or CLOSED.  fit, delight: 0 to 1.  moods: after the week.
    """

    opened: Bools
    leaves: Bools
    reached: Bools
    end: Ints
    ms_played: Ints
    saved: Bools
    liked: Bools
    fit: Floats
    delight: Floats
    moods: Moods


def nearest_distance(tastes: Ints, there: Bools, places: Ints) -> Floats:
    """(lists, places) squared distance of each track to the nearest taste of its listener.

    tastes: (lists, modes, dimensions).  there: (lists, modes), False where there is no such taste.
    places: (lists, places, dimensions).  Both in thousandths.
    """
    nearest = np.full(places.shape[:2], np.inf)
    for mode in range(tastes.shape[1]):
        away = squared_distance(places, tastes[:, None, mode])
        nearest = np.minimum(nearest, np.where(there[:, [mode]], away, np.inf))
    return nearest


def draw_reactions(random: Random, lists: Lists, moods: Moods, params: WorldParams) -> Reactions:
    """One week: who opens, how far they come, how each play ends, and in what mood they are left."""
    fits = fit(params.taste_strength, lists.distance)
    delight = delights(lists, fits, params.delight_strength)
    tired = params.satiation_strength * satiation(lists)
    opened = lists.ever & ~moods.gone & (random.random(len(fits)) < opening_chance(moods, params.opening_share))
    skipped = random.random(fits.shape) < _skip_chances(lists, delight, tired, params)
    stopping = params.stopping_share * np.where(skipped, _STOPPING_AFTER_SKIP, 1.0)
    stops = random.random(fits.shape) < np.minimum(stopping, 1.0)
    reached = opened[:, None] & ~_before(stops)
    closed = stops & (random.random(fits.shape) < CLOSED_SHARE)
    end = np.where(closed, CLOSED, np.where(skipped, SKIPPED, FINISHED))
    ms_played = draw_ms_played(random, end.reshape(-1), lists.duration_ms.reshape(-1)).reshape(end.shape)
    keeps = fits * (reached & (end == FINISHED)) * (1 + _DELIGHT_KEEPS * delight)
    saved, liked = (random.random(fits.shape) < share * keeps for share in (SAVE_SHARE, LIKE_SHARE))
    after = _moods_after(moods, opened, reached, end == SKIPPED, delight, tired)
    leaves = (after.bored_weeks >= _BORED_WEEKS) & ~moods.gone & (random.random(len(fits)) < params.churn_share)
    after = Moods(after.boredom, after.delight, after.bored_weeks, moods.gone | leaves)
    return Reactions(opened, leaves, reached, end, ms_played, saved, liked, fits, delight, after)


def skip_chances(lists: Lists, params: WorldParams) -> Floats:
    """(lists, places) chance that each track is skipped by who comes that far."""
    delight = delights(lists, fit(params.taste_strength, lists.distance), params.delight_strength)
    return _skip_chances(lists, delight, params.satiation_strength * satiation(lists), params)


def _skip_chances(lists: Lists, delight: Floats, tired: Floats, params: WorldParams) -> Floats:
    odds = skip_odds(params.taste_strength, lists.distance, np.array(True), lists.novelty[:, None])
    return np.asarray(logistic(odds + _SKIP_SATIATION * tired + _SKIP_DELIGHT * delight))


def opening_chance(moods: Moods, opening_share: float) -> Floats:
    """(lists,) chance of opening: more after delight, less when bored; 0 and 1 stay what they are."""
    pull = np.exp(_OPENING_DELIGHT * moods.delight + _OPENING_BOREDOM * moods.boredom)
    chance: Floats = opening_share * pull / (opening_share * pull + 1 - opening_share)
    return chance


def delights(lists: Lists, fits: Floats, strength: float) -> Floats:
    """(lists, places) delight in what is new and fits, 0 to 1: the more the listener loves the new."""
    love = (1 + lists.novelty[:, None]) / 2
    delight: Floats = np.minimum(strength * fits * love * lists.is_new, 1.0)
    return delight


def satiation(lists: Lists) -> Floats:
    """(lists, places) how tired of its artist and genre: of what came before in the list and in the last weeks."""
    artist = lists.artist_heard + _times_before(lists.artist)
    genre = lists.genre_heard + _times_before(lists.genre)
    tired: Floats = np.log1p(artist / _ARTIST_TIMES) + _GENRE_TIRES * np.log1p(genre / _GENRE_TIMES)
    return tired


def _times_before(values: Ints) -> Ints:
    """(lists, places) how often the value stood at an earlier place of its list."""
    same = values[:, :, None] == values[:, None, :]
    counts: Ints = np.tril(same, -1).sum(axis=2)
    return counts


def _before(stops: Bools) -> Bools:
    """(lists, places) True after the first stop."""
    stopped = np.zeros_like(stops)
    stopped[:, 1:] = np.logical_or.accumulate(stops, axis=1)[:, :-1]
    return stopped


def _moods_after(moods: Moods, opened: Bools, reached: Bools, skipped: Bools, delight: Floats, tired: Floats) -> Moods:
    """Skips and sameness bore, delight delights; a week without the list lets both fade."""
    count = np.maximum(reached.sum(axis=1), 1)
    pleased = (delight * reached).sum(axis=1) / count
    weary = ((skipped + _TIRES * tired) * reached).sum(axis=1) / count
    stays = np.where(opened, _MOOD_STAYS, _MOOD_STAYS_UNOPENED)
    boredom = np.clip(stays * moods.boredom + opened * (1 - _MOOD_STAYS) * (1.5 * weary - pleased), 0, 1)
    pleasure = np.clip(stays * moods.delight + opened * (1 - _MOOD_STAYS) * 2 * pleased, 0, 1)
    return Moods(boredom, pleasure, np.where(boredom > _BORED, moods.bored_weeks + 1, 0), moods.gone)


def draw_comebacks(random: Random, weeks_ago: Ints, params: WorldParams) -> Ints:
    """How often each track liked or saved so many weeks ago is played again this week, of one's own accord."""
    chance = params.comeback_share * _COMEBACK_STAYS**weeks_ago
    comes = random.random(len(weeks_ago)) < chance
    times: Ints = np.where(comes, 1 + random.poisson(0.7, len(weeks_ago)), 0)
    return times
