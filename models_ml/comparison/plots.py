"""A comparison as a picture: how far each number moved, of what the gate allows, and who it moved for.

Belongs here: drawing a comparison's table as PNG bytes. Does not: numbers that aren't in the table, files.
"""

import io
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models_ml.comparison.gate import FAILED, UNKNOWN
from models_ml.comparison.report import OVERLAP
from models_ml.evaluation.segments import ALL

_INK, _GOOD, _BAD, _GREY = "#333333", "#1f5a8a", "#c2410c", "#d9d9d9"
# Beyond twice what is allowed, further away is all that is seen.
_EDGE: Final = 2.0


def comparison_plot(rows: pa.Table) -> bytes:
    """A PNG: left, each number the gate holds against a threshold; right, how much of the lists stays, by segment.

    rows: those of one comparison, JUDGED_SCHEMA and more.  Left, the grey band is what is allowed, of whatever unit.
    """
    judged = [row for row in rows.to_pylist() if row["threshold"] is not None and row["status"] != UNKNOWN]
    segments = rows.filter(pc.equal(rows["metric"], OVERLAP)).to_pylist()
    height = 1.4 + 0.34 * max(len(judged), len(segments), 1)
    figure = Figure(figsize=(9.0, height), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_judged(left, judged[::-1])
    _draw_segments(right, segments[::-1])
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _draw_judged(axes: Any, judged: list[dict[str, Any]]) -> None:
    axes.axvspan(-1.0, 1.0, color=_GREY, alpha=0.6, linewidth=0)
    for place, row in enumerate(judged):
        colour = _BAD if row["status"] == FAILED else _GOOD
        ends = [_of_allowed(row, row[name]) for name in ("ci_low", "ci_high") if row[name] is not None]
        if len(ends) == 2:
            axes.plot(ends, [place, place], color=colour, linewidth=2.5, alpha=0.55)
        axes.plot([_of_allowed(row, row["value"])], [place], "o", color=colour, markersize=6)
    axes.set_yticks(range(len(judged)), [_words(row) for row in judged], fontsize=8.5)
    axes.set_xlim(-1.1 * _EDGE, 1.1 * _EDGE)
    axes.set_xticks([-1.0, 0.0, 1.0], ["lowest allowed", "", "highest allowed"], fontsize=8.5)
    axes.set_title("candidate against baseline", fontsize=10, color=_INK, loc="left")
    _finish(axes)


def _draw_segments(axes: Any, rows: list[dict[str, Any]]) -> None:
    for place, row in enumerate(rows):
        colour = _INK if row["segment"] == ALL else _GOOD
        axes.barh(place, row["value"] or 0.0, color=colour, height=0.6)
    axes.set_yticks(range(len(rows)), [f"{row['segment']} ({row['listeners']:,})" for row in rows], fontsize=8.5)
    axes.set_xlim(0.0, 1.0)
    axes.set_title("share of a list that stays", fontsize=10, color=_INK, loc="left")
    _finish(axes)


def _of_allowed(row: dict[str, Any], value: float) -> float:
    """Where a value lies, with -1 the lowest and 1 the highest that is allowed, cut at the edge of the picture."""
    least, most = row["least"], row["most"]
    if least is not None and most is not None:
        middle, half = (least + most) / 2, (most - least) / 2
    else:
        # One bound: as far inside it as no change at all is 0.
        bound, still = (least, 1.0 if row["metric"] == OVERLAP else 0.0) if most is None else (most, 0.0)
        middle, half = still, abs(bound - still)
    away = float(value - middle)
    # A bound that allows no move at all: any is off the picture.
    return min(_EDGE, max(-_EDGE, away / half if half else away * 1e9))


def _words(row: dict[str, Any]) -> str:
    return f"{row['metric'].replace('_', ' ')} {row['value']:+.3f}"


def _finish(axes: Any) -> None:
    axes.tick_params(length=0, colors=_INK)
    axes.spines[:].set_visible(False)
