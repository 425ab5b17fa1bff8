"""The home: the one folder that everything the pipeline writes lives under, and the names in it.

Belongs here: paths, and making the folder ready. Does not: reading or writing tables (lake.py), the lock
(run_lock.py), settings (configuration.py).
"""

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from models_ml.errors import InputError

REPOSITORY = Path(__file__).resolve().parent.parent
WAREHOUSE_PROJECT = REPOSITORY / "warehouse"
HOME_VARIABLE = "MONDAY_MIX_HOME"
# Of DuckDB's files that are made anew, readable by every DuckDB since 1.3 (May 2025): a quarter less time and a fifth
# less disk than what 1.0 can read.
STORAGE_VERSION = "v1.3.0"
# Bytes of the intake's compressed files. 200,000 listeners with a hundred events each have some 400 MB.
MUCH_HAS_LANDED = 400 * 10**6


@dataclass(frozen=True)
class Home:
    """Absolute paths under one home."""

    root: Path

    @classmethod
    def resolve(cls, given: str | Path | None = None) -> "Home":
        """The home that was given, else MONDAY_MIX_HOME, else `var/` beside pyproject.toml; absolute."""
        chosen = given or os.environ.get(HOME_VARIABLE) or REPOSITORY / "var"
        return cls(Path(chosen).expanduser().resolve())

    @property
    def landing(self) -> Path:
        """Where files arrive."""
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        """Parquet handed between dbt and Python."""
        return self.root / "lake"

    @property
    def intake(self) -> Path:
        """Landing files, each read once."""
        return self.lake / "intake"

    @property
    def scratch(self) -> Path:
        """Where dbt's external models write, before a week's folder takes it over."""
        return self.lake / ".dbt"

    @property
    def rehearsal(self) -> Path:
        """Where Mondays are rehearsed; what a run that was killed left of it goes with the scratch folder."""
        return self.scratch / "rehearsal"

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what its memory limit has no room for (profiles.yml names it too)."""
        return self.root / "dbt" / "spill"

    @property
    def published(self) -> Path:
        """The file that people query."""
        return self.root / "published" / "monday_mix.duckdb"

    @property
    def dbt_target(self) -> Path:
        """What dbt compiles."""
        return self.root / "dbt" / "target"

    @property
    def config_file(self) -> Path:
        """Overrides of the checked-in defaults."""
        return self.root / "config.toml"

    @property
    def event_weights(self) -> Path:
        """Weights of feedback of the home's own, in place of the checked-in ones."""
        return self.root / "event_weights.csv"

    @property
    def run_event_weights(self) -> Path:
        """The same as the newest run found them when it began: what its dbt reads."""
        return self.root / "dbt" / "event_weights.csv"

    @property
    def comparisons(self) -> Path:
        """Where weeks are made again to be compared; may be deleted at any time."""
        return self.root / "compare"

    @property
    def dagster(self) -> Path:
        """Run history of Dagster."""
        return self.root / "dagster"

    @property
    def replay(self) -> Path:
        """Where past weeks are made again, unless another place is named."""
        return self.root / "replay"

    @property
    def warehouse(self) -> Path:
        """The file of dbt (profiles.yml names it too)."""
        return self.root / "warehouse.duckdb"

    def models(self, week: dt.date) -> Path:
        """Index and manifest of one week."""
        return self.root / "models" / week.isoformat()

    def manifest(self, week: dt.date) -> Path:
        """The manifest; a week is committed once it is there."""
        return self.models(week) / "manifest.json"

    def prepare(self) -> None:
        """Make the folders that others expect to exist."""
        try:
            for folder in (
                self.landing,
                self.intake,
                self.scratch,
                self.published.parent,
                self.dbt_target,
                self.root / "models",
                self.spill,
            ):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"home {self.root}: can't be written ({error.strerror}); give another with --home or {HOME_VARIABLE}"
            ) from error


def duckdb_memory(tag: str = "") -> str:
    """What DuckDB may hold in memory: what MONDAY_MIX_DUCKDB_MEMORY says, else as profiles.yml has it.

    tag: of the models that dbt builds. Features, which join whole histories, may have a third of the machine where that
    is more: who has a million listeners has it. Marts have less: what they hold is rows to be put in order, which spill
    for next to nothing, beside a process that has made the lists (tests/benchmarks/README.md).
    """
    of_features = f"{max(4, _machine_bytes() // 3 // 10**9)}GB"
    of_tag = {"features": of_features, "marts": "2GB"}.get(tag, "4GB")
    return os.environ.get("MONDAY_MIX_DUCKDB_MEMORY") or of_tag


def dbt_threads(home: Home) -> str:
    """How many models dbt builds at once: what MONDAY_MIX_DBT_THREADS says, else as profiles.yml has it.

    Where much has landed, one: two that join whole histories share DuckDB's memory, spill, and take longer so than one
    after the other, each on every core (tests/benchmarks/README.md). Where little has, the second saves some waiting.
    """
    said = os.environ.get("MONDAY_MIX_DBT_THREADS")
    if said:
        return said
    landed = sum(file.stat().st_size for file in home.intake.rglob("*.parquet"))
    return "1" if landed > MUCH_HAS_LANDED else "2"


def _machine_bytes() -> int:
    """Memory of the machine, or of the container that this runs in where it has less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8")))
    except (OSError, ValueError):  # no container, or "max"
        return whole


def parse_week(text: str) -> dt.date:
    """A Monday from 'YYYY-MM-DD'. Raises InputError where it isn't one."""
    try:
        week = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"week {text!r}: not a date, give a Monday as YYYY-MM-DD") from error
    if week.weekday() != 0:
        monday = week - dt.timedelta(days=week.weekday())
        raise InputError(f"week {text}: a {week:%A}, and weeks are named by their Monday, such as {monday}")
    return week


def require_begun(week: dt.date, now: dt.datetime) -> None:
    """Raise InputError where a Monday has yet to begin: its lists would stand on less than it may know, for good.

    now: naive UTC.
    """
    if now < dt.datetime.combine(week, dt.time()):
        raise InputError(
            f"week {week}: begins on {week} at 00:00 UTC; run it then, since what lands before belongs to it"
        )
