"""The dbt manifest that the asset graph is read from, made where it is missing or older than the project.

Belongs here: when and how to parse. Does not: what the graph makes of it (assets/warehouse.py).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dagster_project.home import WAREHOUSE_PROJECT
from models_ml.errors import MondayMixError

DBT = Path(sys.executable).with_name("dbt")
TARGET = WAREHOUSE_PROJECT / "target"
MANIFEST = TARGET / "manifest.json"
PARSED_FOLDERS = ("macros", "models", "seeds", "tests")


def ensure_manifest() -> Path:
    """The manifest of the project as it is now; parsed again only where a file is newer, about four seconds."""
    if not MANIFEST.exists() or _newest_change() > MANIFEST.stat().st_mtime:
        _parse()
    return MANIFEST


def _newest_change() -> float:
    folders = [WAREHOUSE_PROJECT / name for name in PARSED_FOLDERS]
    files = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return max(path.stat().st_mtime for path in [WAREHOUSE_PROJECT / "dbt_project.yml", *files])


def _parse() -> None:
    TARGET.mkdir(exist_ok=True)
    # Beside and renamed: a second process may be reading or parsing at the same time.
    with tempfile.TemporaryDirectory(dir=TARGET, prefix=".parsing_") as beside:
        command = [str(DBT), "parse", "--quiet", "--target-path", beside, "--log-path", beside]
        parsed = subprocess.run(
            command,
            cwd=WAREHOUSE_PROJECT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "DBT_PROFILES_DIR": str(WAREHOUSE_PROJECT)},
        )
        if parsed.returncode:
            raise MondayMixError(f"{WAREHOUSE_PROJECT}: dbt can't parse the project:\n{parsed.stdout}{parsed.stderr}")
        shutil.rmtree(Path(beside) / "compiled", ignore_errors=True)
        for name in ("partial_parse.msgpack", "manifest.json"):
            os.replace(Path(beside) / name, TARGET / name)
