"""Which recordings stand under a word: those it was written about, and those whose own names have it.

Belongs here: weights of words, what each says of a recording, the best of each word. Does not: what a token is
(tokens.py), the direction of words (vectors.py).

Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing and
Management 24(5), 1988: terms weighted by how rare they are, texts at length one.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse

from models_ml.arrays import Floats, Ints, column, joined, strings
from models_ml.text.columns import Ragged, encode, read_column
from models_ml.text.contexts import Contexts, Source, different_words
from models_ml.text.inputs import TextInputs
from models_ml.text.params import TextParams
from models_ml.text.phrases import KnownWords, name_token
from models_ml.text.pooling import about, context_counts, word_counts
from models_ml.text.tokens import tokens

# Pairs of a word and a recording added up at a time.
_PAIRS = 20_000_000


@dataclass(frozen=True)
class WordIndex:
    """Words with the recordings they say most of.

    words: (w,) string.  recordings: recordings of each word, by position, ascending.
    weights: (pairs,) float32 beside `recordings.values`, above 0.
    """

    words: pa.Array
    recordings: Ragged
    weights: Floats

    def scores(self, text: str, described: str, title_weight: float, recording_count: int) -> Floats:
        """(recording_count,) float64: what the words of a text say of each recording, 1 for the most it says of any.

        A word of `text` weighs `title_weight` times one of `described`.
        """
        weight = dict.fromkeys(self.known(described), 1.0) | dict.fromkeys(self.known(text), title_weight)
        total = np.zeros(recording_count)
        for word, times in weight.items():
            place = slice(self.recordings.indptr[word], self.recordings.indptr[word + 1])
            total[self.recordings.values[place]] += times * self.weights[place].astype(np.float64)
        return total / max(float(total.max(initial=0.0)), 1e-12)

    def known(self, text: str) -> list[int]:
        """Places of the words of a text that recordings stand under, each once."""
        return self._known_words.among(tokens(text))

    def to_table(self) -> pa.Table:
        """word, recording_index, weight: a row a pair, by word."""
        word = pa.DictionaryArray.from_arrays(pa.array(self.recordings.rows, pa.int32()), self.words)
        return pa.table(
            {
                "word": word.cast(pa.string()),
                "recording_index": pa.array(self.recordings.values, pa.int32()),
                "weight": pa.array(self.weights, pa.float32()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "WordIndex":
        """What `to_table` gave, rows in the same order."""
        word = joined(table.column("word")).dictionary_encode()
        rows = word.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        recordings = column(table, "word_recordings", "recording_index", np.int64)
        weights = column(table, "word_recordings", "weight", np.float32)
        return cls(word.dictionary, Ragged.of(rows, recordings, len(word.dictionary)), weights)

    @cached_property
    def _known_words(self) -> KnownWords:
        return KnownWords(self.words.to_pylist())


def no_words() -> WordIndex:
    """The index of a week without one."""
    nothing = np.zeros(0, dtype=np.int64)
    return WordIndex(
        pa.array([], pa.string()), Ragged(np.zeros(1, dtype=np.int64), nothing), nothing.astype(np.float32)
    )


def index_words(contexts: Contexts, inputs: TextInputs, params: TextParams) -> WordIndex:
    """The recordings of each word, written about them or in their own names, best `recordings_per_word` of each."""
    own, own_weight, vocabulary = _own_words(contexts.vocabulary, inputs, params)
    if not vocabulary:
        return no_words()
    written = np.zeros(len(vocabulary), dtype=np.int64)
    written[: len(contexts.vocabulary)] = word_counts(contexts)
    named = np.bincount(own.values, minlength=len(vocabulary))
    rarity = np.minimum(_rarity(written, _context_count(contexts)), _rarity(named, inputs.recording_count))
    written_about = [(source, _of_length_one(source.words, source.word_weight, rarity)) for source in contexts.sources]
    of_names = _of_length_one(own, own_weight, rarity)
    is_written = context_counts(contexts) > 0
    of_names.data *= params.own_names_weight * np.where(is_written, 1.0, params.unwritten_weight)[own.rows]
    words, recordings, weights = _best_of_words(written_about, of_names, rarity, params.recordings_per_word)
    kept, rows = np.unique(words, return_inverse=True)
    names = pa.array([vocabulary[word] for word in kept.tolist()], pa.string())
    return WordIndex(names, Ragged.of(rows, recordings, len(kept)), weights.astype(np.float32))


def _rarity(count: Ints, of: int) -> Floats:
    return np.asarray(np.log((1 + of) / (1 + count)) + 1.0)


def _context_count(contexts: Contexts) -> int:
    """Contexts, counted as `word_counts` counts them."""
    return len(contexts.playlists.words) + len(contexts.documents.words) + len(contexts.tags.recordings.values)


def _own_words(known: list[str], inputs: TextInputs, params: TextParams) -> tuple[Ragged, Floats, list[str]]:
    """(the different words of each recording's own names, their weights, the vocabulary with them).

    The whole name of an artist, as one token, weighs `name_weight` times a word of it, a whole title as much as a word.
    """
    names = inputs.names
    recording = column(names, "names", "recording_index", np.int64)
    credits = joined(names.column("artist_names"))
    of_credit = recording[pc.list_parent_indices(credits).to_numpy().astype(np.int64)]
    credited = read_column(pc.list_flatten(credits))
    title, album = (read_column(strings(names, "names", name)) for name in ("title", "album_title"))
    whole = (title.with_tokens(_whole_title), credited.with_tokens(_whole_name))
    encoded, vocabulary = encode([title, album, credited, *whole], known)
    owners = [recording, recording, of_credit, recording, of_credit]
    weights = [1.0, 1.0, 1.0, 1.0, params.name_weight]
    columns = zip(owners, encoded, weights, strict=True)
    parts = [(owner[rows.rows], rows.values, weight) for owner, rows, weight in columns]
    return *different_words(parts[::-1], inputs.recording_count), vocabulary


def _whole_name(words: list[str]) -> list[str]:
    return [token] if (token := name_token(words)) else []


def _whole_title(words: list[str]) -> list[str]:
    """Of several words: one alone is what many others have in theirs, and what moods are called."""
    return _whole_name(words) if len(words) > 1 else []


def _of_length_one(words: Ragged, weight: Floats, rarity: Floats) -> scipy.sparse.csr_matrix:
    """(rows, words): weights times rarity, each row at length one."""
    data = weight * rarity[words.values]
    length = np.sqrt(np.bincount(words.rows, data * data, minlength=len(words)))
    data /= np.maximum(length, 1e-12)[words.rows]
    return scipy.sparse.csr_matrix((data, words.values, words.indptr), shape=(len(words), len(rarity)))


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
        parts.append(_best_of_rows(said, start, rarity, most))
    words, found, weights = (np.concatenate(values) for values in zip(*parts, strict=True))
    return words, found, weights


def _best_of_rows(
    said: scipy.sparse.csr_matrix, first_word: int, rarity: Floats, most: int
) -> tuple[Ints, Ints, Floats]:
    said.sort_indices()
    said.eliminate_zeros()
    word = np.repeat(np.arange(said.shape[0]), np.diff(said.indptr))
    kept = np.ones(len(word), dtype=bool)
    for row in np.flatnonzero(np.diff(said.indptr) > most).tolist():
        place = slice(said.indptr[row], said.indptr[row + 1])
        kept[place.start + np.argsort(-said.data[place], kind="stable")[most:]] = False
    word = word[kept] + first_word
    return word, said.indices[kept].astype(np.int64), said.data[kept] * rarity[word]
