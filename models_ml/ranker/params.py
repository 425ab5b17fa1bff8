"""Settings of the learned ranker.

Belongs here: what is learnt from, how, and what each outcome is worth. Does not: the linear score (ranking.py).
"""

from dataclasses import dataclass, field
from typing import Final

# Column of the examples, in the order that tables and weights have.
OUTCOMES: Final = ("completed", "saved", "skipped_early")


@dataclass(frozen=True)
class RankerParams:
    """What the ranker learns from, how, and what each outcome is worth."""

    learned: bool = field(
        default=True,
        metadata={"doc": "Score with what was learnt, where there was enough; false: always by the linear score."},
    )
    example_listeners: int = field(
        default=4000,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**9,
            "doc": "Whose candidates of a week are kept to learn from.",
        },
    )
    training_weeks: int = field(
        # Slots take outcomes for 28 days (slot_outcomes): of older lists it would not be known what was reached.
        default=4,
        metadata={"unit": "weeks", "min": 1, "max": 4, "doc": "Earlier Mondays that are learnt from."},
    )
    rehearsed_weeks: int = field(
        default=1,
        metadata={
            "unit": "weeks",
            "min": 0,
            "max": 4,
            "doc": "Mondays before a home's first lists whose candidates are found to learn from; 0: none.",
        },
    )
    rehearsed_events: int = field(
        # Of 100,000 listeners' ten million, at one, two, five and ten of them: next week's nDCG@30 1.02, 1.06, 1.11 and
        # 1.14 of the declared score's, in 23, 30, 39 and 64 s (tests/benchmarks/README.md).
        default=5_000_000,
        metadata={
            "unit": "rows",
            "min": 1,
            "max": 10**12,
            "doc": "Of landed events that a rehearsal reads, about: of more, those of a part of the listeners.",
        },
    )
    zeros_kept: float = field(
        # Demo world, seed 101, four weeks of 4,000 listeners: nDCG@30 of search's 1.140 at 0.2, 1.132 to 1.135 at 0.05
        # and 1.142 at 0.02, in 66, 24 and 17 s of CPU.
        default=0.05,
        metadata={
            "unit": "share",
            "min": 0.001,
            "max": 1.0,
            "doc": "Of candidates that nothing came of, those that are learnt from; they weigh as much more.",
        },
    )
    minimum_positives: int = field(
        default=200,
        metadata={
            "unit": "rows",
            "min": 20,
            "max": 10**9,
            "doc": "An outcome seen less often is not learnt; without completions there is no ranker.",
        },
    )
    completed_weight: float = field(
        default=1.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Per log odds of being played to the end, before the score is brought to the linear one's spread.",
        },
    )
    saved_weight: float = field(
        default=0.25,
        metadata={"unit": "score", "min": 0.0, "max": 100.0, "doc": "Per log odds of being saved, once played."},
    )
    skipped_weight: float = field(
        default=1.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Taken per log odds of being skipped early, once played.",
        },
    )
    most_trees: int = field(
        default=600,
        metadata={"unit": "trees", "min": 1, "max": 10_000, "doc": "An outcome; held-out rows say how many."},
    )
    learning_rate: float = field(
        default=0.05,
        metadata={"unit": "ratio", "min": 0.001, "max": 1.0, "doc": "What each tree adds of what it found."},
    )
    leaves: int = field(
        # Demo world, seed 101, nDCG@30 of completions alone at 4 leaves .1582, of 8 at twice the rate .1539.
        default=4,
        metadata={"unit": "leaves", "min": 2, "max": 256, "doc": "Of each tree, at most."},
    )
    rows_per_leaf: int = field(
        default=100, metadata={"unit": "rows", "min": 1, "max": 10**9, "doc": "In each leaf, at least."}
    )

    @property
    def fewest_examples(self) -> int:
        """Completions without which there is no ranker: those that are learnt from, and those held out."""
        return self.minimum_positives + self.fewest_held_out

    @property
    def fewest_held_out(self) -> int:
        """Of an outcome, on the rows it is not learnt from."""
        return self.minimum_positives // 10

    @property
    def weights(self) -> tuple[float, ...]:
        """Of each of OUTCOMES, a skip's negative."""
        return self.completed_weight, self.saved_weight, -self.skipped_weight
