"""The gate's checks: what may hold up a week's publication, so that last week's stays.

Belongs here: asking the lake and the record, saying what was found. Does not: numbers and thresholds
(models_ml/comparison), how a comparison is made (comparing.py).

Thresholds are those of `<home>/config.toml`: what is laid over the settings for one run can't loosen them.
"""

import datetime as dt

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project import keys
from dagster_project.comparison_record import has_passed
from dagster_project.configuration import load_configuration
from dagster_project.golden import is_approved
from dagster_project.home import Home, parse_week
from dagster_project.lake import Lake
from dagster_project.manifest import parent_week, read_manifest
from dagster_project.progress import LOG
from dagster_project.recipe import Recipe, changes, recipe_of_manifest
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table
from models_ml.comparison.gate import GateParams
from models_ml.comparison.weekly import LISTS, STILL, TOO_FAR, Move, moves, week_numbers

PLAYLISTS, SLOTS = "marts/weekly_playlists", "marts/weekly_playlist_tracks"
_OF_LIST, _OF_SLOT = (
    ("status", "genre_kl"),
    ("recording_id", "popularity_percentile", "is_new_artist", "p_skip"),
)


@dg.asset_check(asset=keys.mart("weekly_playlists"), blocking=True)
def lists_are_like_those_of_the_week_before(
    context: dg.AssetCheckExecutionContext, workspace: Workspace
) -> dg.AssetCheckResult:
    """Popularity, genres, new artists, rules that gave way, coverage and skips foretold stay near last week's."""
    return beside_the_week_before(workspace.paths, parse_week(context.partition_key), workspace.gate)


@dg.asset_check(asset=keys.mart("weekly_playlists"), blocking=True)
def a_changed_recipe_was_compared(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """Settings or weights other than the last published week's have a comparison on record that passed."""
    week = parse_week(context.partition_key)
    return beside_the_last_recipe(workspace.paths, week, workspace.recipe, workspace.gate)


@dg.asset_check(asset=keys.GOLDEN_LISTENERS, blocking=True)
def golden_lists_are_approved(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """A person has looked at the golden listeners' lists and approved the week; where settings ask for it."""
    week = parse_week(context.partition_key)
    if not workspace.gate.requires_approval:
        return dg.AssetCheckResult(passed=True, description="no approval is asked for")
    approved = is_approved(workspace.paths, week)
    words = "approved" if approved else f"look at `monday-mix approve --week {week}`, then run the week again"
    if not approved:
        LOG.warning(f"{week} is not published: {words}")
    return dg.AssetCheckResult(passed=approved, description=words)


def beside_the_week_before(home: Home, week: dt.date, gate: GateParams | None = None) -> dg.AssetCheckResult:
    """How far the week's numbers are from those of the newest completed week before it.

    gate: as the run began with; else what the home has now.
    """
    gate, lake, parent = gate or _gate(home), Lake(home.lake), parent_week(home, week)
    if parent is None or not lake.has_week(SLOTS, parent):
        return dg.AssetCheckResult(passed=True, description="the first week there is")
    before, now = (_numbers(lake, one) for one in (parent, week))
    found = moves(before, now, gate)
    told = [move for move in found if move.state(gate.weekly_warn_share) != STILL]
    is_big = min(before[LISTS] or 0.0, now[LISTS] or 0.0) >= gate.weekly_fewest_lists
    blocks = is_big and any(move.state(gate.weekly_warn_share) == TOO_FAR for move in told)
    words = "; ".join(map(_move_words, told)) or f"near those of {parent}"
    if told and is_big:
        LOG.warning(f"lists of {week} against those of {parent}: {words}")
    return dg.AssetCheckResult(
        passed=not told,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={"moves": dg.MetadataValue.md(_moves_table(found, gate))},
        description=words,
    )


def beside_the_last_recipe(
    home: Home, week: dt.date, recipe: Recipe, gate: GateParams | None = None
) -> dg.AssetCheckResult:
    """Whether what makes the week is what made the last one, or was compared with it and passed.

    gate: as the run began with; else what the home has now.
    """
    before = _recipe_before(home, week)
    if before is None or before.hash == recipe.hash:
        return dg.AssetCheckResult(passed=True, description="made as the week before was")
    words = "; ".join(changes(before, recipe))
    if not (gate or _gate(home)).requires_comparison:
        return dg.AssetCheckResult(passed=True, description=f"changed, and no comparison is asked for: {words}")
    passed = has_passed(home, recipe.hash, before.hash)
    said = "a comparison passed" if passed else "no comparison passed; run `monday-mix compare` with the same settings"
    if not passed:
        LOG.warning(f"{week} is not published: {words}: {said}")
    return dg.AssetCheckResult(
        passed=passed,
        metadata={"changed": words, "recipe_hash": recipe.hash, "recipe_hash_before": before.hash},
        description=f"{words}: {said}",
    )


def _gate(home: Home) -> GateParams:
    return load_configuration([home.config_file]).gate


def _recipe_before(home: Home, week: dt.date) -> Recipe | None:
    parent = parent_week(home, week)
    manifest = read_manifest(home, parent) if parent else None
    return recipe_of_manifest(manifest, home.comparisons / "weights") if manifest else None


def _numbers(lake: Lake, week: dt.date) -> dict[str, float | None]:
    return week_numbers(_columns(lake, PLAYLISTS, week, _OF_LIST), _columns(lake, SLOTS, week, _OF_SLOT))


def _columns(lake: Lake, table: str, week: dt.date, names: tuple[str, ...]) -> pa.Table:
    """These columns; null where a week was made before there was one."""
    there = pq.read_schema(lake.path(table, week)).names
    rows = lake.read_week(table, week, [name for name in names if name in there])
    for name in names:
        if name not in there:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.float64()))
    return rows


def _move_words(move: Move) -> str:
    return f"{move.name} {_shown(move.before)} -> {_shown(move.now)}, {move.share:.0%} of what it may move"


def _moves_table(found: list[Move], gate: GateParams) -> str:
    head = ("number", "the week before", "this week", "limit", "state")
    rows = [
        (move.name, _shown(move.before), _shown(move.now), move.limit, move.state(gate.weekly_warn_share))
        for move in found
    ]
    return markdown_table(head, rows)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
