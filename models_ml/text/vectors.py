"""The text signal as it is kept and asked: vectors of words and recordings in one space.

Belongs here: training from inputs to vectors, query by words, nearest recordings, tables to keep.
Does not: the steps (the other modules of this folder).
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Progress, column, joined, silent, vector_column, vectors_of
from models_ml.text.contexts import Contexts, read_contexts
from models_ml.text.inputs import TextInputs
from models_ml.text.named_artists import ListedArtists, list_artists
from models_ml.text.own_names import read_own_names
from models_ml.text.params import TextParams
from models_ml.text.phrases import KnownWords
from models_ml.text.pooling import common_components, context_counts, pool, unit, without, word_counts, word_weights
from models_ml.text.sentences import sentences
from models_ml.text.tokens import tokens
from models_ml.text.training import token_names, train_tokens
from models_ml.text.word_index import WordIndex, index_words

__all__ = ["TextMatches", "TextParams", "TextTables", "TextVectors", "train_text"]


# Of the direction's weight, where a recording is asked for by name: it puts in order what else there is.
_DIRECTION_OF_NAMES = 0.25


@dataclass(frozen=True)
class TextMatches:
    """Recordings by position, best first, with the score they were ordered by."""

    recordings: Ints
    scores: Floats


@dataclass(frozen=True)
class TextTables:
    """What is kept of a week's text vectors.

    words: word, vector, word_count.  recordings: recording_index, vector, context_count.  common: component, vector.
    word_recordings: word, rarity, recording_index, weight, is_named.
    listed_artists: name, share, list_indexes, weights, recording_indexes.
    """

    words: pa.Table
    recordings: pa.Table
    common: pa.Table
    word_recordings: pa.Table
    listed_artists: pa.Table


@dataclass(frozen=True)
class TextVectors:
    """Words and recordings in one space.

    words: (w,) string.  word_vectors: (w, d) float32.  word_counts: (w,) int64, contexts that have the word.
    recording_vectors: (m, d) float32, unit length; zero where nobody wrote anything.
    context_count: (m,) int64, contexts each is pooled from.
    common: (c, d) float32, directions taken out of every recording and of every query.
    index: the recordings that stand under each word.
    artists: who is listed beside whom.
    """

    words: pa.Array
    word_vectors: Floats
    word_counts: Ints
    recording_vectors: Floats
    context_count: Ints
    common: Floats
    index: WordIndex
    artists: ListedArtists
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
        return _best(self._nearness(self._cosine(vector)), self.context_count > 0, count)

    def knows(self, text: str) -> bool:
        """Whether some word of it was written about, or is in a name."""
        return bool(self.query(text).any() or self.index.known(text))

    def search(self, text: str, count: int, described: str = "") -> TextMatches:
        """Recordings for free words: those under the very words, beside artists they name, in their direction.

        Where all words are in the names of one recording, it was asked for: nothing is added for artists then, and
        little for the direction.
        described: further words of which each says less, as a playlist's description says less than its title.
        Where no word is known, the most written about.
        """
        title_weight, near_weight = self.params.title_weight, self.params.direction_weight
        score = self.index.scores(text, described, title_weight, len(self.context_count))
        worth = (self.context_count > 0) | (score > 0)
        if self.index.name_one((text, described), self.params.recordings_per_word):
            near_weight *= _DIRECTION_OF_NAMES
        else:
            beside = self.artists.scores(text, described, title_weight, self.context_count)
            score += self.params.named_artists_weight * beside
        near = self._nearness(self._cosine(self.query(f"{text} {described}")))
        return _best(score + near_weight * near, worth, count)

    def to_tables(self) -> TextTables:
        """Tables to keep, rows by position."""
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
                }
            ),
            pa.table(
                {
                    "component": pa.array(np.arange(len(self.common)), pa.int32()),
                    "vector": vector_column(self.common),
                }
            ),
            self.index.to_table(),
            self.artists.to_table(),
        )

    @classmethod
    def from_tables(cls, tables: TextTables, params: TextParams) -> "TextVectors":
        """What `to_tables` gave, rows in the same order; params: those of the training."""
        return cls(
            joined(tables.words.column("word")),
            vectors_of(tables.words, "words"),
            column(tables.words, "words", "word_count", np.int64),
            vectors_of(tables.recordings, "recordings"),
            column(tables.recordings, "recordings", "context_count", np.int64),
            vectors_of(tables.common, "common"),
            WordIndex.from_table(tables.word_recordings),
            ListedArtists.from_table(tables.listed_artists),
            params,
        )

    @cached_property
    def _known_words(self) -> KnownWords:
        return KnownWords(self.words.to_pylist())

    @cached_property
    def _weights(self) -> Floats:
        return word_weights(self.word_counts, self.params.sif_weight)

    def _known(self, text: str) -> Ints:
        """Places of the different words of a text that have a vector, in order."""
        return np.array(self._known_words.among(tokens(text)), dtype=np.int64)

    def _cosine(self, vector: Floats) -> Floats:
        direction = unit(np.asarray(vector)[None, :])[0]
        return np.asarray(np.einsum("md,d->m", self.recording_vectors, direction.astype(np.float32)), dtype=np.float64)

    def _nearness(self, cosine: Floats) -> Floats:
        """(m,) float64: the cosine, helped by how much was written; 0 where nobody wrote."""
        helped = cosine + self.params.popularity_weight * np.log1p(self.context_count)
        return np.asarray(np.where(self.context_count > 0, helped, 0.0))


def _best(score: Floats, worth: Bools, count: int) -> TextMatches:
    """The highest scores of those worth finding, ties by position."""
    found = np.flatnonzero(worth)
    order = np.argsort(-score[found], kind="stable")[: max(count, 0)]
    return TextMatches(found[order], score[found][order])


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
    own_names = read_own_names(contexts.vocabulary, inputs, params.name_weight)
    index = index_words(contexts, own_names, params)
    progress(f"text: {len(index.weights)} pairs of a word and a recording to search")
    artists = list_artists(contexts, own_names, params.name_share)
    return _result(contexts, counts, words, vectors, common, index, artists, params)


def _result(
    contexts: Contexts,
    counts: Ints,
    words: Floats,
    vectors: Floats,
    common: Floats,
    index: WordIndex,
    artists: ListedArtists,
    params: TextParams,
) -> TextVectors:
    """Words with a vector only, by count, ties by word."""
    used = np.flatnonzero(words.any(axis=1))
    names = contexts.vocabulary
    order = np.array(sorted(used.tolist(), key=lambda word: (-counts[word], names[word])), dtype=np.int64)
    return TextVectors(
        pa.array([names[word] for word in order.tolist()], pa.string()),
        words[order],
        counts[order],
        vectors,
        context_counts(contexts),
        common,
        index,
        artists,
        params,
    )
