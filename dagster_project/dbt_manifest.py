"""The dbt project as it was parsed once: for the asset graph, and for every call of dbt in any home and week.

Belongs here: when and how to parse, what a home and a week fill in. Does not: what the graph makes of it
(assets/warehouse.py), calling dbt with it (dbt_command.py).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from dagster_project.home import HOME_VARIABLE, WAREHOUSE_PROJECT
from models_ml.errors import MondayMixError

DBT = Path(sys.executable).with_name("monday-mix-dbt")
PLAIN_DBT = Path(sys.executable).with_name("dbt")
PARSED_FOLDERS = ("macros", "models", "seeds", "tests")
PARSED_FILES = ("dbt_project.yml", "profiles.yml")
# The adapter's macros are parsed with the project's: what other versions made of it is not read.
TARGET = WAREHOUSE_PROJECT / "target" / f"dbt-{metadata.version('dbt-core')}-duckdb-{metadata.version('dbt-duckdb')}"
MANIFEST = TARGET / "manifest.json"
PARSED = TARGET / "partial_parse.msgpack"
# What the project's YAML reads from the environment, with what it says where that is silent. dbt keeps the values of
# YAML in what it parsed and parses again where they change, four seconds for a week and five for a home; SQL it
# renders at each call. Parsed with their names in their place, one reading does for all.
READ_BY_YAML = {
    HOME_VARIABLE: "../var",
    "MONDAY_MIX_WEEK": "*",
    "MONDAY_MIX_PARENT_WEEK": "*",
    "MONDAY_MIX_COLLABORATIVE_SIZE": "128",
    "MONDAY_MIX_TEXT_SIZE": "64",
    "MONDAY_MIX_AUDIO_SIZE": "512",
    "MONDAY_MIX_FUSED_SIZE": "128",
}


def ensure_manifest() -> Path:
    """The manifest of the project as it is now, for no home; parsed again only where a file is newer, seconds."""
    if not (MANIFEST.exists() and PARSED.exists()) or _newest_change() > MANIFEST.stat().st_mtime:
        _parse()
    return MANIFEST


def ensure_parsed() -> Path:
    """What dbt itself reads of the project as it is now, with places for `fill` to fill."""
    ensure_manifest()
    return PARSED


def fill(parsed: Any, environment: Mapping[str, str]) -> Any:
    """What was parsed (text, or dicts and lists of it), with each name in its place made the environment's value."""
    values = {_place(name): environment.get(name) or silent for name, silent in READ_BY_YAML.items()}

    def filled(part: Any) -> Any:
        if isinstance(part, str) and _MARK in part:
            for place, value in values.items():
                part = part.replace(place, value)
        if isinstance(part, dict):
            return {key: filled(value) for key, value in part.items()}
        return [filled(value) for value in part] if isinstance(part, list) else part

    return filled(parsed)


_MARK = "@MONDAY_MIX_"


def _place(name: str) -> str:
    return f"@{name}@"


def _newest_change() -> float:
    folders = [WAREHOUSE_PROJECT / name for name in PARSED_FOLDERS]
    files = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return max(path.stat().st_mtime for path in [*(WAREHOUSE_PROJECT / name for name in PARSED_FILES), *files])


def _parse() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    # Beside and renamed: a second process may be reading or parsing at the same time.
    with tempfile.TemporaryDirectory(dir=TARGET, prefix=".parsing_") as beside:
        command = [str(PLAIN_DBT), "parse", "--quiet", "--target-path", beside, "--log-path", beside]
        parsed = subprocess.run(
            command,
            cwd=WAREHOUSE_PROJECT,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                **{name: _place(name) for name in READ_BY_YAML},
                "DBT_PROFILES_DIR": str(WAREHOUSE_PROJECT),
            },
        )
        if parsed.returncode:
            raise MondayMixError(f"{WAREHOUSE_PROJECT}: dbt can't parse the project:\n{parsed.stdout}{parsed.stderr}")
        shutil.rmtree(Path(beside) / "compiled", ignore_errors=True)
        manifest = Path(beside) / MANIFEST.name
        manifest.write_text(fill(manifest.read_text(encoding="utf-8"), {}), encoding="utf-8")
        for path in (PARSED, MANIFEST):
            os.replace(Path(beside) / path.name, path)
