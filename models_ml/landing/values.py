"""Values of any type as intake keeps them: text, lists of text, vectors, and unknown columns as JSON.

Belongs here: conversions of whole Arrow arrays, the same for every file format.
Does not: files, columns of the contract, judging whether a text is a good time or number.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

TEXT = pa.string()
TEXT_LIST = pa.list_(pa.string())
VECTOR = pa.list_(pa.float64())

# Doubles at or beyond this don't fit a 64-bit integer.
_INTEGER_LIMIT = 2.0**63
# What JSON has to escape inside a string; texts without it only need the quotes around them.
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def is_nested(kind: pa.DataType) -> bool:
    """Lists, structs, maps and unions."""
    return bool(pa.types.is_nested(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Bytes that nothing says are text."""
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        kind = kind.storage_type
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def as_text(array: pa.Array) -> pa.Array:
    """Values as text: (n,) of any type in, (n,) string out; null and NaN are null.

    Moments are 'YYYY-MM-DD HH:MM:SS.ffffff' in UTC, days ISO, floats the shortest text that reads back,
    whole ones without a point (5.0 is pandas' 5), nested values JSON.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return as_text(array.cast(kind.value_type))
    if isinstance(kind, pa.UuidType):  # sixteen bytes inside, which are no text
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], TEXT)
    if isinstance(kind, pa.BaseExtensionType):
        return as_text(array.storage)
    if pa.types.is_timestamp(kind):
        # Arrow keeps zoned moments as UTC: dropping the zone leaves UTC. Nanoseconds are cut.
        return array.cast(pa.timestamp("us"), safe=False).cast(TEXT)
    if pa.types.is_floating(kind):
        return _floats_as_text(array)
    if is_nested(kind):
        return pa.array([_as_json(value) for value in array.to_pylist()], TEXT)
    return array.cast(TEXT)


def _floats_as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    wide = array.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(wide), wide), pc.less(pc.abs(wide), _INTEGER_LIMIT))
    integers = pc.if_else(whole, wide, pa.scalar(None, pa.float64())).cast(pa.int64(), safe=False)
    return pc.coalesce(integers.cast(TEXT), array.cast(TEXT))


def _as_json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value, default=str).decode()


def texts_of(values: Sequence[Any]) -> pa.Array:
    """Values parsed from JSON as text: strings stay, numbers and truths as in as_text, the rest JSON."""
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        array = None
    # Arrow would merge objects of different keys into one struct, with nulls that were never there.
    if array is not None and not is_nested(array.type) and not is_binary(array.type):
        return as_text(array)
    floats = [value if isinstance(value, float) else None for value in values]
    numbers = as_text(pa.array(floats, pa.float64()))
    others = [None if isinstance(value, float) else _text_of(value) for value in values]
    return pc.coalesce(pa.array(others, TEXT), numbers)


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) else _as_json(value)


def as_text_list(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Lists of text: (n,) lists or texts in; (n,) list<string>, and (n,) True where a text is no list.

    A text is a JSON array, or values separated by '|'. Null elements are dropped.
    """
    array = _plain_lists(array)
    if not pa.types.is_list(array.type):
        return _parsed_lists(as_text(array))
    flat = as_text(pc.list_flatten(array))
    owners = pc.list_parent_indices(array).to_numpy()
    return _lists(owners, flat, array.is_null()), np.zeros(len(array), dtype=bool)


def _plain_lists(array: pa.Array) -> pa.Array:
    """Every sort of list as an ordinary one; anything else as it is."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain_lists(array.cast(kind.value_type))
    if (
        pa.types.is_fixed_size_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    ):
        return array.cast(pa.list_(kind.value_type))
    return array


def _lists(owners: np.ndarray, flat: pa.Array, missing: pa.Array) -> pa.Array:
    """Lists from their elements: owners[i] is the list that flat[i] belongs to; null elements go."""
    kept = flat.is_valid()
    counts = np.bincount(owners[kept.to_numpy(zero_copy_only=False)], minlength=len(missing))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), flat.filter(kept), mask=missing)


def _parsed_lists(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    parsed = [None if text is None else _split(text) for text in texts.to_pylist()]
    bad = np.array([parts is None for parts in parsed], dtype=bool) & texts.is_valid().to_numpy(False)
    owners = np.repeat(np.arange(len(parsed)), [len(parts or ()) for parts in parsed])
    flat = texts_of([part for parts in parsed for part in parts or ()])
    missing = pa.array([parts is None for parts in parsed], pa.bool_())
    return _lists(owners, flat, missing), bad


def _split(text: str) -> list[Any] | None:
    """Elements of a list written as text; None where it begins like a JSON array and is none."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split("|") if part.strip()]
    try:
        return list(orjson.loads(text))
    except orjson.JSONDecodeError:
        return None


def as_vector(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Vectors: (n,) lists or texts in; (n,) list<double>, and (n,) True where an element is no number."""
    array = _plain_lists(array)
    if pa.types.is_list(array.type) and _is_number(array.type.value_type):
        vectors, bad = array.cast(VECTOR), np.zeros(len(array), dtype=bool)
        flat = pc.list_flatten(vectors)
    else:
        lists, bad = as_text_list(array)
        flat = _numbers(pc.list_flatten(lists))
        vectors = pa.ListArray.from_arrays(lists.offsets, flat, mask=lists.is_null())
    owners = pc.list_parent_indices(vectors).to_numpy()
    bad = bad.copy()
    bad[owners[flat.is_null().to_numpy(zero_copy_only=False)]] = True
    return pc.if_else(pa.array(bad), pa.scalar(None, VECTOR), vectors), bad


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _numbers(texts: pa.Array) -> pa.Array:
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return pa.array([_number(text) for text in texts.to_pylist()], pa.float64())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def json_objects(columns: Mapping[str, pa.Array], length: int) -> pa.Array:
    """One JSON object a row from the columns' non-null values, keys sorted; null where there is none."""
    members = [_members(name, columns[name]) for name in sorted(columns)]
    if not members:
        return pa.nulls(length, TEXT)
    # The closing brace also keeps rows without any member: Arrow 26 loses rows whose inputs are all null.
    joined = pc.binary_join_element_wise(*members, "}", "", null_handling="skip")
    objects = pc.binary_replace_slice(joined, 0, 1, "{")
    return pc.if_else(pc.equal(joined, "}"), pa.scalar(None, TEXT), objects)


def _members(name: str, array: pa.Array) -> pa.Array:
    """`,"name":value` a row, null where the value is null."""
    return pc.binary_join_element_wise(f",{orjson.dumps(name).decode()}:", _json_values(array), "")


def _json_values(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _json_values(array.cast(kind.value_type))
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        return _json_values(array.storage)
    if pa.types.is_floating(kind):
        texts = as_text(array)
        return pc.if_else(pc.is_finite(array), texts, pa.scalar(None, TEXT))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or is_nested(kind):
        return as_text(array)
    if is_binary(kind):
        array = pa.array([_as_base64(value) for value in array.to_pylist()], TEXT)
    return _quoted(as_text(array))


def _as_base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _quoted(texts: pa.Array) -> pa.Array:
    plain = pc.binary_join_element_wise('"', texts, '"', "")
    escaping = pc.match_substring_regex(texts, _NEEDS_ESCAPE)
    if not pc.any(escaping).as_py():
        return plain
    escaping = pc.fill_null(escaping, False)
    escaped = pa.array([_as_json(text) for text in texts.filter(escaping).to_pylist()], TEXT)
    return pc.replace_with_mask(plain, escaping, escaped)
