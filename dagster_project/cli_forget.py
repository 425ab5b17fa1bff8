"""Command `forget`: listeners forgotten in every file of every week, and the search that shows it.

Belongs here: its arguments and words. Does not: forgetting (forgetting.py), searching (forgetting_proof.py).
"""

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dagster_project.home import Home

if TYPE_CHECKING:
    from dagster_project.forgetting import Told
    from dagster_project.forgetting_proof import Proof

FOUND = 1
_NAMED = 20


def add_forget_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `forget` to the parser."""
    words = "forget listeners in every file of every week, and search all files for them"
    parser = command(commands, "forget", forget_command, words)
    parser.add_argument(
        "users", nargs="*", metavar="USER", help="their user_id (default: whoever landed in `deletions`)"
    )


def forget_command(options: argparse.Namespace) -> int:
    """Forget, then search; 0 where nothing of them is left, 1 where something is."""
    from dagster_project.forgetting import forget
    from dagster_project.forgetting_proof import search_home
    from dagster_project.progress import unhurried
    from dagster_project.resources import prepare_home
    from dagster_project.run_lock import hold_run_lock

    home, say = Home.resolve(options.home), partial(print, file=sys.stderr)
    with hold_run_lock(home.root, say):
        prepare_home(home)
        told = forget(home, frozenset(_plain(options.users)), _now(), unhurried(say))
        if not told.user_ids:
            print("nobody is named, and nobody landed in deletions: nothing was forgotten")
            return 0
        print(_told(told))
        proof = search_home(home, told.user_ids, unhurried(say))
    print(_proof(proof, told.user_ids))
    return FOUND if proof.found else 0


def _plain(users: list[str]) -> list[str]:
    """As the warehouse reads ids: without blanks around them."""
    return [user.strip(" ") for user in users if user.strip(" ")]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _told(told: "Told") -> str:
    who = ", ".join(sorted(told.user_ids)[:_NAMED]) + (" …" if len(told.user_ids) > _NAMED else "")
    weeks = f"{len(told.weeks)} weeks written again without them" if told.weeks else "no week had anything of theirs"
    return f"{who}: forgotten; {told.rows:,} rows of landing files went, {weeks}"


def _proof(proof: "Proof", user_ids: frozenset[str]) -> str:
    from models_ml.forgetting.people import People

    searched = f"searched {proof.files:,} files, {proof.bytes_searched:,} bytes"
    lines = [f"  {file}: {place}" for file, place in proof.found]
    lines.insert(0, f"{searched}: found in {len(lines)} files" if lines else f"{searched}: not found")
    plain = sorted(user_ids - set(People(user_ids).telling))[:_NAMED]
    if plain:
        lines.append(f"  {', '.join(plain)}: too short, a word or a number; looked for where ids of listeners stand")
    return "\n".join(lines)
