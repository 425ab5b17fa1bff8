"""Experiments: settings of how results are read.

Belongs here: levels and floors that hold for every experiment. Does not: what one experiment declares
(declarations.py).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ExperimentParams:
    """How results of experiments are read."""

    alpha: float = field(
        default=0.05,
        metadata={
            "unit": "chance",
            "min": 0.000001,
            "max": 0.5,
            "doc": "Of an interval that misses the truth in any week it is looked at, a metric and variant.",
        },
    )
    fewest_listeners: int = field(
        default=50,
        metadata={
            "unit": "listeners",
            "min": 2,
            "max": 10**9,
            "doc": "A variant with fewer has means and no interval: intervals lean on sums of many being normal.",
        },
    )
    sample_ratio_alpha: float = field(
        default=0.001,
        metadata={
            "unit": "chance",
            "min": 0.000001,
            "max": 0.5,
            "doc": "Listeners by variant less likely than this under the declared weights make results unusable.",
        },
    )
