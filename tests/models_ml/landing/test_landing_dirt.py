"""Malformed rows are kept with their number; broken files are named, and the others go on."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.errors import InputError
from models_ml.landing import csv_reader, ndjson_reader
from tests.models_ml.landing.landing_home import Home

HEADER = b"track_id,title,artist_id,artist_name\n"
TRACKS = pa.table({name: ["1"] for name in ("track_id", "title", "artist_id", "artist_name")})


def _parquet_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def test_csv_with_bom_crlf_and_quoted_line_breaks(home: Home) -> None:
    home.land(
        "tracks/a.csv",
        b'\xef\xbb\xbftrack_id,title,artist_id,artist_name\r\n1,"a\r\nb",c,"d""e"\r\n2,f,g,h\r\n',
    )
    assert home.rows("tracks/a.csv", "_row", "track_id", "title", "artist_name") == [
        (1, "1", "a\r\nb", 'd"e'),
        (2, "2", "f", "h"),
    ]


def test_empty_text_in_csv_is_null_and_words_for_null_are_text(home: Home) -> None:
    home.land("tracks/a.csv", HEADER + b'1,,"",NULL\n')
    assert home.rows("tracks/a.csv", "title", "artist_id", "artist_name") == [(None, None, "NULL")]


def test_csv_rows_of_the_wrong_length_are_kept_where_they_stood(home: Home) -> None:
    home.land("tracks/a.csv", HEADER + b"1,a,b,c\nshort,a\n\n3,a,b,c\n4,a,b,c,d\n")
    assert home.rows("tracks/a.csv", "_row", "track_id", "_parse_error", "_extras") == [
        (1, "1", None, None),
        (2, None, "malformed csv row: expected 4 columns, got 2", '{"raw":"short,a"}'),
        (3, "3", None, None),
        (4, None, "malformed csv row: expected 4 columns, got 5", '{"raw":"4,a,b,c,d"}'),
    ]


def test_a_csv_of_malformed_rows_only_is_all_kept(home: Home) -> None:
    home.land("tracks/a.csv", HEADER + b"x\ny\n")
    assert home.rows("tracks/a.csv", "_row", "_extras") == [(1, '{"raw":"x"}'), (2, '{"raw":"y"}')]


def test_csv_rows_are_numbered_across_blocks(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 100)
    lines = [b"bad" if number % 7 == 0 else b"%d,a,b,c" % number for number in range(1, 501)]
    home.land("tracks/a.csv", HEADER + b"\n".join(lines))
    rows = home.rows("tracks/a.csv", "_row", "track_id", "_parse_error")
    assert [row for row, _, _ in rows] == list(range(1, 501))
    assert [row for row, _, error in rows if error] == list(range(7, 501, 7))
    assert all(track == str(row) for row, track, error in rows if not error)


def test_csv_bytes_that_are_not_utf8_spoil_their_row_only(home: Home) -> None:
    home.land("tracks/a.csv", HEADER + b"1,K\xf6ln,b,c\n2,K\xc3\xb6ln,b,c\n\xff\n")
    assert home.rows("tracks/a.csv", "_row", "track_id", "title", "_parse_error", "_extras") == [
        (1, "1", "K\ufffdln", "malformed csv row: title is not UTF-8", '{"raw":"K\ufffdln"}'),
        (2, "2", "Köln", None, None),
        (3, None, None, "malformed csv row: expected 4 columns, got 1", '{"raw":"\ufffd"}'),
    ]


def test_characters_on_the_border_of_two_blocks_stay_whole(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 65)
    home.land("tracks/a.csv", HEADER + "1,öööööööööööö,€€€€,c\n".encode() * 50)
    rows = home.rows("tracks/a.csv", "title", "artist_id", "_parse_error")
    assert rows == [("ö" * 12, "€" * 4, None)] * 50


@pytest.mark.parametrize("row", [b'2,a,b,12" mix,c\n', b'2,a "b,"c",d,e'])
def test_a_quote_within_a_value_of_a_broken_last_row_opens_nothing(home: Home, row: bytes) -> None:
    home.land("tracks/a.csv", HEADER + b"1,a,b,c\n" + row)
    assert home.rows("tracks/a.csv", "_row", "title") == [(1, "a"), (2, None)]
    assert home.rows("tracks/a.csv", "_parse_error")[1] is not None


@pytest.mark.parametrize("row", [b'2,"a,b,c\n3,a,b,c\n', b'2,a,b,"c\n3,a,b,c\n', b'2,a,b,"c\n3,a,b,c'])
def test_a_quote_that_is_never_closed_is_named_with_its_row(home: Home, row: bytes) -> None:
    home.land("tracks/a.csv", HEADER + b"1,a,b,c\n" + row)
    assert "a quoted value that begins in row 2 is never closed" in home.error("tracks/a.csv")


def test_a_quoted_last_value_with_a_line_break_is_fine(home: Home) -> None:
    home.land("tracks/a.csv", HEADER + b'1,a,b,"c\nd\n"\r\n')
    assert home.rows("tracks/a.csv", "artist_name") == ["c\nd\n"]


def test_json_lines_that_do_not_parse_are_kept_with_their_line_number(home: Home) -> None:
    good = b'{"user_id":"u","requested_at":"x"}'
    home.land("deletions/a.ndjson", b"\n".join([good, b"{", b"", b"[1]", b"\xff", b"null", good]) + b"\r\n")
    assert home.rows("deletions/a.ndjson", "_row", "user_id", "_parse_error", "_extras") == [
        (1, "u", None, None),
        (2, None, "malformed json", '{"raw":"{"}'),
        (4, None, "malformed json: not an object", '{"raw":"[1]"}'),
        (5, None, "malformed json", '{"raw":"\ufffd"}'),
        (6, None, "malformed json: not an object", '{"raw":"null"}'),
        (7, "u", None, None),
    ]


def test_json_lines_are_numbered_across_chunks(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson_reader, "CHUNK_BYTES", 50)
    lines = [b'{"user_id":%d,"requested_at":"x"}' % number for number in range(1, 101)]
    home.land("deletions/a.ndjson", b"\xef\xbb\xbf" + b"\n".join(lines))
    rows = home.rows("deletions/a.ndjson", "_row", "user_id")
    assert rows == [(number, str(number)) for number in range(1, 101)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tracks/a.csv", b""),
        ("tracks/a.csv", HEADER),
        ("tracks/a.csv", HEADER.strip()),
        ("tracks/a.csv", b"\n\n"),
        ("tracks/a.csv.gz", gzip.compress(b"", mtime=0)),
        ("tracks/a.ndjson", b""),
        ("tracks/a.ndjson", b"\n"),
        ("tracks/a.parquet", b""),
        ("tracks/a.parquet", _parquet_bytes(TRACKS.slice(0, 0))),
    ],
)
def test_a_file_without_rows_is_read_and_has_none(home: Home, path: str, content: bytes) -> None:
    home.land(path, content)
    assert home.rows(path) == []


_GZIP = gzip.compress(HEADER + b"".join(b"%d,a,b,c\n" % number for number in range(20_000)))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tracks/a.csv.gz", _GZIP[:-20]),
        ("tracks/a.csv.gz", _GZIP[:2000] + b"\0\0\0\0" + _GZIP[2004:]),
        ("tracks/a.csv.gz", b"no gzip"),
        ("tracks/a.ndjson.zst", b"no zstd"),
        ("tracks/a.csv", "track_id,title\n".encode("utf-16")),
        ("tracks/a.parquet", _parquet_bytes(TRACKS)[:-9]),
        ("tracks/a.parquet", b"no parquet"),
    ],
)
def test_a_broken_file_is_named_nothing_of_it_is_kept_and_the_others_go_on(
    home: Home, path: str, content: bytes
) -> None:
    home.land(path, content)
    home.land("tracks/good.parquet", TRACKS)
    assert home.error(path).startswith(f"landing/{path}: ")
    assert home.rows("tracks/good.parquet", "track_id") == ["1"]
    assert len(list((home.intake / "tracks").iterdir())) == len(["_empty", "good"])


def test_bytes_in_a_column_of_text_are_refused_by_name(home: Home) -> None:
    home.land("tracks/a.parquet", TRACKS.set_column(1, "title", pa.array([b"1"])))
    assert home.error("tracks/a.parquet").startswith("landing/tracks/a.parquet: column title holds bytes")


@pytest.mark.parametrize(
    ("path", "content", "columns"),
    [
        ("events/2026/a.csv", b"a,b,c\n1,2,3\n", "a, b, c"),
        ("events/a.ndjson", b'{"a":1}\n{"b":2}\n', "a, b"),
        ("events/a.parquet", _parquet_bytes(pa.table({"a": [1], "b": [2]})), "a, b"),
    ],
)
def test_a_missing_required_column_ends_the_run(home: Home, path: str, content: bytes, columns: str) -> None:
    home.land(path, content)
    expected = f"^landing/{path}: dataset events needs the column user_id; the file has columns {columns}$"
    with pytest.raises(InputError, match=expected):
        home.take_in()
    assert [file.name for file in (home.intake / "events").iterdir()] == ["_empty.parquet"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("deletions/a.csv", b"user_id,User_ID,requested_at\n1,2,3\n"),
        ("deletions/a.csv", b"user_id,user_id,requested_at\n1,2,3\n"),
        ("deletions/a.ndjson", b'{"user_id":1,"User_ID":2,"requested_at":3}'),
        (
            "deletions/a.parquet",
            _parquet_bytes(pa.table({"user_id": [1], "User_ID": [2], "requested_at": [3]})),
        ),
    ],
)
def test_a_column_that_comes_twice_ends_the_run(home: Home, path: str, content: bytes) -> None:
    home.land(path, content)
    with pytest.raises(InputError, match=f"^landing/{path}: dataset deletions has the column user_id twice"):
        home.take_in()
