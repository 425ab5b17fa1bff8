"""The evaluation as pictures: how good each model's lists are, this week and by week, and what each family does for it.

Belongs here: drawing an evaluation table as PNG bytes.
Does not: numbers that aren't in the table, files.
"""

import io
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from models_ml.evaluation.ablation import ALONE, WITHOUT, family_rows
from models_ml.evaluation.baselines import BASELINES
from models_ml.evaluation.comparisons import PUBLISHED
from models_ml.evaluation.metrics import NDCG, RECALL
from models_ml.evaluation.report import FIRST_LISTENS, KEPT, VIA_OWN_PLAYLISTS
from models_ml.evaluation.segments import ALL

_METRICS: Final = (NDCG, RECALL)
_TRUTHS: Final = {
    KEPT: "discovered and kept",
    FIRST_LISTENS: "heard for the first time",
    VIA_OWN_PLAYLISTS: "first heard through our playlists",
}
_OWN_COLOUR = "#c2410c"
_BASELINE_COLOUR = "#767676"
_INK = "#333333"
_WIDTH_INCHES = 8.0
_ROW_INCHES = 0.42
_DOTS_PER_INCH = 100


def metrics_plot(evaluation: pa.Table) -> bytes:
    """A PNG, 800 pixels wide: nDCG and recall of each model with intervals, ours in colour, baselines grey.

    Families of the score alone and left out are drawn apart (`families_plot`).

    evaluation: rows of report.EVALUATION_SCHEMA.  Drawn are the newest week, the protocol `kept` or else the first
    one there is, all listeners, and the longest cutoff.  Without such rows the picture says so.
    """
    rows = _shown(evaluation)
    if not rows.num_rows:
        return _png(_empty_figure())
    models = _models_best_last(rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, wspace=0.04)
    figure = Figure(figsize=(_WIDTH_INCHES, 1.5 + _ROW_INCHES * len(models)), dpi=_DOTS_PER_INCH, layout=layout)
    for place, metric in enumerate(_METRICS):
        axes = figure.add_subplot(1, len(_METRICS), place + 1)
        _draw(axes, rows.filter(pc.equal(rows["metric"], metric)), models, named=place == 0)
    first = rows.slice(0, 1).to_pylist()[0]
    truth = _TRUTHS.get(first["protocol_id"], _words(first["protocol_id"]))
    title = f"Lists of {first['as_of_week']} against what {first['listeners']:,} listeners {truth}"
    figure.suptitle(title, fontsize=11, color=_INK)
    return _png(figure)


def families_plot(comparisons: pa.Table) -> bytes:
    """A PNG, 800 pixels wide: nDCG of each family alone, and of all but it, less that of all together.

    comparisons: rows of comparisons.COMPARISONS_SCHEMA of one week; the protocol `kept`, all listeners.  The family
    that is missed most is on top.  Without such rows the picture says so.
    """
    found = {row["model"]: row for row in family_rows(comparisons)}
    families = {model.removeprefix(ALONE).removeprefix(WITHOUT) for model in found}
    if not families:
        return _png(_empty_figure())
    missed = {name: found[WITHOUT + name]["difference"] if WITHOUT + name in found else 0.0 for name in families}
    order = sorted(families, key=lambda name: (-missed[name], name))
    layout = ConstrainedLayoutEngine(w_pad=0.12, wspace=0.04)
    figure = Figure(figsize=(_WIDTH_INCHES, 1.5 + _ROW_INCHES * len(order)), dpi=_DOTS_PER_INCH, layout=layout)
    for place, (prefix, title) in enumerate(((ALONE, "Alone"), (WITHOUT, "All but it"))):
        axes = figure.add_subplot(1, 2, place + 1)
        _draw_family(axes, [found.get(prefix + name) for name in order], title)
        axes.set_yticks(np.arange(len(order)), [_words(name) if place == 0 else "" for name in order])
    listeners = max(row["listeners"] for row in found.values())
    title = f"nDCG of each family of the score less that of all together, {listeners:,} listeners"
    figure.suptitle(title, fontsize=11, color=_INK)
    return _png(figure)


def history_plot(evaluation: pa.Table) -> bytes:
    """A PNG, 800 pixels wide: nDCG by week the lists were made for, ours with intervals, baselines grey.

    evaluation: rows of report.EVALUATION_SCHEMA of any weeks.  Drawn are the protocol `kept`, or else the first there
    is, all listeners, the longest cutoff; families of the score are left out.  Without such rows the picture says so.
    """
    rows = _of_one_protocol(_of_models(evaluation))
    rows = rows.filter(pc.equal(rows["metric"], NDCG)).sort_by([("model", "ascending"), ("as_of_week", "ascending")])
    if not rows.num_rows:
        return _png(_empty_figure())
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(_WIDTH_INCHES, 4.0), dpi=_DOTS_PER_INCH, layout=layout)
    axes = figure.add_subplot()
    ends = [_draw_history(axes, model, rows.filter(pc.equal(rows["model"], model))) for model in _named(rows)]
    _name_lines(axes, ends)
    weeks = sorted(set(rows["as_of_week"].to_pylist()))
    shown = weeks[:: -max(1, -(-len(weeks) // 8))][::-1]
    axes.set_xticks(shown, [f"{week:%d %b %Y}" if week in (shown[0], shown[-1]) else f"{week:%d %b}" for week in shown])
    axes.set_ylim(0.0, 1.08 * max(axes.dataLim.y1, 1e-3))
    _lighten(axes, "y")
    first = rows.slice(0, 1).to_pylist()[0]
    truth = _TRUTHS.get(first["protocol_id"], _words(first["protocol_id"]))
    figure.suptitle(f"nDCG at {first['k']} of each week's lists against what was {truth}", fontsize=11, color=_INK)
    return _png(figure)


def _named(rows: pa.Table) -> list[str]:
    """The models, baselines first, so that ours are drawn over them."""
    return sorted(pc.unique(rows["model"]).to_pylist(), key=lambda model: (model not in BASELINES, model))


def _draw_history(axes: Any, model: str, rows: pa.Table) -> tuple[Any, float, str]:
    """A line with a dot a week. Returns where it ends and what it is called."""
    weeks, values = rows["as_of_week"].to_pylist(), rows["value"].to_numpy()
    is_ours = model not in BASELINES
    colour = _OWN_COLOUR if is_ours else _BASELINE_COLOUR
    # Of our own models only what was delivered stands out; what would have been is the same colour, dashed.
    style = "-" if model == PUBLISHED or not is_ours else "--"
    axes.plot(weeks, values, style, color=colour, marker="o", markersize=4, linewidth=1.8 if is_ours else 1.0)
    if model == PUBLISHED:
        low, high = (pc.fill_null(rows[name], np.nan).to_numpy() for name in ("ci_low", "ci_high"))
        axes.fill_between(weeks, low, high, color=colour, alpha=0.15, linewidth=0)
    return weeks[-1], float(values[-1]), model


def _name_lines(axes: Any, ends: list[tuple[Any, float, str]]) -> None:
    """Names beside the newest values, moved apart where two are nearer than a line of text."""
    least = 0.055 * 1.08 * max(axes.dataLim.y1, 1e-3)
    height = -np.inf
    for week, value, model in sorted(ends, key=lambda end: end[1:]):
        height = max(value, height + least)
        is_ours = model not in BASELINES
        written = {"color": _OWN_COLOUR if is_ours else _BASELINE_COLOUR, "fontsize": 8.5, "va": "center"}
        weight = "bold" if is_ours else "normal"
        axes.annotate(
            f"{_words(model)} {value:.3f}",
            (week, height),
            xytext=(8, 0),
            textcoords="offset points",
            annotation_clip=False,
            fontweight=weight,
            **written,
        )


def _draw_family(axes: Any, rows: list[dict[str, Any] | None], title: str) -> None:
    """A dot with its interval for each family, beside the line where nothing changes."""
    axes.axvline(0.0, color=_BASELINE_COLOUR, linewidth=1.0)
    for height, row in enumerate(rows):
        if row is None:
            continue
        if row["ci_low"] is not None and row["ci_high"] is not None:
            ends = [row["ci_low"], row["ci_high"]]
            axes.plot(ends, [height, height], color=_OWN_COLOUR, linewidth=2.5, alpha=0.55)
        axes.plot([row["difference"]], [height], "o", color=_OWN_COLOUR, markersize=7)
        above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center", "fontsize": 8.5}
        axes.annotate(f"{row['difference']:+.3f}", (row["difference"], height), color=_OWN_COLOUR, **above)
    axes.set_title(title, fontsize=10, color=_INK, loc="left")
    axes.set_ylim(-0.6, len(rows) - 0.3)
    _lighten(axes)


def _shown(evaluation: pa.Table) -> pa.Table:
    """The rows of one week that are drawn."""
    rows = _of_models(evaluation)
    return _of_one_protocol(rows.filter(pc.equal(rows["as_of_week"], pc.max(rows["as_of_week"]))))


def _of_models(evaluation: pa.Table) -> pa.Table:
    """Of whole models, for all listeners."""
    wanted = pc.and_(pc.equal(evaluation["segment"], ALL), pc.is_in(evaluation["metric"], pa.array(_METRICS)))
    return evaluation.filter(
        pc.and_(wanted, pc.invert(pc.match_substring_regex(evaluation["model"], f"^({ALONE}|{WITHOUT})")))
    )


def _of_one_protocol(rows: pa.Table) -> pa.Table:
    """At the longest cutoff."""
    protocols = sorted(pc.unique(rows["protocol_id"]).to_pylist(), key=lambda name: (name != KEPT, name))
    rows = rows.filter(pc.equal(rows["protocol_id"], pa.scalar(protocols[0] if protocols else None, pa.string())))
    return rows.filter(pc.equal(rows["k"], pc.max(rows["k"])))


def _models_best_last(rows: pa.Table) -> list[str]:
    """The models by nDCG, ascending, so that the best one is drawn on top; ties by name."""
    named = rows.filter(pc.equal(rows["metric"], NDCG)).select(["model", "value"]).to_pylist()
    return [row["model"] for row in sorted(named, key=lambda row: (row["value"], row["model"]))]


def _draw(axes: Any, rows: pa.Table, models: list[str], *, named: bool) -> None:
    """One metric: a dot with its interval for each model, its value beside it."""
    by_model = {row["model"]: row for row in rows.to_pylist()}
    for height, model in enumerate(models):
        row = by_model[model]
        colour = _BASELINE_COLOUR if model in BASELINES else _OWN_COLOUR
        if row["ci_low"] is not None and row["ci_high"] is not None:
            axes.plot([row["ci_low"], row["ci_high"]], [height, height], color=colour, linewidth=2.5, alpha=0.55)
        axes.plot([row["value"]], [height], "o", color=colour, markersize=7)
        above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center", "fontsize": 8.5}
        axes.annotate(f"{row['value']:.3f}", (row["value"], height), color=colour, **above)
    _finish(axes, next(iter(by_model.values())), len(models))
    axes.set_yticks(np.arange(len(models)), [_words(model) for model in models] if named else [""] * len(models))
    for label, model in zip(axes.get_yticklabels(), models, strict=True):
        label.set(color=_INK if model in BASELINES else _OWN_COLOUR)
        label.set_fontweight("normal" if model in BASELINES else "bold")


def _finish(axes: Any, row: dict[str, Any], model_count: int) -> None:
    """Title with the ceiling, an axis from zero, light lines."""
    ceiling = "" if row["ceiling"] is None else f" (at best {row['ceiling']:.3f})"
    name = {NDCG: "nDCG", RECALL: "Recall"}[row["metric"]]
    axes.set_title(f"{name} at {row['k']}{ceiling}", fontsize=10, color=_INK, loc="left")
    axes.set_xlim(0.0, 1.08 * max(axes.dataLim.x1, 1e-3))
    axes.set_ylim(-0.6, model_count - 0.3)
    _lighten(axes)


def _lighten(axes: Any, across: str = "x") -> None:
    axes.grid(axis=across, color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, colors=_INK)
    axes.spines[:].set_visible(False)


def _empty_figure() -> Figure:
    """A picture that says that there is nothing to see yet."""
    figure = Figure(figsize=(_WIDTH_INCHES, 1.2), dpi=_DOTS_PER_INCH)
    line = "Nothing to compare yet: no listener with a list has heard anything new in the window."
    figure.text(0.5, 0.5, line, ha="center", va="center", fontsize=10, color=_INK)
    return figure


def _words(name: str) -> str:
    return name.replace("_", " ")


def _png(figure: Figure) -> bytes:
    """The figure as PNG, without the time or the version it was drawn with."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
