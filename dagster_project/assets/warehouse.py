"""The warehouse: the two dbt calls of a week.

Belongs here: dbt assets, their keys and groups, and handing their Parquet to the lake. Does not: SQL.
"""

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from dagster_project import keys
from dagster_project.configuration import Configuration
from dagster_project.dbt_manifest import ensure_manifest
from dagster_project.held_up import begin_making
from dagster_project.home import STORAGE_VERSION, WAREHOUSE_PROJECT, Home, parse_week
from dagster_project.interrupted import Retries, ended_with_its_step
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.resources import (
    Dbt,
    Workspace,
    clear_scratch,
    dbt_build_arguments,
    dbt_environment,
    must_have_begun,
    release_memory,
    warehouse_dbt,
)
from dagster_project.table_schemas import ensure_week

FEATURE_TABLES = (
    "artists",
    "listeners",
    "recordings",
    "editions",
    "interactions",
    "exclusions",
    "blocked_artists",
    "known_artists",
    "heard_tracks",
    "market_popularity",
    "evaluation_truth",
    "external_lists",
    "landing_metrics",
    "slot_outcomes",
    "bandit_feedback",
    "recording_arms",
    "recording_exposure",
    "arm_posteriors",
    "reason_feedback",
    "reason_lifts",
    "ranking_examples",
    "playlist_texts",
    "playlist_recordings",
    "document_texts",
    "recording_tags",
    "recording_sounds",
    "recording_given_vectors",
    "favourite_artists",
    "favourite_genres",
    "assigned_variants",
    "variant_feedback",
    "variant_exposures",
    "variant_statistics",
)
REPORT_TABLES = ("intake_files", "quarantine")
MART_TABLES = (
    "weekly_playlists",
    "weekly_playlist_tracks",
    "playlist_slot_outcomes",
    "bandit_arms",
    "playlist_relaxations",
    "rejected_candidates",
    "candidate_funnel",
    "evaluation_metrics",
    "evaluation_comparisons",
    "exposure_report",
    "off_policy_estimates",
    "monitoring",
    "track_vectors",
    "track_sounds",
    "track_rungs",
    "config_comparisons",
    "experiment_assignments",
    "experiment_exposures",
    "experiment_results",
)

project = DbtProject(project_dir=WAREHOUSE_PROJECT, profiles_dir=WAREHOUSE_PROJECT)
manifest = ensure_manifest()


class Translator(DagsterDbtTranslator):
    """dbt nodes by the folder they live in; every landed dataset is the one asset that reads landing."""

    def __init__(self) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True, enable_source_metadata=False)
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Sources by their producer, models by folder and name."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            source = dbt_resource_props["source_name"]
            return keys.LANDING_FILES if source in ("intake", "inputs") else super().get_asset_key(dbt_resource_props)
        if dbt_resource_props["resource_type"] == "seed":
            return dg.AssetKey(["seeds", name])
        return dg.AssetKey([dbt_resource_props["fqn"][1], name])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Seeds come after the week's files: a graph with one root is one run a week in a backfill."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("seed.") and not spec.deps:
            spec = spec.replace_attributes(deps=[keys.LANDING_FILES])
        return spec

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return str(dbt_resource_props["fqn"][1])


@dbt_assets(
    manifest=manifest,
    project=project,
    select="tag:features",
    partitions_def=keys.WEEKLY,
    dagster_dbt_translator=Translator(),
    name="features",
    backfill_policy=keys.ONE_WEEK_A_RUN,
    retry_policy=Retries(max_retries=1, delay=10),
)
def features(context: dg.AssetExecutionContext, dbt: Dbt, workspace: Workspace) -> Iterator[Any]:
    """Clean, weigh and cut as of the Monday."""
    week = parse_week(context.partition_key)
    must_have_begun(workspace, week)
    clear_scratch(workspace.paths)
    yield from _build(context, dbt, workspace, week, "features")
    begin_making(workspace.paths, week)
    _adopt(workspace.paths, week, "reports", REPORT_TABLES)
    _adopt(workspace.paths, week, "features", FEATURE_TABLES)


@dbt_assets(
    manifest=manifest,
    project=project,
    select="tag:marts",
    partitions_def=keys.WEEKLY,
    dagster_dbt_translator=Translator(),
    name="marts",
    backfill_policy=keys.ONE_WEEK_A_RUN,
    retry_policy=Retries(max_retries=1, delay=10),
)
def marts(context: dg.AssetExecutionContext, dbt: Dbt, workspace: Workspace) -> Iterator[Any]:
    """The playlist tables, tested before anyone sees them."""
    week = parse_week(context.partition_key)
    _lend_features(workspace.paths, week)
    yield from _build(context, dbt, workspace, week, "marts")
    begin_making(workspace.paths, week)
    _adopt(workspace.paths, week, "marts", MART_TABLES)


def marts_again(home: Home, configuration: Configuration, week: dt.date) -> None:
    """The playlist tables of a week whose slots changed, made and tested outside a run; the caller holds the lock."""
    ensure_week(Lake(home.lake), week)
    _lend_features(home, week)
    with dbt_environment(home, week, "marts"):
        _build_whole(warehouse_dbt(), home, configuration, "marts")
    _adopt(home, week, "marts", MART_TABLES)


def empty_warehouse(home: Home) -> None:
    """Dbt's file anew, with nothing in it but its views of the newest week's features; the caller holds the lock.

    All else in it is made by the next run. The views are what marts_again builds upon.
    """
    home.warehouse.unlink(missing_ok=True)
    home.warehouse.with_name(f"{home.warehouse.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(home.spill, ignore_errors=True)
    clear_scratch(home)
    weeks, lake = committed_weeks(home), Lake(home.lake)
    if weeks:
        # A week made before there was a table has no view of it; whoever builds upon its features makes them anew.
        there = [table for table in FEATURE_TABLES if lake.has_week(f"features/{table}", weeks[-1])]
        _lend_features(home, weeks[-1], there)


def _lend_features(home: Home, week: dt.date, tables: Sequence[str] = FEATURE_TABLES) -> None:
    """An empty scratch folder with the week's features, and dbt's views of them.

    The views are made each time: those of a home that was moved since its last run are of the old place.
    """
    lake = Lake(home.lake)
    clear_scratch(home)
    config = {"storage_compatibility_version": STORAGE_VERSION}  # of a file made anew, as profiles.yml has it
    with duckdb.connect(str(home.warehouse), config=config) as connection:
        for table in tables:
            file = home.scratch / f"{table}.parquet"
            lake.lend(f"features/{table}", week, file)
            quoted = str(file).replace("'", "''")
            connection.execute(
                f"create or replace view {table} as select * from read_parquet('{quoted}', union_by_name = false)"
            )


def _adopt(home: Home, week: dt.date, layer: str, tables: tuple[str, ...]) -> None:
    lake = Lake(home.lake)
    for table in tables:
        lake.adopt(f"{layer}/{table}", week, home.scratch / f"{table}.parquet")


def _build_whole(dbt: Dbt, home: Home, configuration: Configuration, tag: str) -> None:
    """Every model of a tag, and the seeds it reads, with no asset to tell of it; the week is in the environment."""
    # After a forgetting dbt's file holds no seeds until the next run.
    selected = f"tag:{tag} 1+tag:{tag},resource_type:seed"
    arguments = [*dbt_build_arguments(configuration, tag), "--select", selected]
    with ended_with_its_step(dbt.cli(arguments, manifest=manifest, target_path=home.dbt_target)) as invocation:
        invocation.wait()


def _build(context: dg.AssetExecutionContext, dbt: Dbt, workspace: Workspace, week: dt.date, tag: str) -> Iterator[Any]:
    release_memory()
    arguments = dbt_build_arguments(workspace.configuration, tag)
    target = workspace.paths.dbt_target
    with dbt_environment(workspace.paths, week, tag, workspace.dbt_weights):
        if not context.is_subset:
            with ended_with_its_step(dbt.cli(arguments, context=context, target_path=target)) as invocation:
                yield from invocation.stream()
            return
        # Made whole all the same: a model built alone would read the tables that another week left.
        _build_whole(dbt, workspace.paths, workspace.configuration, tag)
        checks = {
            f"{check.asset_key.to_python_identifier()}_{check.name}".replace(".", "_")
            for check in context.selected_asset_check_keys
        }
        for name in sorted(context.selected_output_names - checks):
            yield dg.Output(None, name)
