"""Words and sound as evidence: what they add to a score, which liked recording is near, which playlist holds both.

Belongs here: their scores of candidates, and what stands behind slots whose score comes from them most.
Does not: scores, reason codes (explanation.py), sentences (the warehouse).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.affinity import ContentAffinity
from models_ml.arrays import Bools, Floats, Ints, Pairs
from models_ml.collaborative import CollaborativeFactors
from models_ml.flow import Sounds
from models_ml.pools import Pool
from models_ml.ranking import Components, ContentScores, RankingParams
from models_ml.retrieval import inner_products

# Two recordings sound alike from here on; below it the nearest is merely the least far.
SOUNDS_ALIKE = 0.5


@dataclass(frozen=True)
class ContentEvidence:
    """(c,) int32 each, -1 where there is none.

    sounds_like: liked recording that sounds most like it.  beside: liked recording nearest to it in words that stands
    on a playlist with it.  playlist: the shortest such playlist.
    """

    sounds_like: Ints
    beside: Ints
    playlist: Ints

    @classmethod
    def nothing(cls, count: int) -> "ContentEvidence":
        """For so many slots."""
        none = np.full(count, -1, dtype=np.int32)
        return cls(none, none.copy(), none.copy())


@dataclass(frozen=True)
class Content:
    """What is known of recordings beside listening.

    text, audio: affinities in either space, None where there is none.  playlists: of each recording, ascending.
    playlist_length: recordings on each playlist.  sounds: tempo, key and energy, None where there is no sound.
    """

    text: ContentAffinity | None = None
    audio: ContentAffinity | None = None
    playlists: Pairs | None = None
    playlist_length: Ints | None = None
    sounds: Sounds | None = None

    def evidence(
        self, listeners: Ints, recordings: Ints, components: Components, least: float = 1.0
    ) -> ContentEvidence:
        """Evidence of slots where words, or sound, are at least such a share of the strongest component."""
        found = ContentEvidence.nothing(len(recordings))
        strongest = least * components.strongest()
        if self.audio is not None:
            rows = np.flatnonzero((components.audio > 0) & (components.audio >= strongest))
            near = self.audio.nearest(listeners[rows], recordings[rows])
            found.sounds_like[rows] = np.where(near.cosine >= SOUNDS_ALIKE, near.recording, -1)
        if self.text is not None and self.playlists is not None and self.playlist_length is not None:
            rows = np.flatnonzero((components.text > 0) & (components.text >= strongest))
            near = self.text.nearest(listeners[rows], recordings[rows])
            playlist = _shared(self.playlists, self.playlist_length, recordings[rows], near.recording)
            found.playlist[rows] = playlist
            found.beside[rows] = np.where(playlist >= 0, near.recording, -1)
        return found


def _shared(playlists: Pairs, length: Ints, recordings: Ints, others: Ints) -> Ints:
    """(c,) int32 shortest playlist that holds both, ties by position, -1 where none does or the other is -1."""
    shared = np.full(len(recordings), -1, dtype=np.int32)
    asked = np.flatnonzero(others >= 0)
    row, position = playlists.positions(recordings[asked])
    other_row, other_position = playlists.positions(others[asked])
    keys = row * playlists.width + playlists.values[position]
    both = _in_both(keys, other_row * playlists.width + playlists.values[other_position])
    row, playlist = both // playlists.width, both % playlists.width
    order = np.lexsort((playlist, length[playlist], row))
    first = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
    shared[asked[row[first]]] = playlist[first]
    return shared


def _in_both(keys: Ints, others: Ints) -> Ints:
    """Those of the keys that are among the others, both ascending: np.isin would gather the distinct ones first."""
    return keys[others[np.minimum(np.searchsorted(others, keys), len(others) - 1)] == keys] if len(others) else others


def content_scores(
    factors: CollaborativeFactors, content: Content, listeners: Ints, pool: Pool, params: RankingParams
) -> ContentScores:
    """What words and sound say of each candidate of a block of listeners."""
    queries, nothing = factors.listener_factors[listeners], np.zeros(len(pool))
    near = [
        of.of(listeners, pool.rows, pool.recordings) if weight and of is not None else nothing
        for of, weight in ((content.text, params.text_weight), (content.audio, params.audio_weight))
    ]
    placed = [_share(queries, vectors, pool) for vectors in (factors.served_text, factors.served_audio)]
    return ContentScores(*placed, *near)


def _share(queries: Floats, vectors: Floats | None, pool: Pool) -> Floats:
    """(c,) float64 inner products with vectors that most recordings have none of.  None: zeros."""
    part = np.zeros(len(pool))
    if vectors is not None:
        known: Bools = np.asarray(vectors.any(axis=1))
        some = known[pool.recordings]
        part[some] = inner_products(queries, vectors, pool.rows[some], pool.recordings[some])
    return part
