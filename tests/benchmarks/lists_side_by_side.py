"""Two sets of lists for one Monday side by side: ours as published, and the plain job's, in tables of the same names.

Belongs here: what they share, what kind of lists both are, and what of each was heard in the week after.
Does not: time and memory (mondays.py).
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
with slots as (
    from {file}.weekly_playlist_tracks where week = $week
),
hits as (
    select user_id, count(slots.track_id) / count(*) as recall
    from heard_next left join slots using (user_id, track_id)
    group by user_id
),
sums as (
    select
        count(distinct user_id) as lists,
        avg(contribution_collaborative) as collaborative,
        avg(cast(is_new_artist as integer)) as new_artists,
        avg(cast(slot_kind = 'explore' as integer)) as of_arms,
        avg(cast(feasible_count is not null as integer)) as drawn,
        avg(cast(primary_source = 'new_release' as integer)) as new_releases,
        avg(cast(anchor_track_id is not null as integer)) as with_anchor,
        avg(popularity_percentile) as popularity,
        count(distinct track_id) as tracks,
        max(abs(final_score - {parts})) as missing
    from slots
)
select
    sums.lists,
    (select count(*) filter (tracks <> 30) from (
        select user_id, count(distinct track_id) as tracks from slots group by user_id
    )),
    (select count(*) from slots semi join (from listens where not is_next) as heard using (user_id, track_id)),
    sums.collaborative,
    sums.new_artists,
    sums.of_arms,
    sums.drawn,
    sums.new_releases,
    (select avg(genre_kl) from {file}.weekly_playlists where week = $week),
    (select avg(popularity_kl) from {file}.weekly_playlists where week = $week),
    sums.popularity,
    sums.tracks,
    sums.with_anchor,
    (select avg(anchors) from (
        select count(distinct anchor_track_id) as anchors from slots group by user_id having count(anchor_track_id) > 0
    )),
    sums.missing,
    (select avg(recall) from hits)
from sums
"""
_SHARED = """
select count(*) / (select count(distinct user_id) from ours.weekly_playlists where week = $week)
from ours.weekly_playlist_tracks as ours
inner join plain.weekly_playlist_tracks as plain using (week, user_id, track_id)
where week = $week
"""
_NAMES = (
    ("listeners with a list", ",.0f"),
    ("lists without thirty distinct tracks", ",.0f"),
    ("tracks heard before", ",.0f"),
    ("mean collaborative score", ".4f"),
    ("share by new artists", ".3f"),
    ("share of slots of arms", ".3f"),
    ("share of slots drawn by chance", ".3f"),
    ("share that only new releases' slot found", ".4f"),
    ("mean distance of genres, nats", ".3f"),
    ("mean distance of popularity, nats", ".3f"),
    ("mean popularity, percentile", ".3f"),
    ("different tracks", ",.0f"),
    ("share with a heard track named", ".3f"),
    ("different heard tracks named, a list", ".1f"),
    ("most that parts miss of a score", ".1e"),
    ("recall at 30 of first listens of the week after", ".4f"),
)


def side_by_side(published: Path, plain: Path, events: Sequence[Path], week: dt.date) -> str:
    """A Markdown table.

    published: our file.  plain: the plain job's.  events: Parquet files of events, those of the week after too.
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{published}' as ours (read_only)")
        connection.execute(f"attach '{plain}' as plain (read_only)")
        connection.execute(_HEARD, {"week": week, "events": [str(path) for path in events]})
        connection.execute(_FIRST)
        both = [_of_one(connection, file, week) for file in ("ours", "plain")]
        shared = connection.execute(_SHARED, {"week": week}).fetchall()[0][0]
    rows = [
        f"| {name} | {ours:{form}} | {plain:{form}} |" for (name, form), ours, plain in zip(_NAMES, *both, strict=True)
    ]
    return "\n".join(["| | ours | plain |", "|---|---|---|", *rows, f"| tracks of thirty in both | {shared:.1f} | |"])


def _of_one(connection: duckdb.DuckDBPyConnection, file: str, week: dt.date) -> tuple[float, ...]:
    """The figures of one file, in the order of _NAMES."""
    table = connection.execute(f"describe {file}.weekly_playlist_tracks").fetchall()
    parts = " - ".join(row[0] for row in table if row[0].startswith("contribution_"))
    found: tuple[float, ...] = connection.execute(_OF_ONE.format(file=file, parts=parts), {"week": week}).fetchall()[0]
    return found
