"""From how many recordings on an index pays: USearch beside the exact product, on vectors shaped like trained ones.

Run: .venv/bin/python -m tests.benchmarks.retrieval --recordings 20000 50000 100000 250000
Belongs here: build and search times of both engines and the recall between them. Does not: candidates, filters.

Vectors are drawn around the centres of a few hundred tastes, with lengths that fall off as popularity does: made-up
ones without such structure are far harder to index than any that ALS learns (recall at 400 .25 to .36 against .98).
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import threadpoolctl

from models_ml.retrieval import ExactRetriever, RetrievalParams, UsearchRetriever, recall_of_each

FACTORS, TASTES, QUERIES, WANTED = 128, 400, 2_000, 400


@dataclass(frozen=True)
class Figures:
    """Seconds on one catalogue; searches for QUERIES listeners."""

    recordings: int
    build: float
    index_search: float
    exact_search: float
    rounded_of_exact: float
    recall_at_200: float

    @property
    def listeners_to_pay(self) -> float:
        """Listeners from which building and searching the index is faster than exact search."""
        saved = (self.exact_search - self.index_search) / QUERIES
        return self.build / saved if saved > 0 else float("inf")


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[20_000, 50_000, 100_000, 250_000])
    options = parser.parse_args()
    print(
        "| recordings | build, s | index, listeners a second | exact, listeners a second | rounded first, of its CPU "
        "| recall@200 | pays from |"
    )
    print("|---|---|---|---|---|---|---|")
    for recordings in options.recordings:
        found = _measure(recordings)
        print(
            f"| {found.recordings:,} | {found.build:.1f} | {QUERIES / found.index_search:,.0f} "
            f"| {QUERIES / found.exact_search:,.0f} | {found.rounded_of_exact:.2f} "
            f"| {found.recall_at_200:.3f} | {found.listeners_to_pay:,.0f} |",
            flush=True,
        )


def _measure(recordings: int) -> Figures:
    random = np.random.default_rng(0)
    centres = random.normal(size=(TASTES, FACTORS)) * np.geomspace(1, 0.05, FACTORS)
    vectors = _around(random, centres, recordings) * random.pareto(3.0, recordings)[:, None].astype(np.float32)
    queries = _around(random, centres, QUERIES)
    everything, params = np.ones(recordings, dtype=bool), RetrievalParams(engine="usearch")
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        exact = ExactRetriever(vectors, everything)
        rounded = ExactRetriever(vectors, everything, rounded_after=1)
        exact_seconds = _seconds(lambda: exact.search(queries, WANTED))
        both = [_seconds(partial(engine.search, queries, WANTED), time.process_time) for engine in (rounded, exact)]
        started = time.perf_counter()
        index = UsearchRetriever.build(vectors, everything, params)
        build = time.perf_counter() - started
        index_seconds = _seconds(lambda: index.search(queries, WANTED))
        recall = float(np.nanmean(recall_of_each(index, exact, queries[:500], 200)))
    return Figures(recordings, build, index_seconds, exact_seconds, both[0] / both[1], recall)


def _around(random: np.random.Generator, centres: np.ndarray, count: int) -> np.ndarray:
    near = centres[random.integers(0, len(centres), count)]
    return (near + 0.5 * random.normal(size=near.shape) * np.abs(centres).mean(axis=0)).astype(np.float32)


def _seconds(search: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The better of two runs."""
    times = []
    for _ in range(2):
        started = clock()
        search()
        times.append(clock() - started)
    return min(times)


if __name__ == "__main__":
    main()
