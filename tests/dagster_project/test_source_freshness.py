"""`dbt source freshness` as someone runs it: passes, warns, fails by the newest event that landed."""

import datetime as dt
import json
import os
import subprocess
from pathlib import Path

from dagster_project.dbt_manifest import PLAIN_DBT
from dagster_project.home import WAREHOUSE_PROJECT, Home
from dagster_project.resources import prepare_home
from models_ml.landing.intake import take_in
from tests.worlds import land


def _freshness(home: Home, target: Path) -> str:
    command = [str(PLAIN_DBT), "source", "freshness", "--quiet"]
    command += ["--target-path", str(target), "--log-path", str(target)]
    environment = {**os.environ, "MONDAY_MIX_HOME": str(home.root), "DBT_PROFILES_DIR": str(WAREHOUSE_PROJECT)}
    subprocess.run(command, cwd=WAREHOUSE_PROJECT, env=environment, capture_output=True, check=False)
    results = json.loads((target / "sources.json").read_text())["results"]
    (events,) = [row for row in results if row["unique_id"].endswith(".intake.events")]
    return str(events["status"])


def _land_event(home: Home, days_ago: float) -> None:
    now = dt.datetime.now(dt.UTC)
    event = {"user_id": "u", "event_type": "play", "track_id": "t", "occurred_at": now - dt.timedelta(days=days_ago)}
    land(home.landing, f"events/{days_ago}.parquet", [event])
    take_in(home.landing, home.intake, now)


def test_the_newest_event_that_has_happened_decides(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    prepare_home(home)
    statuses = []
    for days_ago in (-400, 16, 9, 7):  # one whose clock ran ahead of everything is no sign of life
        _land_event(home, days_ago)
        statuses.append(_freshness(home, tmp_path / "target"))
    assert statuses == ["error", "error", "warn", "pass"]
