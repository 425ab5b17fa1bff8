"""The dbt project is parsed once for all homes, weeks and settings: what is filled in is what dbt would have read."""

import json
import os
import re
import subprocess
from collections.abc import Container
from pathlib import Path
from typing import Any

import duckdb
from dbt.parser.manifest import extended_mashumuro_decoder

from dagster_project.configuration import Configuration
from dagster_project.dbt_manifest import (
    MANIFEST,
    PARSED,
    PARSED_FOLDERS,
    PLAIN_DBT,
    READ_BY_YAML,
    ensure_manifest,
    ensure_parsed,
    fill,
)
from dagster_project.home import WAREHOUSE_PROJECT
from tests.loaded_dbt import REAL

# When it was read; and what `state:modified` compares of a contract, which is a hash of what is compared here itself.
OF_THE_READING = {"created_at", "generated_at", "invocation_id", "invocation_started_at", "run_started_at"}
KINDS = ("nodes", "sources", "exposures", "unit_tests", "disabled", "macros")


def _kept(part: Any) -> Any:
    if isinstance(part, dict):
        kept = part.keys() - OF_THE_READING - ({"checksum"} if "enforced" in part else set())
        return {key: _kept(part[key]) for key in kept}
    return [_kept(value) for value in part] if isinstance(part, list) else part


def _parse_with_dbt(target: Path, environment: dict[str, str], settings: dict[str, Any]) -> None:
    command = [str(PLAIN_DBT), "parse", "--quiet", "--vars", json.dumps(settings)]
    subprocess.run(
        [*command, "--target-path", str(target), "--log-path", str(target)],
        cwd=WAREHOUSE_PROJECT,
        # Of the variables that YAML reads those that are given, and no others.
        env={**_without(READ_BY_YAML), **environment, "DBT_PROFILES_DIR": str(WAREHOUSE_PROJECT)},
        check=True,
    )


def _without(names: Container[str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names}


def _read(parsed: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = extended_mashumuro_decoder(parsed.read_bytes())
    return manifest


def test_a_home_a_week_and_settings_fill_in_what_dbt_would_have_read(tmp_path: Path) -> None:
    environment = {
        "MONDAY_MIX_HOME": str(tmp_path / "a home"),
        "MONDAY_MIX_WEEK": "2026-11-23",
        "MONDAY_MIX_PARENT_WEEK": "2026-11-16",
        "MONDAY_MIX_COLLABORATIVE_SIZE": "7",
        "MONDAY_MIX_TEXT_SIZE": "5",
        "MONDAY_MIX_AUDIO_SIZE": "3",
        "MONDAY_MIX_FUSED_SIZE": "11",
    }
    assert environment.keys() == READ_BY_YAML.keys()
    event_weights = {"MONDAY_MIX_EVENT_WEIGHTS": str(tmp_path / "event_weights.csv")}
    # None at its default: what YAML, or a name given while parsing, took from a variable would differ.
    settings = {name: _another(value) for name, value in Configuration().dbt_vars().items()}
    _parse_with_dbt(tmp_path, {**environment, **event_weights}, settings)
    told, filled = _read(tmp_path / PARSED.name), fill(_read(ensure_parsed()), environment)
    for kind in KINDS:
        assert _kept(filled[kind]) == _kept(told[kind]), kind
    assert "float[11]" in json.dumps(filled["nodes"]["model.monday_mix.track_vectors"]["columns"])


def test_all_that_yaml_reads_from_the_environment_has_its_place() -> None:
    files = [file for folder in PARSED_FOLDERS for file in (WAREHOUSE_PROJECT / folder).rglob("*.yml")]
    files.append(WAREHOUSE_PROJECT / "dbt_project.yml")
    read = {name for file in files for name in re.findall(r"env_var\('(\w+)'", file.read_text(encoding="utf-8"))}
    assert read == READ_BY_YAML.keys()


def test_the_graph_shows_what_yaml_says_where_the_environment_is_silent(tmp_path: Path) -> None:
    _parse_with_dbt(tmp_path, {}, {})
    told = json.loads((tmp_path / MANIFEST.name).read_text(encoding="utf-8"))
    shown = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    for kind in KINDS:
        assert _kept(shown[kind]) == _kept(told[kind]), kind


def test_the_command_is_dbt_with_its_output_and_exit_status(tmp_path: Path) -> None:
    places = ["--profiles-dir", ".", "--target-path", str(tmp_path), "--log-level-file", "none", "--quiet"]
    for arguments, status, told in (
        (["ls", "--select", "base_events", *places], 0, "monday_mix.staging.base_events"),
        (["build", "--nonsense"], 2, "No such option '--nonsense'."),
    ):
        done = subprocess.run(
            [REAL, *arguments], cwd=WAREHOUSE_PROJECT, env=_without(READ_BY_YAML), capture_output=True, text=True
        )
        assert (done.returncode, (done.stdout + done.stderr).strip()) == (status, told)


def test_dagster_is_told_what_dbt_tells(tmp_path: Path) -> None:
    told = []
    for caller in ({}, {"DAGSTER_DBT_CLI": "true"}):
        command = [REAL, "ls", "--select", "base_events", "--profiles-dir", ".", "--log-level-file", "none"]
        environment = {**_without(READ_BY_YAML), **caller, "DBT_LOG_FORMAT": "json", "DBT_TARGET_PATH": str(tmp_path)}
        done = subprocess.run(
            command, cwd=WAREHOUSE_PROJECT, env=environment, capture_output=True, text=True, check=True
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        told.append([(line["info"]["name"], line["info"]["level"], line["info"]["msg"]) for line in lines])
    assert told[0] == told[1] != []


def test_a_call_whose_reader_was_killed_goes_on_to_its_end(tmp_path: Path) -> None:
    command = [REAL, "seed", "--select", "context_classes", "--profiles-dir", ".", "--log-level-file", "none"]
    told = {"DAGSTER_DBT_CLI": "true", "DBT_LOG_FORMAT": "json", "DBT_TARGET_PATH": str(tmp_path)}
    environment = {**_without(READ_BY_YAML), **told, "MONDAY_MIX_HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=WAREHOUSE_PROJECT, env=environment, stdout=subprocess.PIPE) as call:
        assert call.stdout is not None
        call.stdout.close()
        assert call.wait(timeout=120) in (0, 120)  # 120 is Python's, for lines that it can't write at its end
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from context_classes").fetchone() == (True,)


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}_x" if isinstance(value, str) else value
