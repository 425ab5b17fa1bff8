"""The graph and the repository as they stand: keys, partitions, contracts, names in the docs."""

import argparse
import dataclasses
import datetime as dt
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.freshness import CronFreshnessPolicy  # not public by name

from dagster_project import keys
from dagster_project.assets.warehouse import FEATURE_TABLES, MART_TABLES, REPORT_TABLES
from dagster_project.checks import no_slot_is_lost_on_the_way
from dagster_project.cli import _parser
from dagster_project.configuration import Configuration
from dagster_project.dbt_manifest import ensure_manifest
from dagster_project.definitions import build_defs
from dagster_project.home import REPOSITORY, WAREHOUSE_PROJECT
from dagster_project.jobs import every_monday
from dagster_project.manifest import SEEDED_STEPS
from dagster_project.publishing import PUBLISHED_TABLES, VIEWS
from dagster_project.table_schemas import VECTORS

EARLIER = (
    "weekly_playlists",
    "weekly_playlist_tracks",
    "fused_vectors",
    "bandit_feedback",
    "ranking_features",
    "monitoring",
    "assigned_variants",
    "variant_feedback",
    "reason_feedback",
    "editions",
    "recordings",
)
HISTORY = {dg.AssetKey(["history", name]) for name in EARLIER}
PYTHON_STEPS = {
    keys.LANDING_FILES,
    keys.COLLABORATIVE_FACTORS,
    keys.TEXT_VECTORS,
    keys.RECORDING_SOUNDS,
    keys.AUDIO_VECTORS,
    keys.FUSED_VECTORS,
    keys.CANDIDATE_INDEX,
    keys.RANKER,
    keys.CANDIDATES,
    keys.GOLDEN_LISTENERS,
    keys.PLAYLISTS_PUBLISHED,
}
GROUP_OF_ML = {
    "playlist_slots": "playlists",
    "relaxations": "playlists",
    "playlist_mixes": "playlists",
    "ranked_candidates": "playlists",
    "ablated_candidates": "playlists",
    "ranking_features": "playlists",
    "rehearsed_features": "ranker",
    "run_facts": "playlists",
    "candidate_funnel": "candidates",
    "rejected_candidates": "candidates",
    "evaluation_metrics": "evaluation",
    "evaluation_comparisons": "evaluation",
    "off_policy_estimates": "evaluation",
    "config_comparisons": "gate",
    "model_metrics": "monitoring",
}
# Written for a later week: its evaluation, which is Python too, and its features, which read it as history. What was
# rehearsed is read as history by its own week's features too.
NOT_READ_BY_DBT = {"ranked_candidates", "ablated_candidates", "ranking_features", "rehearsed_features"}
DOCS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])


@cache
def _graph() -> Any:
    """Keyed nodes of the loaded definitions."""
    return build_defs().resolve_asset_graph()


@cache
def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    return manifest


def _models() -> list[dict[str, Any]]:
    return [node for node in _manifest()["nodes"].values() if node["resource_type"] == "model"]


def _executable() -> list[dg.AssetKey]:
    return sorted(key for key in _graph().get_all_asset_keys() if _graph().get(key).is_executable)


def test_every_table_and_step_is_an_asset() -> None:
    expected = PYTHON_STEPS | {keys.ml(name) for name in GROUP_OF_ML} | {keys.feature(name) for name in FEATURE_TABLES}
    expected |= {keys.mart(name) for name in MART_TABLES} | {dg.AssetKey(["reports", name]) for name in REPORT_TABLES}
    assert expected <= set(_executable())
    others = {key.path[0] for key in set(_executable()) - expected}
    assert others == {"seeds", "staging", "intermediate", "marts"}, "seeds and views of dbt, and nothing else"


def test_every_ml_source_of_dbt_has_a_step_that_makes_it() -> None:
    sources = [node["name"] for node in _manifest()["sources"].values() if node["source_name"] == "ml"]
    assert sorted(sources) == sorted(set(GROUP_OF_ML) - NOT_READ_BY_DBT)
    assert {keys.ml(name) for name in sources} <= set(_executable())


def test_what_was_rehearsed_is_there_before_its_weeks_features_are() -> None:
    (node,) = (one for one in _manifest()["sources"].values() if one["name"] == "rehearsed_features")
    key = dg.AssetKey(node["config"]["meta"]["dagster"]["asset_key"])
    assert key == keys.ml("rehearsed_features")
    assert key in _graph().get(dg.AssetKey(["staging", "stg_rehearsed_features"])).parent_keys
    assert _graph().get(key).parent_keys == {keys.LANDING_FILES}


def test_nothing_but_the_history_comes_from_outside() -> None:
    assert set(_graph().get_all_asset_keys()) - set(_executable()) == HISTORY, "what earlier weeks gave, and knew"


def test_every_table_of_vectors_that_dbt_reads_comes_after_the_step_that_makes_it() -> None:
    read = {
        node["name"]: dg.AssetKey(node["config"]["meta"]["dagster"]["asset_key"])
        for node in _manifest()["sources"].values()
        if node["source_name"] == "vectors"
    }
    assert {f"vectors/{name}" for name in read} == set(VECTORS), "each has a stand-in"
    for name, key in read.items():
        assert key in PYTHON_STEPS
        assert key in _graph().get(dg.AssetKey(["marts", f"ml_{name}"])).parent_keys
    before = _graph().get(dg.AssetKey(["marts", "ml_earlier_rungs"])).parent_keys
    assert before & set(_executable()) <= {keys.LANDING_FILES}, "the week before is no part of this run"


def test_every_asset_has_group_description_kinds_and_a_week() -> None:
    for key in _executable():
        node = _graph().get(key)
        assert node.group_name == (GROUP_OF_ML[key.path[-1]] if key.path[0] == "ml" else key.path[0]), key
        assert node.description or key.path[0] == "seeds", key
        assert node.kinds, key
        assert node.partitions_def == keys.WEEKLY, key


def test_one_asset_begins_the_graph() -> None:
    """A graph with one root is one run a week in a backfill."""
    roots = [key for key in _executable() if not (_graph().get(key).parent_keys - {key} - HISTORY)]
    assert roots == [keys.LANDING_FILES]


def test_what_blocks_stands_before_publishing() -> None:
    assert all(spec.blocking for spec in no_slot_is_lost_on_the_way.check_specs)
    checked = {spec.asset_key for spec in no_slot_is_lost_on_the_way.check_specs}
    assert checked <= _graph().get(keys.PLAYLISTS_PUBLISHED).parent_keys
    upstream, waiting = set(), {keys.PLAYLISTS_PUBLISHED}
    while waiting:
        upstream |= waiting
        waiting = {parent for key in waiting for parent in _graph().get(key).parent_keys} - upstream
    aside = {key.path[0] for key in set(_executable()) - upstream - set(map(keys.ml, NOT_READ_BY_DBT))}
    assert aside == {"reports"}, "reports are all that is not published: datasets that no feature uses are watched"


def test_the_schedule_asks_for_its_own_monday() -> None:
    moment = dt.datetime(2026, 11, 23, 0, 5, tzinfo=dt.UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
        request = every_monday(context)
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == ("2026-11-23", "2026-11-23")
    assert (every_monday.cron_schedule, every_monday.execution_timezone) == ("5 0 * * 1", "UTC")
    assert every_monday.job_name == "monday"


@pytest.mark.parametrize(
    "now", ["2026-11-22T23:59:59", "2026-11-23T00:00:00", "2026-11-23T00:05:00", "2026-11-29T12:00:00"]
)
def test_weeks_run_from_the_first_to_the_coming_monday(now: str) -> None:
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
    weeks = keys.WEEKLY.get_partition_keys(current_time=moment)
    coming = moment.date() + dt.timedelta(days=7 - moment.weekday())
    assert (weeks[0], weeks[-1]) == ("2005-01-03", coming.isoformat())
    assert {dt.date.fromisoformat(week).weekday() for week in weeks} == {0}


def test_the_job_of_a_monday_takes_every_asset() -> None:
    job = build_defs().resolve_job_def("monday")
    assert set(job.asset_layer.executable_asset_keys) == set(_executable())


def test_the_published_file_has_to_be_fresh_on_monday_noon() -> None:
    policy = _graph().get(keys.PLAYLISTS_PUBLISHED).freshness_policy_or_from_metadata
    assert isinstance(policy, CronFreshnessPolicy)
    assert (policy.deadline_cron, policy.lower_bound_delta, policy.timezone) == (
        "0 12 * * 1",
        dt.timedelta(hours=12),
        "UTC",
    )


def test_exposures_say_what_reads_the_published_tables() -> None:
    exposures = _manifest()["exposures"].values()
    views = re.findall(r"create or replace view (\w+)", VIEWS.read_text(encoding="utf-8"))
    for exposure in exposures:
        read = [name.split(".")[-1] for name in exposure["depends_on"]["nodes"]]
        assert read, exposure["name"]
        assert set(read) <= set(PUBLISHED_TABLES), exposure["name"]
    described = "\n".join(exposure["description"] for exposure in exposures)
    assert [view for view in views if f"`{view}`" not in described] == []


def test_the_job_that_reads_ahead_reads_and_does_nothing_else() -> None:
    job = build_defs().resolve_job_def("intake")
    assert set(job.asset_layer.selected_asset_keys) == {keys.LANDING_FILES}


def test_one_run_at_a_time_and_one_week_a_run() -> None:
    settings = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert all(_graph().get(key).backfill_policy == keys.ONE_WEEK_A_RUN for key in _executable())


def test_every_dbt_model_says_its_grain() -> None:
    vague = [model["name"] for model in _models() if not model["description"].startswith("One row")]
    assert vague == []


def test_what_dbt_hands_on_has_a_contract_with_every_column_described() -> None:
    handed_on = [
        model
        for model in _models()
        if model["fqn"][1] in ("features", "marts", "reports") and model["fqn"][1:3] != ["marts", "ml"]
    ]
    assert {model["name"] for model in handed_on} == {*FEATURE_TABLES, *MART_TABLES, *REPORT_TABLES}
    for model in handed_on:
        assert model["config"]["contract"]["enforced"], model["name"]
        assert model["columns"], model["name"]
        for column in model["columns"].values():
            assert column["description"].strip(), f"{model['name']}.{column['name']}"
            assert column["data_type"], f"{model['name']}.{column['name']}"


def test_every_model_of_features_and_marts_tests_its_key() -> None:
    tested = {
        node["attached_node"]
        for node in _manifest()["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "primary_key"
    }
    missing = [
        model["name"]
        for model in _models()
        if model["fqn"][1] in ("features", "marts", "reports")
        and model["fqn"][1:3] != ["marts", "ml"]
        and model["unique_id"] not in tested
    ]
    assert missing == []


def test_sources_are_read_where_they_enter_only() -> None:
    allowed = ("models/staging/", "models/marts/ml/", "models/reports/")
    elsewhere = [
        path.relative_to(WAREHOUSE_PROJECT).as_posix()
        for path in (WAREHOUSE_PROJECT / "models").rglob("*.sql")
        if re.search(r"\bsource\(", path.read_text(encoding="utf-8"))
    ]
    assert [path for path in elsewhere if not path.startswith(allowed)] == []


def _commands() -> dict[str, argparse.ArgumentParser]:
    """The subcommands by name."""
    actions = [action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(actions[0].choices)


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists_with_its_options(page: Path) -> None:
    for line in re.findall(r"monday-mix ([^`\n]*)", page.read_text(encoding="utf-8")):
        words = line.split("#")[0].split()
        if not words or not re.fullmatch("[a-z]+", words[0]):
            continue
        assert words[0] in _commands(), f"monday-mix {line}"
        options = {name for action in _commands()[words[0]]._actions for name in action.option_strings}
        assert {word for word in words if word.startswith("--")} <= options, f"monday-mix {line}"


def test_every_command_stands_in_the_docs() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in DOCS)
    missing = [name for name in _commands() if f"monday-mix {name}" not in text and f"`{name}`" not in text]
    assert missing in ([], ["demo"]), "`make monday` runs the demo"


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_every_link_in_the_docs_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_every_path_of_the_repository_in_the_docs_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:warehouse|models_ml|dagster_project|tests|docs)/[\w./-]*)`", text)
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_tables_of_the_readme_are_those_that_are_published() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)`(?: \(view\))? \|", text, re.MULTILINE)
    views = re.findall(r"create or replace view (\w+)", VIEWS.read_text(encoding="utf-8"))
    assert sorted(named) == sorted([*PUBLISHED_TABLES, *views])
    assert sorted(PUBLISHED_TABLES) == sorted(MART_TABLES)
    asked = re.findall(r"\bfrom (\w+)$", text, re.MULTILINE)
    assert asked
    assert set(asked) <= {*PUBLISHED_TABLES, *views}


def test_the_settings_of_the_settings_page_are_those_there_are() -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    there = {
        section.name: {field.name for field in dataclasses.fields(section.default_factory)}  # type: ignore[arg-type]
        for section in dataclasses.fields(Configuration)
    }
    sections = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)[1:]
    named = {
        name: set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))
        for name, body in zip(sections[::2], sections[1::2], strict=True)
    }
    assert named == there


def test_the_manifest_holds_the_seed_of_every_step_that_draws() -> None:
    steps = REPOSITORY / "dagster_project" / "vector_steps.py"
    code = "".join(path.read_text() for path in (steps, *(REPOSITORY / "dagster_project" / "assets").glob("*.py")))
    assert set(re.findall(r'seed_for\(\s*"(\w+)"', code)) == set(SEEDED_STEPS)


def test_what_trains_networks_and_words_is_loaded_when_there_is_something_to_train() -> None:
    loads = (
        "import sys, dagster_project.sound_io, dagster_project.text_io; print({'torch', 'gensim'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", loads], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
