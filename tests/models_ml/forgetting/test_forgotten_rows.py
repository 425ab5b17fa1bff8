"""Landing files and tables without a listener: what goes, and that all else stays as it was to the byte."""

import datetime as dt
import gzip
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.forgetting.landing_files import owners_in, theirs_in, without_lists, write_without
from models_ml.forgetting.people import People, keyed_hash, recognised
from models_ml.forgetting.search import UNKNOWN, Search
from models_ml.forgetting.tables import UnreadableTableError, Without, numbers_of
from models_ml.landing.files import format_of
from models_ml.landing.intake import intake_path, take_in

ANN = People(frozenset({"ann-0001"}))
NOW = dt.datetime(2026, 11, 23)


def _rewritten(tmp_path: Path, name: str, content: bytes, people: People = ANN) -> bytes | None:
    """A landing file's bytes without these people; None where nothing of theirs is in it."""
    path = tmp_path / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (file,) = take_in(tmp_path / "landing", tmp_path / "intake", NOW).files
    assert file.error is None, file.error
    assert file.content_hash is not None
    theirs = theirs_in(intake_path(tmp_path / "intake", file.dataset, file.content_hash), people)
    file_format = format_of(PurePosixPath(name), file.dataset)
    assert file_format is not None
    if not theirs:
        return None
    write_without(path, file_format, theirs, people, tmp_path / "beside")
    return (tmp_path / "beside").read_bytes()


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        ("user_id,event,occurred_at\n", "ann-0001,trial,x\n", "bob,trial,y\n"),
        ("user_id,event,occurred_at\r\nbob,a,y\r\n", " ann-0001 ,trial,x", ""),
        ("\ufeffuser_id,event,occurred_at\n", "ann-0001,a,x\n", "bob,b,y"),
        ('user_id,event,occurred_at\nbob,"a\nann-0001,b",y\n', 'ann-0001,"""\n",x\n', "bob,a,y\n"),
        ("user_id,event,occurred_at\n\nbob,a\n", "ann-0001,a\n", "\ncid,a,y\n"),
        ('user_id,event,occurred_at,more\nbob,a"b,y,"é"\n', 'ann-0001,a,x,"q"tail\n', ""),
        ("event,user_id,occurred_at\na,ann-00012,x\n", "a,ann-0001,x\n", "a,joann-0001,x\n"),
    ],
    ids=["plain", "blanks-crlf", "bom", "quoted-breaks", "malformed-and-blank", "odd-quotes", "longer-ids"],
)
def test_csv_keeps_every_other_byte(tmp_path: Path, before: str, gone: str, after: str) -> None:
    assert _rewritten(tmp_path, "subscriptions/s.csv", (before + gone + after).encode()) == (before + after).encode()
    assert _rewritten(tmp_path, "subscriptions/s.csv", (before + after).encode()) is None


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_ndjson_keeps_every_other_byte_packed_or_not(tmp_path: Path, ending: str) -> None:
    bob, broken = b'{"user_id": "bob",  "event": "a", "occurred_at": null}', b'{"user_id": "bob", '
    lines = [
        b"",
        bob,
        b'{"occurred_at":"x","event":"a","user_id":"ann-0001"}',
        broken,
        b'{"user_id": "ann-0001", ',
        bob,
    ]
    path, compression = tmp_path / "packed", {"": None, ".gz": "gzip", ".zst": "zstd"}[ending]
    with pa.output_stream(str(path), compression=compression) as stream:
        stream.write(b"\n".join(lines))
    assert _rewritten(tmp_path, f"subscriptions/s.ndjson{ending}", path.read_bytes()) is not None
    with pa.input_stream(str(tmp_path / "beside"), compression=compression) as kept:
        assert kept.read() == b"\n".join([b"", bob, broken, bob])


def test_several_blocks_of_csv_are_split_where_rows_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_ml.forgetting.text_rows.CHUNK_BYTES", 7)
    rows = [f'{"ann-0001" if n % 3 == 0 else "bob"},"a\r\n""{n}""",y\r\n' for n in range(50)]
    before = "user_id,event,occurred_at\r\n" + "".join(rows)
    after = "user_id,event,occurred_at\r\n" + "".join(row for row in rows if "ann" not in row)
    assert _rewritten(tmp_path, "subscriptions/s.csv", before.encode()) == after.encode()


def test_parquet_keeps_types_metadata_and_compression(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            ("user_id", pa.dictionary(pa.int32(), pa.string())),
            ("event", pa.string()),
            ("occurred_at", pa.timestamp("ns")),
        ],
        metadata={b"from": b"a source"},
    )
    rows = [{"user_id": who, "event": "a", "occurred_at": NOW} for who in ("bob", "ann-0001", None)]
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "in.parquet", compression="gzip")
    assert _rewritten(tmp_path, "subscriptions/s.parquet", (tmp_path / "in.parquet").read_bytes())
    with pq.ParquetFile(tmp_path / "beside") as file:
        assert file.schema_arrow.equals(schema, check_metadata=True)
        assert file.metadata.row_group(0).column(1).compression == "GZIP"
        assert file.read().to_pylist() == [rows[0], rows[2]]
    assert b"ann-0001" not in (tmp_path / "beside").read_bytes()


def test_ids_that_are_numbers_are_found_as_the_warehouse_reads_them(tmp_path: Path) -> None:
    rows = pa.table({"user_id": [7.0, 70.0], "event": ["a", "a"], "occurred_at": [NOW, NOW]})
    pq.write_table(rows, tmp_path / "in.parquet")
    content = (tmp_path / "in.parquet").read_bytes()
    assert _rewritten(tmp_path, "subscriptions/s.parquet", content, People(frozenset({"7"})))
    assert pq.read_table(tmp_path / "beside")["user_id"].to_pylist() == [70.0]


def test_others_keep_their_plays_in_a_list_of_theirs_which_is_nobody_s(tmp_path: Path) -> None:
    row = '{"user_id": "bob", "event_type": "play", "occurred_at": "x", "context_id": "%s"}\n'
    before = row % "discover:2026-11-23:ann-0001" + row % "discover:2026-11-23:ann-00012" + row % "ann-0001"
    after = row % "discover:2026-11-23:" + row % "discover:2026-11-23:ann-00012" + row % "ann-0001"
    assert _rewritten(tmp_path, "events/e.ndjson", before.encode()) == after.encode()
    texts = pa.array(["discover:2026-11-23:ann-0001", "discover:2026-11-23:bob", None, "ann-0001"])
    cut = without_lists(pa.record_batch({"context_id": texts}), ANN)
    assert cut.column(0).to_pylist() == ["discover:2026-11-23:", "discover:2026-11-23:bob", None, "ann-0001"]


def test_a_playlist_goes_with_its_owner_unless_another_owns_it_too(tmp_path: Path) -> None:
    content = b"playlist_id,title,owner_id\np1,Mine,ann-0001\np2,Ours,ann-0001\np2,Ours,bob\np3,Nobody's,\n"
    assert _rewritten(tmp_path, "playlists/p.csv", content) == (
        b"playlist_id,title,owner_id\np2,Ours,bob\np3,Nobody's,\n"
    )
    taken_in = next(path for path in (tmp_path / "intake" / "playlists").iterdir() if path.stem != "_empty")
    theirs, of_others = owners_in(taken_in, ANN.user_ids)
    assert (theirs - of_others, of_others) == ({"p1"}, {"p2"})


def test_numbers_close_up_and_a_table_is_written_once(tmp_path: Path) -> None:
    people = pa.table({"user_index": pa.array([0, 1, 2, 3], pa.int32()), "user_id": ["a", "ann-0001", "b", "c"]})
    pairs = pa.table({"user_index": pa.array([0, 1, 1, 2, 3, 3], pa.int32()), "recording_index": [5, 6, 7, 8, 9, 10]})
    pq.write_table(people, tmp_path / "listeners.parquet")
    pq.write_table(pairs, tmp_path / "pairs.parquet")
    gone = numbers_of(tmp_path / "listeners.parquet", "user_index", ANN)
    assert gone.tolist() == [1]
    without = Without(ANN, "stamp", {"user_index": gone})
    for name in ("pairs", "listeners"):
        assert without.concerns(tmp_path / f"{name}.parquet")
        without.write(tmp_path / f"{name}.parquet", tmp_path / f"{name}-after.parquet")
        assert not without.concerns(tmp_path / f"{name}-after.parquet")
    assert pq.read_table(tmp_path / "listeners-after.parquet").to_pydict() == {
        "user_index": [0, 1, 2],
        "user_id": ["a", "b", "c"],
    }
    after = pq.read_table(tmp_path / "pairs-after.parquet")
    assert after.to_pydict() == {"user_index": [0, 1, 2, 2], "recording_index": [5, 8, 9, 10]}
    assert after.schema == pairs.schema
    later = Without(ANN, "another stamp", {"user_index": np.array([2])})
    assert later.concerns(tmp_path / "pairs-after.parquet"), "a later forgetting writes it again"


def test_a_table_that_breaks_off_or_breaks_midway_is_named(tmp_path: Path) -> None:
    path, without = tmp_path / "t.parquet", Without(ANN, "stamp")
    rows = pa.table({"user_id": ["ann-0001", "bob"], "words": ["some words", "others"]})
    pq.write_table(rows, path, compression="zstd", use_dictionary=False)
    whole = path.read_bytes()
    for broken in (whole[:-9], b"no table"):
        path.write_bytes(broken)
        with pytest.raises(UnreadableTableError, match=r"t\.parquet: can't be read"):
            without.concerns(path)
    place = pq.read_metadata(pa.BufferReader(whole)).row_group(0).column(1).data_page_offset
    path.write_bytes(whole[:place] + b"\xff" * 40 + whole[place + 40 :])
    assert without.concerns(path), "the column of ids is whole"
    with pytest.raises(UnreadableTableError, match=r"t\.parquet: can't be read"):
        without.write(path, tmp_path / "beside")


def test_what_is_kept_of_an_id_depends_on_the_key() -> None:
    kept = frozenset({keyed_hash(b"key", "listener", "ann-0001")})
    assert recognised(["bob", "ann-0001"], "listener", b"key", kept) == {"ann-0001"}
    assert recognised(["ann-0001"], "listener", b"another", kept) == frozenset()
    assert recognised(["ann-0001"], "playlist", b"key", kept) == frozenset()


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("log.txt", b"of ann-0001.", "its bytes"),
        ("log.txt", b"of ann-00012 and joann-0001", None),
        ("e.csv.gz", gzip.compress(b"ann-0001,play"), "its bytes, unpacked"),
        ("e.csv.gz", b"no archive", UNKNOWN),
        ("e.parquet", b"no table", UNKNOWN),
        ("e.parquet", b"", None),
        ("e.csv.gz", b"", None),
        ("ann-0001.txt", b"", "its name"),
        ("long.bin", b"x" * (4 * 1024 * 1024 - 3) + b" ann-0001 " + b"x" * 10, "its bytes"),
        ("long.bin", b"x" * (4 * 1024 * 1024 - 8) + b" ann-00012" + b"x" * 10, None),
    ],
    # Packed bytes hold the second they were packed in: as a test's name they differ from one worker to the next.
    ids=[
        "bytes",
        "longer-ids",
        "packed",
        "no-archive",
        "no-table",
        "empty-table",
        "empty-archive",
        "name",
        "across-blocks",
        "longer-across-blocks",
    ],
)
def test_the_search_finds_an_id_in_bytes_packed_ones_and_names(
    tmp_path: Path, name: str, content: bytes, place: str | None
) -> None:
    (tmp_path / name).write_bytes(content)
    assert Search(ANN).found_in(tmp_path / name, name) == place


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"user_id": ["b", "ann-0001"]}, "column user_id"),
        ({"user_id": [12, 345]}, "column user_id"),
        ({"duration": [12, 345], "title": ["345", "12"]}, None),
        ({"context_id": ["discover:2026-11-23:345"]}, "column context_id"),
        ({"row_json": ['{"user_id": "ann-0001"}']}, "column row_json"),
        ({"names": [["a"], ["b", "ann-0001"]]}, "column names"),
        ({"deep": [{"of": "ann-0001"}]}, "column deep"),
        ({"row_json": ["joann-0001", "ann-00012"]}, None),
    ],
)
def test_the_search_finds_an_id_in_any_text_of_a_table(
    tmp_path: Path, columns: dict[str, list[object]], place: str | None
) -> None:
    # Packed, so that the bytes alone don't say it.
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", compression="zstd", write_statistics=False)
    found = Search(People(frozenset({"ann-0001", "345"}))).found_in(tmp_path / "t.parquet", "t.parquet")
    assert found == place or (place is not None and found == "its bytes")
