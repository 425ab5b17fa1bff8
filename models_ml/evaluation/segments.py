"""Segments: which listeners, and which recordings of the truth, a metric is reported for.

Belongs here: the limits of each segment, and truth restricted to some recordings.
Does not: metrics.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Pairs

ALL: Final = "all"
NEW: Final = "new"
LIGHT: Final = "light"
HEAVY: Final = "heavy"
POPULAR: Final = "popular"
NICHE: Final = "niche"


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
