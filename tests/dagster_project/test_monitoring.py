"""Monitoring inside the graph: a feed that stops holds back the publication, where the home may judge by then."""

import contextlib
import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pytest

from dagster_project.checks import nothing_watched_blocks, nothing_watched_warns
from dagster_project.cli_run import run_week
from dagster_project.home import REPOSITORY, WAREHOUSE_PROJECT, Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from tests.published import query
from tests.worlds import MONDAY, land_small_world

BEFORE = MONDAY - dt.timedelta(weeks=1)
LEVELS = WAREHOUSE_PROJECT / "seeds" / "monitoring_levels.csv"
PAGE = REPOSITORY / "docs" / "alarms.md"
TABLE = "marts/monitoring"


@dataclass(frozen=True)
class StoppedFeed:
    """A home whose events stop before its second Monday, what each run said, and what stayed published."""

    home: Home
    said: list[str]
    succeeded: list[bool]
    published_after: list[list[object]]

    def row(self, week: dt.date, dataset: str, metric: str, subject: str = "*") -> dict[str, object]:
        """One row of the table."""
        table: pa.Table = Lake(self.home.lake).read_week(TABLE, week)
        found = [
            row
            for row in table.to_pylist()
            if (row["dataset"], row["metric"], row["subject"]) == (dataset, metric, subject)
        ]
        assert len(found) == 1, (dataset, metric, subject)
        return dict(found[0])


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> StoppedFeed:
    folder = tmp_path_factory.mktemp("monitoring")
    home = Home(folder / "home")
    home.prepare()
    # One finished Monday is enough to judge by, here; in a home of defaults it takes four.
    home.config_file.write_text("[monitoring]\nfewest_past_weeks = 1\n[collaborative]\nfactors = 16\n")
    overlay = folder / "anyway.toml"
    overlay.write_text("[monitoring]\nmay_block = false\n")
    land_small_world(home.landing, until=BEFORE)
    said, succeeded, published = [], [], []
    for week, laid_over in ((BEFORE, None), (MONDAY, None), (MONDAY, overlay)):
        with _words() as words:
            succeeded.append(run_week(home, week, laid_over))
        said.append(words.getvalue())
        rows = query(home.root, "select distinct week from weekly_playlists order by week")
        published.append([week for (week,) in rows])
    return StoppedFeed(home, said, succeeded, published)


@contextlib.contextmanager
def _words() -> Iterator[io.StringIO]:
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        yield words


def test_a_first_week_is_watched_and_nothing_blocks(stopped: StoppedFeed) -> None:
    assert stopped.succeeded[0]
    assert set(Lake(stopped.home.lake).read_week(TABLE, BEFORE)["level"].to_pylist()) == {"ok"}
    volume = stopped.row(BEFORE, "events", "volume")
    # Events fall evenly over eight weeks: the last one is like the seven before.
    assert (volume["reference_weeks"], volume["level"]) == (7, "ok")
    assert 0.7 < float(str(volume["measured"])) < 1.3
    assert stopped.row(BEFORE, "weekly_playlists", "model_age_days")["value"] == 0


def test_a_feed_that_stopped_keeps_last_weeks_publication(stopped: StoppedFeed) -> None:
    assert not stopped.succeeded[1]
    assert stopped.published_after[1] == [BEFORE]
    assert re.search(
        r"monitoring, block: events: volume is 0 rows, usually [\d.]+; docs/alarms\.md#volume", stopped.said[1]
    )
    assert re.search(r"monitoring, block: events: freshness is 8 days, usually 1; docs", stopped.said[1])


def test_who_says_that_it_may_not_block_gets_the_week_and_a_warning(stopped: StoppedFeed) -> None:
    assert stopped.succeeded[2]
    assert stopped.published_after[2] == [BEFORE, MONDAY]
    assert "monitoring, warn: events: volume is 0 rows" in stopped.said[2]
    assert committed_weeks(stopped.home) == [BEFORE, MONDAY]


def test_the_published_table_says_what_was_wrong_and_where_to_read_on(stopped: StoppedFeed) -> None:
    rows = query(
        stopped.home.root,
        "select dataset, metric, subject, value, page from monitoring where level <> 'ok' and week = ? "
        "and dataset = 'events' order by metric, subject",
        MONDAY,
    )
    assert ("events", "volume", "*", 0.0, "docs/alarms.md#volume") in rows
    assert {metric for _, metric, _, _, _ in rows} == {"freshness", "volume"}


def test_what_a_run_measured_is_the_reference_of_the_next(stopped: StoppedFeed) -> None:
    before, now = (stopped.row(week, "weekly_playlists", "relaxed_share") for week in (BEFORE, MONDAY))
    assert (before["reference"], before["reference_weeks"]) == (None, 0)
    assert (now["reference"], now["reference_weeks"]) == (before["value"], 1)
    rows = stopped.row(MONDAY, "tracks", "rows")
    assert rows["value"] == rows["reference"]


def test_factors_of_the_same_listening_moved_and_the_index_finds(stopped: StoppedFeed) -> None:
    drift = stopped.row(MONDAY, "recording_factors", "embedding_drift")
    assert 0 <= float(str(drift["value"])) < 1
    assert stopped.row(MONDAY, "candidate_index", "index_recall")["value"] == 1.0, (
        "so small a catalogue is searched whole"
    )


def test_one_check_blocks_and_one_warns() -> None:
    assert [
        spec.blocking for check in (nothing_watched_blocks, nothing_watched_warns) for spec in check.check_specs
    ] == [
        True,
        False,
    ]


def _levels() -> list[dict[str, str]]:
    with open(LEVELS, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_metric_with_a_level_has_its_section_and_points_there() -> None:
    sections = re.findall(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted({row["metric"] for row in _levels()}) == sorted(sections)
    for row in _levels():
        path, anchor = row["page"].split("#")
        assert (REPOSITORY / path, anchor) == (PAGE, row["metric"])


def test_every_section_says_what_it_means_and_what_to_do() -> None:
    bodies = re.split(r"^## \w+$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert all("**What it means.**" in body and "**What to do.**" in body for body in bodies)


def test_what_blocks_lies_beyond_what_warns() -> None:
    for row in _levels():
        if row["block_at"]:
            warn, block = float(row["warn_at"]), float(row["block_at"])
            assert block > warn if row["direction"] == "above" else block < warn, row


def test_every_metric_that_is_measured_has_a_level(stopped: StoppedFeed) -> None:
    lake = Lake(stopped.home.lake)
    # The second week has no events, so that nothing of them can be spread or empty; the first has no week before it.
    rows = [row for week in (BEFORE, MONDAY) for row in lake.read_week(TABLE, week).to_pylist()]
    assert {row["metric"] for row in rows} == {row["metric"] for row in _levels()}
    without = {(row["metric"], row["dataset"]) for row in rows if row["page"] is None}
    assert without == set()
