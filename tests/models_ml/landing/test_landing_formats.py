"""The same rows come out of every format, compressed or not."""

import datetime as dt
import gzip
import io
import os
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_ml.landing.scan import scan_landing
from tests.models_ml.landing.landing_home import Home

EVENT = b'{"user_id":"u","event_type":"play","occurred_at":"2026-01-01 00:00:00"}'
TRACK = "track_id,title,artist_id,artist_name"


def _compressed(content: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(content)
    if ending == ".zst":
        return bytes(pa.compress(content, codec="zstd", asbytes=True))
    return content


def _csv(rows: list[dict[str, Any]]) -> bytes:
    """CSV as pyarrow writes it: every text quoted, lists as JSON."""
    names = list(rows[0])
    texts = {
        name: [orjson.dumps(row[name]).decode() if isinstance(row[name], list) else row[name] for row in rows]
        for name in names
    }
    sink = io.BytesIO()
    pa_csv.write_csv(pa.table({name: pa.array(texts[name], pa.string()) for name in names}), sink)
    return sink.getvalue()


# Empty text is null in CSV, NUL stands for a broken byte, and surrogates are no text.
_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
_cell = st.none() | _text
_row = st.fixed_dictionaries(
    {
        "track_id": _cell,
        "title": _cell,
        "artist_id": _cell,
        "artist_name": _cell,
        "genres": st.none() | st.lists(_text, max_size=3),
        "label": _cell,
        'od"d': _cell,
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_row, min_size=1, max_size=5))
def test_every_format_gives_the_same_rows(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        home = Home(Path(folder) / "landing", Path(folder) / "intake")
        types = {name: pa.list_(pa.string()) if name == "genres" else pa.string() for name in rows[0]}
        home.land("tracks/a.parquet", pa.Table.from_pylist(rows, schema=pa.schema(types.items())))
        home.land("tracks/b.csv.gz", gzip.compress(_csv(rows)))
        home.land("tracks/c.ndjson", b"\n".join(orjson.dumps(row) for row in rows))
        parquet = home.rows("tracks/a.parquet")
        assert [row["_row"] for row in parquet] == list(range(1, len(rows) + 1))
        assert [row["genres"] for row in parquet] == [row["genres"] for row in rows]
        assert home.rows("tracks/b.csv.gz") == parquet
        assert home.rows("tracks/c.ndjson") == parquet


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".csv", ".ndjson", ".jsonl", ".json"])
def test_text_formats_may_be_compressed(home: Home, ending: str, compression: str) -> None:
    content = f"{TRACK}\n1,a,b,c\n".encode()
    if ending != ".csv":
        content = b'{"track_id":"1","title":"a","artist_id":"b","artist_name":"c"}\n'
    path = f"tracks/2026.01/week=1/rows{ending}{compression}"
    home.land(path, _compressed(content, compression))
    assert home.rows(path, "_row", "track_id", "title", "artist_name") == [(1, "1", "a", "c")]


def test_several_gzip_members_in_one_file_are_all_read(home: Home) -> None:
    home.land("events/a.ndjson.gz", gzip.compress(EVENT + b"\n") + gzip.compress(EVENT))
    assert home.rows("events/a.ndjson.gz", "_row", "user_id") == [(1, "u"), (2, "u")]


def test_endings_may_be_upper_case(home: Home) -> None:
    home.land("tracks/A.CSV", f"{TRACK}\n1,a,b,c\n".encode())
    assert home.rows("tracks/A.CSV", "track_id") == ["1"]


def test_column_names_match_in_any_case_with_blanks_around(home: Home) -> None:
    home.land("tracks/a.csv", b" Track_ID , TITLE,artist_id,artist_name\n1,a,b,c\n")
    home.land("tracks/b.ndjson", b'{" Track_ID ":"1","TITLE":"a","artist_id":"b","artist_name":"c"}')
    assert home.rows("tracks/a.csv", "track_id", "title") == [("1", "a")]
    assert home.rows("tracks/b.ndjson", "track_id", "title") == [("1", "a")]


def test_unknown_columns_are_kept_as_json_with_sorted_keys(home: Home) -> None:
    table = pa.table(
        {
            "user_id": ["u", "v"],
            "requested_at": ["2026-01-01", "2026-01-01"],
            "z": pa.array([1, None]),
            "b": ['say "hi"\n', None],
            "a": pa.array([{"deep": True}, None]),
            "c": pa.array([float("nan"), None]),
        }
    )
    home.land("deletions/a.parquet", table)
    expected = '{"a":{"deep":true},"b":"say \\"hi\\"\\n","z":1}'
    assert home.rows("deletions/a.parquet", "_extras") == [expected, None]
    line = b'{"user_id":"u","requested_at":"x","z":1,"b":"say \\"hi\\"\\n","a":{"deep":true},"c":null}'
    home.land("deletions/b.ndjson", line)
    assert home.rows("deletions/b.ndjson", "_extras") == [expected]


def test_optional_columns_that_are_absent_are_null(home: Home) -> None:
    home.land("tracks/a.csv", f"{TRACK}\n1,a,b,c\n".encode())
    assert home.rows("tracks/a.csv", "duration_ms", "genres", "isrc") == [(None, None, None)]


def test_sound_files_are_rows_named_by_their_track(home: Home) -> None:
    home.land("audio/2026/t1.ogg", b"sound")
    home.land("audio/2026/t2.OGG", b"sound")
    home.land("audio/more.csv", b"track_id,path\nt3,elsewhere/t3.wav\n")
    assert home.rows("audio/2026/t1.ogg", "track_id", "path") == [("t1", "audio/2026/t1.ogg")]
    assert home.rows("audio/2026/t2.OGG", "track_id", "path") == [("t2", "audio/2026/t2.OGG")]
    assert home.rows("audio/more.csv", "track_id", "path") == [("t3", "elsewhere/t3.wav")]


def test_one_sound_under_two_names_is_two_rows_and_no_duplicate(home: Home) -> None:
    home.land("audio/t1.ogg", b"sound")
    home.land("audio/t2.ogg", b"sound")
    assert [file.duplicate_of for file in home.take_in().files] == [None, None]


def test_parquet_of_many_batches_numbers_rows_throughout(home: Home) -> None:
    count = 300_000
    table = pa.table({"user_id": pa.array(range(count)), "requested_at": pa.array([dt.date(2026, 1, 1)] * count)})
    home.land("deletions/a.parquet", table)
    rows = home.rows("deletions/a.parquet", "_row", "user_id")
    assert len(rows) == count
    assert rows[-1] == (count, str(count - 1))
    assert all(number == int(user) + 1 for number, user in rows)


def test_ids_of_sixteen_bytes_are_their_text(home: Home) -> None:
    ids = [uuid.UUID(int=number) for number in (1, 2)]
    column = pa.array([each.bytes for each in ids], pa.uuid())
    home.land("users/a.parquet", pa.table({"user_id": column, "request": column}))
    told = [(str(each), f'{{"request":"{each}"}}') for each in ids]
    assert home.rows("users/a.parquet", "user_id", "_extras") == told


def test_a_folder_that_can_not_be_opened_is_named_and_the_others_are_read() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Home(Path(folder) / "landing", Path(folder) / "intake")
        home.land("users/a.csv", b"user_id\nu\n")
        home.land("lost+found/x.csv", b"").parent.chmod(0)
        user = os.geteuid()
        if user == 0:  # whom nothing is closed to
            os.seteuid(65_534)
        try:
            found = {file.path: file.error for file in scan_landing(home.landing)}
        finally:
            if user == 0:
                os.seteuid(0)
            (home.landing / "lost+found").chmod(0o755)
    assert found["users/a.csv"] is None
    assert "landing/lost+found: the folder can't be opened (Permission denied)" in str(found["lost+found"])
