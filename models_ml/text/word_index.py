"""Which recordings stand under a word: those it was written about, and those whose own names have it.

Belongs here: weights of words, what each says of a recording, the best of each word. Does not: what a token is
(tokens.py), the direction of words (vectors.py).

Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing and
Management 24(5), 1988: terms weighted by how rare they are, texts at length one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints, column, joined
from models_ml.text.columns import Ragged
from models_ml.text.contexts import Contexts, Source
from models_ml.text.own_names import OwnNames
from models_ml.text.params import TextParams
from models_ml.text.phrases import KnownWords
from models_ml.text.pooling import about, context_counts, unit_rows, word_counts
from models_ml.text.tokens import tokens

# Pairs of a word and a recording added up at a time.
_PAIRS = 20_000_000


@dataclass(frozen=True)
class WordIndex:
    """Words with the recordings they say most of.

    words: (w,) string.  rarity: (w,) float64, how rare each is, 0 where it wasn't kept.
    recordings: recordings of each word, by position, ascending.
    weights: (pairs,) float32 beside `recordings.values`, above 0.
    named: (pairs,) bool, whether the word is in a name of the recording.
    """

    words: pa.Array
    rarity: Floats
    recordings: Ragged
    weights: Floats
    named: Bools

    def scores(self, text: str, described: str, title_weight: float, recording_count: int) -> Floats:
        """(recording_count,) float64: what the words of a text say of each recording.

        1 for the most they say of any, or for what one list of the very same words would say of its recordings, if that
        is more: where no text is like it, words say little. A word of `text` weighs `title_weight` times one of
        `described`.
        """
        total, squares = np.zeros(recording_count), 0.0
        for word, times in self._known_words.weights(tokens(text), tokens(described), title_weight).items():
            place = slice(self.recordings.indptr[word], self.recordings.indptr[word + 1])
            total[self.recordings.values[place]] += times * self.weights[place].astype(np.float64)
            squares += (times * float(self.rarity[word])) ** 2
        return total / max(float(total.max(initial=0.0)), float(np.sqrt(squares)), 1e-12)

    def name_one(self, texts: Sequence[str], most: int) -> bool:
        """Whether all words of the texts are in the names of one recording.

        most: recordings that may stand under a word. Of a word that has so many others were left out, so it says
        nothing; where all words are such, False.
        """
        common: Ints | None = None
        for word in dict.fromkeys(token for text in texts for token in tokens(text)):
            place = self._known_words.place(word)
            if place is None:
                return False
            pairs = slice(self.recordings.indptr[place], self.recordings.indptr[place + 1])
            if pairs.stop - pairs.start < most:
                recordings = self.recordings.values[pairs][self.named[pairs]]
                common = recordings if common is None else np.intersect1d(common, recordings, assume_unique=True)
        return common is not None and len(common) > 0

    def known(self, text: str) -> list[int]:
        """Places of the words of a text that recordings stand under, each once."""
        return self._known_words.among(tokens(text))

    def to_table(self) -> pa.Table:
        """word, rarity, recording_index, weight, is_named: a row a pair, by word."""
        word = pa.DictionaryArray.from_arrays(pa.array(self.recordings.rows, pa.int32()), self.words)
        return pa.table(
            {
                "word": word.cast(pa.string()),
                "rarity": pa.array(self.rarity[self.recordings.rows], pa.float64()),
                "recording_index": pa.array(self.recordings.values, pa.int32()),
                "weight": pa.array(self.weights, pa.float32()),
                "is_named": pa.array(self.named, pa.bool_()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "WordIndex":
        """What `to_table` gave, rows in the same order; of a week before rarity and names were kept, without them."""
        word = joined(table.column("word")).dictionary_encode()
        rows = word.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        recordings = column(table, "word_recordings", "recording_index", np.int64)
        weights = column(table, "word_recordings", "weight", np.float32)
        rarity, named = np.zeros(len(word.dictionary)), np.zeros(len(rows), dtype=bool)
        if "rarity" in table.column_names:
            rarity[rows] = column(table, "word_recordings", "rarity", np.float64)
            named = column(table, "word_recordings", "is_named", np.bool_)
        return cls(word.dictionary, rarity, Ragged.of(rows, recordings, len(word.dictionary)), weights, named)

    @cached_property
    def _known_words(self) -> KnownWords:
        return KnownWords(self.words.to_pylist())


def no_words() -> WordIndex:
    """The index of a week without one."""
    nothing = np.zeros(0, dtype=np.int64)
    none = Ragged(np.zeros(1, dtype=np.int64), nothing)
    return WordIndex(pa.array([], pa.string()), np.zeros(0), none, nothing.astype(np.float32), nothing.astype(bool))


def index_words(contexts: Contexts, names: OwnNames, params: TextParams) -> WordIndex:
    """The recordings of each word, written about them or in their own names, best `recordings_per_word` of each."""
    if not names.vocabulary:
        return no_words()
    width = len(names.vocabulary)
    written = np.zeros(width, dtype=np.int64)
    written[: len(contexts.vocabulary)] = word_counts(contexts)
    rarity = np.minimum(_rarity(written, _context_count(contexts)), _rarity(names.counts, len(names.words)))
    written_about = [(source, _of_length_one(source.words, source.word_weight, rarity)) for source in contexts.sources]
    of_names = _of_length_one(names.words, names.weight, rarity)
    is_written = context_counts(contexts) > 0
    of_names.data *= params.own_names_weight * np.where(is_written, 1.0, params.unwritten_weight)[names.words.rows]
    words, recordings, weights = _best_of_words(written_about, of_names, rarity, params.recordings_per_word)
    kept, rows = np.unique(words, return_inverse=True)
    found = pa.array([names.vocabulary[word] for word in kept.tolist()], pa.string())
    is_named = np.isin(words * len(names.words) + recordings, names.words.values * len(names.words) + names.words.rows)
    listed = Ragged.of(rows, recordings, len(kept))
    return WordIndex(found, rarity[kept], listed, weights.astype(np.float32), is_named)


def _rarity(count: Ints, of: int) -> Floats:
    return np.asarray(np.log((1 + of) / (1 + count)) + 1.0)


def _context_count(contexts: Contexts) -> int:
    """Contexts, counted as `word_counts` counts them."""
    return len(contexts.playlists.words) + len(contexts.documents.words) + len(contexts.tags.recordings.values)


def _of_length_one(words: Ragged, weight: Floats, rarity: Floats) -> scipy.sparse.csr_matrix:
    """(rows, words): weights times rarity, each row at length one."""
    pairs = (weight * rarity[words.values], words.values, words.indptr)
    return unit_rows(scipy.sparse.csr_matrix(pairs, shape=(len(words), len(rarity))))


def _best_of_words(
    written_about: list[tuple[Source, scipy.sparse.csr_matrix]],
    of_names: scipy.sparse.csr_matrix,
    rarity: Floats,
    most: int,
) -> tuple[Ints, Ints, Floats]:
    """(word, recording, weight) of the recordings each word says most of, by word, then recording; ties by recording.

    Words are taken in groups, so that what they say of all recordings is never held at once.
    """
    columns = [of_names.T.tocsr()]
    work = np.diff(columns[0].indptr).astype(np.int64)
    recordings = []
    for source, written in written_about:
        length = np.diff(source.recordings.indptr)
        columns.append(written.T.tocsr())
        work += np.bincount(source.words.values, length[source.words.rows], minlength=len(rarity)).astype(np.int64)
        recordings.append(about(source, of_names.shape[0]).T.tocsr())
    bounds = np.searchsorted(np.cumsum(work), np.arange(0, work.sum() + _PAIRS, _PAIRS))
    bounds = np.unique([0, *bounds, len(rarity)])
    parts = []
    for start, stop in pairwise(bounds):
        said = columns[0][start:stop]
        for by_word, held in zip(columns[1:], recordings, strict=True):
            said = said + by_word[start:stop] @ held
        word, found, weight = _best_of_rows(said, most)
        parts.append((word + start, found, weight * rarity[word + start]))
    words, found, weights = (np.concatenate(values) for values in zip(*parts, strict=True))
    return words, found, weights


def _best_of_rows(rows: scipy.sparse.csr_matrix, most: int) -> tuple[Ints, Ints, Floats]:
    """(row, column, value) of the `most` largest values of each row, by row, then column; ties by column."""
    rows.sort_indices()
    rows.eliminate_zeros()
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    kept = np.ones(len(row), dtype=bool)
    for long in np.flatnonzero(np.diff(rows.indptr) > most).tolist():
        place = slice(rows.indptr[long], rows.indptr[long + 1])
        kept[place.start + np.argsort(-rows.data[place], kind="stable")[most:]] = False
    return row[kept], rows.indices[kept].astype(np.int64), rows.data[kept]
