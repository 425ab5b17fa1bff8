"""Command `takedown`: take a track, or whatever an artist is credited on, out of the newest published lists at once.

Belongs here: its arguments, and the steps in their order. Does not: what fills a slot (models_ml/takedown.py), what a
week remembers (takedowns.py).
"""

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.home import Home
from models_ml.errors import InputError, MondayMixError

if TYPE_CHECKING:
    from dagster_project.takedowns import Takedown


def add_takedown_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `takedown` to the parser."""
    parser = command(commands, "takedown", takedown_command, "take a track out of the published lists, and keep it out")
    parser.add_argument("track", metavar="TRACK", help="its track_id; with --artist an artist_id")
    parser.add_argument("--artist", action="store_true", help="whatever the artist is credited on")
    parser.add_argument("--from", dest="valid_from", type=_moment, metavar="WHEN", help="UTC (default: always)")
    parser.add_argument("--to", dest="valid_to", type=_moment, metavar="WHEN", help="UTC (default: without end)")


def takedown_command(options: argparse.Namespace) -> int:
    """Land the takedown and mend the newest week."""
    from dagster_project.takedowns import Takedown

    if options.valid_from and options.valid_to and options.valid_from >= options.valid_to:
        raise InputError(f"--from is {options.valid_from} and --to {options.valid_to}: it would never hold")
    named = {"artist_id" if options.artist else "track_id": options.track}
    print(
        take_down(
            Home.resolve(options.home), Takedown(**named, valid_from=options.valid_from, valid_to=options.valid_to)
        )
    )
    return 0


def _moment(text: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: not a date or a moment, such as 2026-11-25") from error
    return (moment.astimezone(dt.UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat(" ")


def take_down(home: Home, takedown: "Takedown") -> str:
    """The takedown landed and, where it holds now, the newest published week without its tracks; says what changed.

    Killed at any moment, the same call completes it: the week remembers a takedown last of all.
    """
    from dagster_project.run_lock import hold_run_lock
    from dagster_project.takedowns import land, recorded

    name = takedown.track_id or f"whatever {takedown.artist_id} is credited on"
    _require_known(home, takedown)
    path = land(home, takedown)
    if not takedown.holds_at(dt.datetime.now(dt.UTC).replace(tzinfo=None)):
        return f"{name}: landed as {path}; it doesn't hold now, so no list was changed"
    with hold_run_lock(home.root, partial(print, file=sys.stderr)):
        week = _newest_published(home)
        if takedown in recorded(home, week):
            return f"{name}: taken out of the lists of {week} before; no list was changed"
        _require_as_published(home, week, takedown)
        changed = _lists_with(home, week, takedown)
        mend_published(home, week, takedown)
    return f"{name}: taken out of {changed} lists of {week}; landed as {path} for the Mondays to come"


def mend_published(home: Home, week: dt.date, takedown: "Takedown") -> None:
    """The lists of a week without what is taken down, made, published and remembered; the caller holds the lock."""
    from dagster_dbt.errors import DagsterDbtCliRuntimeError

    from dagster_project.assets.playlists import playlist_inputs
    from dagster_project.assets.warehouse import marts_again
    from dagster_project.cli_run import dbt_output
    from dagster_project.lake import Lake
    from dagster_project.manifest import amend_manifest
    from dagster_project.publishing import publish_week
    from dagster_project.resources import prepare_home, week_configuration
    from dagster_project.takedowns import as_recorded, begin, mend_week, recorded

    prepare_home(home)
    configuration, before = week_configuration(home, week), recorded(home, week)
    lake, takedowns = Lake(home.lake), [*before, takedown]
    begin(home, week, takedown)
    mend_week(lake, week, playlist_inputs(lake, week, configuration).mender, takedowns, done=len(before))
    with dbt_output(home) as log:
        try:
            marts_again(home, configuration, week)
        except DagsterDbtCliRuntimeError as error:
            raise MondayMixError(
                f"the playlist tables of {week} could not be made; nothing was published. dbt's words are in {log}. "
                "The takedown has landed; the same command tries again"
            ) from error
    publish_week(home, week, configuration.run.publish_weeks)
    amend_manifest(home, week, {"takedowns": as_recorded(takedowns)})


def _require_known(home: Home, takedown: "Takedown") -> None:
    """InputError where neither the newest published week nor any landed tracks file has the track or the artist."""
    week = _newest_published(home)
    if takedown.track_id is not None:
        _require(home, week, "track", takedown.track_id, "track_id = $id")
    else:
        _require(home, week, "artist", takedown.artist_id or "", "list_contains(artist_ids, $id)")


def _require_as_published(home: Home, week: dt.date, takedown: "Takedown") -> None:
    """InputError where the lake has other lists of the week than were given; not where this takedown was killed."""
    from dagster_project.held_up import is_being_made, is_held_up
    from dagster_project.takedowns import is_begun

    goes_on = is_begun(home, week, takedown) and not is_being_made(home, week)
    if not goes_on and is_held_up(home, week):
        raise InputError(
            f"week {week} was made again and not published, or another takedown of it was killed: this one is landed "
            "for the Mondays to come, and no list was changed. Run the week to its end (`monday-mix run --week "
            f"{week}`), or give that takedown again; then give this one again"
        )


def _require(home: Home, week: dt.date, kind: str, given: str, condition: str) -> None:
    from dagster_project.lake import Lake

    editions = Lake(home.lake).path("features/editions", week)
    with duckdb.connect() as connection:
        row = connection.execute(f"select 1 from '{editions}' where {condition} limit 1", {"id": given}).fetchone()
    if row is None:
        raise InputError(
            f"{kind} {given}: not known on Monday {week}; nothing was taken down. "
            f"To keep it out of Mondays to come, land it in overrides"
        )


def _newest_published(home: Home) -> dt.date:
    from dagster_project.cli_queries import newest_week, published_file

    with published_file(home) as connection:
        return newest_week(connection)


def _lists_with(home: Home, week: dt.date, takedown: "Takedown") -> int:
    """Published lists of the week that the takedown takes something out of."""
    held = "track_id = $id" if takedown.track_id is not None else "list_contains(artist_ids, $id)"
    with duckdb.connect(str(home.published), read_only=True) as connection:
        row = connection.execute(
            f"select count(distinct user_id) from weekly_playlist_tracks where week = $week and {held}",
            {"week": week, "id": takedown.track_id or takedown.artist_id},
        ).fetchone()
    return int(row[0]) if row else 0
