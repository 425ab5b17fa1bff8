"""The Monday job as one would plainly write it with pandas and implicit, to hold ours against.

Run: python -m tests.benchmarks.plain_job LANDING WEEK OUT.parquet
It makes the same lists from the same landing files: the same weights, confidence, filters, score and rules, and a
reason for each track. It keeps no quarantine, no history between weeks and no rejections, tests none of its tables,
takes implicit's own listener vectors, names the most similar track as the reason instead of taking the score apart,
and starts cold every time.
Belongs here: the order of the steps, training, writing. Does not: the steps (plain_*.py).
"""

import argparse
import json
import sys
from pathlib import Path

import implicit.cpu.als
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse.linalg
import threadpoolctl

from tests.benchmarks.plain_engagement import weigh
from tests.benchmarks.plain_input import read_input
from tests.benchmarks.plain_lists import ListMaker, make_catalogue
from tests.benchmarks.stopwatch import Stopwatch

BATCH_LISTENERS = 4096
FACTORS = 128
ITERATIONS = 10
REGULARIZATION = 0.6
STAGES = b"stage_seconds"  # key of the output's metadata


def main() -> None:
    """Make the lists and say how long each stage took."""
    parser = argparse.ArgumentParser(description="The Monday job in plain pandas and implicit.")
    parser.add_argument("landing", type=Path)
    parser.add_argument("week", type=pd.Timestamp)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    make_lists(options.landing, options.week.tz_localize("UTC"), options.out).tell()


# implicit warns that threads of BLAS get in the way of its own.
@threadpoolctl.threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]
def make_lists(landing: Path, week: pd.Timestamp, out: Path) -> Stopwatch:
    """Write the week's lists as Parquet, one row per listener and position; returns seconds by stage."""
    clock = Stopwatch()
    with clock("read"):
        given = read_input(landing, week)
    with clock("weigh"):
        weighted = weigh(given, week)
    with clock("factors"):
        model = _fit(weighted.signed)
    with clock("catalogue"):
        maker = ListMaker(given, weighted, make_catalogue(given, weighted, week), model)
    count = len(given.users)
    writer = None
    for start in range(0, count, BATCH_LISTENERS):
        stop = min(start + BATCH_LISTENERS, count)
        rows = maker.lists(np.arange(start, stop), clock)
        with clock("write"):
            table = pa.Table.from_pandas(rows, preserve_index=False)
            writer = writer or pq.ParquetWriter(out, table.schema)
            writer.write_table(table.cast(writer.schema))
        print(f"lists: {stop:,} of {count:,} listeners", file=sys.stderr)
    if writer is not None:
        writer.add_key_value_metadata({STAGES: json.dumps(clock.seconds)})
        writer.close()
    return clock


def _fit(signed: scipy.sparse.csr_matrix) -> implicit.cpu.als.AlternatingLeastSquares:
    """Factors; the regularization grows with the length of a listener's row of confidences, as ours does."""
    lengths = scipy.sparse.linalg.norm(signed, axis=1)
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=FACTORS,
        iterations=ITERATIONS,
        regularization=REGULARIZATION * float(lengths[lengths > 0].mean()),
        random_state=0,
    )
    model.fit(signed, show_progress=False)
    return model


if __name__ == "__main__":
    main()
