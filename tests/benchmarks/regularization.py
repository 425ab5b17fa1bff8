"""How strongly the factors are pulled towards zero, on Last.fm-2K's published folds.

Run: .venv/bin/python -m tests.benchmarks.regularization
Belongs here: the table behind the default of `collaborative.regularization`. Does not: tuning by a temporal hold-out.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.collaborative import CollaborativeParams, fit_collaborative

FOLDS = Path(__file__).resolve().parents[3] / "shared" / "data" / "lastfm_2k"
CUT = 10
ENGAGEMENT = float(np.expm1(0.72))  # confidence 8.2 at alpha 10, for a bare yes


def main() -> None:
    """Print precision and recall at 10 for a range of settings, scaled and constant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fold", type=int, default=0, choices=range(5))
    fold = parser.parse_args().fold
    if not FOLDS.exists():
        raise SystemExit(f"{FOLDS}: not there; the folds can't be redistributed, see its source in the design")
    train, test = (pq.read_table(FOLDS / f"fold{fold}_{part}.parquet") for part in ("train", "test"))
    print("| setting | scaled by | constant used | P@10 | R@10 |\n|---|---|---|---|---|")
    for scaling, settings in (("confidence", (0.5, 1.0, 2.0, 4.0)), ("constant", (0.1, 10.0, 30.0, 60.0))):
        for setting in settings:
            params = CollaborativeParams(regularization=setting, regularization_scaling=scaling)
            used, precision, recall = _measure(train, test, params)
            print(f"| {setting} | {scaling} | {used:.1f} | {precision:.4f} | {recall:.4f} |", flush=True)


def _measure(train: pa.Table, test: pa.Table, params: CollaborativeParams) -> tuple[float, float, float]:
    users, user = np.unique(train["user_id"].to_numpy(), return_inverse=True)
    artists, artist = np.unique(train["artist_id"].to_numpy(), return_inverse=True)
    order = np.lexsort((artist, user))
    confidence = np.full(len(user), 1 + 10 * np.log1p(ENGAGEMENT), dtype=np.float32)
    interactions = pa.table(
        {
            "user_index": pa.array(user[order], pa.int32()),
            "recording_index": pa.array(artist[order], pa.int32()),
            "confidence": confidence,
            "preference": pa.array(np.ones(len(user)), pa.int8()),
        }
    )
    ids = (pa.array(users.astype(str)), pa.array(artists.astype(str)))
    factors = fit_collaborative(interactions, *ids, params, seed=1)
    scores = factors.listener_factors @ factors.recording_factors.T
    scores[user, artist] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :CUT]
    held_out = np.zeros(scores.shape, dtype=bool)
    known = np.isin(test["user_id"].to_numpy(), users)
    rows = np.searchsorted(users, test["user_id"].to_numpy()[known])
    columns = np.searchsorted(artists, test["artist_id"].to_numpy()[known]).clip(max=len(artists) - 1)
    trained = artists[columns] == test["artist_id"].to_numpy()[known]
    held_out[rows[trained], columns[trained]] = True
    wanted = np.bincount(rows, minlength=len(users))  # artists nobody trained on count as missed
    hits = np.take_along_axis(held_out, best, axis=1).sum(axis=1)[wanted > 0]
    return factors.regularization, float((hits / CUT).mean()), float((hits / wanted[wanted > 0]).mean())


if __name__ == "__main__":
    main()
