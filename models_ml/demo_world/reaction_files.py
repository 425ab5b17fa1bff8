"""Writing how listeners reacted to a week's playlists: landing files of that week, and beside them the truth.

Belongs here: the order of the steps, chunks of listeners, what counts as written.
Does not: the model (reactions.py), rows (reaction_rows.py), reading the truth (reaction_truth.py).
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.demo_world.draws import Ints, Random, generator
from models_ml.demo_world.event_rows import EVENT_SCHEMA
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.reaction_rows import (
    CANCELLATION_SCHEMA,
    Given,
    Liked,
    Timed,
    cancellations,
    comeback_events,
    draw_times,
    list_events,
    numbered_by_time,
    slot_truth,
)
from models_ml.demo_world.reaction_truth import (
    MOODS_FILE,
    SLOTS_FILE,
    Music,
    Past,
    People,
    mood_table,
    positions,
    read_moods,
    read_music,
    read_past,
    read_people,
    week_folder,
)
from models_ml.demo_world.reactions import (
    Lists,
    Moods,
    Reactions,
    draw_comebacks,
    draw_reactions,
    nearest_distance,
    skip_chances,
)
from models_ml.errors import InputError
from models_ml.landing.storage import replacing

# Listeners are drawn in chunks of one size, so that what one does doesn't depend on how many there are.
_CHUNK_LISTENERS = 10_000


@dataclass(frozen=True)
class ReactionReport:
    """What landed: lists that were opened, events, listeners who left. was_there: it had been written before."""

    opened: int
    events: int
    left: int
    was_there: bool


@dataclass(frozen=True)
class Week:
    """Everything that a week's reactions follow from."""

    monday: dt.date
    people: People
    music: Music
    moods: Moods
    past: Past
    ever: np.ndarray
    params: WorldParams
    seed: int


@dataclass(frozen=True)
class ChunkRows:
    """What a chunk of listeners did."""

    events: pa.Table
    cancellations: pa.Table
    slots: pa.Table
    listener: Ints
    reactions: Reactions


def write_reactions(
    landing: Path, truth: Path, slots: pa.Table, lists: pa.Table, week: dt.date, params: WorldParams, seed: int
) -> ReactionReport:
    """Write what listeners did with the lists of Monday `week` from then until the Monday after.

    slots: user_id, position, track_id, is_new_artist, playlist_id, one row per place.  lists: user_id, available_at.
    The same lists, truth, params and seed give the same bytes; a week that has landed is left as it is.
    Raises InputError where the lists are not of this world.
    """
    folder = week_folder(truth, week)
    if folder.is_dir():
        return ReactionReport(0, 0, 0, was_there=True)
    people, music = read_people(truth), read_music(landing, truth)
    ever = people.listens & (generator(seed, "reaction people").random(len(people.listens)) < params.reaction_share)
    moods, past = read_moods(truth, week, people), read_past(truth, week, people, music)
    drawn = Week(week, people, music, moods, past, ever, params, seed)
    beside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    report = _write_week(landing, beside, drawn, slots, lists)
    # The folder says that the week has landed: last.
    beside.replace(folder)
    return report


def _write_week(landing: Path, beside: Path, week: Week, slots: pa.Table, lists: pa.Table) -> ReactionReport:
    targets = (
        (landing / "events" / f"week={week.monday}" / "reactions-0000.parquet", EVENT_SCHEMA),
        (landing / "subscriptions" / f"cancellations-{week.monday}.parquet", CANCELLATION_SCHEMA),
        (beside / SLOTS_FILE, None),
    )
    moods, opened = week.moods, np.zeros(len(week.ever), dtype=bool)
    events, left = 0, 0
    with ExitStack() as files:
        writers: dict[Path, pq.ParquetWriter] = {}
        for chunk in _chunks(week, slots, lists):
            tables = (chunk.events, chunk.cancellations, chunk.slots)
            for (path, schema), table in zip(targets, tables, strict=True):
                # No rows, no file in landing.
                if path not in writers and (len(table) or schema is None):
                    hidden = files.enter_context(replacing(path))
                    writers[path] = files.enter_context(pq.ParquetWriter(hidden, table.schema, compression="zstd"))
                if path in writers:
                    writers[path].write_table(table)
            events, left = events + len(chunk.events), left + len(chunk.cancellations)
            moods = _replaced(moods, chunk.listener, chunk.reactions.moods)
            opened[chunk.listener] = chunk.reactions.opened
    pq.write_table(mood_table(week.people, opened, moods), beside / MOODS_FILE, compression="zstd")
    return ReactionReport(int(opened.sum()), events, left, was_there=False)


def _replaced(moods: Moods, rows: Ints, after: Moods) -> Moods:
    """The moods, those of some rows as they are afterwards."""
    columns = []
    for name in ("boredom", "delight", "bored_weeks", "gone"):
        column = getattr(moods, name).copy()
        column[rows] = getattr(after, name)
        columns.append(column)
    return Moods(*columns)


def expected_skips(
    landing: Path, truth: Path, slots: pa.Table, lists: pa.Table, week: dt.date, params: WorldParams
) -> dict[str, float]:
    """Mean chance of a skip over the list of each listener who plays anything, did they hear all of it; by user_id.

    slots, lists: as in write_reactions; nothing is written.
    """
    people, music = read_people(truth), read_music(landing, truth)
    past, nobody = read_past(truth, week, people, music), Moods.none(len(people.listens))
    asked = Week(week, people, music, nobody, past, people.listens, params, seed=0)
    found: dict[str, float] = {}
    for _, given, is_new in _given_chunks(asked, slots, lists):
        chance = skip_chances(_lists(asked, given, is_new), params).mean(axis=1)
        listens = people.listens[given.listener]
        found.update(zip(given.user_id.filter(pa.array(listens)).to_pylist(), chance[listens].tolist(), strict=True))
    return found


def _chunks(week: Week, slots: pa.Table, lists: pa.Table) -> Iterator[ChunkRows]:
    """What each chunk of listeners did, in the order of the truth; one chunk at least."""
    for number, given, is_new in _given_chunks(week, slots, lists):
        yield _draw_chunk(week, number, given, is_new)


def _given_chunks(week: Week, slots: pa.Table, lists: pa.Table) -> Iterator[tuple[int, Given, np.ndarray]]:
    """(number, lists, whether artists were new) of each chunk of listeners."""
    listener = positions(week.people.user_id, slots["user_id"])
    order = np.lexsort((slots["position"].to_numpy(), listener))
    slots, listener = slots.take(pa.array(order)), listener[order]
    with_list = positions(week.people.user_id, lists["user_id"])
    available_ms = np.zeros(len(week.ever), dtype=np.int64)
    available_ms[with_list] = lists["available_at"].cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy()
    for number in range(-(-len(week.ever) // _CHUNK_LISTENERS)):
        first, stop = np.searchsorted(listener, [number * _CHUNK_LISTENERS, (number + 1) * _CHUNK_LISTENERS])
        yield number, *_given(week, slots.slice(first, stop - first), listener[first:stop], available_ms)


def _given(week: Week, slots: pa.Table, listener: Ints, available_ms: Ints) -> tuple[Given, np.ndarray]:
    """The lists of some slots in order, and (lists, places) whether the artist was new."""
    who, first, counts = np.unique(listener, return_index=True, return_counts=True)
    places = int(counts.max(initial=1))
    if (counts != places).any():
        raise InputError(f"demo world: lists of {week.monday} have {counts.min()} to {places} tracks; all need as many")
    opening = pa.array(first)
    given = Given(
        week=week.monday,
        listener=who,
        user_id=week.people.user_id.take(pa.array(who)),
        playlist_id=slots["playlist_id"].combine_chunks().take(opening),
        available_ms=available_ms[who],
        track=positions(week.music.track_id, slots["track_id"]).reshape(-1, places),
        track_id=week.music.track_id,
    )
    return given, slots["is_new_artist"].to_numpy(zero_copy_only=False).reshape(-1, places)


def _draw_chunk(week: Week, number: int, given: Given, is_new: np.ndarray) -> ChunkRows:
    random = generator(week.seed, "reactions", week.monday.isoformat(), number)
    moods = Moods(
        *(getattr(week.moods, name)[given.listener] for name in ("boredom", "delight", "bored_weeks", "gone"))
    )
    reactions = draw_reactions(random, _lists(week, given, is_new), moods, week.params)
    timed = draw_times(random, given, reactions)
    comebacks = _comebacks(week, number, random, given, timed, reactions)
    events = pa.concat_tables([list_events(given, reactions, timed), comebacks])
    return ChunkRows(
        events=numbered_by_time(events, week.monday, number),
        cancellations=cancellations(given, reactions),
        slots=slot_truth(given, reactions, timed),
        listener=given.listener,
        reactions=reactions,
    )


def _lists(week: Week, given: Given, is_new: np.ndarray) -> Lists:
    people, music = week.people, week.music
    artist, genre = music.artist[given.track], music.genre[given.track]
    return Lists(
        novelty=people.novelty[given.listener],
        ever=week.ever[given.listener],
        distance=nearest_distance(
            people.tastes[given.listener], people.has_taste[given.listener], music.place[given.track]
        ),
        artist=artist,
        genre=genre,
        artist_heard=week.past.artists.at(given.listener, artist),
        genre_heard=week.past.genres.at(given.listener, genre),
        is_new=is_new,
        duration_ms=music.duration_ms[given.track],
    )


def _comebacks(week: Week, number: int, random: Random, given: Given, timed: Timed, reactions: Reactions) -> pa.Table:
    """Plays of one's own accord of what was liked: in this list, and in those of the last weeks."""
    past = week.past.liked
    earlier = (past.listener // _CHUNK_LISTENERS == number) & ~week.moods.gone[past.listener]
    lists, places = np.nonzero(timed.happened & (reactions.saved | reactions.liked))
    now = given.track[lists, places]
    liked = Liked(
        listener=np.concatenate([past.listener[earlier], given.listener[lists]]),
        track=np.concatenate([past.track[earlier], now]),
        duration_ms=np.concatenate([past.duration_ms[earlier], week.music.duration_ms[now]]),
        since_ms=np.concatenate([past.since_ms[earlier], timed.said_ms[lists, places]]),
    )
    weeks_ago = np.concatenate([week.past.weeks_ago[earlier], np.zeros(len(now), dtype=np.int64)])
    times = draw_comebacks(random, weeks_ago, week.params)
    return comeback_events(random, given, week.people.user_id, liked, times)
