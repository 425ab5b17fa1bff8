"""Off-policy evaluation: its settings.

Belongs here: from when on a number is believed, how wide intervals are. Does not: estimators.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class OffPolicyParams:
    """When an estimate is one."""

    least_effective_lists: float = field(
        default=200.0,
        metadata={
            "unit": "lists",
            "min": 1.0,
            "max": 10**9,
            "doc": "Below so large an effective sample there is no number: not identifiable.",
        },
    )
    least_support: float = field(
        default=0.95,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Nor where less of what the policy would do could have been logged.",
        },
    )
    least_chance: float = field(
        default=0.01,
        metadata={
            "unit": "chance",
            "min": 0.0,
            "max": 1.0,
            "doc": "An arm that was less likely counts as one that could not have been logged.",
        },
    )
    confidence: float = field(
        default=0.95,
        metadata={"unit": "share", "min": 0.5, "max": 0.999, "doc": "Of intervals hold what they are about."},
    )
