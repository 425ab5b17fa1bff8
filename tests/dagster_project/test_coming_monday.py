"""A Monday that has yet to begin: its files may be read, nothing is made of them, whoever starts the run."""

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from dagster_project import keys
from dagster_project.cli import BAD_INPUT, main
from dagster_project.cli_run import run_shadow
from dagster_project.definitions import build_defs
from dagster_project.home import Home, require_begun
from dagster_project.manifest import committed_weeks
from models_ml.errors import InputError
from tests.worlds import MONDAY, land

MIDNIGHT = dt.datetime.combine(MONDAY, dt.time())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    land(home.landing, "tracks/one.parquet", [{"track_id": "t", "title": "T", "artist_id": "a", "artist_name": "A"}])
    land(home.landing, "play_counts/one.parquet", [{"user_id": "u", "track_id": "t", "play_count": 1}])
    return home


def coming() -> str:
    """The Monday after this week's."""
    return keys.WEEKLY.get_last_partition_key()


def words() -> str:
    """What is said of it."""
    return f"week {coming()}: begins on {coming()} at 00:00 UTC; run it then"


def test_a_monday_begins_at_midnight() -> None:
    require_begun(MONDAY, MIDNIGHT)
    with pytest.raises(InputError, match=f"week {MONDAY}: begins on {MONDAY} at 00:00 UTC"):
        require_begun(MONDAY, MIDNIGHT - dt.timedelta(microseconds=1))


def test_the_command_line_refuses_in_one_line_before_anything_is_read(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--week", coming(), "--home", str(home.root)]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"monday-mix: {words()}")
    assert list(home.intake.iterdir()) == []


def test_a_week_that_is_made_to_be_compared_is_refused_too(home: Home) -> None:
    with pytest.raises(InputError, match=words()):
        run_shadow(home, dt.date.fromisoformat(coming()))


@pytest.mark.parametrize("name", ["monday", "shadow_monday"])
def test_a_run_that_others_start_reads_files_and_makes_nothing_of_them(home: Home, name: str) -> None:
    job = build_defs(str(home.root)).resolve_job_def(name)
    result = job.execute_in_process(partition_key=coming(), raise_on_error=False)
    failures = [event for event in result.all_events if event.is_step_failure]
    assert [event.step_key for event in failures] == ["ml__rehearsed_features"], "the first to make anything"
    error = failures[0].step_failure_data.error
    assert error is not None
    assert words() in (error.cause or error).message
    assert not [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert (home.published.exists(), committed_weeks(home)) == (False, [])
    assert not list(home.lake.glob("features/*/week=" + coming()))


def test_its_files_can_be_read(home: Home) -> None:
    assert build_defs(str(home.root)).resolve_job_def("intake").execute_in_process(partition_key=coming()).success
