"""The command `replay`: past weeks made again from landing files, and whether they come out the same.

Belongs here: its arguments and words. Does not: replaying (replay.py).
"""

import argparse
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.home import Home, parse_week
from models_ml.errors import InputError

if TYPE_CHECKING:
    from dagster_project.replay import ChangedFile, Compared

_NAMED = 5


def add_replay_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `replay` to the parser."""
    words = "make a past week again from landing files, with the weeks before it, and compare"
    parser = command(commands, "replay", replay_command, words)
    parser.add_argument("--week", required=True, metavar="MONDAY", help="the week; it and all before it are made again")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="home of the replay: empty, or a replay's (default: HOME/replay)"
    )


def replay_command(options: argparse.Namespace) -> int:
    """Replay, say week by week how it compares; 0 where all is the same, 1 where it parts."""
    from dagster_project.replay import chain, changed_files, replay

    home, week = Home.resolve(options.home), parse_week(options.week)
    into = Home.resolve(options.into or home.replay)
    if into.root == home.root:
        raise InputError(f"--into {into.root}: that is the home itself; name another folder")
    manifests = chain(home, week)
    changed = changed_files(home, manifests)
    if changed:
        print(_changed_words(changed))
        return 1
    compared = []
    for one in replay(home, into, manifests):
        print(week_words(one), flush=True)
        compared.append(one)
    if any(one.parted for one in compared):
        return 1
    is_first = any(one.is_first for one in compared)
    print(f"{_weeks(compared)} replayed from landing files: {'kept to compare with' if is_first else 'the same'}")
    return 0


def week_words(one: "Compared") -> str:
    """One line of a week that is the same; where and why it parts otherwise."""
    if one.is_first:
        return (
            f"{one.week}: made with listeners who were forgotten since; what it is without them is kept, "
            f"{one.table_count} tables, and the next replay is held against it"
        )
    if not one.parted:
        than = " as at its first replay without those who were forgotten" if one.redacted else ""
        return f"{one.week}: the same{than}, {one.table_count} tables"
    shown = [f"{one.week}: parts at {one.parted[0]}"]
    if one.parted[1:]:
        more = f" and {len(one.parted) - 1 - _NAMED} more" if len(one.parted) - 1 > _NAMED else ""
        shown.append(f"  after it: {', '.join(one.parted[1 : 1 + _NAMED])}{more}")
    shown += [f"  {cause}" for cause in one.causes]
    if not one.causes:
        shown.append("  files, settings, code and packages are as they were")
    return "\n".join(shown)


def _changed_words(changed: "Sequence[ChangedFile]") -> str:
    lines = [_one_changed(file) for file in changed]
    return "\n".join([*lines, f"{len(changed)} files are not what was read; nothing was replayed"])


def _one_changed(file: "ChangedFile") -> str:
    now = f"its content is {file.found} now" if file.found else "it is gone"
    return f"landing/{file.path}: week {file.week} read content {file.recorded}, and {now}"


def _weeks(compared: "Sequence[Compared]") -> str:
    first, last = compared[0].week, compared[-1].week
    days: list[dt.date] = [first] if first == last else [first, last]
    return f"{len(compared)} weeks ({' to '.join(map(str, days))})" if len(compared) > 1 else f"week {first}"
