"""The command `import`: what other services let a listener download, as landing files.

Belongs here: its arguments, its progress, its last words. Does not: reading the formats (models_ml/importers).
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.home import Home
from models_ml.importers.options import DEFAULT_USER, FORMATS, ImportOptions

PROGRESS_SECONDS = 3.0
_COLUMNS = {
    "user": "the listener",
    "item": "the track, or what stands in for one",
    "count": "how often it was played",
    "artist": "name of the artist (default: the title)",
    "title": "title of the track (default: the item)",
    "date": "when the total was read",
}


def add_import_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `import` to the parser."""
    parser = command(commands, "import", import_command, "land what another service let you download")
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=", ".join(FORMATS))
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="file, folder, zip or tar")
    parser.add_argument("--user", metavar="NAME", help=f"whose listening it is (default {DEFAULT_USER})")
    for name, words in _COLUMNS.items():
        parser.add_argument(f"--{name}-column", metavar="NAME", help=f"play-counts: column of {words}")
    parser.add_argument(
        "--no-header", action="store_true", help="play-counts: the file names no columns; give their places from 1"
    )


def import_command(options: argparse.Namespace) -> int:
    """Import, and say what was read, landed and left out."""
    from models_ml.demo_world.world import world_last_week
    from models_ml.importers.history import import_history

    home = Home.resolve(options.home)
    home.prepare()
    columns = {f"{name}_column": getattr(options, f"{name}_column") for name in _COLUMNS}
    chosen = ImportOptions(user=options.user, has_header=not options.no_header, **columns)
    report = import_history(options.format, options.paths, home.landing, chosen, _every_few_seconds())
    print("\n".join(report.lines()))
    print(f"landed in {home.landing}; `monday-mix run` reads it")
    if world_last_week(home.landing) is not None:
        print(
            f"monday-mix: {home.landing} holds the demo's invented listeners and tracks too, and lists will be made of "
            "both; `--home DIR` lands elsewhere",
            file=sys.stderr,
        )
    return 0


def _every_few_seconds() -> Callable[[str], None]:
    last = time.monotonic()

    def say(line: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS or line.startswith("waiting"):
            last = now
            print(f"  {line}", file=sys.stderr, flush=True)

    return say
