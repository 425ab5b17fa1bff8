"""Tracks nobody has played and listeners who just came, in demo worlds whose truth is known.

Run: .venv/bin/python -m tests.benchmarks.new_and_cold        (--seeds and --worlds for some of it)
Belongs here: the frozen worlds, what is ranked by what, the tables. Does not: the pipeline, metrics, latent tastes.

The worlds are those of demo_weeks.py; in `silent` sound says nothing about taste but for the one wrong genre in which
each artist is heard, in `silent by track` not even that; in `wordless` words say nothing.

New tracks: known at W, never played before it. A listener's new tracks of the four weeks are found again among all new
tracks, by inner products of their vector with vectors made of one signal, or several. `new` are those out for at most
`fusion.new_days`, `never played` all of them, of which the older ones get no vector. The most popular is by the plays
of a track's artist, since it has none itself; chance is the mean of twenty orders. Every listener who heard any counts.

All tracks: what listeners first heard in the four weeks, found among all they may be given, by the vectors that are
served and by those of listening alone. Cold listeners have at most five events before W.

Calibration: of the hundred best a listener by served vectors, no quota, the chance of being heard is read off the score
by half of the listeners, all rungs together, and held against the other half, by rung.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.isotonic import IsotonicRegression

from dagster_project.assets.evaluation import what_was_given
from dagster_project.catalogue_io import artist_ids, first_artists
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.vectors_io import load_factors, load_fused, signals
from models_ml.arrays import Bools, Floats, Ints, Pairs, floats_with_nan
from models_ml.content_prediction import is_held_out
from models_ml.demo_world import WorldParams
from models_ml.eligibility import forbidden
from models_ml.evaluation.baselines import MOST_POPULAR, baseline_lists
from models_ml.evaluation.bootstrap import mean_interval, ratio_of_means
from models_ml.evaluation.metrics import list_metrics
from models_ml.evaluation.tables import read_lists
from models_ml.features import read_interactions
from models_ml.fusion import FusionParams, fuse
from models_ml.seeds import seed_for
from models_ml.serving import serving_vectors
from tests.benchmarks.demo_truth import LatentTastes
from tests.benchmarks.demo_weeks import RELEASED_SHARE, SEEDS, WEEK, World, run_world

COMMON = {"released_in_history_share": RELEASED_SHARE}
WORLDS = {
    "as is": {},
    "silent": {"sound_carries_taste": 0.0},
    "silent by track": {"sound_carries_taste": 0.0, "sound_tells_artist": 0.0},
    "wordless": {"words_carry_taste": 0.0},
}
CUT, POOL, COLD_EVENTS, CHANCE_ORDERS = 30, 100, 5, 20
# What is asked, and what the ways are held against.
ASKED = {
    "new": "chance",
    "never played": "chance",
    "all tracks": "listening alone",
    "cold listeners": "most popular",
}
_BLOCK = 512


def main() -> None:
    """Run the worlds that are asked for, and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="new_and_cold_"))
    for name in options.worlds:
        measured: list[dict[str, dict[str, Floats]]] = []
        for seed in options.seeds:
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
            home = Home((folder / f"{name.replace(' ', '_')}-{seed}").resolve())
            measured.append(_measured(run_world(home, WorldParams(**{**COMMON, **WORLDS[name]}), seed)))
            if not options.keep:
                shutil.rmtree(home.root)
        _print(name, options.seeds, measured)


def _measured(world: World) -> dict[str, dict[str, Floats]]:
    """nDCG@30 of each listener with truth, by what is asked and by method; realised and predicted by rung."""
    never_played, new = (_new_tracks(world, chosen) for chosen in (world.never_played, world.is_new))
    return {
        "new": new,
        "never played": never_played,
        "all tracks": _all_tracks(world),
        "cold listeners": _cold(world),
        "calibration": _calibration(world),
    }


def _new_tracks(world: World, chosen: Bools) -> dict[str, Floats]:
    """By method, over listeners who heard any of the chosen tracks; lists hold nothing else."""
    rows = np.flatnonzero(chosen)
    owner = np.repeat(np.arange(world.features.listener_count), np.diff(world.heard.indptr))
    wanted = chosen[world.heard.values]
    listeners = np.unique(owner[wanted])
    place = np.full(world.features.recording_count, -1)
    place[rows] = np.arange(len(rows))
    values = place[world.heard.values[wanted]].astype(np.int32)
    indptr = np.searchsorted(owner[wanted], [*listeners, world.features.listener_count]).astype(np.int64)
    truth = Pairs(indptr, values, len(rows))
    vectors = world.factors.listener_factors[listeners]
    random = np.random.default_rng(0)
    found = {name: _ndcg(vectors @ placed[rows].T, truth) for name, placed in _placed(world).items()}
    popular = np.broadcast_to(world.artist_plays[rows].astype(np.float64), (len(listeners), len(rows)))
    orders = [_ndcg(random.random((len(listeners), len(rows))), truth) for _ in range(CHANCE_ORDERS)]
    latent = LatentTastes.of(world.home, WEEK, world.features.user_id)
    asked = np.searchsorted(latent.listeners, listeners)
    told = np.stack([latent.scores(one, one + 1)[0, rows] for one in asked]) if len(asked) else np.empty((0, len(rows)))
    return {
        "chance": np.mean(orders, axis=0),
        "most popular": _ndcg(popular, truth),
        **found,
        "truth": _ndcg(told, truth),
    }


def _placed(world: World) -> dict[str, Floats]:
    """Vectors of all recordings by the signals they are placed by."""
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    factors, known = load_factors(lake, WEEK), {signal.name: signal for signal in signals(lake, WEEK)}
    listeners, recordings = len(factors.listener_factors), len(factors.recording_factors)
    interactions = read_interactions(lake.read_week("features/interactions", WEEK), listeners, recordings)
    days = floats_with_nan(lake.read_week("features/recordings", WEEK), "recordings", "known_days")
    held_out, artist = is_held_out(artist_ids(lake, WEEK)), first_artists(lake, WEEK)
    seed = seed_for("fused_vectors", WEEK, settings.run.seed)

    def by(names: tuple[str, ...], artist_too: bool) -> Floats:
        params: FusionParams = replace(settings.fusion, artist_as_signal=artist_too)
        chosen = [known[name] for name in names if name in known]
        return fuse(factors, interactions, artist, days, held_out, chosen, params, seed).vectors

    return {
        "artist": by((), True),
        "text": by(("text",), False),
        "audio": by(("audio",), False),
        "text and audio": by(("text", "audio"), False),
        "fused": load_fused(lake, WEEK).vectors,
    }


def _ndcg(scores: Floats, truth: Pairs) -> Floats:
    """(b,) nDCG@30 of the columns in the order of their scores, ties by place."""
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :CUT]
    return list_metrics(ranked, truth, CUT, np.zeros(scores.shape[1]))["ndcg"]


def _all_tracks(world: World) -> dict[str, Floats]:
    """By what is served and by listening alone, over listeners who have a vector by listening and heard anything."""
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    plain = load_factors(lake, WEEK)
    known = lake.read_week("features/recordings", WEEK, ["idle_days", "listener_count"])
    listening = serving_vectors(
        plain.recording_factors,
        first_artists(lake, WEEK),
        known["listener_count"].to_numpy(),
        floats_with_nan(known, "recordings", "idle_days"),
        settings.serving,
    )
    listeners = np.flatnonzero((np.diff(world.heard.indptr) > 0) & plain.has_vector)
    ways = {"listening alone": (plain.listener_factors, listening)}
    ways["fused"] = (world.factors.listener_factors, world.factors.served)
    return {name: _found(world, listeners, *vectors) for name, vectors in ways.items()}


def _found(world: World, listeners: Ints, users: Floats, recordings: Floats) -> Floats:
    """(b,) nDCG@30 of the best that no filter takes out."""
    lists = [
        _best(world, listeners[start : start + _BLOCK], users, recordings, CUT)[0]
        for start in range(0, len(listeners), _BLOCK)
    ]
    return _of_lists(world, listeners, np.concatenate(lists))


def _best(world: World, listeners: Ints, users: Floats, recordings: Floats, count: int) -> tuple[Ints, Floats]:
    scores = (users[listeners] @ recordings.T).astype(np.float64)
    scores[forbidden(world.features, listeners) | ~recordings.any(axis=1)] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return best, np.take_along_axis(scores, best, axis=1)


def _of_lists(world: World, listeners: Ints, lists: Ints) -> Floats:
    return list_metrics(lists, world.truth(listeners), CUT, np.zeros(world.features.recording_count))["ndcg"]


def _cold(world: World) -> dict[str, Floats]:
    """By our lists and the most popular, over listeners of few events who then heard anything."""
    listeners = np.flatnonzero((np.diff(world.heard.indptr) > 0) & (world.events <= COLD_EVENTS))
    features, given = what_was_given(world.home, WEEK)
    settings = load_configuration([world.home.config_file]).evaluation
    popular = baseline_lists(features, listeners, CUT, settings)[MOST_POPULAR]
    ours = {name: read_lists(table, name, features).top(listeners, CUT) for name, table in given.items()}
    lists = {MOST_POPULAR.replace("_", " "): popular, **ours}
    return {name: _of_lists(world, listeners, found) for name, found in lists.items()}


def _calibration(world: World) -> dict[str, Floats]:
    """By rung of the track: (predicted, realised, pairs) of the half that the chances weren't read off."""
    listeners = np.flatnonzero(world.factors.has_vector)
    recordings, scores = _best(world, listeners, world.factors.listener_factors, world.factors.served, POOL)
    usable = np.isfinite(scores)
    heard = world.heard.find(np.repeat(listeners, POOL), recordings.ravel()).reshape(recordings.shape) >= 0
    learning = np.arange(len(listeners)) % 2 == 0
    chosen = usable & learning[:, None]
    curve = IsotonicRegression(out_of_bounds="clip").fit(scores[chosen], heard[chosen])
    held = usable & ~learning[:, None]
    predicted, realised = curve.predict(scores[held]), heard[held]
    content = world.factors.unproven[recordings[held]]
    found = {}
    for name, rung in (("content", content), ("collaborative", ~content)):
        found[name] = np.array([predicted[rung].sum(), realised[rung].sum(), rung.sum()], dtype=np.float64)
    return found


def _print(name: str, seeds: list[int], measured: list[dict[str, dict[str, Floats]]]) -> None:
    """One table a question, all seeds together, the seeds' own means beside."""
    print(f"\n### {name}, seeds {', '.join(map(str, seeds))}\n")
    for question, beside in ASKED.items():
        together = {way: np.concatenate([world[question][way] for world in measured]) for way in measured[0][question]}
        print(f"{question}: {len(together[beside]):,} listeners\n")
        print(f"| by | nDCG@30 | times {beside} | by seed |\n|---|---|---|---|")
        for way, values in together.items():
            interval, ratio = mean_interval(values, 0), ratio_of_means(values, together[beside], 0)
            each = ", ".join(f"{world[question][way].mean():.4f}" for world in measured)
            print(f"| {way} | {interval.mean:.4f} ({interval.low:.4f} to {interval.high:.4f}) | ", end="")
            print(f"{ratio.mean:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) | {each} |")
        print(flush=True)
    print("| rung | pairs | predicted | realised | realised / predicted |\n|---|---|---|---|---|")
    for rung in measured[0]["calibration"]:
        predicted, realised, pairs = np.sum([world["calibration"][rung] for world in measured], axis=0)
        print(f"| {rung} | {pairs:,.0f} | {predicted:.0f} | {realised:.0f} | {realised / max(predicted, 1e-9):.2f} |")
    print(flush=True)


if __name__ == "__main__":
    main()
