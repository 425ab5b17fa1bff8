"""The text signal as it is kept and asked: vectors of words and recordings in one space.

Belongs here: training from inputs to vectors, query by words, nearest recordings, tables to keep.
Does not: the steps (the other modules of this folder).
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from models_ml.arrays import Floats, Ints, Progress, column, joined, silent, vector_column, vectors_of
from models_ml.text.contexts import Contexts, read_contexts
from models_ml.text.inputs import TextInputs
from models_ml.text.params import TextParams
from models_ml.text.phrases import KnownPhrases
from models_ml.text.pooling import common_components, context_counts, pool, unit, without, word_counts, word_weights
from models_ml.text.sentences import Sentences, sentences
from models_ml.text.tokens import tokens
from models_ml.text.training import token_names, train_tokens

__all__ = ["TextMatches", "TextParams", "TextTables", "TextVectors", "train_text"]


@dataclass(frozen=True)
class TextMatches:
    """Recordings by position, best first, with the score they were ordered by."""

    recordings: Ints
    scores: Floats


@dataclass(frozen=True)
class TextTables:
    """What is kept of a week's text vectors.

    words: word, vector, word_count.  recordings: recording_index, vector, context_count, artist_word (the row of
    `words` that is the artist's name, null without one).  common: component, vector.
    """

    words: pa.Table
    recordings: pa.Table
    common: pa.Table


@dataclass(frozen=True)
class TextVectors:
    """Words and recordings in one space.

    words: (w,) string.  word_vectors: (w, d) float32.  word_counts: (w,) int64, contexts that have the word.
    recording_vectors: (m, d) float32, unit length; zero where nobody wrote anything.
    context_count: (m,) int64, contexts each is pooled from.  artist_word: (m,) int64, row in words, -1 without one.
    common: (c, d) float32, directions taken out of every recording and of every query.
    """

    words: pa.Array
    word_vectors: Floats
    word_counts: Ints
    recording_vectors: Floats
    context_count: Ints
    artist_word: Ints
    common: Floats
    params: TextParams = field(default_factory=TextParams)

    def query(self, text: str) -> Floats:
        """(d,) float32: the direction of free words, read as in training; zero where no word is known."""
        found = self._known(text)
        vector = (self._weights[found][:, None] * self.word_vectors[found].astype(np.float64)).sum(axis=0)
        return np.asarray(without(vector[None, :], self.common)[0], dtype=np.float32)

    def nearest(self, vector: Floats, count: int) -> TextMatches:
        """Recordings by cosine to a vector, helped by `popularity_weight` times ln(1 + contexts); ties by position.

        Only recordings that someone wrote about. A vector of zeros gives the most written about.
        """
        return self._best(self._cosine(vector), count)

    def search(self, text: str, count: int) -> TextMatches:
        """`nearest` to free words, recordings of an artist whose name is among them put forward."""
        return self._best(self._cosine(self.query(text)) + self._named(text), count)

    def to_tables(self) -> TextTables:
        """Tables to keep, rows by position."""
        artist = pa.array(self.artist_word, pa.int32(), mask=self.artist_word < 0)
        return TextTables(
            pa.table(
                {
                    "word": self.words,
                    "vector": vector_column(self.word_vectors),
                    "word_count": pa.array(self.word_counts, pa.int64()),
                }
            ),
            pa.table(
                {
                    "recording_index": pa.array(np.arange(len(self.context_count)), pa.int32()),
                    "vector": vector_column(self.recording_vectors),
                    "context_count": pa.array(self.context_count, pa.int64()),
                    "artist_word": artist,
                }
            ),
            pa.table(
                {
                    "component": pa.array(np.arange(len(self.common)), pa.int32()),
                    "vector": vector_column(self.common),
                }
            ),
        )

    @classmethod
    def from_tables(cls, tables: TextTables, params: TextParams) -> "TextVectors":
        """What `to_tables` gave, rows in the same order; params: those of the training."""
        artist = joined(tables.recordings.column("artist_word")).fill_null(-1)
        return cls(
            joined(tables.words.column("word")),
            vectors_of(tables.words, "words"),
            column(tables.words, "words", "word_count", np.int64),
            vectors_of(tables.recordings, "recordings"),
            column(tables.recordings, "recordings", "context_count", np.int64),
            artist.to_numpy(zero_copy_only=False).astype(np.int64),
            vectors_of(tables.common, "common"),
            params,
        )

    @cached_property
    def _place(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words.to_pylist())}

    @cached_property
    def _phrases(self) -> KnownPhrases:
        return KnownPhrases(self._place)

    @cached_property
    def _weights(self) -> Floats:
        return word_weights(self.word_counts, self.params.sif_weight)

    def _known(self, text: str) -> Ints:
        """Places of the different words of a text that have a vector, in order."""
        read = self._phrases.added(tokens(text))
        return np.array([self._place[word] for word in dict.fromkeys(read) if word in self._place], dtype=np.int64)

    def _cosine(self, vector: Floats) -> Floats:
        direction = unit(np.asarray(vector)[None, :])[0]
        return np.asarray(np.einsum("md,d->m", self.recording_vectors, direction.astype(np.float32)), dtype=np.float64)

    def _named(self, text: str) -> Floats:
        """(m,) float64: what each recording gets for its artist's name being in the text, rare names more."""
        given = np.zeros(len(self.words) + 1)
        found = self._known(text)
        given[found] = self.params.name_weight * self._weights[found]
        return np.asarray(given[self.artist_word])

    def _best(self, score: Floats, count: int) -> TextMatches:
        written = np.flatnonzero(self.context_count)
        total = score[written] + self.params.popularity_weight * np.log1p(self.context_count[written])
        order = np.argsort(-total, kind="stable")[: max(count, 0)]
        return TextMatches(written[order], total[order])


def train_text(inputs: TextInputs, params: TextParams, seed: int, progress: Progress = silent) -> TextVectors:
    """Vectors of words and recordings from what was written; zero vectors where nothing was.

    The same input and seed give the same bytes.
    """
    contexts = read_contexts(inputs, params, progress)
    counts = word_counts(contexts)
    woven = sentences(contexts, params)
    progress(f"text: {len(woven.tokens)} sentences, {len(woven.tokens.values)} tokens")
    names = token_names(woven, contexts.vocabulary, inputs.recording_count)
    trained = train_tokens(woven, names, params, seed, progress)
    words, own = trained[: woven.word_count], trained[woven.word_count :]
    pooled = pool(contexts, words, own, word_weights(counts, params.sif_weight), params)
    common = common_components(pooled, params.common_components)
    vectors = np.asarray(without(pooled, common), dtype=np.float32)
    return _result(contexts, woven, counts, words, vectors, common, params)


def _result(
    contexts: Contexts,
    woven: Sentences,
    counts: Ints,
    words: Floats,
    vectors: Floats,
    common: Floats,
    params: TextParams,
) -> TextVectors:
    """Words with a vector only, by count, ties by word."""
    used = np.flatnonzero(words.any(axis=1))
    names = contexts.vocabulary
    order = np.array(sorted(used.tolist(), key=lambda word: (-counts[word], names[word])), dtype=np.int64)
    place = np.full(len(names) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return TextVectors(
        pa.array([names[word] for word in order.tolist()], pa.string()),
        words[order],
        counts[order],
        vectors,
        context_counts(contexts),
        place[contexts.artist_word],
        common,
        params,
    )
