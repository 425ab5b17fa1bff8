"""Giving way: which soft rule is lifted, how far, where a list can't be filled otherwise.

Belongs here: the order in which soft rules give way, the record of what gave way, how far a list uses each rule.
Does not: the rules and the draw (assembly.py).
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import (
    PLAYLIST_LENGTH,
    AssemblyParams,
    Draws,
    Slate,
    draw,
    is_full,
    new_artists_needed,
    own_album_where_none,
)
from models_ml.rules import NEW_ARTIST_SHARE, TRACKS_PER_ALBUM, TRACKS_PER_ARTIST


@dataclass(frozen=True)
class Step:
    """One soft rule giving way by one step."""

    rule_id: str
    limit_from: float
    limit_to: float


@dataclass(frozen=True)
class Relaxations:
    """(r,) arrays, by listener and step: the listener's place, rule, step from 1, limit before and after."""

    rows: Ints
    rule_id: list[str]
    step: Ints
    limit_from: Floats
    limit_to: Floats


def ladder(params: AssemblyParams) -> list[Step]:
    """The order in which the soft rules give way: new artists first, then albums, then artists."""
    halved = [params.new_artist_share, params.new_artist_share / 2, 0.0]
    limits = {
        NEW_ARTIST_SHARE: halved if params.new_artist_share > 0 else [0.0],
        TRACKS_PER_ALBUM: _growing(params.tracks_per_album),
        TRACKS_PER_ARTIST: _growing(params.tracks_per_artist),
    }
    return [
        Step(rule, float(limit_from), float(limit_to))
        for rule, values in limits.items()
        for limit_from, limit_to in pairwise(values)
    ]


def _growing(limit: int) -> list[float]:
    """The limit, half as much again, and so on up to the whole list."""
    limits = [float(limit)]
    while limits[-1] < PLAYLIST_LENGTH:
        limits.append(float(min(PLAYLIST_LENGTH, math.ceil(limits[-1] * 1.5))))
    return limits


def draw_giving_way(slate: Slate, params: AssemblyParams, kept: Draws | None = None) -> tuple[Draws, Relaxations]:
    """(draws, relaxations): as draw, the rules giving way step by step for lists that can't be filled.

    Nothing is left to chance here: what an earlier draw left to it is kept, and the rest drawn anew around it.
    A step is recorded for a list only where the list that came out breaks the limit it lifted.
    """
    kept = Draws.none(len(slate.artist)) if kept is None else kept
    draws = draw(slate, params, kept)
    steps = ladder(params)
    taken = np.zeros(len(draws.picks), dtype=np.int64)
    limits = params
    for number, step in enumerate(steps, start=1):
        unfilled = np.flatnonzero(~is_full(draws.picks) & (slate.valid.sum(axis=1) >= PLAYLIST_LENGTH))
        if not len(unfilled):
            break
        limits = _with_limit(limits, step)
        taken[unfilled] = number
        draws.put(unfilled, draw(slate.rows(unfilled), limits, kept.rows(unfilled)))
    return draws, _recorded(slate, draws.picks, steps, taken)


def _with_limit(params: AssemblyParams, step: Step) -> AssemblyParams:
    if step.rule_id == NEW_ARTIST_SHARE:
        return replace(params, new_artist_share=step.limit_to)
    if step.rule_id == TRACKS_PER_ALBUM:
        return replace(params, tracks_per_album=int(step.limit_to))
    return replace(params, tracks_per_artist=int(step.limit_to))


def _recorded(slate: Slate, picks: Ints, steps: list[Step], taken: Ints) -> Relaxations:
    """The steps that each list needed, numbered from 1 for each."""
    usage = usage_of(slate, picks)
    needed = np.zeros((len(picks), len(steps)), dtype=bool)
    for number, step in enumerate(steps):
        if step.rule_id == NEW_ARTIST_SHARE:
            broken = usage[step.rule_id] < new_artists_needed(step.limit_from)
        else:
            broken = usage[step.rule_id] > step.limit_from
        needed[:, number] = broken & (taken > number)
    rows, places = np.nonzero(needed)
    return Relaxations(
        rows=rows,
        rule_id=[steps[place].rule_id for place in places],
        step=np.cumsum(needed, axis=1)[rows, places],
        limit_from=np.array([step.limit_from for step in steps])[places],
        limit_to=np.array([step.limit_to for step in steps])[places],
    )


def usage_of(slate: Slate, picks: Ints) -> dict[str, Ints]:
    """(b,) for each soft rule: tracks by new artists, most tracks of an album, most tracks of an artist."""
    place = np.maximum(picks, 0)
    used = picks >= 0
    if not slate.artist.size:
        nothing = np.zeros(len(picks), dtype=np.int64)
        return {NEW_ARTIST_SHARE: nothing, TRACKS_PER_ALBUM: nothing, TRACKS_PER_ARTIST: nothing}
    album = np.take_along_axis(own_album_where_none(slate.album), place, axis=1)
    artist = np.take_along_axis(slate.artist, place, axis=1)
    return {
        NEW_ARTIST_SHARE: (np.take_along_axis(slate.is_new, place, axis=1) & used).sum(axis=1),
        TRACKS_PER_ALBUM: _most_repeated(album, used),
        TRACKS_PER_ARTIST: _most_repeated(artist, used),
    }


def _most_repeated(values: Ints, used: Bools) -> Ints:
    """(b,) how often the most frequent value of each row stands there."""
    same = (values[:, :, None] == values[:, None, :]) & used[:, :, None] & used[:, None, :]
    return np.asarray(same.sum(axis=2).max(axis=1))
