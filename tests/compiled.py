"""SQL of the warehouse as dbt compiles it, for tests that run it on tables of their own.

Belongs here: asking dbt. Does not: what the SQL should say.
"""

import json
import os
import subprocess
from pathlib import Path

from dagster_project.dbt_manifest import DBT
from dagster_project.home import WAREHOUSE_PROJECT, Home
from dagster_project.resources import prepare_home

DATABASE = '"warehouse"."main".'


def compiled(folder: Path, *, model: str = "", inline: str = "", settings: dict[str, object] | None = None) -> str:
    """A model, or a line of Jinja, as SQL; tables of the warehouse by their bare names.  folder: to work in."""
    home = Home(folder)
    prepare_home(home)
    chosen = ["--select", model] if model else ["--inline", inline]
    command = [str(DBT), "compile", "--quiet", "--output", "json", "--vars", json.dumps(settings or {}), *chosen]
    places = [
        "--project-dir",
        ".",
        "--profiles-dir",
        ".",
        "--target-path",
        str(home.dbt_target),
        "--log-level-file",
        "none",
    ]
    environment = {**os.environ, "MONDAY_MIX_HOME": str(folder), "MONDAY_MIX_WEEK": "2026-11-23"}
    done = subprocess.run(
        [*command, *places], cwd=WAREHOUSE_PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout[done.stdout.index("{") :])
    return str(told["compiled"]).replace(DATABASE, "").replace('"', "")
