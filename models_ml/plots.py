"""Pictures of what a step made, as PNG.

Belongs here: drawing what was computed elsewhere, small enough to stand beside a run. Does not: pictures of the
evaluation (evaluation/plots.py).
"""

import io

import numpy as np

from models_ml.arrays import Bools, Floats
from models_ml.ranker.reliability import reliability_bins

BINS = 10
INK, GREY = "#1f5a8a", "#888888"


def popularity_histogram(percentile: Floats) -> bytes:
    """How popular the recordings given are: shares of all slots by tenths of the catalogue.

    percentile: (slots,) share of recordings with fewer listeners, 0 to 1.  A grey line marks what giving every
    recording alike would look like.
    """
    # Loading it takes most of a second, which no step but the one that draws should wait for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts, edges = np.histogram(percentile, bins=BINS, range=(0.0, 1.0))
    figure = Figure(figsize=(6.4, 2.4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.bar(edges[:-1], counts / max(len(percentile), 1), width=1 / BINS, align="edge", color=INK, edgecolor="white")
    axes.axhline(1 / BINS, color=GREY, linewidth=1)
    axes.set_xlim(0, 1)
    axes.set_xlabel("popularity percentile of the recordings given")
    axes.set_ylabel("share of slots")
    axes.spines[["top", "right"]].set_visible(False)
    written = io.BytesIO()
    FigureCanvasAgg(figure).print_png(written)
    return written.getvalue()


def reliability_plot(curves: dict[str, tuple[Floats, Bools, Floats]]) -> bytes:
    """Chances foretold and shares seen, one panel an outcome; on the grey line both are the same.

    curves: by outcome, (predicted, seen, weight) of each row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.7 * max(len(curves), 1), 2.7), dpi=100, layout="constrained")
    panels = figure.subplots(1, max(len(curves), 1), squeeze=False)[0]
    for axes, (outcome, rows) in zip(panels, curves.items(), strict=False):
        foretold, found, _ = reliability_bins(*rows)
        top = 1.1 * max([*foretold, *found, 1e-6])
        axes.plot([0, top], [0, top], color=GREY, linewidth=1)
        axes.plot(foretold, found, color=INK, marker="o", markersize=3, linewidth=1)
        axes.set_title(outcome.replace("_", " "), fontsize=9)
        axes.set_xlabel("foretold")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seen")
    written = io.BytesIO()
    FigureCanvasAgg(figure).print_png(written)
    return written.getvalue()
