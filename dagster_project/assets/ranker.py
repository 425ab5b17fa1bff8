"""The ranker: what is learnt from the candidates of earlier weeks and what came of them.

Belongs here: glue between the lake and models_ml/ranker. Does not: learning, or scoring with it (assets/playlists.py).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa

from dagster_project import keys
from dagster_project.configuration import Configuration
from dagster_project.experiments_io import week_groups
from dagster_project.home import parse_week
from dagster_project.progress import LOG, unhurried
from dagster_project.rehearsal import REHEARSED, mondays_to_rehearse, rehearse
from dagster_project.resources import Workspace, must_have_begun
from dagster_project.shown import markdown_table, picture
from dagster_project.table_schemas import RANKER
from models_ml.experiments.groups import CONTROL
from models_ml.plots import reliability_plot
from models_ml.ranker.examples import made_under, read_examples
from models_ml.ranker.features import REHEARSED_FEATURES_SCHEMA
from models_ml.ranker.reliability import expected_calibration_error
from models_ml.ranker.tables import RANKER_SCHEMA
from models_ml.ranker.training import Learnt, learn
from models_ml.seeds import seed_for

EXAMPLES, LISTENERS = "features/ranking_examples", "features/listeners"


@dataclass(frozen=True)
class OfPolicy:
    """What was learnt from the lists of one policy.

    examples: how many there were.  spread: standard deviation of what each family adds to their scores.
    """

    examples: int
    learnt: Learnt
    spread: dict[str, float]


@dg.asset(
    key=keys.ml("rehearsed_features"),
    deps=[keys.LANDING_FILES],
    partitions_def=keys.WEEKLY,
    group_name="ranker",
    kinds={"python", "duckdb"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def rehearsed_features(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per sampled listener and candidate of a Monday before a home's first lists; no row where there are lists
    to learn from.
    """
    week, lake, home = parse_week(context.partition_key), workspace.lake, workspace.paths
    must_have_begun(workspace, week)
    mondays = mondays_to_rehearse(home, week, workspace.configuration.ranker)
    with lake.writing(REHEARSED, week, REHEARSED_FEATURES_SCHEMA) as keep:
        weights = workspace.recipe.own_weights
        for rows in rehearse(home, week, mondays, workspace.configuration, weights, unhurried()):
            keep(rows)
    told: dict[str, Any] = {
        "dagster/row_count": lake.row_count(REHEARSED, week),
        "mondays": [monday.isoformat() for monday in mondays],
    }
    return dg.MaterializeResult(metadata=told)


@dg.asset(
    key=keys.RANKER,
    deps=[*map(keys.feature, ("ranking_examples", "assigned_variants", "listeners"))],
    partitions_def=keys.WEEKLY,
    group_name="ranker",
    kinds={"python", "lightgbm"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def ranker(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Tables of log odds by family of features: one row per policy and part; no row where there is too little to learn
    from. A policy is `control`, learnt from all lists, or a variant with feedback of its own.
    """
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    policies = week_groups(lake, week, settings, lake.row_count(LISTENERS, week)).policies
    examples = lake.read_week(EXAMPLES, week)
    found = {policy: _learnt(examples, week, settings, policy) for policy in policies}
    rankers = [of.learnt.ranker.to_table(policy) for policy, of in found.items() if of.learnt.ranker is not None]
    rows = lake.replace_week(RANKER, week, pa.concat_tables([RANKER_SCHEMA.empty_table(), *rankers]))
    metadata: dict[str, Any] = {"dagster/row_count": rows}
    for policy, of in found.items():
        shown = _shown(of) if of.learnt.ranker is not None else _not_learnt(of, policy, settings)
        metadata |= {name if policy == CONTROL else f"{policy} {name}": value for name, value in shown.items()}
    return dg.MaterializeResult(metadata=metadata)


def _learnt(of_all: pa.Table, week: dt.date, settings: Configuration, policy: str) -> OfPolicy:
    """Learnt with the settings of everyone: variants change what outcomes are worth when they score."""

    def say(line: str) -> None:
        LOG.info(line if policy == CONTROL else f"{line}, in lists of {policy}")

    examples = read_examples(made_under(of_all, policy))
    learnt = learn(examples, settings.ranker, seed_for("ranker", week, settings.run.seed), unhurried(say))
    parts = learnt.ranker.contributions(examples.values) if learnt.ranker is not None else {}
    return OfPolicy(len(examples.week), learnt, {name: float(np.std(part)) for name, part in parts.items()})


def _not_learnt(of: OfPolicy, policy: str, settings: Configuration) -> dict[str, Any]:
    """Why, and what lists keep; said in the log as well."""
    why = "too few completions" if settings.ranker.learned else "ranker.learned is false"
    whose = "lists" if policy == CONTROL else f"lists of {policy}"
    words = f"{why} ({of.examples:,} examples): {whose} keep the linear score"
    LOG.info("ranker: %s", words)
    return {"not_learnt": words}


def _shown(of: OfPolicy) -> dict[str, Any]:
    """How each outcome was learnt, how far chances hold, and how much each family moves the score."""
    fits, ranker = of.learnt.fits, of.learnt.ranker
    assert ranker is not None
    head = ("outcome", "rows", "positives", "trees", "calibrated on", "calibration error")
    rows = [
        (
            fit.outcome,
            fit.rows,
            fit.positives,
            fit.trees,
            "slots" if fit.from_slots else "candidates",
            f"{expected_calibration_error(fit.predicted, fit.seen, fit.weight):.4f}",
        )
        for fit in fits
    ]
    spreads = [(name, f"{spread:.4f}") for name, spread in of.spread.items()]
    curves = {fit.outcome: (fit.predicted, fit.seen, fit.weight) for fit in fits}
    return {
        "outcomes": dg.MetadataValue.md(markdown_table(head, rows)),
        "families": dg.MetadataValue.md(markdown_table(("family", "spread of the score"), spreads)),
        "scale": ranker.scale,
        "reliability": dg.MetadataValue.md(picture(reliability_plot(curves), "chances foretold and seen")),
    }
