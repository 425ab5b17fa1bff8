"""The final score of a candidate: a sum of named components, each of which is published.

Belongs here: the components, their weights, their sum.
Does not: which candidates there are, which thirty are taken.
"""

from dataclasses import dataclass, field

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.features import WeekFeatures


@dataclass(frozen=True)
class RankingParams:
    """Weights of the components of the final score."""

    collaborative_weight: float = field(
        default=1.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Per unit of listener-recording affinity.",
        },
    )
    artist_affinity_weight: float = field(
        default=0.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Per ln(1 + tracks by its artist that the listener has heard).",
        },
    )
    popularity_penalty: float = field(
        default=0.05,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Taken from the most popular recording of all, for listeners with a vector of their own.",
        },
    )
    popular_weight: float = field(
        default=1.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Given to the first of the market's popular list, for listeners without a vector.",
        },
    )
    freshness_weight: float = field(
        default=0.05,
        metadata={"unit": "score", "min": 0.0, "max": 100.0, "doc": "Given on the day of release."},
    )
    freshness_half_life_days: float = field(
        default=21.0,
        metadata={"unit": "days", "min": 0.1, "max": 3650.0, "doc": "Halves the freshness component."},
    )


@dataclass(frozen=True)
class Components:
    """(c,) float64 each; final is ((collaborative + artist_affinity) + popularity) + freshness."""

    collaborative: Floats
    artist_affinity: Floats
    popularity: Floats
    freshness: Floats

    @property
    def final(self) -> Floats:
        """The final score."""
        return ((self.collaborative + self.artist_affinity) + self.popularity) + self.freshness

    def take(self, places: Ints) -> "Components":
        """The components at these places, in the shape of `places`."""
        return Components(
            self.collaborative[places], self.artist_affinity[places], self.popularity[places], self.freshness[places]
        )


def score(
    features: WeekFeatures,
    listeners: Ints,
    recordings: Ints,
    retrieval_scores: Floats,
    is_personal: Bools,
    params: RankingParams,
    pull_left: Floats,
) -> Components:
    """Components of each candidate.

    retrieval_scores: (c,) inner products where is_personal.  is_personal: (c,) True where the listener's
    vector found the candidate; elsewhere popularity in the market stands for it.
    pull_left: (m,) what idleness has left of each recording (serving.py); it weakens the artist's pull as it does
    the vector's.
    """
    strength = features.popular.strength(features.popular_list[listeners], recordings)
    percentile = features.recordings.popularity_percentile[recordings]
    age_days = features.recordings.age_days[recordings]
    fresh = params.freshness_weight * 0.5 ** (age_days / params.freshness_half_life_days)
    return Components(
        collaborative=np.where(is_personal, params.collaborative_weight * retrieval_scores.astype(np.float64), 0.0),
        artist_affinity=_artist_affinity(features, listeners, recordings, params) * pull_left[recordings] * is_personal,
        popularity=np.where(is_personal, -params.popularity_penalty * percentile, params.popular_weight * strength),
        freshness=np.where(np.isnan(age_days), 0.0, fresh),
    )


def _artist_affinity(features: WeekFeatures, listeners: Ints, recordings: Ints, params: RankingParams) -> Floats:
    """(c,) what the listener's history with the first credited artist adds."""
    if not params.artist_affinity_weight or not len(features.prior_tracks):
        return np.zeros(len(recordings))
    found = features.known_artists.find(listeners, features.artist_of_recording[recordings])
    tracks = np.where(found >= 0, features.prior_tracks[np.maximum(found, 0)], 0)
    return np.asarray(params.artist_affinity_weight * np.log1p(tracks.astype(np.float64)))
