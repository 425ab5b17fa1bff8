"""A first Monday as one would plainly write it with pandas, numpy, scipy, implicit and gensim, to hold ours against.

Run: python -m tests.benchmarks.plain_job LANDING WEEK OUT.duckdb
From the same landing files it makes the same lists with the same settings, and publishes them in the same tables:
weights and confidence, factors, vectors of words, new releases placed by words and artist, starts of new listeners,
filters with their names, genres and popularity in proportion, caps, slots left to chance with their probabilities, an
order that flows, scores taken apart, reasons, what was rejected and what gave way.

It keeps no quarantine and no history between weeks, tests none of its tables, evaluates nothing, and stores no table
between its steps. Words have no phrases and no index for search, and a document without ids is about the tracks whose
artist and title are its title. Listeners' vectors are implicit's own. The heard track that a reason names is by what
all listening together says of it, not by the listener's own matrix, the track's own artist comes no sooner, artists
take no turns, and no reason names a playlist. Lists say nothing of when they are available.
Two of gensim's threads, so that no two runs have the very same words. No sound, which these worlds have none of, and no
learned ranker, which a first Monday has none of.
Belongs here: the order of the steps, training. Does not: the steps (plain_*.py).
"""

import argparse
import sys
from pathlib import Path

import implicit.cpu.als
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse.linalg
import threadpoolctl

from models_ml.collaborative import CollaborativeParams
from tests.benchmarks.plain_catalogue import make_catalogue
from tests.benchmarks.plain_engagement import weigh
from tests.benchmarks.plain_fusion import fuse, recordings_of
from tests.benchmarks.plain_genres import told_genres, with_guesses
from tests.benchmarks.plain_input import read_input
from tests.benchmarks.plain_ledgers import Ledgers, sampled_listeners
from tests.benchmarks.plain_lists import ListMaker, liked_of
from tests.benchmarks.plain_reasons import Anchors
from tests.benchmarks.plain_starts import start
from tests.benchmarks.plain_words import text_vectors
from tests.benchmarks.plain_written import read_written
from tests.benchmarks.stopwatch import Stopwatch

BATCH_LISTENERS = 1024
PARAMS = CollaborativeParams()
# Where there is too little evidence, training shrinks the random start towards zero: shorter vectors say nothing.
SHORTEST_VECTOR = 1e-3


def main() -> None:
    """Make the lists and say how long each stage took."""
    parser = argparse.ArgumentParser(description="A first Monday in plain pandas, implicit and gensim.")
    parser.add_argument("landing", type=Path)
    parser.add_argument("week", type=pd.Timestamp)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    make_lists(options.landing, options.week.tz_localize("UTC"), options.out).tell()


# implicit warns that threads of BLAS get in the way of its own, and many small products take longer with two.
@threadpoolctl.threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]
def make_lists(landing: Path, week: pd.Timestamp, out: Path) -> Stopwatch:
    """Write the week's tables into a new DuckDB file; returns seconds by stage, which it holds too."""
    clock = Stopwatch()
    out.unlink(missing_ok=True)
    with clock("read"):
        given = read_input(landing, week)
        written = read_written(landing, week, given.tracks)
    with clock("weigh"):
        weighted = weigh(given, week)
    with clock("factors"):
        model = _fit(weighted.signed)
    with clock("words"):
        text = text_vectors(written, given.tracks, weighted.signed.shape[1])
    with clock("fusion"):
        recordings = recordings_of(given.tracks, weighted.heard_by, week)
        users = np.where(np.diff(weighted.signed.indptr)[:, None] > 0, model.user_factors, 0.0)
        space = fuse(model.item_factors, users, weighted.signed, text, recordings, model.regularization)
    with clock("catalogue"):
        catalogue = make_catalogue(given, weighted, week)
        genres = with_guesses(told_genres(given.tracks, catalogue.main_edition), space.served)
        listeners = start(model, weighted.signed, given, genres, weighted.liked_by)
        random = np.random.default_rng(int(week.timestamp()))
        sampled = sampled_listeners(len(given.users), random)
        anchors = Anchors(model.item_factors, space.served, model.regularization, liked_of(weighted.signed))
        maker = ListMaker(given, weighted, catalogue, space, listeners, genres, anchors, sampled)
    count = len(given.users)
    with Ledgers(out, week, given, catalogue, listeners, genres) as ledgers:
        for first in range(0, count, BATCH_LISTENERS):
            made = maker.lists(np.arange(first, min(first + BATCH_LISTENERS, count)), random, clock)
            with clock("write"):
                for lists in made:
                    ledgers.keep(lists, maker.taste)
            print(f"lists: {min(first + BATCH_LISTENERS, count):,} of {count:,} listeners", file=sys.stderr)
        with clock("write"):
            ledgers.finish(maker.funnel, maker.relaxations)
        ledgers.tell(clock)
    return clock


def _fit(signed: scipy.sparse.csr_matrix) -> implicit.cpu.als.AlternatingLeastSquares:
    """Factors; the regularization grows with the length of a listener's row of confidences, as ours does."""
    lengths = scipy.sparse.linalg.norm(signed, axis=1)
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=PARAMS.factors,
        iterations=PARAMS.iterations,
        regularization=PARAMS.regularization * float(lengths[lengths > 0].mean()),
        random_state=0,
    )
    model.fit(signed, show_progress=False)
    liked = np.bincount(signed.indices[signed.data > 0], minlength=signed.shape[1]) > 0
    model.item_factors[~liked | (np.linalg.norm(model.item_factors, axis=1) < SHORTEST_VECTOR)] = 0.0
    return model


if __name__ == "__main__":
    main()
