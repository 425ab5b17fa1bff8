"""Playlists: candidates, the thirty that are taken, and what made them.

Belongs here: glue between the lake and models_ml. Does not: filters, scores, rules, reasons.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project import keys
from dagster_project.catalogue_io import preferred_editions
from dagster_project.configuration import Configuration
from dagster_project.experiments_io import week_groups
from dagster_project.home import parse_week
from dagster_project.lake import Lake
from dagster_project.progress import unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table, picture
from dagster_project.sound_io import NEAR_DUPLICATES, SOUNDS
from dagster_project.table_schemas import CANDIDATES, RANKER, RUN_FACTS, SLOTS
from dagster_project.takedowns import mend_week, recorded
from dagster_project.text_io import playlists_of_recordings
from dagster_project.vectors_io import (
    RECORDING_FACTORS,
    RETRIEVAL_QUALITY,
    load_factors,
    load_retriever,
    serve,
    signals,
)
from models_ml.affinity import ContentAffinity
from models_ml.arrays import Bools, Ints, column, floats_with_nan
from models_ml.assembly import AssemblyParams
from models_ml.calibration import Calibration, popularity_parts, weights
from models_ml.candidates import find_candidates
from models_ml.collaborative import CollaborativeFactors
from models_ml.evidence import Content
from models_ml.experiments.groups import CONTROL
from models_ml.experiments.makers import GroupMaker, GroupMender
from models_ml.exploration.arms import Exploration, read_arms, read_shown
from models_ml.exploration.uniforms import keys as keys_of
from models_ml.features import WeekFeatures, read_features
from models_ml.flow import Sounds
from models_ml.funnel import hashes, sampled_listeners
from models_ml.genres import Genres, read_genres
from models_ml.near_duplicates import with_near_duplicates
from models_ml.playlist_tables import SLOTS_SCHEMA
from models_ml.playlists import Learning, Maker, PlaylistMaker, PlaylistParams, build_playlists
from models_ml.plots import popularity_histogram
from models_ml.pools import CANDIDATES_SCHEMA
from models_ml.ranker.features import RANKING_FEATURES_SCHEMA, logged_listeners
from models_ml.ranker.params import RankerParams
from models_ml.ranker.tables import read_ranker
from models_ml.reasons import read_lifts
from models_ml.retrieval_quality import searched_exactly, taste_deciles
from models_ml.seeds import seed_for
from models_ml.takedown import ListMender

LOGGED = "ml/ranking_features"
FEATURES_READ = (
    "listeners",
    "recordings",
    "editions",
    "interactions",
    "exclusions",
    "blocked_artists",
    "known_artists",
    "market_popularity",
)
ARM_TABLES = ("recording_arms", "arm_posteriors")
EXPOSURE = "recording_exposure"
OF_LISTS = ("assigned_variants", "playlist_texts", "playlist_recordings", "reason_lifts")
LIFTS = "features/reason_lifts"


def week_features(lake: Lake, week: dt.date) -> WeekFeatures:
    """The week's features as arrays."""
    return read_features(**{name: lake.read_week(f"features/{name}", week) for name in FEATURES_READ})


def given_features(lake: Lake, week: dt.date) -> WeekFeatures:
    """The week's features, and which recordings are the same one in sound, so that one of them is given."""
    alike = lake.read_week(NEAR_DUPLICATES, week)
    same = (alike[name].to_numpy() for name in ("recording_index", "same_as"))
    return with_near_duplicates(week_features(lake, week), *same)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            deps=[
                keys.CANDIDATE_INDEX,
                keys.AUDIO_VECTORS,
                *map(keys.feature, (*FEATURES_READ, *ARM_TABLES, "assigned_variants")),
            ],
            group_name="candidates",
            partitions_def=keys.WEEKLY,
            kinds={"python", "parquet"},
            description=words,
        )
        for key, words in (
            (keys.CANDIDATES, "One row per listener: recordings that pass every filter, with score and sources."),
            (keys.ml("candidate_funnel"), "One row per stage and rule: how many candidates it took out."),
            (keys.ml("rejected_candidates"), "One row per sampled listener and candidate that a rule took out."),
        )
    ],
    name="candidates",
    partitions_def=keys.WEEKLY,
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def candidates(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Search, filter with named reasons, and search again for listeners left with few."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    features, factors = given_features(lake, week), serve(load_factors(lake, week), lake, week, settings.serving)
    retriever = load_retriever(workspace.paths, week, factors, settings.retrieval)
    deciles = taste_deciles(features.interactions, features.recordings.popularity_percentile, factors.has_vector)
    exactly = searched_exactly(deciles, lake.read_week(RETRIEVAL_QUALITY, week))
    exploration = searched_for(lake, week, settings, features)
    with lake.writing(CANDIDATES, week, CANDIDATES_SCHEMA) as keep:
        found = find_candidates(
            features, factors, retriever, settings.candidates, unhurried(), exactly, keep, exploration
        )
    yield dg.MaterializeResult(
        asset_key=keys.CANDIDATES,
        metadata={"dagster/row_count": lake.row_count(CANDIDATES, week), "funnel": _funnel(found.funnel)},
    )
    for name, rows in (("candidate_funnel", found.funnel), ("rejected_candidates", found.rejected)):
        count = lake.replace_week(f"ml/{name}", week, rows)
        yield dg.MaterializeResult(asset_key=keys.ml(name), metadata={"dagster/row_count": count})


def week_content(lake: Lake, week: dt.date, features: WeekFeatures) -> Content:
    """What is known of the week's recordings beside listening."""
    known = {signal.name: ContentAffinity(features.interactions, signal.vectors) for signal in signals(lake, week)}
    playlists, length = playlists_of_recordings(lake, week, features.recording_count)
    measured = lake.read_week(SOUNDS, week)
    sounds = Sounds.of(measured, features.recording_count) if measured.num_rows else None
    return Content(known.get("text"), known.get("audio"), playlists, length, sounds)


def week_genres(lake: Lake, week: dt.date, factors: CollaborativeFactors) -> Genres:
    """The genres of the week's recordings."""
    return read_genres(preferred_editions(lake, week, ["genres"])["genres"], factors.served)


def searched_for(lake: Lake, week: dt.date, settings: Configuration, features: WeekFeatures) -> Exploration | None:
    """Which arms there are and whose candidates hold some of each; what an arm is worth to whom matters at the draw."""
    groups = week_groups(lake, week, settings, features.listener_count)
    nothing = pa.array([], pa.string())
    each = [week_exploration(lake, week, own, features, nothing) for own in groups.settings]
    exploring = [one for one in each if one is not None]
    if not exploring:
        return None
    explores = np.array([one is not None for one in each])[groups.of]
    return replace(exploring[0], allowed=exploring[0].allowed & explores)


def week_exploration(
    lake: Lake,
    week: dt.date,
    settings: Configuration,
    features: WeekFeatures,
    genre_names: pa.Array,
    policy: str = CONTROL,
) -> Exploration | None:
    """What is left to chance, None where the settings leave nothing to it.

    genre_names: segments told apart.  policy: whose feedback the arms have learnt from.
    """
    params = settings.exploration
    recording_arms, posteriors = (lake.read_week(f"features/{name}", week) for name in ARM_TABLES)
    posteriors = posteriors.filter(pc.equal(posteriors["variant_id"], policy))
    arms = read_arms(recording_arms, posteriors, genre_names, features.recording_count, params)
    allowed = lake.read_week("features/listeners", week, ["allow_exploration"])
    key = keys_of(hashes(features.user_id), seed_for("exploration", week, settings.run.seed))
    exploration = Exploration(arms, column(allowed, "listeners", "allow_exploration", np.bool_), key, params)
    return exploration if exploration.explore_slots else None


def week_draws(
    lake: Lake, week: dt.date, settings: Configuration, features: WeekFeatures, genre_names: pa.Array, policy: str
) -> Exploration | None:
    """The same with what a draw goes by beyond what a search does: how often lists of late gave each recording."""
    exploration, table = week_exploration(lake, week, settings, features, genre_names, policy), f"features/{EXPOSURE}"
    # Weeks of older code have no such table; what is asked of their lists later draws nothing.
    if exploration is None or not lake.has_week(table, week):
        return exploration
    return replace(exploration, shown=read_shown(lake.read_week(table, week), features.recording_count))


def week_calibration(lake: Lake, week: dt.date, genres: Genres, rules: AssemblyParams) -> Calibration:
    """Genres and popularity of the week's recordings, and how firmly each listener's mixes are held on to."""
    listeners = lake.read_week("features/listeners", week, ["adventurousness"])
    dial = floats_with_nan(listeners, "listeners", "adventurousness")
    percentile = lake.read_week("features/recordings", week, ["popularity_percentile"])["popularity_percentile"]
    parts = popularity_parts(percentile.to_numpy(), rules.popularity_middle_from, rules.popularity_head_from)
    popularity = Calibration(parts, weights(rules.popularity_calibration_weight, dial))
    return Calibration(genres, weights(rules.calibration_weight, dial), popularity)


def week_learning(
    lake: Lake,
    week: dt.date,
    features: WeekFeatures,
    params: RankerParams,
    genre_names: pa.Array,
    policies: Iterable[str],
) -> dict[str, Learning]:
    """What the week's candidates are scored with, whose are kept for the weeks to come, what reasons led to.

    Of each policy, whose lists the ranker has learnt from; all else is alike.
    """
    # Weeks made before reasons were learnt have no such table; what is asked of their lists later needs none.
    lifts = read_lifts(lake.read_week(LIFTS, week), genre_names) if lake.has_week(LIFTS, week) else None
    logged = logged_listeners(features.user_id, week, params.example_listeners)
    rankers = lake.read_week(RANKER, week)
    return {policy: Learning(read_ranker(rankers, policy), logged, lifts) for policy in policies}


def varied_learning(learning: Learning, params: RankerParams) -> Learning:
    """The same as a variant scores with it."""
    ranker = learning.ranker.blended(params) if learning.ranker is not None and params.learned else None
    return replace(learning, ranker=ranker)


def _funnel(funnel: pa.Table) -> dg.MarkdownMetadataValue:
    head = ("stage", "rule", "candidates", "listeners")
    return dg.MetadataValue.md(markdown_table(head, [tuple(row.values()) for row in funnel.to_pylist()]))


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            deps=[
                keys.CANDIDATES,
                keys.RECORDING_SOUNDS,
                keys.RANKER,
                *map(keys.feature, (*FEATURES_READ, *ARM_TABLES, EXPOSURE, *OF_LISTS)),
            ],
            group_name="playlists",
            partitions_def=keys.WEEKLY,
            kinds={"python", "parquet"},
            description=words,
        )
        for key, words in (
            (keys.ml("playlist_slots"), "One row per listener and position: the thirty taken, scored and explained."),
            (keys.ml("relaxations"), "One row per listener, rule and step: which soft rule gave way."),
            (
                keys.ml("playlist_mixes"),
                "One row per listener: how far a list's genres and popularity are from theirs.",
            ),
            (keys.ml("ranked_candidates"), "One row per listener and position: the best by score, before any rule."),
            (keys.ml("ablated_candidates"), "One row per sampled listener, family left alone or out, and position."),
            (keys.ml("ranking_features"), "One row per sampled listener and candidate: what is learnt from later."),
            (keys.ml("run_facts"), "One row: what made the week's playlists."),
        )
    ],
    name="playlists",
    partitions_def=keys.WEEKLY,
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def playlists(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Score, assemble under the rules, put in order, give reasons."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    batches = lake.batches(CANDIDATES, week, settings.candidates.block_listeners)
    of = playlist_inputs(lake, week, settings)
    with (
        lake.writing(SLOTS, week, SLOTS_SCHEMA) as keep,
        lake.writing(LOGGED, week, RANKING_FEATURES_SCHEMA) as log,
    ):
        made = build_playlists(of.maker(), batches, unhurried(), keep, log)
    tables = {
        "relaxations": made.relaxations,
        "playlist_mixes": made.mixes,
        "ranked_candidates": made.ranked,
        "ablated_candidates": made.ablated,
        "run_facts": _run_facts(workspace, week),
    }
    for name, rows in tables.items():
        lake.replace_week(f"ml/{name}", week, rows)
    mend_week(lake, week, of.mender, recorded(workspace.paths, week))
    yield dg.MaterializeResult(
        asset_key=keys.ml("playlist_slots"),
        metadata={"dagster/row_count": lake.row_count(SLOTS, week), "popularity": _popularity(lake, week)},
    )
    for name in (*tables, "ranking_features"):
        count = lake.row_count(f"ml/{name}", week)
        yield dg.MaterializeResult(asset_key=keys.ml(name), metadata={"dagster/row_count": count})


@dataclass(frozen=True)
class PlaylistInputs:
    """What the lists of a week are made from, beside its candidates."""

    features: WeekFeatures
    factors: CollaborativeFactors
    params: PlaylistParams
    content: Content
    calibration: Calibration
    exploration: Exploration | None
    learning: Learning
    ablated: Bools

    def maker(self) -> PlaylistMaker:
        """What makes these lists."""
        return PlaylistMaker(
            self.features,
            self.factors,
            self.params,
            self.content,
            self.calibration,
            self.exploration,
            self.learning,
            self.ablated,
        )

    def mender(self, taken: Bools) -> ListMender:
        """What mends these lists where editions are taken down."""
        return ListMender(
            self.features, self.factors, self.params, taken, self.content, self.calibration, self.learning
        )


@dataclass(frozen=True)
class GroupedInputs:
    """The same by group of listeners.  group: (n,) place in inputs of each listener."""

    inputs: tuple[PlaylistInputs, ...]
    group: Ints

    def of(self, listener: int) -> PlaylistInputs:
        """What a listener's list is made from."""
        return self.inputs[int(self.group[listener])]

    def maker(self) -> Maker:
        """What makes these lists."""
        if len(self.inputs) == 1:
            return self.inputs[0].maker()
        return GroupMaker([of.maker() for of in self.inputs], self.group)

    def mender(self, taken: Bools) -> ListMender | GroupMender:
        """What mends these lists where editions are taken down."""
        if len(self.inputs) == 1:
            return self.inputs[0].mender(taken)
        return GroupMender([of.mender(taken) for of in self.inputs], self.group)


def playlist_inputs(lake: Lake, week: dt.date, settings: Configuration) -> GroupedInputs:
    """The week's own, read from the lake; what variants of experiments change is each group's own."""
    features, factors = given_features(lake, week), serve(load_factors(lake, week), lake, week, settings.serving)
    content, genres = week_content(lake, week, features), week_genres(lake, week, factors)
    groups = week_groups(lake, week, settings, features.listener_count)
    learning = week_learning(lake, week, features, settings.ranker, genres.names, groups.policies)
    ablated = sampled_listeners(features.user_id, 0.0, settings.evaluation.ablation_listeners)

    def made_with(own: Configuration, policy: str) -> PlaylistInputs:
        params = PlaylistParams(own.candidates, own.ranking, own.rules, own.serving, own.arrangement, own.reasons)
        calibration = week_calibration(lake, week, genres, own.rules)
        exploration = week_draws(lake, week, own, features, genres.names, policy)
        learnt = learning[policy]
        if own.ranker != settings.ranker:
            learnt = varied_learning(learnt, own.ranker)
        return PlaylistInputs(features, factors, params, content, calibration, exploration, learnt, ablated)

    return GroupedInputs(tuple(map(made_with, groups.settings, groups.policy)), groups.of)


def _popularity(lake: Lake, week: dt.date) -> dg.MarkdownMetadataValue:
    percentiles = lake.read_week(SLOTS, week, ["popularity_percentile"])["popularity_percentile"]
    return dg.MetadataValue.md(picture(popularity_histogram(percentiles.to_numpy()), "slots by popularity percentile"))


def _run_facts(workspace: Workspace, week: dt.date) -> pa.Table:
    trained = dt.datetime.fromtimestamp(workspace.lake.path(RECORDING_FACTORS, week).stat().st_mtime, dt.UTC)
    return pa.Table.from_pylist(
        [
            {
                "config_hash": workspace.configuration.hash(),
                "model_version": f"{week}:{workspace.lake.content_hash(RECORDING_FACTORS, week)[:12]}",
                "model_trained_at": trained.replace(tzinfo=None),
                "generated_at": workspace.started_at,
            }
        ],
        schema=RUN_FACTS,
    )
