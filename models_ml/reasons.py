"""Reasons: what can truly be said of why a slot is there, and which of it is said.

Belongs here: reason codes, which of them are true of a slot, the choice by weight and by what each led to before.
Does not: what stands behind them (explanation.py, evidence.py), the counting of what they led to and the sentences
(the warehouse does both).

Source: McInerney et al., "Explore, Exploit, and Explain: Personalizing Explainable Recommendations with Bandits",
RecSys 2018: how a track is received depends on the reason it is given with, so that the reason is part of the choice.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, column, strings
from models_ml.errors import InputError
from models_ml.evidence import ContentEvidence
from models_ml.exploration.arms import segment_rows
from models_ml.genres import leading_genre
from models_ml.ranking import Components
from models_ml.rules import CONTENT_RUNG, SEGMENT_RUNG

BECAUSE_YOU_PLAYED = "because_you_played"
SOUNDS_LIKE = "sounds_like"
ON_PLAYLISTS = "on_playlists"
NEAR_WHAT_YOU_NAMED = "near_what_you_named"
NEAR_YOUR_SEGMENT = "near_your_segment"
MORE_BY_ARTIST = "more_by_artist"
YOUR_GENRE = "your_genre"
NEW_RELEASE = "new_release"
POPULAR_IN_MARKET = "popular_in_market"
POPULAR = "popular"
COMPLETES_THE_LIST = "completes_the_list"
# What evidence stands behind, the first of equals first.
CODES: Final = (
    NEW_RELEASE,
    BECAUSE_YOU_PLAYED,
    SOUNDS_LIKE,
    ON_PLAYLISTS,
    NEAR_WHAT_YOU_NAMED,
    NEAR_YOUR_SEGMENT,
    MORE_BY_ARTIST,
    YOUR_GENRE,
    POPULAR_IN_MARKET,
    POPULAR,
)
# Settings that the warehouse goes by; it knows them as reasons_….
WAREHOUSE_SETTINGS = ("prior_completions",)
_TABLE: Final = "reason_lifts"


@dataclass(frozen=True)
class ReasonParams:
    """Which of several true reasons is told."""

    anchor_share: float = field(
        default=0.5,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of what the strongest heard track adds to a score, at least, adds one that is named in its turn.",
        },
    )
    genre_share: float = field(
        default=0.2,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of what the listener likes, at least, is of the genre that a reason names.",
        },
    )
    learned_weight: float = field(
        default=1.0,
        metadata={
            "unit": "power",
            "min": 0.0,
            "max": 10.0,
            "doc": "Of a reason's lift, in the choice among true ones; 0: what weighs most is told.",
        },
    )
    least_strength: float = field(
        default=0.5,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of the strongest component, at least, is that of a reason which may be told in its place.",
        },
    )
    prior_completions: float = field(
        default=50.0,
        metadata={
            "unit": "completions",
            "min": 0.001,
            "max": 10**6,
            "doc": "Foretold ones that a lift of 1 weighs beside everyone's, and everyone's beside a segment's.",
        },
    )


@dataclass(frozen=True)
class SlotEvidence:
    """What stands behind c slots.

    components: those that no sentence is true of left out.  anchor: (c,) heard recording or -1.
    is_own_popular, is_popular: (c,) in the popular list of the listener's market, or of everywhere.
    content: of words and sound.  rung: (c,) where the listener's vector comes from, codes of rules.RUNGS.
    genre: (c,) place of the genre that can be named, -1 where none can.
    """

    components: Components
    anchor: Ints
    is_own_popular: Bools
    is_popular: Bools
    content: ContentEvidence
    rung: Ints
    genre: Ints

    def strengths(self) -> Floats:
        """(CODES, c) the component of each reason where it is true, 0 elsewhere."""
        of = self.components
        popular = np.maximum(of.popularity, of.demand)
        told = (
            of.freshness,
            np.where(self.anchor >= 0, of.collaborative, 0.0),
            np.where(self.content.sounds_like >= 0, of.audio, 0.0),
            np.where(self.content.playlist >= 0, of.text, 0.0),
            np.where(self.rung == CONTENT_RUNG, of.collaborative, 0.0),
            np.where(self.rung == SEGMENT_RUNG, of.collaborative, 0.0),
            of.artist_affinity,
            np.where(self.genre >= 0, of.genre_affinity, 0.0),
            np.where(self.is_own_popular, popular, 0.0),
            # In the listener's market says the same and more: between the two, luck would decide.
            np.where(self.is_popular & ~self.is_own_popular, popular, 0.0),
        )
        return np.asarray(np.maximum(np.stack(told), 0.0))


@dataclass(frozen=True)
class ReasonChoice:
    """How reasons are chosen in one week.

    lifts: (g + 1, CODES) of read_lifts; None: nothing is known of what reasons led to.
    """

    params: ReasonParams
    lifts: Floats | None = None

    @property
    def is_learned(self) -> bool:
        """Whether what reasons led to counts."""
        return self.lifts is not None and self.params.learned_weight > 0

    @property
    def least_strength(self) -> float:
        """Share of the strongest component from which a reason may be told."""
        return self.params.least_strength if self.is_learned else 1.0

    def codes(self, evidence: SlotEvidence, taste: Floats, rows: Ints) -> npt.NDArray[np.str_]:
        """(c,) the reason of each slot.

        taste: (b, g) of Genres.taste, whose leading genre is the segment.  rows: (c,) row of taste of each slot.
        A component of zero or less is no reason.
        """
        strongest = strongest_reason(evidence)
        if self.lifts is None or not self.is_learned:
            return strongest
        segment = leading_genre(taste, len(self.lifts) - 1)[rows]
        strength = evidence.strengths()
        weighs = (strength > 0) & (strength >= self.least_strength * evidence.components.strongest())
        worth = np.where(weighs, strength * self.lifts[segment].T ** self.params.learned_weight, 0.0)
        return np.where(weighs.any(axis=0), np.array(CODES)[worth.argmax(axis=0)], strongest)


def strongest_reason(evidence: SlotEvidence) -> npt.NDArray[np.str_]:
    """(c,) the code of the evidence that weighs most, among the evidence there is."""
    of, strongest = evidence.components, evidence.components.strongest()
    collaborative, fresh, anchored = of.collaborative, of.freshness > 0, evidence.anchor >= 0
    wanted = (of.popularity > 0) | ((of.demand > 0) & (of.demand >= strongest))
    chosen = (
        (NEW_RELEASE, fresh & (of.freshness >= strongest)),
        (BECAUSE_YOU_PLAYED, (collaborative > 0) & (collaborative >= strongest) & anchored),
        (SOUNDS_LIKE, (of.audio > 0) & (of.audio >= strongest) & (evidence.content.sounds_like >= 0)),
        (ON_PLAYLISTS, (of.text > 0) & (of.text >= strongest) & (evidence.content.playlist >= 0)),
        (NEAR_WHAT_YOU_NAMED, (collaborative > 0) & (evidence.rung == CONTENT_RUNG)),
        (NEAR_YOUR_SEGMENT, (collaborative > 0) & (evidence.rung == SEGMENT_RUNG)),
        (MORE_BY_ARTIST, (of.artist_affinity > 0) & (of.artist_affinity >= strongest)),
        (YOUR_GENRE, (of.genre_affinity > 0) & (of.genre_affinity >= strongest) & (evidence.genre >= 0)),
        (POPULAR_IN_MARKET, wanted & evidence.is_own_popular),
        (POPULAR, wanted & evidence.is_popular),
        (BECAUSE_YOU_PLAYED, (collaborative > 0) & anchored),
        (NEW_RELEASE, fresh),
        (POPULAR_IN_MARKET, evidence.is_own_popular),
        (POPULAR, evidence.is_popular),
    )
    codes, conditions = zip(*chosen, strict=True)
    return np.select(conditions, codes, COMPLETES_THE_LIST)


def read_lifts(reason_lifts: pa.Table, genre_names: pa.Array) -> Floats:
    """(g + 1, CODES) float64 of the table of that name: everyone's where a segment has none, 1 where there is none.

    genre_names: g, sorted, as Genres has them; everyone is the last row. InputError where a lift is no factor.
    """
    lift = column(reason_lifts, _TABLE, "lift", np.float64)
    wrong = np.flatnonzero(~(np.isfinite(lift) & (lift > 0)))
    if len(wrong):
        raise InputError(f"{_TABLE}: lift is {lift[wrong[0]]:g} in row {wrong[0]}; it must be above 0")
    row = segment_rows(strings(reason_lifts, _TABLE, "segment"), genre_names)
    told = pc.index_in(strings(reason_lifts, _TABLE, "reason_code"), pa.array(CODES))
    code = pc.fill_null(told, -1).to_numpy(zero_copy_only=False)
    found, everyone = np.ones((len(genre_names) + 1, len(CODES))), len(genre_names)
    of_all, of_some = (row == everyone) & (code >= 0), (row >= 0) & (row < everyone) & (code >= 0)
    found[:, code[of_all]] = lift[of_all]
    found[row[of_some], code[of_some]] = lift[of_some]
    return found
