"""Exploration: its settings.

Belongs here: how many slots, how boldly, what makes an arm. Does not: the draw (lots.py).
"""

from dataclasses import dataclass, field

# Settings that the warehouse goes by; it knows them as exploration_….
WAREHOUSE_SETTINGS = (
    "discount",
    "prior_rewards",
    "prior_refusals",
    "segment_prior_pulls",
    "new_artist_days",
    "new_artist_listeners",
    "genre_arms",
    "genre_exposure_ratio",
    "genre_fewest_recordings",
    "exposure_weeks",
)


@dataclass(frozen=True)
class ExplorationParams:
    """Slots given by chance, and what the warehouse makes of their outcomes."""

    slot_share: float = field(
        default=0.1,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of a list's slots go to arms, rounded to whole ones; 0: nothing is left to chance.",
        },
    )
    policy: str = field(
        default="thompson",
        metadata={
            "unit": "name",
            "choices": ("thompson", "uniform"),
            "doc": "Arms by their chance of being the best, or all alike.",
        },
    )
    arm_floor: float = field(
        default=0.05,
        metadata={
            "unit": "chance",
            "min": 0.0001,
            "max": 1.0,
            "doc": "Every arm's, at least; at most one in all arms.",
        },
    )
    temperature: float = field(
        default=0.25,
        metadata={
            "unit": "spreads",
            "min": 0.001,
            "max": 100.0,
            "doc": "Of the softmax within an arm, in standard deviations of the scores of a listener's candidates.",
        },
    )
    exposure_weight: float = field(
        default=1.0,
        metadata={
            "unit": "spreads",
            "min": 0.0,
            "max": 100.0,
            "doc": "What a track is worth less to an arm for each e-fold of 1 + its slots lately, in the mean one's.",
        },
    )
    new_to_listener: bool = field(
        default=True,
        metadata={"doc": "Arms give artists new to the listener, where the rules leave one; false: any."},
    )
    heard_within: int = field(
        default=15,
        metadata={
            "unit": "places",
            "min": 0,
            "max": 30,
            "doc": "Slots for arms share the first so many evenly, or stand earlier; 0: where their score puts them.",
        },
    )
    softmax_listener_share: float = field(
        default=0.02,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Listeners, others each week, all of whose slots are drawn by softmax.",
        },
    )
    exploit_temperature: float = field(
        default=0.05,
        metadata={"unit": "spreads", "min": 0.001, "max": 100.0, "doc": "Of that softmax, in the same measure."},
    )
    candidates_per_arm: int = field(
        default=10,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 1000,
            "doc": "The nearest of each arm, added to the candidates of who explores.",
        },
    )
    discount: float = field(
        default=0.97,
        metadata={"unit": "ratio", "min": 0.0, "max": 1.0, "doc": "What a week's outcomes weigh of the week after."},
    )
    prior_rewards: float = field(
        default=1.0,
        metadata={"unit": "slots", "min": 0.001, "max": 10**6, "doc": "Beta's alpha of an arm nobody has tried."},
    )
    prior_refusals: float = field(
        default=1.0,
        metadata={"unit": "slots", "min": 0.001, "max": 10**6, "doc": "Its beta."},
    )
    segment_prior_pulls: float = field(
        default=20.0,
        metadata={
            "unit": "slots",
            "min": 0.001,
            "max": 10**6,
            "doc": "What a segment's arm starts from weighs: the arm's mean over everyone.",
        },
    )
    new_artist_days: int = field(
        default=90,
        metadata={
            "unit": "days",
            "min": 0,
            "max": 36_500,
            "doc": "An artist is new whose first recording came no longer ago.",
        },
    )
    new_artist_listeners: int = field(
        default=5,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**9,
            "doc": "New too is one with fewer, counted by recording and summed.",
        },
    )
    genre_arms: int = field(
        default=5,
        metadata={"unit": "genres", "min": 0, "max": 50, "doc": "At most, the most under-exposed ones."},
    )
    genre_exposure_ratio: float = field(
        default=0.7,
        metadata={
            "unit": "ratio",
            "min": 0.0,
            "max": 1.0,
            "doc": "A genre is under-exposed with less of the slots, against its share of what is available.",
        },
    )
    genre_fewest_recordings: int = field(
        default=30,
        metadata={"unit": "recordings", "min": 1, "max": 10**9, "doc": "A genre with fewer is no arm."},
    )
    exposure_weeks: int = field(
        default=4,
        metadata={"unit": "weeks", "min": 1, "max": 520, "doc": "How far back exposure looks."},
    )
