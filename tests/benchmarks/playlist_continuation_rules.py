"""What each rule of a playlist costs on the dated playlist archive, on the same candidates.

Run: .venv/bin/python -m tests.benchmarks.playlist_continuation_rules [--keep DIR] [--mondays 8]
The Mondays, homes, overlay and truth of playlist_continuation.py. The lists of each Monday are made anew from the
candidates in its lake: the best by inner product alone, the best by score without any rule, by each rule alone, by all
of them, which has to give what was published, and by all but each. nDCG is of the thirty by score.
Belongs here: which rules are on, the table. Does not: lists by rules (rules.py), truth, the Mondays.
"""

import argparse
import datetime as dt
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import CANDIDATES, SLOTS
from models_ml.arrays import Bools, Ints
from models_ml.evaluation.bootstrap import Interval
from models_ml.exploration.arms import Exploration
from models_ml.playlist_tables import PlaylistTables
from models_ml.pools import from_batch
from tests.benchmarks.playlist_continuation import OVERLAY, REPORTED, Rows, joined, over_mondays, rows_of
from tests.benchmarks.playlist_continuation_ours import ARCHIVE, run_monday
from tests.benchmarks.playlist_continuation_truth import Monday, read_monday
from tests.benchmarks.rules import SINGLE, best_first, only, remade, week_inputs

CHANCE = ("slot_share", "softmax_listener_share")  # of exploration
RULES = (*SINGLE, *CHANCE)
BEFORE, NO_RULE, ALL = "inner product alone", "score, no rule", "all rules, as published"
ALONE, ALL_BUT = "only ", "all but "
TRIED: Mapping[str, Collection[str]] = {
    NO_RULE: (),
    **{ALONE + rule: (rule,) for rule in RULES},
    ALL: RULES,
    **{ALL_BUT + rule: tuple(other for other in RULES if other != rule) for rule in RULES},
}


@dataclass(frozen=True)
class Facts:
    """What the lists of one Monday are like, means over them; NaN where it was not looked at.

    others: tracks that the best by score are not.
    """

    others: float
    new_artist_share: float
    popularity_kl: float


def main() -> None:
    """Run the Mondays, make their lists anew, print the table."""
    parser = argparse.ArgumentParser(description="What each rule costs on the playlist archive.")
    parser.add_argument("--keep", type=Path, help="folder to work in, and to go on in; default a temporary one")
    parser.add_argument("--mondays", type=int, default=len(REPORTED), help="the first so many of them")
    options = parser.parse_args()
    if not ARCHIVE.is_dir():
        raise SystemExit(f"{ARCHIVE}: not there; this benchmark needs the playlist archive")
    folder = (options.keep or Path(tempfile.mkdtemp(prefix="playlist_continuation_rules_"))).resolve()
    parts, facts = [], defaultdict(list)
    for number, week in enumerate(REPORTED[: options.mondays]):
        home = run_monday(folder, week, OVERLAY)
        monday = read_monday(ARCHIVE, Lake(home.lake), week)
        lists, told = lists_by_rules(home, monday)
        parts.append(rows_of(number, monday, lists))
        for name, of in told.items():
            facts[name].append(of)
    print(report(joined(parts), facts))
    if not options.keep:
        shutil.rmtree(folder)


def lists_by_rules(home: Home, monday: Monday) -> tuple[dict[str, Ints], dict[str, Facts]]:
    """((p, 30) recordings of each playlist by what is tried, what these lists are like)."""
    lake, week = Lake(home.lake), monday.week
    inputs = week_inputs(lake, week, load_configuration([home.config_file, OVERLAY]))
    users = inputs.features.user_id
    lists = {BEFORE: monday.lists_of(by_inner_product(lake, week), users)}
    facts = {BEFORE: Facts(np.nan, np.nan, np.nan)}
    for name, rules in TRIED.items():
        print(f"{week}: {name}", file=sys.stderr, flush=True)
        ruled = replace(inputs, exploration=left_to_chance(inputs.exploration, rules))
        made = remade(lake, week, ruled, only(inputs.params.assembly, rules))
        if name == ALL:
            _check(lake, week, made.slots)
        lists[name] = monday.lists_of(best_first(made.slots), users)
        facts[name] = _facts(made, lists[name], lists[NO_RULE])
    return lists, facts


def by_inner_product(lake: Lake, week: dt.date) -> pa.Table:
    """Candidates as they were found, the nearest first; popular ones that stand in for those come last."""
    (batch,) = lake.batches(CANDIDATES, week, lake.row_count(CANDIDATES, week))
    listeners, pool = from_batch(batch)
    order = np.lexsort((pool.recordings, -pool.scores, ~pool.is_personal(), pool.rows))
    return pa.table({"user_index": listeners[pool.rows[order]], "recording_index": pool.recordings[order]})


def left_to_chance(exploration: Exploration | None, rules: Collection[str]) -> Exploration | None:
    """Only so much of it as is among the rules."""
    if exploration is None or not set(CHANCE) & set(rules):
        return None
    off: dict[str, Any] = {name: 0.0 for name in CHANCE if name not in rules}
    return replace(exploration, params=replace(exploration.params, **off))


def _check(lake: Lake, week: dt.date, slots: pa.Table) -> None:
    """All rules give what was published, slot for slot."""
    columns = ["user_index", "position", "recording_index", "final_score"]
    if not slots.select(columns).equals(lake.read_week(SLOTS, week, columns)):
        raise SystemExit(f"{week}: lists made anew by all rules are not those published; start in another folder")


def _facts(made: PlaylistTables, lists: Ints, best: Ints) -> Facts:
    """lists, best: (p, 30)."""
    among = (lists[:, :, None] == best[:, None, :]).any(axis=2)
    given = (lists >= 0).all(axis=1)
    new, distance = made.slots["is_new_artist"], made.mixes["popularity_kl"]
    return Facts(
        float((~among[given]).sum(axis=1).mean()),
        float(new.to_numpy(zero_copy_only=False).mean()),
        float(np.nanmean(distance.to_numpy(zero_copy_only=False))),
    )


def report(rows: Rows, facts: Mapping[str, list[Facts]]) -> str:
    """The tables, in Markdown; one of playlists with some history only where they aren't all."""
    weeks = REPORTED[: len(facts[ALL])]
    known, seasoned = (int(chosen.sum()) for chosen in (rows.is_known, rows.is_seasoned))
    head = (
        f"Rules, {len(weeks)} Mondays {weeks[0]} to {weeks[-1]}: recall@30 and nDCG@30 of what the playlist adds "
        f"within 28 days. {known} lists with truth ({seasoned} with 20 or more tracks of history). Intervals of 95 % "
        "resample playlists with all their Mondays. The last ratio of each is to no rule, and to all rules where one "
        "is left out."
    )
    silent = [rule for rule in RULES if not any(of.others for of in facts[ALONE + rule])]
    left_out = {kind + rule for kind in (ALONE, ALL_BUT) for rule in silent}
    shown = [name for name in (BEFORE, *TRIED) if name not in left_out]
    populations = [rows.is_known] if known == seasoned else [rows.is_known, rows.is_seasoned]
    tables = [_table(rows, chosen, facts, shown) for chosen in populations]
    return "\n\n".join([head, *tables, f"Without a say here, and left out: {', '.join(silent) or 'none'}."])


def _table(rows: Rows, chosen: Bools, facts: Mapping[str, list[Facts]], shown: Collection[str]) -> str:
    lines = [
        "| lists | recall@30 | of inner product's | of no rule's | nDCG@30 | of inner product's | of no rule's "
        "| tracks not among the best | by new artists | popularity distance |",
        "|---" * 10 + "|",
    ]
    for name in shown:
        against = ALL if name.startswith(ALL_BUT) else NO_RULE
        cells = []
        for values in (rows.recall, rows.ndcg):
            cells.append(f"{over_mondays(rows, chosen, values[name]).mean:.4f}")
            cells += [_ratio(over_mondays(rows, chosen, values[name], values[below])) for below in (BEFORE, against)]
        lines.append(f"| {name} | {' | '.join([*cells, *_means(facts[name])])} |")
    return "\n".join(lines)


def _means(mondays: list[Facts]) -> list[str]:
    means = np.mean([astuple(of) for of in mondays], axis=0)
    return ["" if np.isnan(mean) else f"{mean:.3f}" for mean in means]


def _ratio(of: Interval) -> str:
    return f"{of.mean:.3f} [{of.low:.3f}, {of.high:.3f}]"


if __name__ == "__main__":
    main()
