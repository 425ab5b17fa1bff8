"""Array building blocks: ragged ranges, sorted pairs, typed columns, blocks worked on by several threads.

Belongs here: helpers without a notion of music that more than one step uses.
Does not: rules, scores, file access.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.errors import InputError

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Progress = Callable[[str], None]
Block = TypeVar("Block")
Result = TypeVar("Result")


def silent(line: str) -> None:
    """The progress of someone who doesn't want to hear any."""


def worker_count(threads: int) -> int:
    """The threads to use: as asked, or one a core for 0."""
    return threads or os.cpu_count() or 1


def in_order(work: Callable[[Block], Result], blocks: Iterable[Block], threads: int) -> Iterator[Result]:
    """Results of the blocks in the order of the blocks, at most `threads` + 1 of them in memory at once."""
    if threads <= 1:
        yield from map(work, blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        for block in blocks:
            waiting.append(pool.submit(work, block))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def ranges(count: int, size: int) -> list[tuple[int, int]]:
    """(start, stop) of consecutive blocks of at most `size` out of `count`."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def spread(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, ... for `length` numbers, one range after the other, as one int64 array."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    offsets = np.asarray(starts, dtype=np.int64) - (ends - lengths)
    return np.repeat(offsets, lengths) + np.arange(total, dtype=np.int64)


def unit(vectors: Floats) -> Floats:
    """The vectors at length 1 in float32, zero where they are; any number of axes, the last of a vector's numbers."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def place_in_row(rows: Ints) -> Ints:
    """How many earlier entries have the same row, for rows in ascending order: 0, 1, 2, 0, 1, ..."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(starts, append=len(rows))
    return np.arange(len(rows), dtype=np.int64) - np.repeat(starts, lengths)


def stable_order(keys: Ints) -> Ints:
    """The places of the keys, int64 and not negative, in ascending order, ties by place.

    Sorting numbers that hold key and place is many times faster than sorting places by key, where both fit.
    """
    count = len(keys)
    if not count or int(keys.max()) >= (2**63 - 1) // count:
        return np.argsort(keys, kind="stable")
    both = keys * count + np.arange(count)
    both.sort()
    return both % count


@dataclass(frozen=True)
class Pairs:
    """Unique (owner, value) pairs in ascending order, as compressed rows.

    indptr: (owners + 1,) int64.  values: (pairs,) int32, below `width`.
    """

    indptr: Ints
    values: Ints
    width: int

    def lengths(self, owners: Ints) -> Ints:
        """How many values each of the owners has."""
        return self.indptr[owners + 1] - self.indptr[owners]

    def positions(self, owners: Ints) -> tuple[Ints, Ints]:
        """(row among `owners`, position in `values`) of every pair of these owners, in their order."""
        lengths = self.lengths(owners)
        return np.repeat(np.arange(len(owners)), lengths), spread(self.indptr[owners], lengths)

    def find(self, owners: Ints, values: Ints) -> Ints:
        """Position in `values` of each (owner, value) asked for, -1 where there is no such pair.

        The keys of the span of owners asked about are laid out anew, so ask block by block.
        """
        found = np.full(len(owners), -1, dtype=np.int64)
        if not len(owners):
            return found
        first, last = int(owners.min()), int(owners.max())
        start, stop = int(self.indptr[first]), int(self.indptr[last + 1])
        if start == stop:
            return found
        rows = np.repeat(np.arange(last - first + 1), np.diff(self.indptr[first : last + 2]))
        keys = rows * self.width + self.values[start:stop]
        asked = (owners.astype(np.int64) - first) * self.width + values
        places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        hit = (keys[places] == asked) & (values >= 0)
        found[hit] = places[hit] + start
        return found


def column(table: pa.Table, table_name: str, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """One column without nulls as NumPy; InputError where it is missing, has a null or another type."""
    values = _arrow_column(table, table_name, name)
    if values.null_count:
        row = pc.index(pc.is_null(values), True).as_py()
        raise InputError(f"{table_name}: column {name} is null in row {row}; every row needs a value")
    try:
        array = values.to_numpy()
        return np.ascontiguousarray(array.astype(dtype, casting="same_kind"))
    except TypeError as error:
        message = f"{table_name}: column {name} is {values.type}, which does not fit {np.dtype(dtype)}"
        raise InputError(f"{message}; give it that type") from error


def floats_with_nan(table: pa.Table, table_name: str, name: str) -> Floats:
    """One nullable number column as float64, NaN for null."""
    values = _arrow_column(table, table_name, name).cast(pa.float64())
    return np.asarray(pc.fill_null(values, float("nan")).to_numpy(), dtype=np.float64)


def strings(table: pa.Table, table_name: str, name: str) -> pa.Array:
    """One string column as a single Arrow array, nulls kept."""
    return joined(_arrow_column(table, table_name, name).cast(pa.string()))


def vector_column(vectors: Floats) -> pa.Array:
    """(n, d) numbers as FixedSizeList<float>[d]."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel(), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def vectors_of(table: pa.Table, table_name: str, name: str = "vector") -> Floats:
    """(n, d) float32 of a FixedSizeList column; InputError where it is none."""
    if name not in table.column_names or not pa.types.is_fixed_size_list(table.schema.field(name).type):
        raise InputError(f"{table_name}: column {name} is not a fixed_size_list<float>; vectors are kept as one")
    values = joined(table.column(name))
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(flat.reshape(len(values), values.type.list_size), dtype=np.float32)


def joined(values: pa.ChunkedArray) -> pa.Array:
    """The chunks of a column as one array."""
    combined = values.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


def _arrow_column(table: pa.Table, table_name: str, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise InputError(f"{table_name}: column {name} is missing; it has {', '.join(table.column_names)}")
    return table.column(name)


def dense_index(table: pa.Table, table_name: str, name: str) -> None:
    """InputError unless the column counts 0, 1, 2, ... in the order of the rows."""
    index = column(table, table_name, name, np.int64)
    wrong = np.flatnonzero(index != np.arange(len(index)))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(f"{table_name}: {name} is {index[row]} in row {row}, not {row}; sort by it, without gaps")


def in_range(values: Ints, count: int, table_name: str, name: str, lowest: int = 0) -> None:
    """InputError unless lowest <= value < count for all."""
    wrong = np.flatnonzero((values < lowest) | (values >= count))
    if len(wrong):
        value = int(values[wrong[0]])
        message = f"{table_name}: {name} is {value} in row {int(wrong[0])}"
        raise InputError(f"{message}; it must lie in {lowest}..{count - 1}")


def pairs(table: pa.Table, table_name: str, owner: str, value: str, owners: int, width: int) -> Pairs:
    """Two index columns as Pairs; InputError unless in range, sorted by owner then value, and unique."""
    owner_index = column(table, table_name, owner, np.int64)
    value_index = column(table, table_name, value, np.int32)
    in_range(owner_index, owners, table_name, owner)
    in_range(value_index, width, table_name, value)
    wrong = np.flatnonzero(np.diff(owner_index * width + value_index) <= 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        message = f"{table_name}: row {row} ({owner} {owner_index[row]}, {value} {value_index[row]})"
        raise InputError(f"{message} repeats a pair or is out of order; sort by {owner}, {value}, each pair once")
    indptr = np.searchsorted(owner_index, np.arange(owners + 1)).astype(np.int64)
    return Pairs(indptr, value_index, max(width, 1))
