"""Runs in processes of their own, in a home of their own.

Belongs here: starting the command line for tests, and what a whole publication is. Does not: expectations of one test.
"""

import datetime as dt
import gc
import multiprocessing
import os
import subprocess
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from dagster_project import dbt_manifest, resources
from dagster_project.cli import main
from dagster_project.home import REPOSITORY, Home
from tests.published import query

TRACKS = 30  # of each playlist
# What a run loads once it has begun: plots, and how Dagster executes in process.
LATER = (
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.noop_compute_log_manager",
    "dotenv.main",
    "fsspec.implementations.local",
    "lz4.frame",
    "models_ml.evaluation.plots",
)


def start_run(home: Home, week: dt.date, log: Path) -> "subprocess.Popen[bytes]":
    """`monday-mix run` as a person starts it, leader of its process group; what it says goes to the end of `log`."""
    command = [sys.executable, "-m", "dagster_project.cli", "run", "--week", week.isoformat(), "--home", str(home.root)]
    with open(log, "ab") as words:
        return subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
        )


def start_loaded_run(home: Home, week: dt.date, log: Path, own_dbt: bool = True) -> ForkServerProcess:
    """The same with its modules loaded before it begins: five of its twenty seconds, in which it writes nothing.

    own_dbt: whether it starts dbt as a user's run does, which a run that is killed must. Else the session's loaded one.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dagster_project.cli_run", __name__, *LATER])
    dbt = None if own_dbt else str(dbt_manifest.DBT)
    process = context.Process(target=_run, args=(home, week, log, dbt))
    process.start()
    return process


def _run(home: Home, week: dt.date, log: Path, dbt: str | None) -> None:
    gc.freeze()  # as the session does: what was loaded before stays
    os.setsid()
    if dbt is not None:
        resources.DBT = Path(dbt)
    with open(log, "ab") as words:
        for stream in (1, 2):
            os.dup2(words.fileno(), stream)
    sys.exit(main(["run", "--week", week.isoformat(), "--home", str(home.root)]))


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
