"""Columns of text as numbers: rows of codes, equal texts read once.

Belongs here: ragged rows, encoding. Does not: what a token is (tokens.py), what is done with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Ints, spread, stable_order
from models_ml.text.tokens import tokens


@dataclass(frozen=True)
class Ragged:
    """Rows of numbers of different lengths.

    indptr: (rows + 1,) int64.  values: (total,) int64.
    """

    indptr: Ints
    values: Ints

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def rows(self) -> Ints:
        """(total,) the row of each value."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def take(self, places: Ints) -> "Ragged":
        """The rows at these places, in their order."""
        lengths = self.indptr[places + 1] - self.indptr[places]
        return Ragged(_indptr(lengths), self.values[spread(self.indptr[places], lengths)])

    @classmethod
    def of(cls, rows: Ints, values: Ints, count: int) -> "Ragged":
        """From the row of each value, in any order; values of a row keep theirs."""
        return cls(_indptr(np.bincount(rows, minlength=count)), values[stable_order(rows)])


@dataclass(frozen=True)
class TextColumn:
    """A column of text as tokens, equal texts read once.

    texts: tokens of each different text.  place: (rows,) which of them each row has; null is a text without tokens.
    """

    texts: list[list[str]]
    place: Ints

    def with_tokens(self, change: Callable[[list[str]], list[str]]) -> "TextColumn":
        """The column with the tokens of each text changed."""
        return TextColumn([change(text) for text in self.texts], self.place)


def read_column(values: pa.Array) -> TextColumn:
    """Tokens of a column of text."""
    encoded = pc.fill_null(values.cast(pa.string()), "").dictionary_encode()
    found = [tokens(text) for text in encoded.dictionary.to_pylist()]
    return TextColumn(found, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def encode(columns: Sequence[TextColumn], known: Sequence[str] = ()) -> tuple[list[Ragged], list[str]]:
    """(rows of codes of each column, the different tokens: those known, then in the order of first appearance)."""
    code_of = {token: code for code, token in enumerate(known)}
    encoded = []
    for column in columns:
        lengths = np.array([len(text) for text in column.texts], dtype=np.int64)
        codes = [code_of.setdefault(token, len(code_of)) for text in column.texts for token in text]
        encoded.append(Ragged(_indptr(lengths), np.array(codes, dtype=np.int64)).take(column.place))
    return encoded, list(code_of)


def _indptr(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
