"""Parquet landing files as raw batches.

Belongs here: reading Parquet, column by column, in bounded memory.
Does not: conversions to text (values), what columns mean (contract).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.landing.batches import RawBatch, match_columns, require_columns
from models_ml.landing.contract import Dataset
from models_ml.landing.values import json_objects

# Rows held at a time: wide tables of long texts stay in the low hundreds of MB.
BATCH_ROWS = 131_072


def read_parquet(path: Path, dataset: Dataset, shown_as: str) -> Iterator[RawBatch]:
    """Rows of a Parquet file; one of zero bytes has none."""
    if path.stat().st_size == 0:
        return
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        matched = match_columns(names, dataset, shown_as)
        require_columns(names, matched, dataset, shown_as)
        first = 1
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            # Parquet's own marks say text without checking it; broken UTF-8 would fail much later.
            batch.validate(full=True)
            yield RawBatch(
                row_numbers=pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64)),
                columns={plain: batch.column(name) for plain, name in matched.contract.items()},
                extras=json_objects({name: batch.column(name) for name in matched.unknown}, batch.num_rows),
            )
            first += batch.num_rows
