"""Two sets of lists for one Monday side by side: ours as published, and the plain job's.

Belongs here: what they share, and what of each was heard in the week after. Does not: time and memory (mondays.py).
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb

# First listens of the week after: long enough, and of a track that no such listen of before names.
_HEARD = """
create temp table listens as
select distinct user_id, track_id, occurred_at >= $week as is_next
from read_parquet($events, union_by_name = true)
where event_type = 'play' and ms_played >= 30000 and not is_private and occurred_at < $week + interval 7 day;
"""
_FIRST = """
create temp table heard_next as
select user_id, track_id from listens where is_next
except select user_id, track_id from listens where not is_next;
"""
_OF_ONE = """
with hits as (
    select user_id, count(lists.track_id) / count(*) as recall
    from heard_next left join {lists} as lists using (user_id, track_id)
    group by user_id
)
select
    (select count(distinct user_id) from {lists}),
    (select count(*) filter (tracks <> 30) from (
        select user_id, count(distinct track_id) as tracks from {lists} group by user_id
    )),
    (select count(*) from {lists} semi join (from listens where not is_next) as heard using (user_id, track_id)),
    (select avg(contribution_collaborative) from {lists}),
    (select avg(cast(is_new_artist as integer)) from {lists}),
    (select avg(recall) from hits)
"""
_SHARED = "select count(*) / (select count(distinct user_id) from ours) from ours join plain using (user_id, track_id)"


def side_by_side(published: Path, plain: Path, events: Sequence[Path], week: dt.date) -> str:
    """A Markdown table.

    published: our file.  plain: the plain job's.  events: Parquet files of events, those of the week after too.
    """
    columns = "user_id, track_id, contribution_collaborative, is_new_artist"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{published}' as published (read_only)")
        ours = f"select {columns} from published.weekly_playlist_tracks where week = $week"
        connection.execute(f"create temp table ours as {ours}", {"week": week})
        connection.execute(
            f"create temp table plain as select {columns} from read_parquet($path)", {"path": str(plain)}
        )
        connection.execute(_HEARD, {"week": week, "events": [str(path) for path in events]})
        connection.execute(_FIRST)
        both = [connection.execute(_OF_ONE.format(lists=lists)).fetchall()[0] for lists in ("ours", "plain")]
        shared = connection.execute(_SHARED).fetchall()[0][0]
    names = (
        ("listeners with a list", ",.0f"),
        ("lists without thirty distinct tracks", ",.0f"),
        ("tracks heard before", ",.0f"),
        ("mean collaborative score", ".4f"),
        ("share by new artists", ".3f"),
        ("recall at 30 of first listens of the week after", ".4f"),
    )
    rows = [
        f"| {name} | {ours:{form}} | {plain:{form}} |" for (name, form), ours, plain in zip(names, *both, strict=True)
    ]
    return "\n".join(["| | ours | plain |", "|---|---|---|", *rows, f"| tracks of thirty in both | {shared:.1f} | |"])
