"""The commands `compare` and `approve`: a change tried beside what is, and a person's word before a week is published.

Belongs here: their arguments and words. Does not: comparing (comparing.py), golden listeners (golden.py).
"""

import argparse
import datetime as dt
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.home import Home, parse_week
from models_ml.errors import InputError

if TYPE_CHECKING:
    from dagster_project.comparing import Comparison
    from models_ml.comparison.gate import Judged

_OVERVIEW = (28, 10, 10, 34, 22, 16)
_SEGMENTS = (20, 9, 9, 9, 11, 9, 11, 34)


def add_compare_commands(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add `compare` and `approve` to the parser."""
    parser = command(commands, "compare", compare_command, "try other settings or weights beside what made a week")
    parser.add_argument("--week", metavar="MONDAY", help="a completed week (default: the newest)")
    parser.add_argument("--with", dest="overlay", type=Path, metavar="FILE", help="settings laid over config.toml")
    parser.add_argument("--weights", type=Path, metavar="CSV", help="weights of feedback, columns as the seed has them")
    parser = command(
        commands, "approve", approve_command, "approve a week's lists, once the golden ones were looked at"
    )
    parser.add_argument("--week", required=True, metavar="MONDAY", help="the week")
    parser.add_argument("--by", metavar="NAME", help="whoever approves (default: the user's name)")


def compare_command(options: argparse.Namespace) -> int:
    """Compare, print what changed and by how much; 0 where the gate lets it pass, 1 otherwise."""
    from dagster_project.cli_run import lines_on_standard_error
    from dagster_project.comparing import compare
    from models_ml.comparison.gate import PASSED
    from models_ml.comparison.plots import comparison_plot
    from models_ml.landing.storage import replace_file

    home = Home.resolve(options.home)
    week = parse_week(options.week) if options.week else None
    with lines_on_standard_error():
        compared = compare(home, week, options.overlay, options.weights)
    print(comparison_words(compared))
    drawn = home.comparisons / f"{compared.week}_{compared.candidate.hash}.png"
    replace_file(drawn, comparison_plot(compared.to_arrow()))
    print(f"\nas a picture: {drawn}")
    return 0 if compared.verdict.verdict == PASSED else 1


def comparison_words(compared: "Comparison") -> str:
    """What changed, by how much over all listeners and by segment, and the verdict."""
    from dagster_project.shown import text_table
    from models_ml.comparison.report import DECILES
    from models_ml.evaluation.segments import ALL

    of_all = [row for row in compared.verdict.rows if row.measured.segment == ALL]
    rows = [row for row in of_all if row.measured.metric not in DECILES]
    deciles = [_number(row.measured.value) for row in of_all if row.measured.metric in DECILES]
    head = ("all listeners", "baseline", "candidate", "difference, or what both say", "allowed", "")
    overview = text_table(head, [_overview_row(row) for row in rows], _OVERVIEW)
    truth = (
        f"ndcg, recall, hit_rate: lists of {compared.as_of} on what was found by {compared.truth_week}"
        if compared.truth_week
        else "no truth is in yet: a week has to be completed one window after another"
    )
    parts = [f"week {compared.week}", *(f"  {line}" for line in compared.changed), "", overview, ""]
    parts += [f"overlap by tenths of listeners, least first: {' '.join(deciles)}", truth, ""]
    return "\n".join([*parts, _segments_table(compared.verdict.rows), "", *_verdict_words(compared)])


def _overview_row(row: "Judged") -> tuple[str, ...]:
    one = row.measured
    status = "" if row.status == "told" else row.status
    return (one.metric, _number(one.baseline), _number(one.candidate), _interval(row), _allowed(row), status)


def _segments_table(rows: "Sequence[Judged]") -> str:
    from dagster_project.shown import text_table

    by_segment: dict[str, dict[str, Judged]] = {}
    for row in rows:
        by_segment.setdefault(row.measured.segment, {})[row.measured.metric] = row
    shown = ("overlap_at_30", "changed_share", "popularity_percentile", "genre_kl", "new_artist_share")
    head = ("by segment", "lists", "overlap", "changed", "popularity", "genre_kl", "new artist", "ndcg_first_listens")
    lines = []
    for segment, found in by_segment.items():
        values = [found.get(metric) for metric in shown]
        count = values[0].measured.listeners if values[0] else 0
        cells = [_number(value.measured.value) if value else "" for value in values]
        truth = found.get("ndcg_first_listens")
        lines.append((segment, f"{count:,}", *cells, _interval(truth) if truth else ""))
    return text_table(head, lines, _SEGMENTS)


def _verdict_words(compared: "Comparison") -> list[str]:
    lines = [
        f"gate.{row.threshold}: {row.measured.metric} is {_interval(row)}, allowed is {_allowed(row)}{_by_its_end(row)}"
        for row in compared.verdict.failed
    ]
    said = {
        "passed": "passed: within all thresholds of [gate]",
        "failed": "failed: this change is not for publication",
        "undecided": "undecided: nothing is beyond a threshold, and nothing is known yet of what listeners found",
    }
    return [*lines, said[compared.verdict.verdict]]


def _by_its_end(row: "Judged") -> str:
    return " at its lower end" if row.threshold == "most_ndcg_loss" else ""


def _allowed(row: "Judged") -> str:
    if row.least is None:
        return "" if row.most is None else f"at most {_number(row.most)}"
    return f"at least {_number(row.least)}" if row.most is None else f"{_number(row.least)} to {_number(row.most)}"


def _interval(row: "Judged") -> str:
    one = row.measured
    if one.value is None:
        return ""
    return (
        _number(one.value) if one.low is None else f"{_number(one.value)} ({_number(one.low)} to {_number(one.high)})"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def approve_command(options: argparse.Namespace) -> int:
    """Show what changed in the golden listeners' lists, then put the approval of these on record, and of no others."""
    from dagster_project.golden import GIVEN, approve, golden_changes, lists_hash
    from dagster_project.lake import Lake

    home, week = Home.resolve(options.home), parse_week(options.week)
    if not Lake(home.lake).has_week(GIVEN, week):
        raise InputError(f"week {week}: no lists in {home.root} to approve; run it first")
    shown = lists_hash(home, week)  # before they are read: whatever comes in between is found when it is recorded
    print(_golden_words(golden_changes(home, week).to_pylist()), flush=True)
    at = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    approve(home, week, shown, options.by or getpass.getuser(), at)
    print(f"lists of {week} approved ({shown}); run the week again to publish them", file=sys.stderr)
    return 0


def _golden_words(rows: list[dict[str, Any]]) -> str:
    from dagster_project.shown import text_table

    head = ("listener", "", "was", "is", "title", "artist", "reason")
    lines = [
        (
            row["user_id"],
            row["change"],
            str(row["position_before"] or ""),
            str(row["position"] or ""),
            row["title"],
            row["artist_name"],
            row["reason"] or "",
        )
        for row in rows
    ]
    return text_table(head, lines, (12, 6, 3, 3, 34, 24, 50)) if lines else "no golden listeners"
