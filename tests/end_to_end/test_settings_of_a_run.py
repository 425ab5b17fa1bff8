"""Settings that are edited while a run works: they are the next run's, and the manifest says what made the week."""

import threading
import time
from pathlib import Path

from dagster_project.cli_run import run_week
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.recipe import SEED
from dagster_project.resources import Workspace
from tests.published import query
from tests.worlds import MONDAY, land_small_world

BEGUN_WITH = "[collaborative]\nfactors = 16\n"
EDITED = "[collaborative]\nfactors = 8\n[gate]\nrequires_approval = true\n"
PATIENCE_SECONDS = 120


def _edit_once_files_are_read(home: Home) -> None:
    """Between landing and features: whatever reads a setting after it would read these."""
    lake, until = Lake(home.lake), time.monotonic() + PATIENCE_SECONDS
    while not lake.has_week("inputs/week_files", MONDAY) and time.monotonic() < until:
        time.sleep(0.01)
    home.config_file.write_text(EDITED)
    home.event_weights.write_text("no table of weights any more\n")


def test_a_run_goes_by_the_settings_it_began_with(tmp_path: Path) -> None:
    home = Home(tmp_path)
    land_small_world(home.landing, listeners=20, tracks=240)
    home.config_file.write_text(BEGUN_WITH)
    weights = SEED.read_text().replace("skip,library,-1", "skip,library,1")
    home.event_weights.write_text(weights)
    begun_with = load_configuration([home.config_file]).hash()
    edit = threading.Thread(target=_edit_once_files_are_read, args=(home,))
    edit.start()
    assert run_week(home, MONDAY)
    edit.join()
    assert home.config_file.read_text() == EDITED
    manifest = read_manifest(home, MONDAY) or {}
    assert (manifest["config_hash"], manifest["event_weights"]) == (begun_with, weights)
    assert manifest["config"]["collaborative"]["factors"] == 16
    assert query(home.root, "select distinct config_hash from weekly_playlists") == [(begun_with,)]
    home.event_weights.unlink()
    assert Workspace(home=str(home.root)).configuration.collaborative.factors == 8, "outside a run as they stand"
