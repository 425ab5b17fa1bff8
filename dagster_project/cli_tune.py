"""The command `tune`: settings chosen on the home's own data, on weeks that are never reported.

Belongs here: its arguments, the order of its steps, its progress. Does not: weeks (tuning_weeks.py), features
(tuning_home.py), scores (tuning_scores.py), the search (models_ml/tuning), files (tuning_result.py).
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.home import Home, parse_week
from models_ml.errors import InputError

if TYPE_CHECKING:
    from dagster_project.configuration import Configuration
    from dagster_project.tuning_scores import Scorer
    from dagster_project.tuning_weeks import Plan
    from models_ml.tuning.search import Outcome, Trial
    from models_ml.tuning.space import Step

HOLD_OUTS = ("auto", "temporal", "random")


def add_tune_command(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `tune` to the parser."""
    parser = command(commands, "tune", tune_command, "choose settings on the home's own data, before what is reported")
    parser.add_argument("--weeks", type=int, default=4, metavar="N", help="weeks, or draws, to score on (default 4)")
    parser.add_argument("--until", metavar="MONDAY", help="no truth from this Monday on (default: the first reported)")
    parser.add_argument(
        "--hold-out", choices=HOLD_OUTS, default="auto", help="default: temporal where events have dates"
    )
    parser.add_argument("--rounds", type=int, default=1, metavar="R", help="times through all settings (default 1)")
    parser.add_argument("--budget-minutes", type=float, metavar="M", help="no trial begins after so many minutes")
    parser.add_argument("--with", dest="overlay", type=Path, metavar="FILE", help="settings to start from")


@dataclass(frozen=True)
class TuneOptions:
    """What a tuning is asked for; see the command's help."""

    weeks: int = 4
    until: str | None = None
    hold_out: str = "auto"
    rounds: int = 1
    budget_minutes: float | None = None
    overlay: Path | None = None


def tune_command(options: argparse.Namespace) -> int:
    """Tune, print the trials, and say where the settings are."""
    home = Home.resolve(options.home)
    chosen = {name: getattr(options, name) for name in TuneOptions.__dataclass_fields__}
    tune(home, TuneOptions(**chosen))
    return 0


def tune(home: Home, options: TuneOptions, space: Sequence["Step"] | None = None) -> "Outcome":
    """Search the space, SPACE unless given, and write tuned.toml and trials.parquet under `<home>/tuning/`.

    Raises InputError where there is nothing to tune on, or only what is reported.
    """
    # Here, not above: every other command would wait for Dagster, which these load.
    from dagster_project.configuration import load_configuration
    from dagster_project.run_lock import hold_run_lock
    from dagster_project.tuning_home import TuningHome
    from dagster_project.tuning_result import result_table, write_overlay
    from dagster_project.tuning_scores import Scorer
    from dagster_project.tuning_weeks import make_plan

    if options.rounds < 1:
        raise InputError(f"--rounds is {options.rounds}; at least one is needed")
    if options.overlay and not options.overlay.exists():
        raise InputError(f"{options.overlay}: no such file to start from")
    below = load_configuration([home.config_file])
    start = load_configuration([home.config_file, *([options.overlay] if options.overlay else [])])
    work = TuningHome(home, _say)
    # A lock of its own: two tunings would write the same files, a Monday would not.
    with hold_run_lock(work.root, _say):
        plan = make_plan(
            home,
            work.intake,
            has_events=work.inputs.has_events,
            hold_out=options.hold_out,
            weeks=options.weeks,
            until=parse_week(options.until) if options.until else None,
            window_weeks=start.evaluation.window_weeks,
        )
        scorer = Scorer(work, plan, start)
        scorer.require_truth()
        outcome = _searched(scorer, plan, work.root / "trials.parquet", work.inputs.hash, start, options, space)
        write_overlay(work.root / "tuned.toml", outcome, below, plan, scorer.truth_kind)
    print(result_table(outcome.trials))
    print(_last_words(outcome, work.root / "tuned.toml", plan))
    return outcome


def _searched(
    scorer: "Scorer",
    plan: "Plan",
    record: Path,
    inputs_hash: str,
    start: "Configuration",
    options: TuneOptions,
    space: Sequence["Step"] | None,
) -> "Outcome":
    """The search, each trial on record when it is made."""
    from dagster_project.tuning_result import write_trials
    from dagster_project.tuning_weeks import RANDOM
    from models_ml.seeds import seed_for
    from models_ml.tuning.search import SearchParams, search
    from models_ml.tuning.space import SPACE, without_time

    tried = SPACE if space is None else tuple(space)
    if plan.hold_out == RANDOM:
        tried = without_time(tried)
    at_most = sum(len(step.changes(start.as_dict())) for step in tried) * options.rounds
    made: list[Trial] = []
    began = time.monotonic()

    def report(trial: "Trial") -> None:
        made.append(trial)
        write_trials(record, made, plan, scorer.truth_kind, inputs_hash)
        _say(_progress(trial, len(made) - 1, at_most, plan))

    def stop() -> bool:
        return options.budget_minutes is not None and time.monotonic() - began > 60 * options.budget_minutes

    params = SearchParams(
        options.rounds, start.evaluation.bootstrap_resamples, seed_for("tuning", plan.until, start.run.seed)
    )
    outcome = search(tried, scorer, start.as_dict(), params, report, stop)
    write_trials(record, outcome.trials, plan, scorer.truth_kind, inputs_hash)
    return outcome


def _progress(trial: "Trial", number: int, at_most: int, plan: "Plan") -> str:
    from dagster_project.tuning_result import gain, listeners_line

    scored = f"nDCG@30 {trial.score.mean_ndcg:.4f}"
    if trial.change is None:
        return f"at the start: {scored}; {listeners_line(trial.score, plan)}; up to {at_most} trials"
    return f"trial {number}: {trial.label}: {scored}, {gain(trial)}, {trial.score.seconds:.1f} s"


def _last_words(outcome: "Outcome", overlay: Path, plan: "Plan") -> str:
    before, after = outcome.before.mean_ndcg, outcome.after.mean_ndcg
    lines = [
        "",
        f"nDCG@30 {before:.4f} before, {after:.4f} after, on {', '.join(plan.labels)}",
        f"{overlay}: use it with `monday-mix run --with`; report weeks from {plan.until} on",
    ]
    if not outcome.finished:
        lines.append("the budget ended it; the same command with a larger one goes on")
    return "\n".join(lines)


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
