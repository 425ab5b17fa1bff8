"""Word2Vec over the sentences, by gensim, the same bytes every time.

Belongs here: how gensim is called. Does not: what the sentences are (sentences.py), what becomes of the vectors.

Source: Mikolov et al., "Efficient Estimation of Word Representations in Vector Space", 2013, and "Distributed
Representations of Words and Phrases and their Compositionality", NIPS 2013 (negative sampling, subsampling).
"""

import itertools
import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from models_ml.arrays import Floats, Ints, Progress, silent
from models_ml.text.params import TextParams
from models_ml.text.sentences import Sentences


def token_names(sentences: Sentences, vocabulary: Sequence[str], recording_count: int) -> list[str]:
    """A name for each token: the word, or # and the recording's number. No word begins with #."""
    return [*vocabulary, *(f"#{recording}" for recording in range(recording_count))]


def sentence_lists(sentences: Sentences, names: Sequence[str]) -> list[list[str]]:
    """Each sentence as a list of names; the strings are shared, so that a token costs eight bytes."""
    flat = np.array([*names, ""], dtype=object)[sentences.tokens.values].tolist()
    bounds = sentences.tokens.indptr.tolist()
    return [flat[start:stop] for start, stop in itertools.pairwise(bounds)]


def settings(params: TextParams, seed: int) -> dict[str, Any]:
    """What gensim is told. One worker: with more, the order of updates and so the result is left to chance."""
    return {
        "vector_size": params.vector_size,
        "window": params.window,
        "epochs": params.epochs,
        "negative": params.negative,
        "alpha": params.learning_rate,
        "sample": params.sampling_threshold,
        "sg": int(params.skip_gram),
        "min_count": 1,
        "workers": 1,
        "seed": seed % 2**32,
        "hashfxn": _same_hash,
    }


def train_tokens(
    sentences: Sentences, names: Sequence[str], params: TextParams, seed: int, progress: Progress = silent
) -> Floats:
    """(tokens, d) float32: a vector for each token that occurs in a sentence, zero for the others."""
    vectors = np.zeros((len(names), params.vector_size), dtype=np.float32)
    counts = np.bincount(sentences.tokens.values, minlength=len(names))
    order = _by_count_then_name(counts, names)
    if not len(order):
        return vectors
    from gensim.models import Word2Vec  # a second to load, and many homes have no texts

    model = Word2Vec(sorted_vocab=0, **settings(params, seed))
    frequencies = {names[token]: int(counts[token]) for token in order.tolist()}
    model.build_vocab_from_freq(frequencies, corpus_count=len(sentences.tokens))
    model.train(
        sentence_lists(sentences, names),
        total_examples=len(sentences.tokens),
        total_words=int(counts.sum()),
        epochs=params.epochs,
        callbacks=[_Told(params.epochs, progress)],
    )
    vectors[order] = model.wv.vectors
    return vectors


def _by_count_then_name(counts: Ints, names: Sequence[str]) -> Ints:
    """Tokens that occur, most frequent first, ties by name: the order in which gensim draws their first vectors."""
    present = np.flatnonzero(counts)
    return np.array(sorted(present.tolist(), key=lambda token: (-counts[token], names[token])), dtype=np.int64)


def _same_hash(text: str) -> int:
    """A hash that doesn't depend on the process, unlike Python's."""
    return zlib.crc32(text.encode("utf-8"))


class _Told:
    """Tells of each pass. What gensim calls a callback: it has a method for each moment that gensim tells of."""

    def __init__(self, epochs: int, progress: Progress) -> None:
        self._epochs, self._progress = epochs, progress
        self._done, self._started = 0, time.monotonic()

    def on_train_begin(self, _: object) -> None:
        """Nothing to tell yet."""

    on_train_end = on_epoch_begin = on_train_begin

    def on_epoch_end(self, _: object) -> None:
        """A pass is done."""
        self._done += 1
        taken = time.monotonic() - self._started
        self._progress(f"text: pass {self._done} of {self._epochs}, {taken:.1f} s")
