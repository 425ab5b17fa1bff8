"""Reading one landing file, whatever its format, as batches of its dataset's intake schema.

Belongs here: choosing the reader.
Does not: parsing (one module a format), files that are rows themselves (sounds), where intake files go (intake).
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

    landed_path: the path below landing, posix; errors name it.
    Raises InputError where a required column is missing or a name comes twice, and UnreadableFileError
    where the file is broken, which may be after some batches have come.
    """
    shown_as = f"landing/{landed_path}"
    with reading(shown_as):
        for raw in _raw_batches(path, file_format, dataset, shown_as):
            yield intake_batch(raw, dataset, file_hash, shown_as)


def _raw_batches(path: Path, file_format: FileFormat, dataset: Dataset, shown_as: str) -> Iterator[RawBatch]:
    if file_format.name == "parquet":
        return read_parquet(path, dataset, shown_as)
    if file_format.name == "csv":
        return read_csv(path, file_format.compression, dataset, shown_as)
    return read_ndjson(path, file_format.compression, dataset, shown_as)
