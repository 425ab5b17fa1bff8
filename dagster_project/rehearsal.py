"""Rehearsals: Mondays before a home's first list, made as far as candidates, so that its ranker has examples.

Belongs here: when, which Mondays, of how many listeners; the folder they are made in, which is gone afterwards. Does
not: any of the steps, what came of candidates (warehouse/models/features/ranking_examples.sql), learning
(models_ml/ranker).

A rehearsal knows what was known before its Monday, by the same SQL and steps as a Monday's lists. Sound is left out: a
network more would take longer than all else.
"""

import datetime as dt
import shutil
from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.assets.playlists import FEATURES_READ, given_features, week_calibration, week_content, week_genres
from dagster_project.configuration import Configuration
from dagster_project.features_apart import MILLION, build_apart, prepare_apart
from dagster_project.home import Home
from dagster_project.inputs import ROUGH_MOMENT, WEEK_FILES_TABLE
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.progress import LOG
from dagster_project.recipe import put_weights
from dagster_project.sound_io import SOUNDS, analyse_sounds, keep_near_duplicates, make_audio_vectors
from dagster_project.text_io import TEXT_FEATURES
from dagster_project.vector_steps import FUSED_FEATURES, make_factors, make_fused, make_text
from dagster_project.vectors_io import load_factors, serve
from models_ml.arrays import Progress, ranges
from models_ml.candidates import CandidateSources, passing
from models_ml.collaborative import CollaborativeFactors
from models_ml.features import WeekFeatures
from models_ml.landing.intake import intake_path
from models_ml.playlists import Learning, PlaylistMaker, PlaylistParams
from models_ml.ranker.features import logged_listeners
from models_ml.ranker.params import RankerParams
from models_ml.retrieval import ExactRetriever
from models_ml.seeds import seed_for

REHEARSED = "ml/rehearsed_features"
_SOUND_FEATURES = ("recording_sounds", "recording_given_vectors")
_TABLES = tuple(dict.fromkeys((*FEATURES_READ, *TEXT_FEATURES, *FUSED_FEATURES, *_SOUND_FEATURES)))
# Of more rows of events it isn't counted whether enough was played: it was.
_COUNTED_ROWS = 5_000_000


def rehearsed_mondays(home: Home, week: dt.date, params: RankerParams) -> list[dt.date]:
    """The Mondays to rehearse for a week's ranker, oldest first: none where it has lists to learn from."""
    since = week - dt.timedelta(weeks=params.training_weeks)
    if not params.learned or not params.example_listeners or any(since <= of < week for of in committed_weeks(home)):
        return []
    back = min(params.rehearsed_weeks, params.training_weeks)
    return [week - dt.timedelta(weeks=number) for number in range(back, 0, -1)]


def is_worth_it(home: Home, week: dt.date, first: dt.date, params: RankerParams) -> bool:
    """Whether so much was played for the first time since the first rehearsed Monday that a ranker could be learnt."""
    files = Lake(home.lake).read_week(WEEK_FILES_TABLE, week).to_pylist()
    events = [row for row in files if row["dataset"] == "events" and row["error"] is None and row["row_count"]]
    if sum(row["row_count"] for row in events) > _COUNTED_ROWS:
        return True
    paths = [intake_path(home.intake, "events", row["content_hash"]) for row in events]
    return _first_played(sorted({str(path) for path in paths if path.exists()}), first, week) >= params.fewest_examples


def mondays_to_rehearse(home: Home, week: dt.date, params: RankerParams) -> list[dt.date]:
    """The Mondays to rehearse; none, and it is said why, where too little was played to learn from."""
    mondays = rehearsed_mondays(home, week, params)
    if mondays and not is_worth_it(home, week, mondays[0], params):
        LOG.info(f"rehearsal: too little was played for the first time since {mondays[0]} to learn from")
        return []
    return mondays


def _first_played(paths: list[str], first: dt.date, week: dt.date) -> int:
    """Pairs of listener and track that were first played from the first Monday on and before the week."""
    if not paths:
        return 0
    query = f"""
        select count(*)
        from (
            select min({ROUGH_MOMENT}) as began
            from read_parquet(?, union_by_name = true)
            where lower(trim(event_type)) = 'play'
            group by user_id, track_id
        )
        where began >= ? and began < ?
    """
    with duckdb.connect() as connection:
        row = connection.execute(query, [paths, first, week]).fetchone()
    return int(row[0]) if row else 0


def rehearse(
    home: Home, week: dt.date, mondays: list[dt.date], settings: Configuration, weights: str | None, progress: Progress
) -> Iterator[pa.Table]:
    """REHEARSED_FEATURES_SCHEMA of one Monday after the other, from the files that the week reads.

    weights: table of weights of feedback of the home's own, None for the checked-in one.
    """
    files = Lake(home.lake).read_week(WEEK_FILES_TABLE, week)
    share = _listener_share(files, settings.ranker)
    for monday in mondays:
        work = Home(home.rehearsal)
        try:
            prepare_apart(work, home.intake, monday, files)
            put_weights(work, weights)
            progress(f"rehearsal of {monday}: features")
            build_apart(work, monday, settings.dbt_vars(), [f"+{table}" for table in _TABLES], share)
            lake = Lake(work.lake)
            for table in _TABLES:
                lake.adopt(f"features/{table}", monday, work.scratch / f"{table}.parquet")
            yield from _made(work, monday, settings, progress)
        finally:
            shutil.rmtree(work.root, ignore_errors=True)


def _listener_share(files: pa.Table, params: RankerParams) -> int:
    """Of a million listeners, those that are rehearsed: fewer where more events have landed than are to be read."""
    rows = sum(row["row_count"] or 0 for row in files.to_pylist() if row["dataset"] == "events")
    return MILLION if rows <= params.rehearsed_events else max(1, MILLION * params.rehearsed_events // rows)


def _made(work: Home, monday: dt.date, settings: Configuration, progress: Progress) -> Iterator[pa.Table]:
    """What a Monday's features say of candidates, by the steps of a run up to them."""
    lake = Lake(work.lake)
    if not lake.row_count("features/interactions", monday):
        return
    make_factors(lake, monday, settings, None, progress)
    make_text(lake, monday, settings, progress)
    _without_sound(work, monday, settings, progress)
    make_fused(lake, monday, settings, progress)
    features, factors = given_features(lake, monday), serve(load_factors(lake, monday), lake, monday, settings.serving)
    asked = logged_listeners(features.user_id, monday, settings.ranker.example_listeners)
    maker = _maker(lake, monday, settings, features, factors, Learning(None, asked))
    sources = CandidateSources(features, factors, settings.candidates)
    engine, listeners = ExactRetriever(factors.served, factors.retrievable), np.flatnonzero(asked)
    for start, stop in ranges(len(listeners), settings.candidates.block_listeners):
        block = listeners[start:stop]
        told = maker.features_of(block, passing(sources, engine, block))
        yield told.add_column(0, "list_week", pa.array([monday] * told.num_rows, pa.date32()))
        progress(f"rehearsal of {monday}: candidates of {stop:,} of {len(listeners):,} listeners")


def _without_sound(work: Home, monday: dt.date, settings: Configuration, progress: Progress) -> None:
    """The tables of sound as they are where no file has landed; vectors of one's own are read."""
    lake = Lake(work.lake)
    lake.replace_week(
        "features/recording_sounds", monday, lake.read_week("features/recording_sounds", monday).slice(0, 0)
    )
    nothing, _ = analyse_sounds(work, monday, settings.sound, progress)
    lake.replace_week(SOUNDS, monday, nothing)
    make_audio_vectors(work, monday, settings, seed_for("audio_vectors", monday, settings.run.seed), progress)
    keep_near_duplicates(lake, monday, settings.near_duplicates)


def _maker(
    lake: Lake,
    monday: dt.date,
    settings: Configuration,
    features: WeekFeatures,
    factors: CollaborativeFactors,
    learning: Learning,
) -> PlaylistMaker:
    """What says of candidates what the makers of lists do, with nothing left to chance."""
    calibration = week_calibration(lake, monday, week_genres(lake, monday, factors), settings.rules)
    params = PlaylistParams(settings.candidates, settings.ranking, settings.rules, settings.serving)
    content = week_content(lake, monday, features)
    return PlaylistMaker(features, factors, params, content, calibration, learning=learning)
