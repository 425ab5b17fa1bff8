"""Runs as a person starts them: processes of their own, in a home of their own.

Belongs here: starting the command line for tests, and what a whole publication is. Does not: expectations of one test.
"""

import datetime as dt
import subprocess
import sys
from pathlib import Path

from dagster_project.home import REPOSITORY, Home
from tests.published import query

TRACKS = 30  # of each playlist


def start_run(home: Home, week: dt.date, log: Path) -> "subprocess.Popen[bytes]":
    """`monday-mix run`, leader of its own process group; what it says goes to the end of `log`."""
    command = [sys.executable, "-m", "dagster_project.cli", "run", "--week", week.isoformat(), "--home", str(home.root)]
    with open(log, "ab") as words:
        return subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
        )


def broken_playlists(home: Home) -> list[tuple[object, ...]]:
    """Published playlists without exactly thirty tracks, and tracks without a playlist: week, user, tracks."""
    return query(
        home.root,
        f"""
        select week, user_id, count(weekly_playlist_tracks.position) as tracks
        from weekly_playlists
        full join weekly_playlist_tracks using (program_id, week, user_id)
        group by all
        having count(weekly_playlist_tracks.position) <> {TRACKS} or count(weekly_playlists.playlist_id) <> {TRACKS}
    """,
    )


def leftovers(home: Home) -> list[str]:
    """Half-written files, and whatever lies beside the published one."""
    half = [path for pattern in (".*.writing*", ".*.tmp") for path in home.root.rglob(pattern)]
    beside = [path for path in home.published.parent.iterdir() if path != home.published]
    return sorted(str(path.relative_to(home.root)) for path in half + beside)
