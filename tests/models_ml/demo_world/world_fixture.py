"""One small demo world that the tests of this folder share, and how to read it.

Belongs here: writing it once, reading its landing files whatever their format.
Does not: expectations.
"""

import datetime as dt
import functools
import gzip
import io
import tempfile
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.demo_world.world import WorldReport

LAST_WEEK = dt.date(2026, 11, 2)
SIZE = WorldSize(listeners=400, tracks=960, weeks=3, last_week=LAST_WEEK, history_weeks=10, sound=False)
PARAMS = WorldParams()
SEED = 11


@functools.cache
def small_world() -> tuple[Path, WorldReport]:
    """Folder with landing/ and truth/, written at the first call; tests only read it."""
    folder = Path(_HOLDER.name)
    return folder, write_world(folder / "landing", folder / "truth", SIZE, PARAMS, SEED)


_HOLDER = tempfile.TemporaryDirectory()


def file_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def events(folder: Path) -> pa.Table:
    """Events of the Parquet parts of all weeks."""
    return pa.concat_tables(
        [pq.ParquetFile(path).read() for path in sorted(folder.glob("landing/events/*/part-*.parquet"))]
    )


def retries(folder: Path) -> list[dict[str, object]]:
    """Rows of the NDJSON files beside them."""
    paths = sorted(folder.glob("landing/events/*/retries-*.ndjson.gz"))
    return [orjson.loads(line) for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()]


def dataset(folder: Path, name: str) -> pa.Table:
    """A dataset of one file, as that file's format has it."""
    (path,) = (folder / "landing" / name).iterdir()
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).read()
    compression = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    with pa.input_stream(str(path), compression=compression) as stream:
        content = stream.read()
    if ".csv" in path.suffixes:
        options = pa_csv.ConvertOptions(strings_can_be_null=True)
        return pa_csv.read_csv(io.BytesIO(content), convert_options=options)
    return pa.Table.from_pylist([orjson.loads(line) for line in content.splitlines()])


def truth(folder: Path, name: str) -> pa.Table:
    """Tracks or listeners as they really are."""
    return pq.ParquetFile(folder / "truth" / f"{name}.parquet").read()
