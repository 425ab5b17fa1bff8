"""A backfill gives each week what it would have had: as if every Monday had been run in its time."""

import datetime as dt
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.manifest import committed_weeks, read_manifest, stale_weeks
from tests.published import fingerprint
from tests.worlds import MONDAY, land, land_small_world

WEEKS = [MONDAY - dt.timedelta(weeks=2), MONDAY - dt.timedelta(weeks=1), MONDAY]


def _world_by_week(tmp_path: Path) -> tuple[Path, dict[dt.date, object]]:
    """A landing folder without events, and the events known at each Monday that were not known the Monday before."""
    land_small_world(tmp_path / "all")
    history = tmp_path / "all" / "events" / "history.parquet"
    events = pq.read_table(history)
    history.unlink()
    edges = [dt.datetime.min, *(dt.datetime.combine(week, dt.time()) for week in WEEKS)]
    parts = {
        week: events.filter(
            pc.and_(pc.greater_equal(events["occurred_at"], start), pc.less(events["occurred_at"], end))
        )
        for week, start, end in zip(WEEKS, edges, edges[1:], strict=False)
    }
    return tmp_path / "all", parts


def test_weeks_run_in_their_time_and_weeks_filled_in_later_are_the_same(tmp_path: Path) -> None:
    catalogue, events = _world_by_week(tmp_path)
    in_time, later = Home(tmp_path / "in_time"), Home(tmp_path / "later")
    for home in (in_time, later):
        for file in catalogue.rglob("*.parquet"):
            land(home.landing, str(file.relative_to(catalogue)), pq.read_table(file))
    for week in WEEKS:
        land(in_time.landing, f"events/{week}.parquet", events[week])  # type: ignore[arg-type]
        assert run_week(in_time, week)
    for week in WEEKS:
        land(later.landing, f"events/{week}.parquet", events[week])  # type: ignore[arg-type]
    for week in WEEKS:
        assert run_week(later, week)
    for week in WEEKS:
        assert fingerprint(later.root, week) == fingerprint(in_time.root, week), week
    assert committed_weeks(later) == WEEKS
    assert stale_weeks(later) == []
    manifest, parent = read_manifest(later, WEEKS[2]), read_manifest(later, WEEKS[1])
    assert manifest is not None
    assert parent is not None
    assert manifest["parent"] == {"week": str(WEEKS[1]), "hash": parent["hash"]}
    assert {row["path"] for row in manifest["inputs"]} >= {f"events/{week}.parquet" for week in WEEKS}

    # An earlier week that comes out otherwise leaves the later ones as they are, and calls them stale.
    before = fingerprint(later.root, WEEKS[2])
    overlay = tmp_path / "try.toml"
    overlay.write_text("[rules]\ntracks_per_artist = 1\n")
    assert run_week(later, WEEKS[0], overlay)
    assert stale_weeks(later) == WEEKS[1:]
    assert fingerprint(later.root, WEEKS[2]) == before
