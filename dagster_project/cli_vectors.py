"""Commands `search` and `similar`: what lies near words, or near a track.

Belongs here: their arguments. Does not: the answers (vector_queries.py).
"""

import argparse
from collections.abc import Callable
from typing import Any

from dagster_project.home import Home, parse_week

BY = ("fused", "listening", "words", "sound")
_SHOWN = 10


def add_vector_commands(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `search` and `similar` to the parser."""
    search = command(commands, "search", search_command, "print the tracks nearest to words")
    search.add_argument("words", metavar="WORDS", nargs="+", help='such as "sad rainy day"')
    similar = command(commands, "similar", similar_command, "print the tracks nearest to a track")
    similar.add_argument("track", metavar="TRACK", help="its track_id")
    similar.add_argument("--by", choices=BY, default=BY[0], help=f"which space (default {BY[0]})")
    for parser in (search, similar):
        parser.add_argument("--week", metavar="MONDAY", help="default: the newest run")
        parser.add_argument("--count", type=int, default=_SHOWN, metavar="N", help=f"how many (default {_SHOWN})")


def search_command(options: argparse.Namespace) -> int:
    """Nearest tracks to words."""
    from dagster_project.vector_queries import nearest_to_words

    week = parse_week(options.week) if options.week else None
    print(nearest_to_words(Home.resolve(options.home), " ".join(options.words), options.count, week))
    return 0


def similar_command(options: argparse.Namespace) -> int:
    """Nearest tracks to a track."""
    from dagster_project.vector_queries import nearest_to_track

    week = parse_week(options.week) if options.week else None
    print(nearest_to_track(Home.resolve(options.home), options.track, options.by, options.count, week))
    return 0
