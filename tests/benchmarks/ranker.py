"""The learned ranker beside the linear score and the score of search alone, on the same candidates.

Run: .venv/bin/python -m tests.benchmarks.ranker        (--seeds, --weeks for less)
Belongs here: the Mondays of a world, scores, delivered lists, what the world's own tastes say of them, the table.
Does not: learning (models_ml/ranker), running a world (demo_weeks.py).

The worlds of demo_weeks.py, without sound: the Mondays before W are run, listeners react to their lists, and the
ranker of W learns from these weeks. nDCG@30 is that of the thirty best by score alone, against what listeners first
heard in the four weeks after, and against what they first met in the next one and engaged with. Skips are those that
the world expects of the lists as delivered, rules and all, by taste, delight in what is new and weariness of what lists
gave before; chances are held against how its listeners then react.
Beside it, rankers learnt from the lists of a part of the listeners, as those of a variant with feedback of its own are.
With --penalties, what each penalty on popular recordings costs and gives instead.
"""

import argparse
import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.assets.playlists import LOGGED, week_calibration, week_content, week_genres
from dagster_project.assets.ranker import EXAMPLES
from dagster_project.cli_demo import DEMO_CONFIG, react
from dagster_project.cli_run import run_week
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import CANDIDATES
from models_ml.arrays import Floats, Ints, Pairs, place_in_row
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.demo_world.reaction_files import expected_skips
from models_ml.evaluation.bootstrap import mean_interval, ratio_of_means
from models_ml.evaluation.metrics import list_metrics
from models_ml.playlist_tables import PlaylistTables
from models_ml.playlists import Learning, PlaylistMaker, PlaylistParams, build_playlists
from models_ml.ranker.examples import read_examples
from models_ml.ranker.features import FEATURES, POSITION
from models_ml.ranker.params import RankerParams
from models_ml.ranker.tables import Ranker
from models_ml.ranker.training import learn
from models_ml.ranking import RankingParams
from models_ml.seeds import seed_for
from tests.benchmarks.demo_weeks import LAST_WEEK, RELEASED_SHARE, WEEK, World, read_world
from tests.benchmarks.reliability import ReachedSlots, given_lists, reached_slots, reliability_table

SEEDS = (101, 102, 103, 104, 105)
PARAMS = WorldParams(released_in_history_share=RELEASED_SHARE)
_PARTS = (2, 4, 8, 16)


@dataclass(frozen=True)
class Candidates:
    """Of all listeners of W: arrays of (c,), and values (c, features)."""

    owner: Ints
    recording: Ints
    values: Floats
    linear_score: Floats

    def of(self, name: str) -> Floats:
        """(c,) one feature."""
        return self.values[:, FEATURES.index(name)].astype(np.float64)

    def lists(self, score: Floats, count: int) -> Ints:
        """(count, 30) the best of each listener by score, -1 where there are fewer."""
        order = np.lexsort((self.recording, -score, self.owner))
        place = place_in_row(self.owner[order])
        best = place < PLAYLIST_LENGTH
        lists = np.full((count, PLAYLIST_LENGTH), -1)
        lists[self.owner[order][best], place[best]] = self.recording[order][best]
        return lists


def main() -> None:
    """Run the worlds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    parser.add_argument("--weeks", type=int, default=4, help="Mondays before W whose lists are reacted to")
    parser.add_argument("--listeners", type=int, default=4_000)
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--penalties", nargs="+", type=float, default=[], help="popularity penalties to hold together")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="ranker_"))
    found, reached = [], []
    if options.penalties:
        print(
            "| seed | penalty | nDCG@30 by score | delivered | skips | percentile | of the head | popularity distance |"
        )
        print(f"|{'---|' * 8}")
        for seed in options.seeds:
            world = _run(Home((folder / f"world-{seed}").resolve()), seed, options)
            _print_front(world, seed, options.penalties)
        return
    print(
        "| seed | nDCG@30 search | linear | ranker | of search's | of linear's "
        "| next week search | ranker | of search's "
        f"| skips search | linear | ranker | of search's |\n|{'---|' * 13}"
    )
    for seed in options.seeds:
        home = Home((folder / f"world-{seed}").resolve())
        found.append(_measured(_run(home, seed, options), seed, reached))
        _print_row(str(seed), found[-1])
        if not options.keep:
            shutil.rmtree(home.root)
    _print_row("all", {key: np.concatenate([one[key] for one in found]) for key in found[0]})
    for name, worlds in zip([*options.seeds, "all"], [*([world] for world in reached), reached], strict=True):
        print(f"\np_complete, {name}\n\n{reliability_table(worlds)}")


def _run(home: Home, seed: int, options: argparse.Namespace) -> World:
    """A world of which W and the Mondays before it were run, their lists reacted to."""
    home.prepare()
    if not (home.root / "truth").exists():
        size = WorldSize(listeners=options.listeners, tracks=options.tracks, weeks=1, last_week=LAST_WEEK, sound=False)
        write_world(home.landing, home.root / "truth", size, PARAMS, seed)
    home.config_file.write_text(DEMO_CONFIG, encoding="utf-8")
    for week in (WEEK - dt.timedelta(weeks=before) for before in range(options.weeks, -1, -1)):
        if not home.manifest(week).exists() and not run_week(home, week):
            raise SystemExit(f"{home.root}: the run failed")
        if week < WEEK:
            react(home, week, PARAMS, seed)
    return read_world(home)


def _measured(world: World, seed: int, reached: list[ReachedSlots]) -> dict[str, Floats]:
    """(n,) of each listener, NaN where there is nothing to say: nDCG by score, skips by delivered list.

    reached: grows by the slots of the ranker's lists that were reached.
    """
    lake = Lake(world.home.lake)
    settings = load_configuration([world.home.config_file]).ranker
    candidates, ranker = _candidates(world), _learnt(lake, settings)
    everyone, measured = np.arange(world.features.listener_count), {}

    def ndcg_of(score: Floats) -> Floats:
        return _ndcg(world.heard, candidates.lists(score, len(everyone)))

    for name, score in _scores(candidates, ranker, world).items():
        measured[f"ndcg_{name}"] = ndcg_of(score)
        measured[f"week_{name}"] = _ndcg(world.engaged, candidates.lists(score, len(everyone)))
    _print_parts(world, candidates, settings, ndcg_of, measured)
    alone = RankingParams(freshness_weight=0.0, boost_weight=0.0)
    for name, scored_by, ranking in (("search", None, alone), ("linear", None, None), ("ranker", ranker, None)):
        slots = _delivered(world, scored_by, ranking).slots
        measured[f"skips_{name}"] = _expected_skips(world, slots)
        if scored_by is not None:
            reached.append(reached_slots(world, slots, PARAMS, seed))
    return measured


def _candidates(world: World) -> Candidates:
    """What was kept of W: everyone is in the sample."""
    table = Lake(world.home.lake).read_week(LOGGED, WEEK)
    values = np.full((table.num_rows, len(FEATURES)), np.nan, dtype=np.float32)
    for column, name in enumerate(FEATURES):
        if name != POSITION:
            values[:, column] = table[name].to_numpy()
    ids = world.features.user_id, world.features.recordings.recording_id
    owner, recording = (
        pc.index_in(table[name].combine_chunks(), of).to_numpy()
        for name, of in zip(("user_id", "recording_id"), ids, strict=True)
    )
    return Candidates(owner, recording, values, table["linear_score"].to_numpy().astype(np.float64))


def _learnt(lake: Lake, settings: RankerParams) -> Ranker:
    learnt = learn(read_examples(lake.read_week(EXAMPLES, WEEK)), settings, seed_for("ranker", WEEK))
    for fit in learnt.fits:
        print(f"  {fit.outcome}: {fit.positives:,} of {fit.rows:,}, {fit.trees} trees, from slots: {fit.from_slots}")
    if learnt.ranker is None:
        raise SystemExit("too few completions")
    return learnt.ranker


def _scores(candidates: Candidates, ranker: Ranker, world: World) -> dict[str, Floats]:
    """(c,) by what is compared; how fast the ranker is, and what each family gives, on the way."""
    started = time.process_time()
    parts = ranker.contributions(candidates.values)
    seconds = time.process_time() - started
    print(f"  {len(candidates.owner) / seconds:,.0f} candidates a second of one core, the blended score")
    print("  spread of each family: " + ", ".join(f"{name} {np.std(part):.3f}" for name, part in parts.items()))
    # Standing orders a listener's candidates as search does.
    scores = {"search": candidates.of("standing"), "linear": candidates.linear_score}
    penalty = load_configuration([world.home.config_file]).ranking.popularity_penalty
    return scores | {"ranker": _learnt_score(candidates, ranker, penalty)}


def _ndcg(truth: Pairs, lists: Ints) -> Floats:
    """(n,) of lists of all listeners, NaN for those without thirty or without truth."""
    ndcg = list_metrics(lists, truth, PLAYLIST_LENGTH, np.zeros(truth.width))["ndcg"]
    return np.where((lists >= 0).all(axis=1), ndcg, np.nan)


def _learnt_score(candidates: Candidates, ranker: Ranker, penalty: float) -> Floats:
    parts = ranker.contributions(candidates.values)
    return np.asarray(np.sum(list(parts.values()), axis=0) - penalty * candidates.of("popularity_percentile"))


def _print_parts(
    world: World,
    candidates: Candidates,
    settings: RankerParams,
    ndcg_of: Callable[[Floats], Floats],
    measured: dict[str, Floats],
) -> None:
    """What rankers of parts of the listeners, drawn by lot, are worth beside that of all, over all listeners."""
    examples = Lake(world.home.lake).read_week(EXAMPLES, WEEK)
    penalty = load_configuration([world.home.config_file]).ranking.popularity_penalty
    lot = np.random.default_rng(0).permutation(world.features.listener_count)[examples["user_index"].to_numpy()]
    for parts in _PARTS:
        started = time.process_time()
        theirs = [read_examples(examples.filter(pa.array(lot % parts == part))) for part in range(parts)]
        learnt = [learn(of, settings, seed_for("ranker", WEEK)).ranker for of in theirs]
        seconds = (time.process_time() - started) / parts
        found = [ndcg_of(_learnt_score(candidates, ranker, penalty)) for ranker in learnt if ranker is not None]
        told = f"  one in {parts} of the listeners: {len(found)} of {parts} learnt, {seconds:.1f} s of CPU each"
        if found:
            mean = np.mean(found, axis=0)
            of_all, of_linear = (ratio_of_means(mean, measured[f"ndcg_{name}"], 0) for name in ("ranker", "linear"))
            told += f", nDCG {of_all.mean:.3f} ({of_all.low:.3f} to {of_all.high:.3f}) of all listeners' ranker"
            told += f", {of_linear.mean:.3f} ({of_linear.low:.3f} to {of_linear.high:.3f}) of linear's"
        print(told, flush=True)


def _print_front(world: World, seed: int, penalties: list[float]) -> None:
    """What is found, skipped and how popular it is, by the penalty on popular recordings."""
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    candidates, ranker = _candidates(world), _learnt(lake, settings.ranker)
    for penalty in penalties:
        best = candidates.lists(_learnt_score(candidates, ranker, penalty), world.features.listener_count)
        made = _delivered(world, ranker, replace(settings.ranking, popularity_penalty=penalty))
        slots = made.slots
        lists = np.full_like(best, -1)
        lists[slots["user_index"].to_numpy(), place_in_row(slots["user_index"].to_numpy())] = slots["recording_index"]
        ndcg = [np.nanmean(_ndcg(world.heard, each)) for each in (best, lists)]
        percentile = slots["popularity_percentile"].to_numpy()
        head = (percentile >= settings.rules.popularity_head_from).mean()
        print(
            f"| {seed} | {penalty:g} | {ndcg[0]:.4f} | {ndcg[1]:.4f} | {np.nanmean(_expected_skips(world, slots)):.4f} "
            f"| {percentile.mean():.3f} | {head:.3f} "
            f"| {np.nanmean(made.mixes['popularity_kl'].to_numpy(zero_copy_only=False)):.3f} |",
            flush=True,
        )


def _delivered(world: World, ranker: Ranker | None, ranking: RankingParams | None = None) -> PlaylistTables:
    """The lists of W as they would be given.  ranking: in place of the configuration's."""
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    maker = PlaylistMaker(
        world.features,
        world.factors,
        PlaylistParams(settings.candidates, ranking or settings.ranking, settings.rules, settings.serving),
        week_content(lake, WEEK, world.features),
        week_calibration(lake, WEEK, week_genres(lake, WEEK, world.factors), settings.rules),
        learning=Learning(ranker, np.zeros(world.features.listener_count, dtype=bool)),
    )
    return build_playlists(maker, lake.batches(CANDIDATES, WEEK, settings.candidates.block_listeners))


def _expected_skips(world: World, slots: pa.Table) -> Floats:
    """(n,) mean chance of a skip over each list as the world has it, NaN for listeners it tells none of."""
    truth, user = world.home.root / "truth", world.features.user_id
    chance = expected_skips(world.home.landing, truth, *given_lists(world.home, world.features, slots), WEEK, PARAMS)
    return np.array([chance.get(one, np.nan) for one in user.to_pylist()])


def _print_row(name: str, of: dict[str, Floats]) -> None:
    means = {key: mean_interval(values, 0).mean for key, values in of.items()}
    ratios = [
        ratio_of_means(of[above], of[below], 0)
        for above, below in (
            ("ndcg_ranker", "ndcg_search"),
            ("ndcg_ranker", "ndcg_linear"),
            ("week_ranker", "week_search"),
            ("skips_ranker", "skips_search"),
        )
    ]
    told = [f"{ratio.mean:.3f} ({ratio.low:.3f} to {ratio.high:.3f})" for ratio in ratios]
    print(
        f"| {name} | {means['ndcg_search']:.4f} | {means['ndcg_linear']:.4f} | {means['ndcg_ranker']:.4f} | {told[0]} "
        f"| {told[1]} | {means['week_search']:.4f} | {means['week_ranker']:.4f} | {told[2]} "
        f"| {means['skips_search']:.4f} | {means['skips_linear']:.4f} | {means['skips_ranker']:.4f} | {told[3]} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
