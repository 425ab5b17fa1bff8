"""How plays end and what is done about them: skips, milliseconds, saves, likes, blocks; and when.

Belongs here: outcomes and moments of the plays of a chunk.
Does not: which tracks are played (choices.py), playlists (playlists.py), the landing table (event_rows.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.choices import Chooser, Plays
from models_ml.demo_world.draws import Bools, Floats, Ints, Random, first_of_each, logistic, segment_starts
from models_ml.demo_world.sessions import apart
from models_ml.demo_world.size import DAY_MS, WorldSize

FINISHED, SKIPPED, CLOSED = range(3)
SAVE, UNSAVE, LIKE, DISLIKE, BLOCK_TRACK, BLOCK_ARTIST = range(6)
ACTION_NAMES = np.array(["save", "unsave", "like", "dislike", "block_track", "block_artist"], dtype=object)

# Log odds of a skip at no distance, for each unit of squared distance, and less for a replay.
_SKIP_BASE = -2.1
_SKIP_DISTANCE = 1.9
_SKIP_REPLAY = -0.9
_SKIP_NOVELTY = -0.6
# A distance that fits well, about what lies inside one's own scene.
_NEAR = 0.35
# Last plays of a sitting that end with closing the player.
CLOSED_SHARE = 0.3
# Finished plays of what fits in full that are saved, and liked.
SAVE_SHARE, LIKE_SHARE = 0.14, 0.05
_UNSAVE_SHARE = 0.04
_UNSAVE_DAYS = 40.0


@dataclass(frozen=True)
class Outcomes:
    """end: FINISHED, SKIPPED or CLOSED.  ms_played, occurred_ms (begin of the play, UTC): (plays,)."""

    end: Ints
    ms_played: Ints
    occurred_ms: Ints


@dataclass(frozen=True)
class Actions:
    """What listeners did about tracks; arrays of (actions,).

    kind: SAVE to BLOCK_ARTIST.  play: the play in which it happened.  occurred_ms: UTC.
    """

    kind: Ints
    play: Ints
    occurred_ms: Ints


def draw_outcomes(random: Random, chooser: Chooser, plays: Plays) -> Outcomes:
    """How each play ends, the sooner skipped the worse it fits, and when it began."""
    duration = chooser.catalogue.tracks.duration_ms[plays.track]
    listener = chooser.sessions.listener[plays.session]
    odds = skip_odds(chooser.params.taste_strength, plays.distance, plays.is_first, chooser.listeners.novelty[listener])
    skipped = random.random(len(plays)) < logistic(odds)
    last = np.roll(segment_starts(plays.session), -1)
    closed = last & (random.random(len(plays)) < CLOSED_SHARE)
    end = np.where(closed, CLOSED, np.where(skipped, SKIPPED, FINISHED))
    ms_played = draw_ms_played(random, end, duration)
    return Outcomes(end, ms_played, _moments(random, chooser, plays, ms_played))


def skip_odds(taste_strength: float, distance: Floats, is_first: Bools, novelty: Floats) -> Floats:
    """Log odds of a skip: the higher the farther from taste; a first play by love of the new, a replay lower."""
    odds = _SKIP_BASE + taste_strength * _SKIP_DISTANCE * distance
    return odds + np.where(is_first, _SKIP_NOVELTY * novelty, _SKIP_REPLAY)


def fit(taste_strength: float, distance: Floats) -> Floats:
    """How well a track fits, 0 to 1; a half where taste says nothing."""
    return logistic(taste_strength * 3.0 * (_NEAR - distance))


def draw_ms_played(random: Random, end: Ints, duration: Ints) -> Ints:
    """Milliseconds by how the play ended: the whole, mostly a little before a skip, anything before closing."""
    share = np.where(end == SKIPPED, 0.75 * random.random(len(end)) ** 2.5, random.random(len(end)))
    # A second at least: what was skipped was begun.
    played: Ints = np.maximum(np.where(end == FINISHED, duration, share * duration).astype(np.int64), 1_000)
    return played


def _moments(random: Random, chooser: Chooser, plays: Plays, ms_played: Ints) -> Ints:
    """(plays,) UTC milliseconds: one after the other, a second or so between them."""
    lasting = ms_played + random.integers(200, 2_500, len(plays))
    total = np.bincount(plays.session, weights=lasting, minlength=len(chooser.sessions)).astype(np.int64)
    starts = apart(chooser.sessions, total)
    before = np.cumsum(lasting) - lasting
    openings = segment_starts(plays.session)
    inside = before - before[np.flatnonzero(openings)][np.cumsum(openings) - 1] if len(plays) else before
    moments: Ints = starts[plays.session] + inside
    return moments


def draw_actions(random: Random, chooser: Chooser, plays: Plays, outcomes: Outcomes, size: WorldSize) -> Actions:
    """Saves and likes of what fits, dislikes and blocks of what doesn't, each once a listener and track."""
    fits = fit(chooser.params.taste_strength, plays.distance)
    finished, skipped = outcomes.end == FINISHED, outcomes.end == SKIPPED
    saved = _happens(random, SAVE_SHARE * fits * finished * np.where(plays.is_first, 1.0, 0.6))
    # Bad fits are disliked more often; most people never say so.
    chances = {
        SAVE: saved,
        LIKE: _happens(random, LIKE_SHARE * fits * finished),
        DISLIKE: _happens(random, 0.05 * (1 - fits) * skipped),
        BLOCK_TRACK: _happens(random, 0.006 * (1 - fits) * skipped),
        BLOCK_ARTIST: _happens(random, 0.006 * (1 - fits) * skipped),
    }
    key = chooser.sessions.listener[plays.session] * np.int64(len(chooser.catalogue.tracks)) + plays.track
    kinds, rows = [], []
    for sort, happened in chances.items():
        found = np.flatnonzero(happened)
        found = found[first_of_each(key[found])]
        kinds.append(np.full(len(found), sort))
        rows.append(found)
    kind, play = np.concatenate(kinds), np.concatenate(rows)
    moment = outcomes.occurred_ms[play] + (random.random(len(play)) * outcomes.ms_played[play]).astype(np.int64)
    again = np.flatnonzero((kind == SAVE) & (random.random(len(kind)) < _UNSAVE_SHARE))
    later = moment[again] + (random.exponential(_UNSAVE_DAYS, len(again)) * DAY_MS).astype(np.int64) + 60_000
    kind = np.concatenate([kind, np.full(len(again), UNSAVE)])
    play, moment = np.concatenate([play, play[again]]), np.concatenate([moment, later])
    known = moment < size.end_ms
    return Actions(kind[known], play[known], moment[known])


def _happens(random: Random, chance: Floats) -> Bools:
    return random.random(len(chance)) < chance


def before_blocks(chooser: Chooser, plays: Plays, outcomes: Outcomes, actions: Actions) -> tuple[Bools, Bools]:
    """(plays,) and (actions,) True for what happened before the listener blocked that track or artist."""
    listener = chooser.sessions.listener[plays.session]
    artist = chooser.catalogue.tracks.artist[plays.track]
    tracks, artists = len(chooser.catalogue.tracks), len(chooser.catalogue.artists.genre)
    kept = np.ones(len(plays), dtype=bool)
    acted = np.ones(len(actions.kind), dtype=bool)
    for kind, key in (
        (BLOCK_TRACK, listener * tracks + plays.track),
        (BLOCK_ARTIST, listener * artists + artist),
    ):
        blocks = np.flatnonzero(actions.kind == kind)
        if not len(blocks):
            continue
        blocked, moment = _earliest(key[actions.play[blocks]], actions.occurred_ms[blocks])
        kept &= _before(key, outcomes.occurred_ms, blocked, moment)
        acted &= _before(key[actions.play], actions.occurred_ms, blocked, moment)
    return kept, acted


def _earliest(keys: Ints, moments: Ints) -> tuple[Ints, Ints]:
    """Sorted different keys and the first moment of each."""
    order = np.lexsort((moments, keys))
    firsts = segment_starts(keys[order])
    return keys[order][firsts], moments[order][firsts]


def _before(keys: Ints, moments: Ints, blocked: Ints, since: Ints) -> Bools:
    """True where the key isn't blocked, or not later than its moment."""
    place = np.minimum(np.searchsorted(blocked, keys), len(blocked) - 1)
    before: Bools = (blocked[place] != keys) | (moments <= since[place])
    return before
