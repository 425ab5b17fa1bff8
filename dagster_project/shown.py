"""What a person is shown of a step: Markdown tables and pictures for asset metadata, lines for the command line.

Belongs here: putting values that are there into words and cells. Does not: computing them, drawing (models_ml), or
Dagster, which the command line would wait for.
"""

import base64
import unicodedata
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models_ml.evaluation.ablation import ALONE, WITHOUT, family_rows, is_ablation

QUALITY_METRICS = ("recall", "ndcg")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers from a thousand on with commas."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """A table for a terminal, each column cut or padded to its width."""
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "  ".join(_fitted(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def picture(png: bytes, words: str) -> str:
    """A PNG inside Markdown."""
    return f"![{words}](data:image/png;base64,{base64.b64encode(png).decode()})"


def quality_table(evaluation: pa.Table) -> list[list[str]]:
    """Recall and nDCG at the longest cutoff by model, best first, over all listeners and what they kept.

    evaluation: rows of one week with protocol_id, model, segment, metric, k, value, ceiling, ci_low, ci_high.
    Families of the score alone and left out are shown apart (`families_table`).
    The head stands first, what the best of all lists could reach last. Empty where nothing was scored.
    """
    wanted = pc.and_(pc.equal(evaluation["segment"], "all"), pc.equal(evaluation["protocol_id"], "kept"))
    rows = [row for row in evaluation.filter(wanted).to_pylist() if not is_ablation(row["model"])]
    longest = max((row["k"] for row in rows), default=0)
    found = {(row["model"], row["metric"]): row for row in rows if row["k"] == longest}
    models = sorted({model for model, _ in found}, key=lambda model: (-_value(found, model), model))
    head = ["model", *(f"{metric}@{longest}" for metric in QUALITY_METRICS)]
    cells = [[model, *(_interval(found.get((model, metric))) for metric in QUALITY_METRICS)] for model in models]
    ceilings = ["(ceiling)", *(_ceiling(found, metric) for metric in QUALITY_METRICS)]
    return [head, *cells, ceilings] if cells else []


def families_table(comparisons: pa.Table) -> list[list[str]]:
    """NDCG of each family of the score alone, and of all but it, less that of all together, the most needed first.

    comparisons: rows of one week with protocol_id, model, other_model, segment, metric, k, difference, ci_low, ci_high.
    The head stands first. Empty where no family was scored.
    """
    found = {row["model"]: row for row in family_rows(comparisons)}
    names = {model.removeprefix(ALONE) for model in found if model.startswith(ALONE)}
    order = sorted(names, key=lambda name: (_difference(found, WITHOUT + name), name))
    cells = [[name, _change(found.get(ALONE + name)), _change(found.get(WITHOUT + name))] for name in order]
    head = ["family", "alone, ndcg less that of all", "left out, ndcg less that of all"]
    return [head, *cells] if cells else []


def _difference(found: dict[str, dict[str, Any]], model: str) -> float:
    return float(found[model]["difference"]) if model in found else 0.0


def _change(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["ci_low"] is None:
        return f"{row['difference']:+.4f}"
    return f"{row['difference']:+.4f} ({row['ci_low']:+.4f} to {row['ci_high']:+.4f})"


def alarm_lines(monitoring: pa.Table, level: str) -> list[str]:
    """What is at a level, a line each: dataset, metric, number, what is usual, and the page that says what to do."""
    rows = monitoring.filter(pc.equal(monitoring["level"], level)).to_pylist()
    return [
        f"{row['dataset']}: {row['metric']}{'' if row['subject'] == '*' else ' of ' + row['subject']} is "
        f"{row['value']:.6g} {row['unit']}, {_usual(row['reference'])}; {row['page']}"
        for row in rows
    ]


def _usual(reference: float | None) -> str:
    return "with nothing to hold it against" if reference is None else f"usually {reference:.6g}"


def _value(found: dict[tuple[str, str], dict[str, Any]], model: str) -> float:
    row = found.get((model, QUALITY_METRICS[-1]))
    return float(row["value"]) if row else 0.0


def _interval(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["ci_low"] is None:
        return f"{row['value']:.4f}"
    return f"{row['value']:.4f} ({row['ci_low']:.4f} to {row['ci_high']:.4f})"


def _ceiling(found: dict[tuple[str, str], dict[str, Any]], metric: str) -> str:
    best = [row["ceiling"] for (_, name), row in found.items() if name == metric and row["ceiling"] is not None]
    return f"{max(best):.4f}" if best else ""


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _fitted(cell: str, width: int) -> str:
    """The cell cut or padded to so many terminal columns; ideographs and kana take two."""
    if _columns(cell) > width:
        while _columns(cell) > width - 1:
            cell = cell[:-1]
        cell += "…"
    return cell + " " * (width - _columns(cell))


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )
