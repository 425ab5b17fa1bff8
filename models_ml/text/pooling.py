"""From words to recordings: the weighted mean of what was written about each, less what is common to all.

Belongs here: weights of words, pooling, the common component. Does not: training, search.

Source: Arora, Liang and Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017, algorithm 1.
"""

import numpy as np
import scipy.sparse

from models_ml.arrays import Floats, Ints
from models_ml.text.contexts import Contexts, Source
from models_ml.text.params import TextParams

# Shorter than this is nothing but rounding.
_NO_LENGTH = 1e-6


def word_counts(contexts: Contexts) -> Ints:
    """(words,) int64: in how many contexts each word is written; a tag as often as a recording has it."""
    count = np.zeros(len(contexts.vocabulary), dtype=np.int64)
    for source in contexts.sources:
        times = np.ones(len(source.words), dtype=np.int64)
        if source is contexts.tags:
            times = np.diff(source.recordings.indptr)
        np.add.at(count, source.words.values, times[source.words.rows])
    return count


def word_weights(counts: Ints, sif_weight: float) -> Floats:
    """(words,) float64: a / (a + p(word)), equation 3 of the source."""
    share = counts / max(int(counts.sum()), 1)
    return np.asarray(sif_weight / (sif_weight + share))


def unit(vectors: Floats) -> Floats:
    """Rows at length 1, float64; those without length stay zero."""
    exact = np.asarray(vectors, dtype=np.float64)
    length = np.sqrt(np.einsum("rd,rd->r", exact, exact))[:, None]
    return np.asarray(np.where(length > _NO_LENGTH, exact / np.maximum(length, _NO_LENGTH), 0.0))


def unit_rows(rows: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Sparse rows at length 1, their values in the same order; those without length stay zero."""
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    found = rows.copy()
    found.data /= np.repeat(np.maximum(length, 1e-12), np.diff(rows.indptr))
    return found


def pool(contexts: Contexts, words: Floats, own: Floats, weights: Floats, params: TextParams) -> Floats:
    """(recordings, d) float64: mean of the contexts' vectors, plus its own, plus its artist's name.

    words: (words, d).  own: (recordings, d), zero where it was not trained.  weights: (words,) from `word_weights`.
    Each context weighs the same, however long; so does each of the three parts, times its weight.
    """
    count = len(contexts.artist_word)
    pooled, total = np.zeros((count, words.shape[1])), np.zeros(count)
    for source in contexts.sources:
        each = about(source, count)
        vectors = unit(_words_of(source, len(words), weights) @ words.astype(np.float64))
        pooled += each @ vectors
        total += each @ vectors.any(axis=1).astype(np.float64)
    mean = pooled / np.maximum(total, 1e-12)[:, None]
    found = mean + params.own_weight * unit(own) + params.artist_weight * _artists(contexts, words, weights)
    found[context_counts(contexts) == 0] = 0.0
    return np.asarray(found)


def context_counts(contexts: Contexts) -> Ints:
    """(recordings,) int64: contexts each recording is pooled from, its tags together as one."""
    count = np.zeros(len(contexts.artist_word), dtype=np.int64)
    for source in contexts.sources:
        np.add.at(count, source.recordings.values, source.counted)
    return count


def common_components(vectors: Floats, count: int) -> Floats:
    """(count, d) float32, unit length: directions in which all recordings with a vector lie, strongest first."""
    present = vectors[vectors.any(axis=1)]
    if not len(present) or not count:
        return np.zeros((0, vectors.shape[1]), dtype=np.float32)
    together = np.einsum("rd,re->de", present, present)
    _, directions = np.linalg.eigh(together)
    found = directions[:, ::-1][:, :count].T
    largest = np.abs(found).argmax(axis=1)
    signs = np.sign(found[np.arange(len(found)), largest])
    return np.ascontiguousarray(found * signs[:, None], dtype=np.float32)


def without(vectors: Floats, common: Floats) -> Floats:
    """Unit rows, float64, once the common directions are taken out."""
    shared = common.astype(np.float64)
    left = vectors - np.einsum("rc,cd->rd", np.einsum("rd,cd->rc", vectors, shared), shared)
    # What lay in the common directions alone leaves nothing but rounding.
    left[np.square(left).sum(axis=1) < 1e-10 * np.square(vectors).sum(axis=1)] = 0.0
    return unit(left)


def _words_of(source: Source, width: int, weights: Floats) -> scipy.sparse.csr_matrix:
    data = source.word_weight * weights[source.words.values]
    return scipy.sparse.csr_matrix((data, source.words.values, source.words.indptr), shape=(len(source.words), width))


def about(source: Source, recording_count: int) -> scipy.sparse.csr_matrix:
    """(recordings, contexts): how much each context says of each recording it is about."""
    shape = (len(source.recordings), recording_count)
    pairs = (source.weight, source.recordings.values, source.recordings.indptr)
    return scipy.sparse.csr_matrix(pairs, shape=shape).T.tocsr()


def _artists(contexts: Contexts, words: Floats, weights: Floats) -> Floats:
    """(recordings, d) float64: the vector of the artist's name, weighted as a word."""
    named = contexts.artist_word >= 0
    found = np.zeros((len(named), words.shape[1]))
    places = contexts.artist_word[named]
    found[named] = unit(words[places]) * weights[places, None]
    return found
