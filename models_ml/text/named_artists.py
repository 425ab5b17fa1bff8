"""Recordings beside the artists that a text names: those by who is on the same lists as they are.

Whoever writes "with Adele and Lady Gaga" on a playlist means what goes with them, not these two alone.

Belongs here: how sure a name is an artist's, which artists are listed together, what that says of recordings.
Does not: recordings that bear the very name (word_index.py), names as words (own_names.py).

Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001: likeness of two as the
cosine of who has both; here of artists, by the lists they are on.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse

from models_ml.arrays import Floats, Ints, column, joined
from models_ml.text.columns import Ragged
from models_ml.text.contexts import Contexts, Source
from models_ml.text.own_names import OwnNames
from models_ml.text.phrases import KnownWords
from models_ml.text.pooling import about, unit_rows, word_counts
from models_ml.text.tokens import tokens


@dataclass(frozen=True)
class ListedArtists:
    """Artists who are on lists, by name; those of one name are one.

    names: (a,) string, each whole name as one token.
    share: (a,) float64, how sure the name means the artist, 0 where it is just a word.
    lists: lists of each.  weights: (pairs,) float32 beside `lists.values`, of each artist at length one.
    recordings: recordings of each, by position, ascending.
    """

    names: pa.Array
    share: Floats
    lists: Ragged
    weights: Floats
    recordings: Ragged

    def scores(self, text: str, described: str, title_weight: float, listed: Ints) -> Floats:
        """(recordings,) float64: what the artists that words name say of each recording, 1 for the most of any.

        A name in `text` weighs `title_weight` times one in `described`. listed: (recordings,) contexts of each; much
        listed ones come first, those of none have 0. A recording by several artists is as near as they are in the mean.
        """
        named = self._known_names.weights(tokens(text), tokens(described), title_weight)
        asked = np.zeros(len(self.names))
        for place, weight in named.items():
            asked[place] = weight * self.share[place]
        by_list = self._by_list
        near = np.zeros(len(listed))
        near[: self._by_recording.shape[0]] = self._by_recording @ (by_list @ (by_list.T @ asked))
        near *= np.log1p(listed)
        return np.asarray(near / max(float(near.max(initial=0.0)), 1e-12))

    def to_table(self) -> pa.Table:
        """name, share, list_indexes, weights, recording_indexes: a row an artist."""
        return pa.table(
            {
                "name": self.names,
                "share": pa.array(self.share, pa.float64()),
                "list_indexes": _lists(self.lists.indptr, pa.array(self.lists.values, pa.int32())),
                "weights": _lists(self.lists.indptr, pa.array(self.weights, pa.float32())),
                "recording_indexes": _lists(self.recordings.indptr, pa.array(self.recordings.values, pa.int32())),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "ListedArtists":
        """What `to_table` gave, rows in the same order."""
        lists, weights, recordings = (
            joined(table.column(name)) for name in ("list_indexes", "weights", "recording_indexes")
        )
        return cls(
            joined(table.column("name")),
            column(table, "listed_artists", "share", np.float64),
            _ragged(lists),
            pc.list_flatten(weights).to_numpy(),
            _ragged(recordings),
        )

    @cached_property
    def _known_names(self) -> KnownWords:
        return KnownWords(self.names.to_pylist())

    @cached_property
    def _by_recording(self) -> scipy.sparse.csr_matrix:
        """(recordings, artists): its artists, in the mean."""
        count = int(self.recordings.values.max(initial=-1)) + 1
        credits = np.bincount(self.recordings.values, minlength=count)
        pairs = (1.0 / credits[self.recordings.values], self.recordings.values, self.recordings.indptr)
        return scipy.sparse.csr_matrix(pairs, shape=(len(self.names), count)).T.tocsr()

    @cached_property
    def _by_list(self) -> scipy.sparse.csr_matrix:
        pairs = (self.weights.astype(np.float64), self.lists.values, self.lists.indptr)
        return scipy.sparse.csr_matrix(pairs, shape=(len(self.names), int(self.lists.values.max(initial=-1)) + 1))


def no_artists() -> ListedArtists:
    """Of a week in which nobody is on a list."""
    none = Ragged(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return ListedArtists(pa.array([], pa.string()), np.zeros(0), none, np.zeros(0, dtype=np.float32), none)


def list_artists(contexts: Contexts, names: OwnNames, name_share: float) -> ListedArtists:
    """The artists that are on playlists and in documents, and which.

    A tag is on too much to say what goes together. A name whose share is below `name_share` is just a word: its share
    becomes 0, and it names nobody.
    """
    recordings, words = len(names.artists), len(names.vocabulary)
    pairs = (np.ones(len(names.artists.values)), names.artists.values, names.artists.indptr)
    credited = scipy.sparse.csr_matrix(pairs, shape=(recordings, words))
    sources = (contexts.playlists, contexts.documents)
    listed = np.flatnonzero(credited.T @ sum(np.diff(about(source, recordings).indptr) for source in sources))
    if not len(listed):
        return no_artists()
    by_artist = credited[:, listed].T.tocsr()
    by_artist.sort_indices()
    lists = unit_rows(scipy.sparse.hstack([_on_lists(source, by_artist) for source in sources]).tocsr())
    lists.sort_indices()
    share = _share_of_artist(contexts, names)[listed]
    return ListedArtists(
        pa.array([names.vocabulary[word] for word in listed.tolist()], pa.string()),
        np.where(share < name_share, 0.0, share),
        Ragged(lists.indptr.astype(np.int64), lists.indices.astype(np.int64)),
        lists.data.astype(np.float32),
        Ragged(by_artist.indptr.astype(np.int64), by_artist.indices.astype(np.int64)),
    )


def _share_of_artist(contexts: Contexts, names: OwnNames) -> Floats:
    """(vocabulary,) float64: of recordings and texts with the word, those whose artist is called so."""
    written = np.zeros(len(names.vocabulary), dtype=np.int64)
    written[: len(contexts.vocabulary)] = word_counts(contexts)
    credited = np.bincount(names.artists.values, minlength=len(names.vocabulary))
    return np.asarray(credited / np.maximum(names.counts + written, 1))


def _on_lists(source: Source, by_artist: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """(artists, lists): the root of how much of an artist is on each list, every list at length one."""
    held = (by_artist @ about(source, by_artist.shape[1])).T.tocsr()
    held.eliminate_zeros()
    return unit_rows(held.sqrt()).T.tocsr()


def _lists(indptr: Ints, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(indptr, pa.int32()), values)


def _ragged(lists: pa.Array) -> Ragged:
    return Ragged(lists.offsets.to_numpy().astype(np.int64), pc.list_flatten(lists).to_numpy().astype(np.int64))
