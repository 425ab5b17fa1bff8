"""Asset keys and the partitions they share.

Belongs here: names that more than one module of this package uses. Does not: what the assets do.
"""

import datetime as dt
import warnings

import dagster as dg

# Said at every start for each asset below; that the parameter may change is known and its version is pinned.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

FIRST_WEEK = dt.date(2005, 1, 3)

# A partition is the Monday it is for. The running week is one beyond what Dagster counts as complete, the coming
# Monday two: it exists before it begins, so that files can be read for it; nothing else is made before (features).
WEEKLY = dg.WeeklyPartitionsDefinition(start_date=FIRST_WEEK.isoformat(), day_offset=1, end_offset=2)

# Weeks build on each other: a backfill runs them one by one, in order.
ONE_WEEK_A_RUN = dg.BackfillPolicy.multi_run(1)

LANDING_FILES = dg.AssetKey(["landing", "files"])
FEATURES = "features"
COLLABORATIVE_FACTORS = dg.AssetKey(["vectors", "collaborative_factors"])
TEXT_VECTORS = dg.AssetKey(["vectors", "text_vectors"])
RECORDING_SOUNDS = dg.AssetKey(["vectors", "recording_sounds"])
AUDIO_VECTORS = dg.AssetKey(["vectors", "audio_vectors"])
FUSED_VECTORS = dg.AssetKey(["vectors", "fused_vectors"])
CANDIDATE_INDEX = dg.AssetKey(["vectors", "candidate_index"])
RANKER = dg.AssetKey(["ranker", "ranker"])
CANDIDATES = dg.AssetKey(["candidates", "candidates"])
GOLDEN_LISTENERS = dg.AssetKey(["gate", "golden_listeners"])
PLAYLISTS_PUBLISHED = dg.AssetKey(["published", "monday_mix"])


def feature(name: str) -> dg.AssetKey:
    """Key of a feature table."""
    return dg.AssetKey([FEATURES, name])


def ml(name: str) -> dg.AssetKey:
    """Key of a table that the machine-learning steps give back to dbt."""
    return dg.AssetKey(["ml", name])


def mart(name: str) -> dg.AssetKey:
    """Key of a table that is published."""
    return dg.AssetKey(["marts", name])


# What may hold up a week's publication and says nothing of a week that is made to be compared.
GATE_CHECKS = (
    dg.AssetCheckKey(mart("weekly_playlists"), "lists_are_like_those_of_the_week_before"),
    dg.AssetCheckKey(mart("weekly_playlists"), "a_changed_recipe_was_compared"),
    dg.AssetCheckKey(GOLDEN_LISTENERS, "golden_lists_are_approved"),
)
