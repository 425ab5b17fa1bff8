"""Reading one landing file, whatever its format, as batches of its dataset's intake schema.

Belongs here: choosing the reader, and files that are rows themselves (sound).
Does not: parsing (one module a format), where intake files go (intake).
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from models_ml.landing.batches import RawBatch, intake_batch
from models_ml.landing.contract import Dataset
from models_ml.landing.csv_reader import read_csv
from models_ml.landing.files import FileFormat, reading
from models_ml.landing.ndjson_reader import read_ndjson
from models_ml.landing.parquet_reader import read_parquet


def read_landing_file(
    path: Path, file_format: FileFormat, dataset: Dataset, file_hash: str, landed_path: str
) -> Iterator[pa.RecordBatch]:
    """All rows of one landing file, in order, a bounded number at a time.

    landed_path: the path below landing, posix; errors name it, and it is the path of a sound file.
    Raises InputError where a required column is missing or a name comes twice, and UnreadableFileError
    where the file is broken, which may be after some batches have come.
    """
    shown_as = f"landing/{landed_path}"
    with reading(shown_as):
        for raw in _raw_batches(path, file_format, dataset, landed_path, shown_as):
            yield intake_batch(raw, dataset, file_hash, shown_as)


def _raw_batches(
    path: Path, file_format: FileFormat, dataset: Dataset, landed_path: str, shown_as: str
) -> Iterator[RawBatch]:
    if file_format.name == "audio":
        return iter([_sound_file(path, landed_path)])
    if file_format.name == "parquet":
        return read_parquet(path, dataset, shown_as)
    if file_format.name == "csv":
        return read_csv(path, file_format.compression, dataset, shown_as)
    return read_ndjson(path, file_format.compression, dataset, shown_as)


def _sound_file(path: Path, landed_path: str) -> RawBatch:
    """The one row a sound file stands for: its name is the track's id."""
    return RawBatch(
        row_numbers=pa.array([1], pa.int64()),
        columns={"track_id": pa.array([path.stem]), "path": pa.array([landed_path])},
        extras=pa.nulls(1, pa.string()),
    )
