"""Run history: written in one go, read by Dagster's own storage, as `dagster dev` does."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from dagster_project.cli_run import _instance
from dagster_project.home import Home


@dg.asset(check_specs=[dg.AssetCheckSpec("is_made", asset="made")])
def made() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)])


@pytest.mark.parametrize("is_over", [False, True])
def test_dagsters_own_storage_reads_it_during_a_run_and_after(tmp_path: Path, is_over: bool) -> None:
    home = Home(tmp_path)
    with _instance(home) as instance:
        run_id = dg.materialize([made], instance=instance).run_id
        if not is_over:
            assert _seen(home, run_id) == [3]
    assert _seen(home, run_id) == [3]


def test_nothing_lies_beside_the_files_once_they_are_closed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for _ in range(2):
        with _instance(home) as instance:
            dg.materialize([made], instance=instance)
            assert instance.get_runs_count() > 0
    kinds = sorted({path.suffix for path in (home.dagster / "history").rglob("*") if path.is_file()})
    assert kinds == [".db"]
    assert len(list((home.dagster / "history" / "runs").glob("*.db"))) == 3, "two runs and the index over them"


def _seen(home: Home, run_id: str) -> list[object]:
    """Rows of each materialization of a finished run, as Dagster's own storage tells."""
    storage = DagsterSqliteStorage(str(home.dagster))
    (run,) = storage.run_storage.get_runs(dg.RunsFilter(run_ids=[run_id]))
    assert run.is_success
    records = storage.event_log_storage.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    return [record.asset_materialization.metadata["rows"].value for record in records]  # type: ignore[union-attr]
