"""Features of candidates: one definition, for the rows that are kept to learn from and for those that are scored.

Belongs here: the features, the families they form, their computation for a block of listeners.
Does not: outcomes (the warehouse), learning (training.py), scores (tables.py).

Trees never mix families, so that a score falls apart into families exactly; few features each, so that the sum of a
family's trees is a table of some ten thousand cells.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints
from models_ml.collaborative import CollaborativeFactors
from models_ml.evidence import Content
from models_ml.features import WeekFeatures
from models_ml.funnel import sampled_listeners
from models_ml.genres import MOST_GENRES, Genres
from models_ml.pools import Pool
from models_ml.ranker.near_artists import NearArtists
from models_ml.ranking import ContentScores

POSITION: Final = "position"
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    # Not the inner product itself, which orders a listener's candidates as standing does: without it the best by
    # completions have nDCG@30 1 and 2 % higher and are skipped 1 and 3 % less (demo world, seeds 101 and 102).
    "collaborative": ("standing", "cosine", "artist_nearness"),
    "text": ("text_share", "text_affinity"),
    "audio": ("audio_share", "audio_affinity"),
    # Not when it was last heard, nor by how many of late: our own lists move these within a week of being given.
    # Without them, the best by completions are skipped 4 and 1 % less at nDCG@30 1 % above and below (seeds 101, 102).
    "freshness": ("age_days",),
    "demand": ("popularity_percentile", "market_strength"),
    "artist_affinity": ("artist_tracks", "artist_plays", "is_new_artist", "near_disliked"),
    "genre_affinity": ("genre_taste", "genre_best"),
    "context": (POSITION, "rated_recordings", "disliked_share"),
}
FEATURES: Final = tuple(name for family in FAMILIES.values() for name in family)
# Told of every candidate; the position only of those that were given.
TOLD: Final = tuple(name for name in FEATURES if name != POSITION)

RANKING_FEATURES_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("recording_id", pa.string()),
        (POSITION, pa.int8()),
        ("rung", pa.string()),
        *((name, pa.float32()) for name in TOLD),
        ("linear_score", pa.float32()),
    ]
)
# Of Mondays that gave no lists, each told by its date.
REHEARSED_FEATURES_SCHEMA = RANKING_FEATURES_SCHEMA.insert(0, pa.field("list_week", pa.date32()))


@dataclass(frozen=True)
class Featured:
    """Features of some of a pool's candidates.

    places: (c,) ascending places in the pool.  values: (c, features) float32 in the order of FEATURES, NaN where
    unknown; the position always is.  linear_score: (c,) float64.
    """

    places: Ints
    values: Floats
    linear_score: Floats

    @classmethod
    def nothing(cls) -> "Featured":
        """Of no candidate."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, len(FEATURES)), dtype=np.float32), np.zeros(0))

    def rows(self, places: Ints, size: int) -> Ints:
        """Row of `values` of each of these places in a pool of `size`, -1 where there is none."""
        row = np.full(size, -1, dtype=np.int64)
        row[self.places] = np.arange(len(self.places))
        return row[places]


class CandidateFeatures:
    """Computes the features of one week's candidates."""

    def __init__(
        self, features: WeekFeatures, factors: CollaborativeFactors, content: Content, genres: Genres | None
    ) -> None:
        """genres: None where no genre is known."""
        self._features = features
        self._lengths = tuple(np.linalg.norm(of, axis=1) for of in (factors.listener_factors, factors.served))
        self._content = content
        self._near_artists = NearArtists(features.artist_of_recording, factors.served, features.interactions)
        self._genres = genres
        interactions = features.interactions
        liked = _counts(interactions.pairs.indptr, interactions.preference > 0)
        rated = np.diff(interactions.pairs.indptr)
        self._rated = np.log1p(rated)
        self._disliked_share = np.where(rated > 0, 1.0 - liked / np.maximum(rated, 1), np.nan)

    def of(
        self,
        listeners: Ints,
        pool: Pool,
        places: Ints,
        content: ContentScores,
        is_new: Bools,
        linear_score: Floats,
    ) -> Featured:
        """Features of the candidates at these places of the pool of a block of listeners.

        places: ascending; all that a listener's own vector found, of each listener of whom any are asked.
        content, is_new, linear_score: of the whole pool.
        """
        rows, recordings = pool.rows[places], pool.recordings[places]
        owners, week = listeners[rows], self._features
        columns = {
            "standing": standing(rows, pool.scores[places]),
            # Near in taste, however popular: what skips go by (demo world: lists by cosine alone are skipped a
            # fifteenth less than by affinity, and hold a third less of what is found).
            "cosine": self._cosine(owners, recordings, pool.scores[places]),
            "text_share": content.text_share[places],
            "audio_share": content.audio_share[places],
            **self._affinities(listeners, rows, recordings),
            "age_days": week.recordings.age_days[recordings],
            "popularity_percentile": week.recordings.popularity_percentile[recordings],
            "market_strength": week.popular.strength(week.popular_list[owners], recordings),
            **self._artist(owners, recordings),
            "is_new_artist": is_new[places],
            **self._near_artists.of(listeners, rows, recordings),
            **self._genre(listeners, rows, recordings),
            "rated_recordings": self._rated[owners],
            "disliked_share": self._disliked_share[owners],
        }
        # A feature after the other, as they are written and read, though candidates are the rows.
        values = np.full((len(FEATURES), len(places)), np.nan, dtype=np.float32)
        for row, name in enumerate(FEATURES):
            if name != POSITION:
                values[row] = columns[name]
        return Featured(places, values.T, linear_score[places])

    def _cosine(self, owners: Ints, recordings: Ints, scores: Floats) -> Floats:
        """(c,) of the vectors that search takes the inner product of."""
        of_listener, of_recording = self._lengths
        return np.asarray(scores / np.maximum(of_listener[owners] * of_recording[recordings], 1e-9))

    def _affinities(self, listeners: Ints, rows: Ints, recordings: Ints) -> dict[str, Floats]:
        """How near each lies to what its listener likes, in words and in sound; NaN where there is none of either."""
        asked, block = np.unique(rows, return_inverse=True)
        spaces = {"text_affinity": self._content.text, "audio_affinity": self._content.audio}
        nothing = np.full(len(rows), np.nan)
        return {
            name: nothing if space is None else space.of(listeners[asked], block, recordings)
            for name, space in spaces.items()
        }

    def _artist(self, owners: Ints, recordings: Ints) -> dict[str, Floats]:
        """What the listener has heard of the first credited artist."""
        week = self._features
        if not len(week.prior_tracks):
            return dict.fromkeys(("artist_tracks", "artist_plays"), np.zeros(len(owners)))
        found = week.known_artists.find(owners, week.artist_of_recording[recordings])
        counts = {"artist_tracks": week.prior_tracks, "artist_plays": week.prior_plays}
        return {name: np.where(found >= 0, np.log1p(of[found]), 0.0) for name, of in counts.items()}

    def _genre(self, listeners: Ints, rows: Ints, recordings: Ints) -> dict[str, Floats]:
        """Shares of what the listener likes that are of each one's genres: their mean, and the largest."""
        if self._genres is None:
            return dict.fromkeys(FAMILIES["genre_affinity"], np.full(len(rows), np.nan))
        taste = np.pad(self._genres.taste(self._features.interactions, listeners), ((0, 0), (0, 1)))
        mean, best = np.zeros(len(rows), dtype=np.float32), np.zeros(len(rows), dtype=np.float32)
        for column in range(MOST_GENRES):
            share = taste[rows, self._genres.place[recordings, column]]
            mean += share
            np.maximum(best, share, out=best)
        mean *= self._genres.share[recordings]
        unknown = self._genres.count[recordings] == 0
        return {"genre_taste": np.where(unknown, np.nan, mean), "genre_best": np.where(unknown, np.nan, best)}


def logged_listeners(user_id: pa.Array, week: dt.date, count: int) -> Bools:
    """(n,) True for so many of the listeners, others every week: those whose id and week have the lowest hashes."""
    return sampled_listeners(pc.binary_join_element_wise(user_id, week.isoformat(), " "), 0.0, count)


def standing(rows: Ints, scores: Floats) -> Floats:
    """(c,) how many standard deviations each score lies above the mean of its row; rows ascending."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    if not len(starts):
        return np.zeros(0)
    lengths = np.diff(starts, append=len(rows))
    of_row = np.repeat(np.arange(len(starts)), lengths)
    exact = scores.astype(np.float64)
    apart = exact - (np.add.reduceat(exact, starts) / lengths)[of_row]
    spread = np.sqrt(np.add.reduceat(apart**2, starts) / lengths)
    return np.asarray(apart / np.maximum(spread, 1e-9)[of_row])


def _counts(indptr: Ints, flags: Bools) -> Ints:
    """(n,) how many flags are set in each compressed row."""
    before = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(before[indptr[1:]] - before[indptr[:-1]])
