"""A demo world that is run for one Monday, with four weeks of truth after it.

Belongs here: the frozen size, running it, what happened then as it landed. Does not: what is measured on it.

Frozen before anything was tuned on it: 4,000 listeners, 10,000 tracks, three fifths of the albums released since the
history began, 22 weeks of history before W, 2026-10-26; seeds 101, 102 and 103, all else the world's defaults.
"""

import datetime as dt
import sys
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.assets.playlists import week_features
from dagster_project.catalogue_io import first_artists
from dagster_project.cli_demo import DEMO_CONFIG
from dagster_project.cli_run import run_week
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.vectors_io import load_factors, serve
from models_ml.arrays import Bools, Ints, Pairs, floats_with_nan
from models_ml.collaborative import CollaborativeFactors
from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.features import WeekFeatures

LAST_WEEK = dt.date(2026, 11, 23)
WEEK = LAST_WEEK - dt.timedelta(weeks=4)
SEEDS = (101, 102, 103)
RELEASED_SHARE = 0.6


@dataclass(frozen=True)
class World:
    """A world that was run for W, with what happened then.

    heard: (n,) owners to recordings first heard in the four weeks, for half a minute at least.  engaged: to those first
    met in the first of them, and played to the end, saved, liked or put on a playlist then.
    never_played: (m,) not for a second before W.  is_new: (m,) and young too.
    artist_plays: (m,) plays of its artist before W.  events: (n,) of each listener before W, of any type.
    """

    home: Home
    features: WeekFeatures
    factors: CollaborativeFactors
    heard: Pairs
    engaged: Pairs
    never_played: Bools
    is_new: Bools
    artist_plays: Ints
    events: Ints

    def truth(self, listeners: Ints) -> Pairs:
        """What each of these first heard in the four weeks."""
        row, position = self.heard.positions(listeners)
        indptr = np.searchsorted(row, np.arange(len(listeners) + 1)).astype(np.int64)
        return Pairs(indptr, self.heard.values[position], self.heard.width)


def _first_met(features: WeekFeatures, listener: Ints, recording: Ints) -> Pairs:
    """(n,) owners to those of these recordings that nothing kept from them before W."""
    keys = np.unique(listener * features.recording_count + recording)
    keys = keys[features.exclusions.find(*divmod(keys, features.recording_count)) < 0]
    indptr = np.searchsorted(keys, np.arange(features.listener_count + 1) * features.recording_count)
    recordings = (keys % features.recording_count).astype(np.int32)
    return Pairs(indptr.astype(np.int64), recordings, features.recording_count)


def run_world(home: Home, params: WorldParams, seed: int, *, sound: bool = True) -> World:
    """The world written, W run, and what happened read from the events as they landed."""
    home.prepare()
    size = WorldSize(listeners=4_000, tracks=10_000, weeks=1, last_week=LAST_WEEK, sound=sound)
    write_world(home.landing, home.root / "truth", size, params, seed)
    home.config_file.write_text(DEMO_CONFIG, encoding="utf-8")
    if not home.manifest(WEEK).exists() and not run_week(home, WEEK):
        sys.exit(f"{home.root}: the run failed")
    return read_world(home)


def read_world(home: Home) -> World:
    """A world that was run."""
    lake, settings = Lake(home.lake), load_configuration([home.config_file])
    features, factors = week_features(lake, WEEK), load_factors(lake, WEEK)
    happened = _happened(home, features, lake.read_week("features/editions", WEEK, ["track_id", "recording_index"]))
    before, is_play = happened.before, happened.is_play & (happened.recording >= 0)
    played = np.bincount(happened.recording[before & is_play], minlength=features.recording_count)
    heard = is_play & happened.is_hearing & ~before
    engaged = happened.is_next_week & happened.is_engaged & (happened.recording >= 0)
    days = floats_with_nan(lake.read_week("features/recordings", WEEK), "recordings", "known_days")
    artist = first_artists(lake, WEEK)
    return World(
        home,
        features,
        serve(factors, lake, WEEK, settings.serving),
        _first_met(features, happened.listener[heard], happened.recording[heard]),
        _first_met(features, happened.listener[engaged], happened.recording[engaged]),
        played == 0,
        (played == 0) & (days <= settings.fusion.new_days),
        np.bincount(artist, played)[artist].astype(np.int64),
        np.bincount(happened.listener[before], minlength=features.listener_count),
    )


@dataclass(frozen=True)
class Happened:
    """Events of known listeners, as they landed; arrays of (events,).

    listener: position.  recording: position, -1 where none is known.  before: W.  is_next_week: in the one after W.
    is_play: a play or a skip, however short.  is_hearing: half a minute at least.  is_engaged: played to the end,
    saved, liked or put on a playlist.
    """

    listener: Ints
    recording: Ints
    before: Bools
    is_next_week: Bools
    is_play: Bools
    is_hearing: Bools
    is_engaged: Bools


def _happened(home: Home, features: WeekFeatures, editions: pa.Table) -> Happened:
    found = duckdb.sql(
        f"""select user_id, track_id, try_cast(occurred_at as timestamp) < timestamp '{WEEK}' as before,
            try_cast(occurred_at as timestamp) >= timestamp '{WEEK}'
                and try_cast(occurred_at as timestamp) < timestamp '{WEEK + dt.timedelta(weeks=1)}' as is_next_week,
            coalesce(event_type in ('play', 'skip'), false) as is_play,
            coalesce(try_cast(ms_played as bigint) >= 30000, false) as is_hearing,
            coalesce(event_type in ('save', 'like', 'playlist_add'), false)
                or coalesce(event_type = 'play' and reason_end = 'trackdone', false) as is_engaged
        from read_parquet('{home.lake}/intake/events/*.parquet', union_by_name = true)
        where try_cast(occurred_at as timestamp) is not null"""
    ).to_arrow_table()
    listener = pc.fill_null(pc.index_in(found["user_id"].combine_chunks(), features.user_id), -1).to_numpy()
    track = pc.fill_null(pc.index_in(found["track_id"].combine_chunks(), editions["track_id"].combine_chunks()), -1)
    known = listener >= 0
    place = track.to_numpy()[known]
    recording = np.where(place >= 0, editions["recording_index"].to_numpy()[place], -1).astype(np.int64)
    names = ("before", "is_next_week", "is_play", "is_hearing", "is_engaged")
    flags = (found[name].to_numpy(zero_copy_only=False)[known] for name in names)
    return Happened(listener[known].astype(np.int64), recording, *flags)
