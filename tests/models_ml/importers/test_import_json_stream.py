"""JSON of any size in blocks: the same values as parsing all of it, wherever blocks end."""

import io
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.errors import InputError
from models_ml.importers import json_stream
from models_ml.importers.json_stream import array_blocks, line_blocks
from models_ml.importers.sources import ByteStream

TEXTS = st.text(st.sampled_from(list('ab "\\{}[],:\n\té夜😀')), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=12)


def stream(content: bytes) -> ByteStream:
    return ByteStream(io.BytesIO(content), "x.json")


@given(OBJECTS, st.sampled_from([None, 1, 4]), st.booleans(), st.integers(1, 40), st.sampled_from([None, "playlists"]))
def test_an_array_gives_its_objects_wherever_the_blocks_end(
    objects: list[dict[str, object]], indent: int | None, is_ascii: bool, chunk_bytes: int, key: str | None
) -> None:
    text = json.dumps(objects, indent=indent, ensure_ascii=is_ascii)
    if key is not None:
        text = f'{{"info": {{"playlists_": []}}, "{key}" : {text}, "after": [1, {{"x": 2}}]}}'
    with pytest.MonkeyPatch.context() as patch:
        # The first read has to reach the array's beginning; what is small is where the blocks after it end.
        patch.setattr(json_stream, "CHUNK_BYTES", max(chunk_bytes, text.index(f'"{key}"') + 20 if key else 1))
        blocks = list(array_blocks(stream(text.encode()), "x.json", "objects", key))
    assert [value for block in blocks for value in block.values] == objects
    assert sum(block.unreadable for block in blocks) == 0


@given(OBJECTS, st.integers(1, 60))
def test_an_array_cut_short_is_an_error(objects: list[dict[str, object]], cut: int) -> None:
    content = json.dumps(objects).encode()
    with pytest.raises(InputError, match=r"ends in the middle|expected objects"):
        list(array_blocks(stream(content[: -min(cut, len(content))]), "x.json", "objects"))


def test_an_object_that_does_not_parse_is_counted_and_the_others_stay() -> None:
    content = b'[{"a": 1}, {"a": nope}, {"a": 2}\n, {"b": "}, {"}]'
    blocks = list(array_blocks(stream(content), "x.json", "objects"))
    assert [value for block in blocks for value in block.values] == [{"a": 1}, {"a": 2}, {"b": "}, {"}]
    assert sum(block.unreadable for block in blocks) == 1


def test_an_array_of_no_objects_does_not_end_up_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "LARGEST_OBJECT_BYTES", 10_000)
    monkeypatch.setattr(json_stream, "CHUNK_BYTES", 1_000)
    with pytest.raises(InputError, match="no object ends within"):
        list(array_blocks(stream(b"[" + b"1," * 50_000 + b"1]"), "x.json", "objects"))


def test_a_file_that_is_one_endless_line_does_not_end_up_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "LARGEST_OBJECT_BYTES", 10_000)
    monkeypatch.setattr(json_stream, "CHUNK_BYTES", 1_000)
    with pytest.raises(InputError, match="no line ends within"):
        list(line_blocks(stream(b"[" + b"1," * 50_000 + b"1]")))


@given(st.lists(VALUES.filter(lambda value: value != ""), max_size=12), st.integers(1, 40), st.booleans())
def test_lines_give_their_values_wherever_the_blocks_end(values: list[object], chunk_bytes: int, ends: bool) -> None:
    content = b"\n".join(orjson.dumps(value) for value in values) + (b"\n" if ends and values else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK_BYTES", chunk_bytes)
        blocks = list(line_blocks(stream(content)))
    assert [value for block in blocks for value in block.values] == values


def test_a_disk_that_fails_while_reading_is_named(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("input/output error")

    with pytest.raises(InputError, match=r"x\.json: can't be read .input/output error."):
        list(line_blocks(ByteStream(Failing(), "x.json")))
