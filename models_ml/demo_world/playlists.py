"""Titled playlists: those of listeners, each made of what they liked in one taste, and those of the house.

Belongs here: which tracks, when added; the landing tables.
Does not: titles (playlist_words.py), the events of adding (event_rows.py makes rows of them).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.catalogue_tables import CatalogueIds, moments, nearest_mood, texts
from models_ml.demo_world.choices import Chooser, Plays
from models_ml.demo_world.draws import (
    Ints,
    Random,
    first_of_each,
    generator,
    place_in_segment,
    segment_starts,
)
from models_ml.demo_world.genres import GENRE_COUNT
from models_ml.demo_world.ids import numbered, user_ids
from models_ml.demo_world.listeners import NEXT_DOOR, TOTALS_ONLY
from models_ml.demo_world.outcomes import FINISHED, Outcomes
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.playlist_words import descriptions, playlist_titles
from models_ml.demo_world.size import DAY_MS, WorldSize

_LEAST_TRACKS, _MOST_TRACKS = 8, 30
# Squared distance up to which a track is thought to fit.
_FITS = 0.9
_REMOVED_SHARE = 0.03
_REMOVED_DAYS = 30.0
_EDITORIAL_TRACKS = 50
# Listeners' playlists are numbered by listener and mode.
MODES_LIMIT = 10


@dataclass(frozen=True)
class Members:
    """Tracks of listeners' playlists, sorted by playlist and moment; arrays of (members,).

    number: listener's position in the world * MODES_LIMIT + mode.  listener: position in the chunk.
    play: the play after which it was added.  added_ms, removed_ms: UTC; removed_ms is 0 where it stayed.
    """

    number: Ints
    listener: Ints
    play: Ints
    track: Ints
    added_ms: Ints
    removed_ms: Ints


def draw_members(random: Random, chooser: Chooser, plays: Plays, outcomes: Outcomes, size: WorldSize) -> Members:
    """Who keeps a playlist of which taste, and what is in it: finished tracks that fit, the best ones."""
    listeners, sessions = chooser.listeners, chooser.sessions
    listener, mode = sessions.listener[plays.session], sessions.mode[plays.session]
    local = listener * MODES_LIMIT + mode
    shape = (len(listeners), MODES_LIMIT)
    chance = np.zeros(shape)
    chance[:, : listeners.mode_weight.shape[1]] = listeners.mode_weight[:, :, 1] * chooser.params.playlists_per_listener
    chance[listeners.kind == TOTALS_ONLY] = 0
    keeps = (random.random(shape) < chance).reshape(-1)
    limit = random.integers(_LEAST_TRACKS, _MOST_TRACKS + 1, keeps.size)
    good = keeps[local] & (outcomes.end == FINISHED) & (plays.distance < _FITS)
    good &= sessions.point[plays.session] != NEXT_DOOR
    rows = np.flatnonzero(good)
    rows = rows[first_of_each(local[rows] * np.int64(len(chooser.catalogue.tracks)) + plays.track[rows])]
    rows = rows[np.lexsort((rows, plays.distance[rows], local[rows]))]
    enough = np.bincount(local[rows], minlength=keeps.size) >= _LEAST_TRACKS
    rows = rows[(place_in_segment(local[rows]) < limit[local[rows]]) & enough[local[rows]]]
    added = outcomes.occurred_ms[rows] + outcomes.ms_played[rows] // 2
    order = np.lexsort((rows, added, local[rows]))
    rows, added = rows[order], added[order]
    removed = added + (random.exponential(_REMOVED_DAYS, len(rows)) * DAY_MS).astype(np.int64) + 60_000
    gone = (random.random(len(rows)) < _REMOVED_SHARE) & (removed < size.end_ms)
    return Members(
        number=listeners.first * MODES_LIMIT + local[rows],
        listener=listener[rows],
        play=rows,
        track=plays.track[rows],
        added_ms=added,
        removed_ms=np.where(gone, removed, 0),
    )


def playlist_ids(numbers: Ints) -> pa.Array:
    """p000000042 and the like."""
    return numbered("p", numbers, 9)


def listener_playlists(
    random: Random, chooser: Chooser, ids: CatalogueIds, members: Members
) -> tuple[pa.Table, pa.Table]:
    """`playlists` and `playlist_tracks` of a chunk of listeners; what was removed isn't in it any more."""
    starts = np.flatnonzero(segment_starts(members.number))
    listener = members.listener[starts]
    mode = members.number[starts] % MODES_LIMIT
    genre = chooser.listeners.point_genre[listener, mode, 0]
    sound = _mean_sound(chooser.catalogue, members)
    carries = chooser.params.words_carry_taste
    titles = playlist_titles(random, genre, nearest_mood(random, sound), carries)
    playlists = pa.table(
        {
            "playlist_id": playlist_ids(members.number[starts]),
            "title": texts(titles),
            "description": descriptions(random, genre, carries, 0.15),
            "owner_id": user_ids(chooser.listeners.first + listener),
            # When the title was last changed: at the beginning.
            "updated_at": moments(members.added_ms[starts]),
        }
    )
    stays = members.removed_ms == 0
    return playlists, member_table(
        playlist_ids(members.number[stays]),
        members.number[stays],
        members.track[stays],
        members.added_ms[stays],
        ids,
    )


def _mean_sound(catalogue: Catalogue, members: Members) -> np.ndarray:
    """(playlists, 3) mean energy, darkness and acousticness; whole thousandths, so that sums are exact."""
    playlist = np.cumsum(segment_starts(members.number)) - 1
    sound = np.rint(catalogue.tracks.sound[members.track] * 1_000)
    counts = np.bincount(playlist)
    sums = np.stack([np.bincount(playlist, weights=sound[:, place]) for place in range(sound.shape[1])], axis=1)
    return sums / np.maximum(counts, 1)[:, None] / 1_000


def member_table(playlist_id: pa.Array, number: Ints, track: Ints, added_ms: Ints, ids: CatalogueIds) -> pa.Table:
    """One row per playlist and track, in the order of the playlist: `playlist_tracks`."""
    return pa.table(
        {
            "playlist_id": playlist_id,
            "track_id": ids.track.take(pa.array(track)),
            "position": pa.array(place_in_segment(number) + 1),
            "added_at": moments(added_ms),
        }
    )


def editorial_id(numbers: Ints) -> pa.Array:
    """e0042 and the like: genre * playlists of a genre + which of them."""
    return numbered("e", numbers, 5)


def editorial_playlists(
    seed: int, catalogue: Catalogue, ids: CatalogueIds, size: WorldSize, params: WorldParams
) -> tuple[pa.Table, pa.Table]:
    """`playlists` and `playlist_tracks` of the house: well-known tracks of a genre that fit a mood."""
    random = generator(seed, "editorial")
    each = params.editorial_playlists_per_genre
    genre = np.repeat(np.arange(GENRE_COUNT), each)
    known = size.start_ms - 400 * DAY_MS
    found, numbers, sounds = [], [], []
    for which, place in enumerate(genre):
        rows = np.flatnonzero((catalogue.track_genre == place) & (catalogue.tracks.playable_ms < size.end_ms))
        chosen = _editorial_tracks(random, catalogue, rows)
        found.append(chosen)
        numbers.append(np.full(len(chosen), which))
        sounds.append(catalogue.tracks.sound[chosen].mean(axis=0) if len(chosen) else np.zeros(3))
    if not found:
        return empty_tables(ids)
    track, number = np.concatenate(found), np.concatenate(numbers)
    first = np.maximum(catalogue.tracks.playable_ms[track], known)
    added = first + (random.random(len(track)) * (size.end_ms - first)).astype(np.int64)
    order = np.lexsort((track, added, number))
    track, number, added = track[order], number[order], added[order]
    carries = params.words_carry_taste
    playlists = pa.table(
        {
            "playlist_id": editorial_id(np.arange(len(genre))),
            "title": texts(
                playlist_titles(random, genre, nearest_mood(random, np.round(np.array(sounds), 6)), carries)
            ),
            "description": descriptions(random, genre, carries, 0.9),
            "owner_id": pa.nulls(len(genre), pa.string()),
            "updated_at": moments(np.full(len(genre), known)),
        }
    )
    return playlists, member_table(editorial_id(number), number, track, added, ids)


def _editorial_tracks(random: Random, catalogue: Catalogue, rows: Ints) -> Ints:
    """The best known of the tracks nearest to one of them, none where there are none."""
    if not len(rows):
        return rows
    fame = catalogue.artists.popularity[catalogue.tracks.artist[rows]] * catalogue.tracks.weight[rows]
    centre = rows[int(np.argmax(fame * random.random(len(rows))))]
    away = ((catalogue.tracks.sound[rows] - catalogue.tracks.sound[centre]) ** 2).sum(axis=1)
    score = np.round(np.log(fame) - 8.0 * away + random.random(len(rows)), 9)
    return rows[np.argsort(-score, kind="stable")[:_EDITORIAL_TRACKS]]


def empty_tables(ids: CatalogueIds) -> tuple[pa.Table, pa.Table]:
    """Both tables without a row."""
    nothing = np.zeros(0, dtype=np.int64)
    text = pa.array([], pa.string())
    playlists = pa.table(
        {
            "playlist_id": text,
            "title": text,
            "description": text,
            "owner_id": text,
            "updated_at": moments(nothing),
        }
    )
    return playlists, member_table(text, nothing, nothing, nothing, ids)
