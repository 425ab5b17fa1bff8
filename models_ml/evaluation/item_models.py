"""Item models: baselines that score a recording by how it goes together with those a listener likes.

Belongs here: nearest neighbours under BM25 weights, EASE, and how both pick the best of a block of listeners.
Does not: which listeners, which filters, parameters' defaults (baselines.py).

Sources: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with the idf that is
never negative; Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import scipy.linalg.lapack
import scipy.sparse
import threadpoolctl

from models_ml.arrays import Bools, Floats, Ints, place_in_row, ranges
from models_ml.errors import InputError
from models_ml.neighbours import best_first, shortlist

# Scores closer than this differ by the order of their sums only, and count as equal.
_DECIMALS = 9
_PRODUCTS_AT_ONCE = 1 << 23
_MIRRORED_ROWS = 512


class ItemModel(Protocol):
    """Scores recordings by what a listener likes."""

    def best(self, liked: scipy.sparse.csr_matrix, taken_out: Bools, k: int) -> Ints:
        """(b, k) int32 best first, ties by position, -1 after; liked: (b, m) sparse, taken_out: (b, m) bool."""
        ...


@dataclass(frozen=True)
class ItemKnn:
    """similarity: (m, m) sparse, in each row the nearest neighbours of a recording, itself not among them."""

    similarity: scipy.sparse.csr_matrix

    def best(self, liked: scipy.sparse.csr_matrix, taken_out: Bools, k: int) -> Ints:
        """Highest sum of similarity to what is liked, above 0 only; see ItemModel.best."""
        summed = (_binary(liked) @ self.similarity).tocsr()
        summed.sort_indices()
        rows = np.repeat(np.arange(len(taken_out)), np.diff(summed.indptr))
        scores = _rounded(summed.data)
        chosen = (scores > 0) & ~taken_out[rows, summed.indices]
        return _best_of_ragged(rows[chosen], summed.indices[chosen], scores[chosen], len(taken_out), k)


@dataclass(frozen=True)
class Ease:
    """recordings: (r,) those that somebody likes.  weights: (r, r) float64, from a liked one to each, 0 to itself."""

    recordings: Ints
    weights: Floats

    def best(self, liked: scipy.sparse.csr_matrix, taken_out: Bools, k: int) -> Ints:
        """Highest sum of weights from what is liked; nothing for who likes nothing; see ItemModel.best."""
        history = _binary(liked[:, self.recordings])
        scores = _rounded(np.asarray(history @ self.weights))
        scores[taken_out[:, self.recordings]] = -np.inf
        scores[np.diff(history.indptr) == 0] = -np.inf
        return _best_of(scores, np.broadcast_to(self.recordings, scores.shape), k)


def fit_item_knn(liked: scipy.sparse.csr_matrix, neighbours: int, k1: float, b: float) -> ItemKnn:
    """The nearest neighbours of each recording: highest inner product of BM25-weighted columns, ties by position.

    liked: (n, m) sparse confidences, above 0.  neighbours: kept for each recording.
    """
    weighted = bm25_weights(liked, k1, b)
    by_recording = weighted.T.tocsr()
    # Entries of each row of the product before equal columns are added up: what its memory and time depend on.
    products = np.asarray(_binary(by_recording) @ np.diff(weighted.indptr), dtype=np.int64)
    # Rows of about the same length together, so that padding them costs little.
    order = np.argsort(products, kind="stable")
    parts = [scipy.sparse.csr_matrix((0, liked.shape[1]))]
    for start, stop in _even_blocks(products[order]):
        recordings = order[start:stop]
        parts.append(_nearest((by_recording[recordings] @ weighted).tocsr(), recordings, neighbours))
    return ItemKnn(scipy.sparse.vstack(parts, format="csr")[np.argsort(order)])


def bm25_weights(liked: scipy.sparse.csr_matrix, k1: float, b: float) -> scipy.sparse.csr_matrix:
    """(n, m) BM25 weight of each confidence: recordings are the documents, listeners their words.

    idf (c (k1 + 1)) / (c + k1 (1 - b + b l / mean l)), with l the sum of a recording's confidences, the mean over
    recordings that somebody likes (N of them), and idf = ln(1 + (N - d + 0.5) / (d + 0.5)) for a listener who likes d.
    """
    lengths = np.bincount(liked.indices, liked.data, minlength=liked.shape[1])
    documents = np.count_nonzero(lengths)
    frequency = np.diff(liked.indptr)
    idf = np.log1p((documents - frequency + 0.5) / (frequency + 0.5))
    norm = 1.0 - b + b * lengths / (lengths.sum() / max(documents, 1) or 1.0)
    weights = liked.data * (k1 + 1.0) / (liked.data + k1 * norm[liked.indices]) * np.repeat(idf, frequency)
    return scipy.sparse.csr_matrix((weights, liked.indices, liked.indptr), shape=liked.shape)


def fit_ease(liked: scipy.sparse.csr_matrix, regularization: float) -> Ease:
    """Steck's closed form on what is liked (1) and what isn't (0): B = I - P diag(1 / P_ii), P = (XtX + lambda I)^-1.

    liked: (n, m) sparse.  regularization: lambda, above 0.  One thread, so that the result is always the same.
    """
    recordings = np.flatnonzero(np.bincount(liked.indices, minlength=liked.shape[1]))
    history = _binary(liked[:, recordings])
    weights: Floats = np.zeros((len(recordings), len(recordings)))
    by_recording = history.T.tocsr()
    for start, stop in ranges(len(recordings), _MIRRORED_ROWS):
        weights[start:stop] = (by_recording[start:stop] @ history).toarray()
    np.einsum("ii->i", weights)[:] += regularization
    if len(recordings):
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            weights = _inverse(weights)
    diagonal = np.einsum("ii->i", weights)
    weights /= -diagonal.copy()
    np.einsum("ii->i", weights)[:] = 0.0
    return Ease(recordings, weights)


def _inverse(matrix: Floats) -> Floats:
    """Inverse of a symmetric, positive definite matrix, worked out in its own memory."""
    # The transpose of a symmetric matrix is itself, and lies in memory as LAPACK wants it.
    factor, failed = scipy.linalg.lapack.dpotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise InputError("ease: the matrix can't be inverted; raise ease_lambda")
    inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    for start, stop in ranges(len(inverse), _MIRRORED_ROWS):
        corner = np.tril(inverse[start:stop, start:stop])
        inverse[start:stop, start:stop] = corner + np.tril(corner, -1).T
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
    # The transpose again, rows in one piece: products with sparse rows copy anything else.
    return np.asarray(inverse.T)


def _binary(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """1 wherever the matrix has an entry."""
    return scipy.sparse.csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)


def _even_blocks(products: Ints) -> list[tuple[int, int]]:
    """(start, stop) of consecutive rows that make about as many products each."""
    block = np.cumsum(products) // _PRODUCTS_AT_ONCE
    edges = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [len(products)]])
    return [(int(start), int(stop)) for start, stop in pairwise(edges) if stop > start]


def _nearest(similar: scipy.sparse.csr_matrix, recordings: Ints, neighbours: int) -> scipy.sparse.csr_matrix:
    """The highest entries of each row, the recording itself left out; recordings: that of each row."""
    similar.sort_indices()
    row_count = similar.shape[0]
    rows = np.repeat(np.arange(row_count), np.diff(similar.indptr))
    others = similar.indices != recordings[rows]
    rows, columns, scores = rows[others], similar.indices[others], similar.data[others]
    best = _best_of_ragged(rows, columns, _rounded(scores), row_count, neighbours)
    kept_rows, places = np.nonzero(best >= 0)
    kept = best[kept_rows, places]
    keys = rows * similar.shape[1] + columns
    found = np.searchsorted(keys, kept_rows * similar.shape[1] + kept)
    indptr = np.searchsorted(kept_rows, np.arange(row_count + 1))
    return scipy.sparse.csr_matrix((scores[found], kept, indptr), shape=similar.shape)


def _rounded(scores: Floats) -> Floats:
    """float32 scores in which those that are equal in theory are equal."""
    return np.round(scores, _DECIMALS).astype(np.float32)


def _best_of_ragged(rows: Ints, columns: Ints, scores: Floats, row_count: int, k: int) -> Ints:
    """As `_best_of`, of entries sorted by row, then column."""
    place = place_in_row(rows)
    width = int(place.max(initial=-1)) + 1
    padded = np.full((row_count, width), -np.inf, dtype=np.float32)
    named = np.full((row_count, width), -1, dtype=np.int32)
    padded[rows, place], named[rows, place] = scores, columns
    return _best_of(padded, named, k)


def _best_of(scores: Floats, columns: Ints, k: int) -> Ints:
    """(b, k) int32 the columns of the k highest scores of each row, minus infinity never; both (b, w)."""
    rows, places = shortlist(scores, k)
    return best_first(rows, columns[rows, places], scores[rows, places], len(scores), k).positions
