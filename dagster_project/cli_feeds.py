"""The command `feeds`: what RSS and Atom feeds publish, as landing files of `documents`.

Belongs here: its arguments, its progress, its last words. Does not: reading feeds (models_ml/feeds).
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.home import Home
from models_ml.errors import InputError
from models_ml.feeds.settings import FeedSettings

PROGRESS_SECONDS = 1.0


def add_feeds_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `feeds` to the parser."""
    parser = command(commands, "feeds", feeds_command, "land what RSS and Atom feeds publish, as documents")
    parser.add_argument("list", metavar="URLS.txt", nargs="?", type=Path, help="addresses of feeds, one a line")
    parser.add_argument("--url", dest="urls", metavar="URL", nargs="+", default=[], help="addresses of feeds")
    parser.add_argument("--contact", metavar="WHO", default="", help="mail or page, for whoever runs the servers asked")
    parser.add_argument("--allow-private", action="store_true", help="also ask private and local addresses")
    parser.add_argument(
        "--delay",
        metavar="SECONDS",
        type=_seconds,
        default=FeedSettings.host_delay_seconds,
        help="between two requests to one host (default %(default)g)",
    )
    parser.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=_seconds,
        default=FeedSettings.deadline_seconds,
        help="for all requests of one feed (default %(default)g)",
    )


def feeds_command(options: argparse.Namespace) -> int:
    """Read feeds, and say what became of each; 1 where not one could be read."""
    from models_ml.feeds.reader import read_feeds

    urls = [*_listed(options.list), *options.urls]
    settings = FeedSettings(
        contact=options.contact,
        allow_private=options.allow_private,
        host_delay_seconds=options.delay,
        deadline_seconds=options.deadline,
    )
    home = Home.resolve(options.home)
    home.prepare()
    report = read_feeds(urls, home.landing, home.lake / "feeds", settings, progress=_every_second())
    print("\n".join(report.lines()))
    if report.landed is not None:
        print(f"landed in {report.landed}; `monday-mix run` reads it")
    return int(report.all_failed)


def _listed(path: Path | None) -> list[str]:
    """Addresses of a file; blank lines and those that begin with # say nothing."""
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise InputError(f"{path}: can't be read ({reason}); name a text file with one address a line") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError(text)
    return seconds


def _every_second() -> Callable[[str], None]:
    """One line a second: enough to see it move. What isn't about a feed is said at once."""
    last = -math.inf

    def say(line: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS or not line[:1].isdigit():
            last = now
            print(f"  {line}", file=sys.stderr, flush=True)

    return say
