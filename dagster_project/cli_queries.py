"""Questions the command line asks of the tables: a playlist, how good lists were, the state of the home.

Belongs here: reading the published file and the lake for a person. Does not: changing anything, why a track
is in a list or not (cli_why.py).
"""

import datetime as dt
import textwrap

import duckdb
import pyarrow.compute as pc

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks, read_manifest, stale_weeks
from dagster_project.shown import QUALITY_METRICS, quality_table, text_table
from models_ml.errors import InputError

WIDTHS = (4, 34, 24, 62)


def show_playlist(home: Home, user_id: str, week: dt.date | None = None) -> str:
    """A listener's playlist as a table of position, title, artist and reason."""
    with published_file(home) as connection:
        week = week or newest_week(connection)
        rows = connection.execute(
            "select position, title, artist_name, reason from weekly_playlist_tracks "
            "where user_id = ? and week = ? order by program_id, position",
            [user_id, week],
        ).fetchall()
        if not rows:
            raise InputError(_no_playlist(connection, user_id, week))
    head = f"{user_id}, Monday {week}"
    lines = [(str(position), title, artist, reason) for position, title, artist, reason in rows]
    return "\n".join([head, "", text_table(("", "title", "artist", "reason"), lines, WIDTHS)])


def _no_playlist(connection: duckdb.DuckDBPyConnection, user_id: str, week: dt.date) -> str:
    few = connection.execute(
        "select limit_to from playlist_relaxations where user_id = ? and week = ? and rule_id = 'too_few_tracks'",
        [user_id, week],
    ).fetchone()
    if few:
        passed = int(few[0])
        return f"listener {user_id}: no playlist for {week}, only {passed} tracks pass the filters of thirty needed"
    weeks = [
        str(row[0]) for row in connection.execute("select distinct week from weekly_playlists order by 1").fetchall()
    ]
    return f"listener {user_id}: no playlist for {week}; published weeks: {', '.join(weeks)}"


def typical_listener(home: Home, week: dt.date) -> str:
    """The listener in the middle by tracks heard, among those with a full list from their own listening."""
    with published_file(home) as connection:
        listed = connection.execute(
            "select user_id from weekly_playlists where week = ? and status = 'complete' "
            "and listener_rung = 'collaborative'",
            [week],
        ).to_arrow_table()
        users, heard = (str(Lake(home.lake).path(f"features/{name}", week)) for name in ("listeners", "heard_tracks"))
        found = connection.execute(
            "select user_id from read_parquet(?) as users join read_parquet(?) as heard using (user_index) "
            "semi join listed using (user_id) group by user_id order by count(*), user_id",
            [users, heard],
        ).fetchall()
    if not listed.num_rows:
        raise InputError(f"no listener has a full playlist for {week}")
    return str(found[len(found) // 2][0])


def quality(home: Home, week: dt.date | None = None) -> str:
    """How good the lists that a week scored were, by model, with intervals and what the best of all could reach."""
    with published_file(home) as connection:
        if not connection.execute("from duckdb_tables() where table_name = 'evaluation_metrics'").fetchone():
            raise InputError(f"{home.published}: from before lists were scored; run a Monday again")
        rows = connection.execute("select distinct week from evaluation_metrics order by week").fetchall()
        week = week or max((row[0] for row in rows), default=None)
        scored = connection.execute("select * from evaluation_metrics where week = ?", [week]).to_arrow_table()
    table = quality_table(scored)
    if not table:
        raise InputError(_nothing_scored(week, [str(row[0]) for row in rows]))
    of_all = (row for row in scored.to_pylist() if (row["protocol_id"], row["segment"]) == ("kept", "all"))
    facts = next(row for row in of_all if row["metric"] in QUALITY_METRICS)
    title = (
        f"Lists of Monday {facts['as_of_week']}, scored on {week} by what {facts['listeners']:,} listeners first heard "
        f"in the {facts['truth_window_days']} days since and kept"
    )
    widths = [max(len(line[place]) for line in table) for place in range(len(table[0]))]
    lines = [table[0], ["-" * width for width in widths], *table[1:]]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([title, "", *text])


def _nothing_scored(week: dt.date | None, weeks: list[str]) -> str:
    needed = "the week [evaluation] window_weeks before has to have been run, and something new kept since"
    if week is None or not weeks:
        return f"no week has scored lists yet: {needed}"
    return f"week {week} scored no lists: {needed}; weeks that did: {', '.join(weeks)}"


def status(home: Home) -> str:
    """Weeks, files and what needs attention, as lines."""
    weeks, stale = committed_weeks(home), stale_weeks(home)
    lines = [f"home       {home.root}"]
    if not weeks:
        return "\n".join([*lines, "weeks      none yet; land files and run: monday-mix run --week MONDAY"])
    newest = weeks[-1]
    lines.append(f"weeks      {len(weeks)}, {weeks[0]} to {newest}")
    if stale:
        lines.append(
            f"stale      {', '.join(map(str, stale))}: an earlier week was run again since; run them again in order"
        )
    if home.published.exists():
        with published_file(home) as connection:
            row = connection.execute(
                "select count(*), count(*) filter (where status = 'relaxed') from weekly_playlists where week = ?",
                [newest],
            ).fetchone() or (0, 0)
        lines.append(f"playlists  {row[0]} for {newest}, {row[1]} of them with a rule relaxed")
    lines += _file_lines(home, newest)
    return "\n".join(lines)


def _file_lines(home: Home, week: dt.date) -> list[str]:
    manifest = read_manifest(home, week) or {"inputs": []}
    broken = [row for row in manifest["inputs"] if row["error"]]
    lines = [f"files      {len(manifest['inputs'])} read for {week}, {len(broken)} of them unreadable"]
    lines += [textwrap.indent(f"{row['path']}: {row['error']}", " " * 11) for row in broken]
    report = Lake(home.lake)
    if report.has_week("reports/intake_files", week):
        table = report.read_week("reports/intake_files", week)
        counts = {
            name: pc.sum(table[f"{name}_count"]).as_py() or 0
            for name in ("row", "accepted", "pending", "quarantined", "duplicate")
        }
        lines.append(
            "rows       {row} in = {accepted} accepted + {pending} pending + {quarantined} quarantined "
            "+ {duplicate} duplicates".format(**counts)
        )
    return lines


def published_file(home: Home) -> duckdb.DuckDBPyConnection:
    """The file that people query, open to read. Raises InputError where there is none."""
    if not home.published.exists():
        raise InputError(f"{home.published}: nothing is published yet; run: monday-mix run --week MONDAY")
    return duckdb.connect(str(home.published), read_only=True)


def newest_week(connection: duckdb.DuckDBPyConnection) -> dt.date:
    """The newest week of the published file."""
    row = connection.execute("select max(week) from weekly_playlists").fetchone()
    if row is None or row[0] is None:
        raise InputError("nothing is published yet; run: monday-mix run --week MONDAY")
    week: dt.date = row[0]
    return week
