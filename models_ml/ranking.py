"""The final score of a candidate: a sum of named components, each of which is published.

Belongs here: the components, their weights, their sum.
Does not: which candidates there are, which thirty are taken.
"""

from dataclasses import dataclass, field, fields, replace
from functools import reduce

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
    text_weight: float = field(
        default=0.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Per unit of affinity in words: cosine with what the listener likes, at most 1.",
        },
    )
    audio_weight: float = field(
        default=0.0,
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Per unit of affinity in sound: cosine with what the listener likes, at most 1.",
        },
    )
    popularity_penalty: float = field(
        # Popularity in proportion (rules.popularity_calibration_weight) does what this did: at 0.05 lists find 4 and 5
        # per cent less and are farther from how popular a listener's music is (demo world, seeds 101 and 102).
        default=0.0,
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
        metadata={
            "unit": "score",
            "min": 0.0,
            "max": 100.0,
            "doc": "Given on the day of release; less to listeners of whom little is known, whose scores are low.",
        },
    )
    freshness_half_life_days: float = field(
        default=21.0,
        metadata={"unit": "days", "min": 0.1, "max": 3650.0, "doc": "Halves the freshness component."},
    )
    boost_weight: float = field(
        default=0.05,
        metadata={"unit": "score", "min": 0.0, "max": 100.0, "doc": "Given to what landed overrides boost."},
    )


@dataclass(frozen=True)
class Components:
    """(c,) float64 each; final is their sum, taken in this order.

    The last three are what a learned ranker adds, zero without one.
    """

    collaborative: Floats
    artist_affinity: Floats
    text: Floats
    audio: Floats
    popularity: Floats
    freshness: Floats
    boost: Floats
    demand: Floats
    genre_affinity: Floats
    context: Floats

    def each(self) -> dict[str, Floats]:
        """The components by name, in their order."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @property
    def final(self) -> Floats:
        """The final score."""
        return np.asarray(reduce(np.add, self.each().values()))

    def strongest(self) -> Floats:
        """The largest component."""
        return np.asarray(np.maximum.reduce(list(self.each().values())))

    def take(self, places: Ints) -> "Components":
        """The components at these places, in the shape of `places`."""
        return Components(**{name: part[places] for name, part in self.each().items()})

    def learned(self, places: Ints, families: dict[str, Floats]) -> "Components":
        """The same, with what was learnt in place of what was declared, for the candidates at these places.

        families: (places,) by name.  A component without a family stays: the popularity penalty comes on top.
        """
        parts = {name: getattr(self, name).copy() for name in families}
        for name, learnt in families.items():
            parts[name][places] = learnt
        return replace(self, **parts)


@dataclass(frozen=True)
class ContentScores:
    """What words and sound say of each candidate, (c,) float64.

    text_share, audio_share: the part of its retrieval score that comes from them, where they helped to place it.
    text_affinity, audio_affinity: how near it is to what the listener likes, -1 to 1.
    """

    text_share: Floats
    audio_share: Floats
    text_affinity: Floats
    audio_affinity: Floats

    @classmethod
    def nothing(cls, count: int) -> "ContentScores":
        """Of candidates that nothing is written about and that nobody heard the sound of."""
        return cls(*(np.zeros(count) for _ in range(4)))


def score(
    features: WeekFeatures,
    listeners: Ints,
    recordings: Ints,
    retrieval_scores: Floats,
    is_personal: Bools,
    params: RankingParams,
    pull_left: Floats,
    reach: Floats,
    content: ContentScores | None = None,
) -> Components:
    """Components of each candidate.

    retrieval_scores: (c,) inner products where is_personal.  is_personal: (c,) True where the listener's
    vector found the candidate; elsewhere popularity in the market stands for it.
    pull_left: (m,) what idleness has left of each recording (serving.py); it weakens the artist's pull as it does
    the vector's.
    reach: (n,) how long each listener's vector is (CollaborativeFactors.reach): as freshness stays below it, a list of
    someone hardly known isn't all new releases.
    content: None where there are neither words nor sound.
    """
    content = content or ContentScores.nothing(len(recordings))
    near = retrieval_scores.astype(np.float64) - content.text_share - content.audio_share
    strength = features.popular.strength(features.popular_list[listeners], recordings)
    percentile = features.recordings.popularity_percentile[recordings]
    age_days = features.recordings.age_days[recordings]
    fresh = params.freshness_weight * 0.5 ** (age_days / params.freshness_half_life_days)
    fresh *= np.where(is_personal, reach[listeners], 1.0)
    return Components(
        collaborative=np.where(is_personal, params.collaborative_weight * near, 0.0),
        artist_affinity=_artist_affinity(features, listeners, recordings, params) * pull_left[recordings] * is_personal,
        text=_content(content.text_share, content.text_affinity, params.text_weight, params) * is_personal,
        audio=_content(content.audio_share, content.audio_affinity, params.audio_weight, params) * is_personal,
        popularity=np.where(is_personal, -params.popularity_penalty * percentile, params.popular_weight * strength),
        freshness=np.where(np.isnan(age_days), 0.0, fresh),
        boost=params.boost_weight * features.recordings.is_boosted[recordings],
        demand=np.zeros(len(recordings)),
        genre_affinity=np.zeros(len(recordings)),
        context=np.zeros(len(recordings)),
    )


def _content(share: Floats, affinity: Floats, weight: float, params: RankingParams) -> Floats:
    """(c,) what words, or sound, add."""
    return params.collaborative_weight * share + weight * affinity


def _artist_affinity(features: WeekFeatures, listeners: Ints, recordings: Ints, params: RankingParams) -> Floats:
    """(c,) what the listener's history with the first credited artist adds."""
    if not params.artist_affinity_weight or not len(features.prior_tracks):
        return np.zeros(len(recordings))
    found = features.known_artists.find(listeners, features.artist_of_recording[recordings])
    tracks = np.where(found >= 0, features.prior_tracks[np.maximum(found, 0)], 0)
    return np.asarray(params.artist_affinity_weight * np.log1p(tracks.astype(np.float64)))
