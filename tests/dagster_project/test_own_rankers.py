"""The asset of rankers, where variants learn from their own lists and where nobody is in any."""

import datetime as dt
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from dagster_project.assets.ranker import EXAMPLES, LISTENERS, ranker
from dagster_project.experiments_io import ASSIGNED, EXPERIMENTS, VARIANTS
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.resources import Workspace
from dagster_project.table_schemas import RANKER
from models_ml.errors import InputError
from models_ml.experiments.declarations import read_declarations
from models_ml.experiments.groups import CONTROL
from models_ml.ranker.examples import Examples, read_examples
from models_ml.ranker.features import FEATURES
from models_ml.ranker.params import RankerParams
from models_ml.ranker.tables import read_ranker
from models_ml.ranker.training import learn
from models_ml.seeds import seed_for
from tests.models_ml.ranker.ranker_examples import as_table, drawn_examples
from tests.worlds import MONDAY

SETTINGS = "[ranker]\nminimum_positives = 100\nmost_trees = 20\n"
PARAMS = RankerParams(minimum_positives=100, most_trees=20)
LISTENER_COUNT = 40
STARTS = MONDAY - dt.timedelta(weeks=3)
VARIANTS_OF_A = "experiment_id,variant_id,weight,is_control,parameters\na,more,0.5,false,\na,none,0.5,true,\n"
HEAD = (
    "experiment_id,layer,first_bucket,last_bucket,starts_on,ends_on,markets,fewest_heard,training_scope,"
    "planned_listeners,guardrail_metrics,guardrail_margin\n"
)


def written(folder: Path, examples: pa.Table, scope: str = "own") -> Home:
    """A home whose ranker is yet to be learnt; scope: of experiment a, in which all but the first ten listeners are."""
    home = Home(folder)
    home.prepare()
    home.config_file.write_text(SETTINGS)
    experiments = HEAD + (f"a,lists,,,{STARTS},,,,{scope},1000,,\n" if scope else "")
    variants = VARIANTS_OF_A if scope else VARIANTS_OF_A.splitlines(keepends=True)[0]
    declared = read_declarations(("experiments.csv", experiments), ("experiment_variants.csv", variants))
    lake = Lake(home.lake)
    lake.replace_week(EXPERIMENTS, MONDAY, declared.experiments)
    lake.replace_week(VARIANTS, MONDAY, declared.variants)
    members = np.arange(10, LISTENER_COUNT) if scope else np.arange(0)
    assigned = {
        "user_index": pa.array(members, pa.int32()),
        "experiment_id": pa.array(["a"] * len(members), pa.string()),
        "variant_id": pa.array(np.where(members % 2, "more", "none").tolist(), pa.string()),
        "is_running": pa.array([True] * len(members), pa.bool_()),
    }
    lake.replace_week(ASSIGNED, MONDAY, pa.table(assigned))
    lake.replace_week(LISTENERS, MONDAY, pa.table({"user_index": range(LISTENER_COUNT)}))
    lake.replace_week(EXAMPLES, MONDAY, examples)
    return home


def learnt(home: Home) -> tuple[pa.Table, dict[str, Any]]:
    """The table of rankers and what the asset says of it."""
    result = dg.materialize(
        [ranker],
        partition_key=MONDAY.isoformat(),
        resources={"workspace": Workspace(home=str(home.root))},
        selection=[ranker],
    )
    (event,) = result.asset_materializations_for_node("ranker__ranker")
    return Lake(home.lake).read_week(RANKER, MONDAY), {name: value.value for name, value in event.metadata.items()}


def of(table: pa.Table, policy: str) -> pa.Table:
    return table.filter(pa.compute.equal(table["variant_id"], policy))


def alone(examples: pa.Table, policy: str = CONTROL) -> pa.Table:
    """The ranker that these examples teach, whatever else there is."""
    found = learn(read_examples(examples), PARAMS, seed_for("ranker", MONDAY, 0)).ranker
    assert found is not None
    return found.to_table(policy)


def contrary(examples: Examples) -> Examples:
    """Listeners who finish what the others don't."""
    values = examples.values.copy()
    values[:, FEATURES.index("standing")] *= -1
    return replace(examples, values=values)


NOBODYS = as_table(drawn_examples(1, count=2000))
MORE = as_table(contrary(drawn_examples(2, count=3000)), "a:more,b:x")
NONE = as_table(drawn_examples(3, count=3000), "a:none")
ALL = pa.concat_tables([NOBODYS, MORE, NONE])


def test_variants_with_feedback_of_their_own_have_rankers_of_their_own_lists_alone(tmp_path: Path) -> None:
    table, metadata = learnt(written(tmp_path, ALL))
    assert pa.compute.unique(table["variant_id"]).to_pylist() == [CONTROL, "a:more", "a:none"]
    assert of(table, "a:more").equals(alone(MORE, "a:more"))
    assert of(table, "a:none").equals(alone(NONE, "a:none"))
    assert of(table, CONTROL).equals(alone(ALL)), "everyone's is learnt from all lists"
    rankers = {policy: read_ranker(table, policy) for policy in ("a:more", "a:none")}
    candidates = np.full((2, len(FEATURES)), np.nan, dtype=np.float32)
    candidates[:, FEATURES.index("standing")] = (-2.0, 2.0)
    low_and_high = {policy: found.contributions(candidates)["collaborative"] for policy, found in rankers.items()}
    assert low_and_high["a:more"][0] > low_and_high["a:more"][1]
    assert low_and_high["a:none"][0] < low_and_high["a:none"][1]
    assert metadata["dagster/row_count"] == table.num_rows
    assert {"outcomes", "a:more outcomes", "a:none outcomes"} <= set(metadata)
    assert not [name for name in metadata if "not_learnt" in name]


def test_what_one_variant_heard_changes_nothing_for_the_other(tmp_path: Path) -> None:
    others = pa.concat_tables([NOBODYS, as_table(drawn_examples(9, count=3000), "a:more"), NONE])
    before, after = (learnt(written(tmp_path / str(n), table))[0] for n, table in enumerate((ALL, others)))
    assert of(before, "a:none").equals(of(after, "a:none"))
    assert not of(before, "a:more").equals(of(after, "a:more"))
    assert not of(before, CONTROL).equals(of(after, CONTROL))


@pytest.mark.parametrize("scope", ["shared", ""], ids=["shared", "no experiment"])
def test_without_feedback_of_their_own_there_is_the_one_ranker_that_there_always_was(
    tmp_path: Path, scope: str
) -> None:
    table, metadata = learnt(written(tmp_path, ALL, scope))
    assert table.equals(alone(ALL))
    assert set(metadata) == {"dagster/row_count", "outcomes", "families", "scale", "reliability"}


def test_a_variant_with_too_few_examples_keeps_the_linear_score_and_both_places_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = pa.concat_tables([NOBODYS, as_table(drawn_examples(2, count=60), "a:more"), NONE.slice(0, 0)])
    with caplog.at_level(logging.INFO, "monday_mix"):
        table, metadata = learnt(written(tmp_path, few))
    assert table.equals(alone(few))
    assert read_ranker(table, "a:more") is None
    said = "too few completions (60 examples): lists of a:more keep the linear score"
    assert metadata["a:more not_learnt"] == said
    assert f"ranker: {said}" in caplog.text
    assert metadata["a:none not_learnt"].startswith("too few completions (0 examples): lists of a:none ")


def test_with_too_little_of_everyone_there_is_no_ranker_at_all(tmp_path: Path) -> None:
    table, metadata = learnt(written(tmp_path, NOBODYS.slice(0, 50), ""))
    assert table.num_rows == 0
    assert metadata["not_learnt"] == "too few completions (50 examples): lists keep the linear score"


def test_examples_of_before_lists_said_their_variants_teach_everyone_and_no_variant(tmp_path: Path) -> None:
    older = NOBODYS.drop_columns(["variant_id"])
    assert learnt(written(tmp_path / "all", older, ""))[0].equals(alone(NOBODYS))
    with pytest.raises(InputError, match="ranking_examples: column variant_id is missing"):
        learnt(written(tmp_path / "own", older))
