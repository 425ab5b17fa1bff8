"""What a tuning leaves behind: the overlay, the record of trials, and the table a person reads.

Belongs here: putting an outcome into files and words. Does not: the search, where the scores come from.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.configuration import Configuration
from dagster_project.settings import toml_lines
from dagster_project.tuning_scores import FIRST_LISTENS, HIDDEN, KEPT, configuration_of
from dagster_project.tuning_weeks import Plan
from models_ml.landing.storage import replace_file, replacing
from models_ml.tuning.search import Outcome, Score, Trial

TRIALS_SCHEMA = pa.schema(
    [
        ("trial", pa.int32()),
        ("round", pa.int32()),
        ("setting", pa.string()),
        ("value", pa.string()),
        ("taken", pa.bool_()),
        ("weeks", pa.list_(pa.string())),
        ("ndcg_by_week", pa.list_(pa.float64())),
        ("mean_ndcg", pa.float64()),
        ("mean_recall", pa.float64()),
        ("difference", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("seconds", pa.float64()),
        ("truth", pa.string()),
        ("configuration_hash", pa.string()),
        ("inputs_hash", pa.string()),
    ]
)
TRUTHS: Final = {
    KEPT: "recordings first heard after the Monday, and kept",
    FIRST_LISTENS: "recordings first heard after the Monday",
    HIDDEN: "a fifth of what each listener likes, drawn at random and hidden",
}


def write_trials(path: Path, trials: Sequence[Trial], plan: Plan, truth: str, inputs_hash: str) -> None:
    """One row per trial, in the order they were made; the file counts whole or not at all."""
    facts = {"weeks": list(plan.labels), "truth": truth, "inputs_hash": inputs_hash}
    rows = [{"trial": number, **_row(trial), **facts} for number, trial in enumerate(trials)]
    with replacing(path) as beside:
        pq.write_table(pa.Table.from_pylist(rows, schema=TRIALS_SCHEMA), beside, compression="zstd")


def _row(trial: Trial) -> dict[str, Any]:
    setting, value = setting_and_value(trial)
    return {
        "round": trial.round,
        "setting": setting,
        "value": value,
        "taken": trial.taken,
        "ndcg_by_week": trial.score.by_week.tolist(),
        "mean_ndcg": trial.score.mean_ndcg,
        "mean_recall": trial.score.mean_recall,
        "difference": trial.difference.mean,
        "ci_low": trial.difference.low,
        "ci_high": trial.difference.high,
        "seconds": trial.score.seconds,
        "configuration_hash": configuration_of(trial.settings).hash(),
    }


def setting_and_value(trial: Trial) -> tuple[str, str]:
    """('serving.artist_weight', '0.5'); several settings of one trial beside each other."""
    if trial.change is None:
        return trial.label, ""
    names = [f"{trial.change.section}.{name}" for name in trial.change.values]
    return ", ".join(names), ", ".join(_shown(value) for value in trial.change.values.values())


def write_overlay(path: Path, outcome: Outcome, below: Configuration, plan: Plan, truth: str) -> None:
    """A file for `monday-mix run --with`: what the outcome changes of the home's own settings."""
    lines = [f"# {line}" for line in _header(outcome, plan, truth)]
    lines += toml_lines(differences(below, configuration_of(outcome.settings)))
    replace_file(path, ("\n".join(lines) + "\n").encode())


def differences(below: Configuration, above: Configuration) -> dict[str, dict[str, Any]]:
    """Settings of `above`, by section, that differ from those below."""
    found, settings = {}, below.as_dict()
    for section, values in above.as_dict().items():
        changed = {name: value for name, value in values.items() if value != settings[section][name]}
        if changed:
            found[section] = changed
    return found


def _header(outcome: Outcome, plan: Plan, truth: str) -> list[str]:
    before, after = outcome.before, outcome.after
    return [
        "Written by `monday-mix tune`; use it with `monday-mix run --with`, or move what it says to config.toml.",
        f"Hold-out: {plan.hold_out}, {TRUTHS[truth]}.",
        f"Scored on: {', '.join(plan.labels)}.",
        f"nDCG@30 {before.mean_ndcg:.4f} before, {after.mean_ndcg:.4f} after; "
        f"recall@30 {before.mean_recall:.4f} before, {after.mean_recall:.4f} after.",
        f"Tuned on truth up to {plan.until}: report weeks from then on.",
        *([] if outcome.finished else ["Ended by its budget before everything was tried."]),
    ]


def result_table(trials: Sequence[Trial]) -> str:
    """The trials as a person reads them; * is what was taken, figures in brackets a 95 % interval."""
    head = ("", "setting", "value", "nDCG@30", "recall@30", "against the best so far", "s")
    rows = [head, *(_cells(trial) for trial in trials)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(trial: Trial) -> tuple[str, ...]:
    score = trial.score
    scored = f"{score.mean_ndcg:.4f}", f"{score.mean_recall:.4f}"
    return (
        "*" if trial.taken and trial.change else "",
        *setting_and_value(trial),
        *scored,
        gain(trial),
        f"{score.seconds:.1f}",
    )


def gain(trial: Trial) -> str:
    """The difference to the best so far with its interval; nothing for the start."""
    if trial.change is None:
        return ""
    found = trial.difference
    return f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def listeners_line(score: Score, plan: Plan) -> str:
    """How many listeners the scores are means of."""
    counts = [int((score.week == week).sum()) for week in range(len(plan.mondays))]
    return ", ".join(f"{label}: {count:,} listeners" for label, count in zip(plan.labels, counts, strict=True))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
