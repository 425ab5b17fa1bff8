"""Segments: which listeners, and which recordings of the truth, a metric is reported for.

Belongs here: the limits of each segment, and truth restricted to some recordings.
Does not: metrics.

`niche` and `popular` are recordings of the truth; `niche_taste` and `mainstream_taste` are listeners, by how popular is
what they have heard.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Pairs

ALL: Final = "all"
NEW: Final = "new"
LIGHT: Final = "light"
HEAVY: Final = "heavy"
POPULAR: Final = "popular"
NICHE: Final = "niche"
NICHE_TASTE: Final = "niche_taste"
MAINSTREAM_TASTE: Final = "mainstream_taste"
MARKET: Final = "market"
RUNG: Final = "rung"


@dataclass(frozen=True)
class SegmentParams:
    """Where one segment ends and the next begins."""

    new_below: int = field(
        default=10,
        metadata={"unit": "recordings", "min": 0, "max": 10**9, "doc": "A listener who has heard fewer is new."},
    )
    heavy_from: int = field(
        default=100,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 10**9,
            "doc": "A listener who has heard so many is heavy; light is in between.",
        },
    )
    popular_share: float = field(
        default=0.2,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "At most so large a part of the recordings, the most heard ones, is popular; the others are niche.",
        },
    )

    taste_share: float = field(
        default=0.3,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 0.5,
            "doc": "So large a part of the listeners, those who hear the least popular recordings, is of niche taste, "
            "as large a one at the other end of mainstream taste.",
        },
    )
    fewest_listeners: int = field(
        default=20,
        metadata={
            "unit": "listeners",
            "min": 1,
            "max": 10**9,
            "doc": "Segments of fewer scored listeners are left out; all of them together are always there.",
        },
    )

    def __post_init__(self) -> None:
        if self.heavy_from < self.new_below:
            raise ValueError(f"heavy_from is {self.heavy_from}; it must not lie below new_below, {self.new_below}")


def listener_segments(interaction_counts: Ints, params: SegmentParams) -> dict[str, Bools]:
    """(n,) bool of each segment: all, and its parts new, light and heavy.

    interaction_counts: (n,) recordings each listener has heard.
    """
    new = interaction_counts < params.new_below
    heavy = (interaction_counts >= params.heavy_from) & ~new
    return {ALL: np.ones(len(interaction_counts), dtype=bool), NEW: new, LIGHT: ~new & ~heavy, HEAVY: heavy}


def taste_segments(mean_percentile: Floats, params: SegmentParams) -> dict[str, Bools]:
    """(n,) bool of each segment: niche_taste and mainstream_taste; the middle is in neither.

    mean_percentile: (n,) mean popularity percentile of what each listener has heard, NaN where nothing.
    Neither is ever more than its share: listeners of equal taste stay together.
    """
    some = mean_percentile[np.isfinite(mean_percentile)]
    if not len(some):
        return {name: np.zeros(len(mean_percentile), dtype=bool) for name in (NICHE_TASTE, MAINSTREAM_TASTE)}
    low, high = np.quantile(some, [params.taste_share, 1.0 - params.taste_share])
    return {NICHE_TASTE: mean_percentile < low, MAINSTREAM_TASTE: mean_percentile > high}


def named_segments(kind: str, names: pa.Array, place: Ints) -> dict[str, Bools]:
    """(n,) bool of each segment `<kind>_<name>`, of the names that are not empty and have anybody.

    place: (n,) place of each listener's in names.
    """
    found = {}
    for each in np.unique(place).tolist():
        name = names[each].as_py()
        if name:
            found[f"{kind}_{name}"] = place == each
    return found


def track_segments(popularity_percentile: Floats, params: SegmentParams | None = None) -> dict[str, Bools]:
    """(m,) bool of each segment: popular and niche.

    popularity_percentile: (m,) share of the other recordings that fewer listeners have heard.
    Recordings equally popular stay together: popular is never more than its share.
    """
    share = (params or SegmentParams()).popular_share
    popular = popularity_percentile > 1.0 - share
    return {POPULAR: popular, NICHE: ~popular}


def restricted(truth: Pairs, kept: Bools) -> Pairs:
    """The truth without the recordings that are not kept; those that lie beyond `kept` go too.

    kept: (m,) bool.  Owners stay, also those left with nothing.
    """
    inside = np.zeros(max(truth.width, len(kept)), dtype=bool)
    inside[: len(kept)] = kept
    chosen = inside[truth.values]
    before = np.concatenate([[0], np.cumsum(chosen)])
    return Pairs(before[truth.indptr].astype(np.int64), truth.values[chosen], truth.width)
