"""The command line, for those who don't want a UI: the same Dagster job, the same tables.

Belongs here: commands, their arguments and exit codes. Does not: running the job (cli_run.py) or asking the
tables (cli_queries.py, cli_why.py).

Exit codes: 0 done, 1 the run failed, 2 the input can't be used, 130 interrupted.
"""

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from dagster_project.cli_compare import add_compare_commands
from dagster_project.cli_feeds import add_feeds_command
from dagster_project.cli_forget import add_forget_command
from dagster_project.cli_import import add_import_command
from dagster_project.cli_replay import add_replay_command
from dagster_project.cli_takedown import add_takedown_command
from dagster_project.cli_tune import add_tune_command
from dagster_project.cli_vectors import add_vector_commands
from dagster_project.home import Home, parse_week
from models_ml.errors import MondayMixError

RUN_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except MondayMixError as error:
        print(f"monday-mix: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("monday-mix: interrupted; run the same command again to go on", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="monday-mix", description="A weekly discovery playlist as tables.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "make a small world, run its Mondays, print a playlist")
    demo.add_argument("--listeners", type=int, default=1500, metavar="N", help="listeners (default 1500)")
    demo.add_argument("--weeks", type=int, default=3, metavar="N", help="Mondays to run (default 3)")
    demo.add_argument("--seed", type=int, default=7, metavar="S", help="seed of the world (default 7)")
    demo.add_argument("--world", type=Path, metavar="FILE", help="mechanisms of the world, TOML")
    demo.add_argument(
        "--last-week",
        type=parse_week_argument,
        metavar="MONDAY",
        help="the last Monday (default: that of the world there, else this week's)",
    )

    run = _command(commands, "run", _run, "run one Monday and publish it")
    run.add_argument("--week", type=parse_week_argument, metavar="MONDAY", help="YYYY-MM-DD (default: this week's)")
    run.add_argument("--with", dest="overlay", type=Path, metavar="FILE", help="settings laid over config.toml")
    run.add_argument("--refresh-inputs", action="store_true", help="read what has landed since the week's first run")

    show = _command(commands, "show", _show, "print a listener's playlist with its reasons")
    show.add_argument("user", metavar="USER")
    show.add_argument("--week", type=parse_week_argument, metavar="MONDAY", help="default: the newest published")

    why = _command(commands, "why", _why, "say why a track is, or is not, in a listener's playlist")
    why.add_argument("user", metavar="USER")
    why.add_argument("track", metavar="TRACK")
    why.add_argument("--week", type=parse_week_argument, metavar="MONDAY", help="default: the newest published")

    add_import_command(commands, _command)
    add_feeds_command(commands, _command)
    add_vector_commands(commands, _command)
    add_tune_command(commands, _command)
    add_replay_command(commands, _command)
    add_compare_commands(commands, _command)
    add_takedown_command(commands, _command)
    add_forget_command(commands, _command)
    quality = _command(commands, "quality", _quality, "say how good earlier lists turned out, beside baselines")
    quality.add_argument(
        "--week", type=parse_week_argument, metavar="MONDAY", help="that scored them (default: the newest)"
    )

    _command(commands, "status", _status, "weeks, files and what needs attention")
    _command(commands, "init", _init, "make the home ready, so that plain `dbt build` works")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, function: object, words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.add_argument("--home", metavar="DIR", help="folder to work in (default: MONDAY_MIX_HOME, else var/)")
    parser.set_defaults(command=function)
    return parser


def parse_week_argument(text: str) -> dt.date:
    """A Monday, or argparse's one-line error."""
    try:
        return parse_week(text)
    except MondayMixError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def this_monday() -> dt.date:
    """The Monday of the current week, UTC."""
    today = dt.datetime.now(dt.UTC).date()
    return today - dt.timedelta(days=today.weekday())


# Each command imports what it needs when it runs: Dagster takes two seconds to load, `show` needs none of it.


def _demo(options: argparse.Namespace) -> int:
    from dagster_project.cli_demo import run_demo
    from models_ml.demo_world.world import world_last_week

    home = Home.resolve(options.home)
    # Next week the same command goes on with the world that is there.
    last_week = options.last_week or world_last_week(home.landing) or this_monday()
    return run_demo(home, options.listeners, options.weeks, options.seed, options.world, last_week)


def _run(options: argparse.Namespace) -> int:
    from dagster_project.cli_run import run_week

    done = run_week(Home.resolve(options.home), options.week or this_monday(), options.overlay, options.refresh_inputs)
    return 0 if done else RUN_FAILED


def _show(options: argparse.Namespace) -> int:
    from dagster_project.cli_queries import show_playlist

    print(show_playlist(Home.resolve(options.home), options.user, options.week))
    return 0


def _why(options: argparse.Namespace) -> int:
    from dagster_project.cli_why import why_track

    print(why_track(Home.resolve(options.home), options.user, options.track, options.week))
    return 0


def _quality(options: argparse.Namespace) -> int:
    from dagster_project.cli_queries import quality

    print(quality(Home.resolve(options.home), options.week))
    return 0


def _status(options: argparse.Namespace) -> int:
    from dagster_project.cli_queries import status

    print(status(Home.resolve(options.home)))
    return 0


def _init(options: argparse.Namespace) -> int:
    from dagster_project.resources import prepare_home

    home = Home.resolve(options.home)
    prepare_home(home)
    print(f"{home.root} is ready; land files under {home.landing}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
