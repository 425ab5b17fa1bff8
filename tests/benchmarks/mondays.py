"""Whole Mondays of the demo world, from landing files to published, beside the same job plainly written.

Run: .venv/bin/python -m tests.benchmarks.mondays [--listeners 10000 100000] [--keep DIR] [--no-plain]
Each measurement is a process of its own. The second Monday's week of events lands after the first has run. Beside the
plain job first lists are by declared weights, as its lists are; with --no-plain they are learnt from a rehearsal, as
those of any home. With --keep a run that was killed goes on with the measurement it was in.
Belongs here: worlds, homes, which measurements there are. Does not: watching a process (process_tree.py), the plain
job (plain_job.py), the tables (mondays_table.py).
"""

import argparse
import dataclasses
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.cli import this_monday
from dagster_project.cli_run import run_history
from dagster_project.home import REPOSITORY, Home
from dagster_project.run_lock import hold_run_lock
from models_ml.demo_world import WorldParams, WorldSize, write_world
from tests.benchmarks.lists_side_by_side import side_by_side
from tests.benchmarks.mondays_table import PLAIN, Measurement, World, tables
from tests.benchmarks.plain_ledgers import stage_seconds
from tests.benchmarks.process_tree import run_watched

SEED = 7


def main() -> None:
    """Measure each size and print the tables."""
    parser = argparse.ArgumentParser(description="Whole Mondays of the demo world, and the same job plainly written.")
    parser.add_argument("--listeners", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--weeks", type=int, default=2, help="Mondays in a row (default 2)")
    parser.add_argument(
        "--keep", type=Path, help="folder to work in, to leave and to go on in; default a temporary one"
    )
    parser.add_argument(
        "--scored-after",
        type=int,
        help="score lists of so many weeks before; 1: two Mondays have one",
    )
    parser.add_argument("--no-plain", action="store_true", help="leave the plain job out")
    options = parser.parse_args()
    folder = (options.keep or Path(tempfile.mkdtemp(prefix="mondays_"))).resolve()
    settings = f"[evaluation]\nwindow_weeks = {options.scored_after}\n" if options.scored_after else ""
    if not options.no_plain:
        settings += "[ranker]\nrehearsed_weeks = 0\n"
    benches = [Bench(folder / str(size), size, options.weeks, settings) for size in sorted(options.listeners)]
    worlds = [bench.measure(with_plain=not options.no_plain) for bench in benches]
    print(tables(worlds))
    for bench in benches:
        if not options.no_plain:
            print(f"\n### Lists for {bench.size.listeners:,} listeners\n\n{bench.lists()}")
    if not options.keep:
        shutil.rmtree(folder)


class Bench:
    """All measurements of one world, in a folder of their own."""

    def __init__(self, folder: Path, listeners: int, weeks: int, settings: str) -> None:
        """settings: config.toml of the home."""
        self.size = WorldSize(listeners=listeners, weeks=weeks, last_week=this_monday())
        self._folder = folder
        self._settings = settings
        self._home = Home(folder / "home")
        self._world = folder / "world"
        self._plain_out = folder / "plain.duckdb"
        self._finished = folder / "finished.json"
        folder.mkdir(parents=True, exist_ok=True)

    def measure(self, *, with_plain: bool) -> World:
        """What has not been measured yet; returns everything."""
        world = self._once("world", self._write_world)
        measurements = {}
        for number, week in enumerate(self.size.mondays):
            name = f"Monday {number + 1}"
            measurements[name] = self._once(name, lambda number=number, week=week: self._monday(number, week))
        if with_plain:
            measurements[PLAIN] = self._once(PLAIN, self._plain)
        return World(**world, mondays={name: Measurement(**values) for name, values in measurements.items()})

    def lists(self) -> str:
        """Our first lists beside the plain job's."""
        events = [path for path in (self._world / "landing" / "events").rglob("*.parquet") if _is_parquet(path)]
        return side_by_side(self._home.published, self._plain_out, sorted(events), self.size.mondays[0])

    def _once(self, name: str, measure: Any) -> dict[str, Any]:
        """The finished measurement of this name, or a new one."""
        mondays = [week.isoformat() for week in self.size.mondays]
        finished = json.loads(self._finished.read_text()) if self._finished.exists() else {"mondays": mondays}
        if finished["mondays"] != mondays:
            raise SystemExit(f"{self._folder}: begun for the Mondays {finished['mondays']}; name another folder")
        if name not in finished:
            _say(f"{self.size.listeners:,} listeners: {name}")
            finished[name] = measure()
            beside = self._finished.with_suffix(".part")
            beside.write_text(json.dumps(finished, indent=2))
            beside.replace(self._finished)
            _say(f"{self.size.listeners:,} listeners: {name} took {finished[name]['seconds']:.1f} s")
        return dict(finished[name])

    def _write_world(self) -> dict[str, Any]:
        started = time.monotonic()
        landing = self._world / "landing"
        report = write_world(landing, self._world / "truth", self.size, WorldParams(), SEED, _say)
        seconds = time.monotonic() - started
        plays = sum(_plays(path) for path in landing.glob("events/**/*.parquet"))
        sizes = {"listeners": self.size.listeners, "tracks": self.size.track_count}
        return {**sizes, "events": report.rows["events"], "plays": plays, "seconds": seconds}

    def _monday(self, number: int, week: dt.date) -> dict[str, Any]:
        before = self._folder / f"before_monday_{number + 1}"
        with hold_run_lock(self._home.root, _say):  # a run that outlived its benchmark still writes there
            pass
        if number == 0:
            shutil.rmtree(self._home.root, ignore_errors=True)
        elif before.exists():  # killed in the middle: begin this Monday again
            shutil.rmtree(self._home.root)
            shutil.copytree(before, self._home.root)
        else:
            beside = before.with_suffix(".part")
            shutil.rmtree(beside, ignore_errors=True)
            shutil.copytree(self._home.root, beside)
            beside.rename(before)
        self._land(self._home.landing, week)
        self._home.config_file.write_text(self._settings, encoding="utf-8")
        command = [sys.executable, "-m", "dagster_project.cli", "run"]
        used = run_watched(
            [*command, "--week", week.isoformat(), "--home", str(self._home.root)], REPOSITORY, os.environ
        )
        stages = run_history(self._home, week)
        shutil.rmtree(before, ignore_errors=True)
        return {**dataclasses.asdict(used), "stages": stages}

    def _plain(self) -> dict[str, Any]:
        week = self.size.mondays[0]
        landing = self._folder / "plain_landing"
        self._land(landing, week)
        command = [sys.executable, "-m", "tests.benchmarks.plain_job", str(landing), week.isoformat()]
        used = run_watched([*command, str(self._plain_out)], REPOSITORY, os.environ)
        stages = stage_seconds(self._plain_out)
        return {**dataclasses.asdict(used), "stages": stages}

    def _land(self, landing: Path, week: dt.date) -> None:
        """Link what had landed by a Monday: everything but the events of later weeks."""
        world = self._world / "landing"
        for path in _landed(world, week):
            target = landing / path.relative_to(world)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(path, target)


def _landed(world: Path, week: dt.date) -> Iterator[Path]:
    for path in sorted(world.rglob("*")):
        days = [part.removeprefix("week=") for part in path.parts if part.startswith("week=")]
        is_later = bool(days) and dt.date.fromisoformat(days[0]) >= week
        if path.is_file() and not path.name.startswith(".") and not is_later:
            yield path


def _plays(path: Path) -> int:
    """Plays and skips in a file of events; none in one that breaks off."""
    if not _is_parquet(path):
        return 0
    types = pq.read_table(path, columns=["event_type"])["event_type"]
    return int(pc.sum(pc.is_in(types, pa.array(["play", "skip"]))).as_py() or 0)


def _is_parquet(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-4, os.SEEK_END)
        return file.read() == b"PAR1"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
