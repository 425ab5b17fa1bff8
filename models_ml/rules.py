"""The names of the playlist rules, in the order in which they are looked at.

Belongs here: rule and source names that are published, and their codes in arrays.
Does not: what the rules do (eligibility.py filters, assembly.py draws up lists).
"""

from typing import Final

TAKEN_DOWN: Final = "taken_down"
# A candidate's code is its place here plus one; 0 passes.  The first rule that holds is the reason given.
FILTER_RULES: Final = (
    TAKEN_DOWN,
    "embargoed",
    "not_released",
    "market",
    "explicit",
    "blocked_track",
    "heard",
    "skipped_twice",
    "sampled",
    "recommended",
    "near_duplicate",
    "blocked_artist",
)
UNAVAILABLE_RULES: Final = FILTER_RULES[:3]
EXCLUSION_RULES: Final = ("blocked_track", "heard", "skipped_twice", "sampled", "recommended")
FILTER_CODES: Final = {rule: code for code, rule in enumerate(FILTER_RULES, start=1)}

NEAR_DUPLICATE: Final = "near_duplicate"

NEW_ARTIST_SHARE: Final = "new_artist_share"
TRACKS_PER_ALBUM: Final = "tracks_per_album"
TRACKS_PER_ARTIST: Final = "tracks_per_artist"
TOO_FEW_TRACKS: Final = "too_few_tracks"

COLLABORATIVE: Final = "collaborative"
FOLD_IN: Final = "fold_in"
CONTENT: Final = "content"
SEGMENT: Final = "segment"
POPULAR: Final = "popular"
# What a slot stands on, the firmest first; a listener's own rung and their track's, whichever is weaker.
RUNGS: Final = (COLLABORATIVE, FOLD_IN, CONTENT, SEGMENT, POPULAR)
COLLABORATIVE_RUNG, FOLD_IN_RUNG, CONTENT_RUNG, SEGMENT_RUNG, POPULAR_RUNG = range(len(RUNGS))

FRESH: Final = "fresh"
NEW_RELEASE: Final = "new_release"
TASTE_MODE: Final = "taste_mode"
EXPLORATION: Final = "exploration"
# Bit i of a candidate's sources stands for the i-th name; the first one that is set is the primary source.
SOURCES: Final = (COLLABORATIVE, POPULAR, FRESH, NEW_RELEASE, TASTE_MODE, EXPLORATION)
SOURCE_BITS: Final = {source: 1 << bit for bit, source in enumerate(SOURCES)}
