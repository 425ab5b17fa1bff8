"""The ranker: what is learnt from the candidates of earlier weeks and what came of them.

Belongs here: glue between the lake and models_ml/ranker. Does not: learning, or scoring with it (assets/playlists.py).
"""

from typing import Any

import dagster as dg
import numpy as np

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.progress import LOG, unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table, picture
from dagster_project.table_schemas import RANKER
from models_ml.arrays import Floats
from models_ml.plots import reliability_plot
from models_ml.ranker.examples import read_examples
from models_ml.ranker.reliability import expected_calibration_error
from models_ml.ranker.tables import RANKER_SCHEMA
from models_ml.ranker.training import Learnt, learn
from models_ml.seeds import seed_for

EXAMPLES = "features/ranking_examples"


@dg.asset(
    key=keys.RANKER,
    deps=[keys.feature("ranking_examples")],
    partitions_def=keys.WEEKLY,
    group_name="ranker",
    kinds={"python", "lightgbm"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def ranker(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Tables of log odds by family of features, one row a part; no row where there is too little to learn from."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    examples = read_examples(lake.read_week(EXAMPLES, week))
    learnt = learn(examples, settings.ranker, seed_for("ranker", week, settings.run.seed), unhurried())
    table = RANKER_SCHEMA.empty_table() if learnt.ranker is None else learnt.ranker.to_table()
    rows = lake.replace_week(RANKER, week, table, RANKER_SCHEMA)
    if learnt.ranker is None:
        why = "too few completions" if settings.ranker.learned else "ranker.learned is false"
        words = f"{why} ({len(examples.week):,} examples): lists keep the linear score"
        LOG.info("ranker: %s", words)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, "not_learnt": words})
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **_shown(learnt, examples.values)})


def _shown(learnt: Learnt, values: Floats) -> dict[str, Any]:
    """How each outcome was learnt, how far chances hold, and how much each family moves the score."""
    fits, ranker = learnt.fits, learnt.ranker
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
    spread = {name: float(np.std(part)) for name, part in ranker.contributions(values).items()}
    curves = {fit.outcome: (fit.predicted, fit.seen, fit.weight) for fit in fits}
    return {
        "outcomes": dg.MetadataValue.md(markdown_table(head, rows)),
        "families": dg.MetadataValue.md(
            markdown_table(("family", "spread of the score"), [(name, f"{of:.4f}") for name, of in spread.items()])
        ),
        "scale": ranker.scale,
        "reliability": dg.MetadataValue.md(picture(reliability_plot(curves), "chances foretold and seen")),
    }
