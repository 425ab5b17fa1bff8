"""Tables of play counts: every format, the columns a person names, what an item becomes."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.options import ImportOptions
from models_ml.importers.report import ImportReport
from tests.models_ml.importers.exports import compressed, landed, packed_in, write_lines, zipped

ROWS = [
    {"who": "ann", "what": "42", "n": 3, "by": "Nina Simone", "called": "Sinnerman", "on": "2026-01-05"},
    {"who": "bo", "what": "43", "n": 0, "by": "Sigur Rós", "called": "Hoppípolla", "on": "2026-01-06T01:00:00Z"},
]
BARE = {"user_column": "who", "item_column": "what", "count_column": "n"}
NAMED = {**BARE, "artist_column": "by", "title_column": "called", "date_column": "on"}


def imported(path: Path, landing: Path, **options: Any) -> ImportReport:
    return import_history("play-counts", [path], landing, ImportOptions(**options))


def written(folder: Path, ending: str) -> Path:
    path = folder / f"counts{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif ending == ".ndjson":
        write_lines(path, ROWS)
    else:
        mark = "\t" if ending == ".tsv" else ","
        lines = [mark.join(ROWS[0]), *(mark.join(map(str, row.values())) for row in ROWS)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".ndjson"])
def test_a_table_lands_the_same_in_every_format(tmp_path: Path, ending: str) -> None:
    report = imported(written(tmp_path, ending), tmp_path / "landing", **NAMED)
    counts = landed(tmp_path / "landing", "play_counts")
    assert [(row["user_id"], row["play_count"], row["observed_at"]) for row in counts] == [
        ("ann", 3, "2026-01-05T00:00:00+00:00"),
        ("bo", 0, "2026-01-06T01:00:00+00:00"),
    ]
    tracks = landed(tmp_path / "landing", "tracks")
    assert [(track["artist_name"], track["title"]) for track in tracks] == [
        ("Nina Simone", "Sinnerman"),
        ("Sigur Rós", "Hoppípolla"),
    ]
    assert [row["track_id"] for row in counts] == [track["track_id"] for track in tracks]
    assert report.skipped == {}


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("ending", [".csv", ".ndjson"])
def test_a_compressed_table_is_read(tmp_path: Path, ending: str, compression: str) -> None:
    path = compressed(written(tmp_path, ending), compression)
    assert imported(path, tmp_path / "landing", **BARE).rows_written["play_counts"] == 2


@pytest.mark.parametrize("packed", ["tar", "tar.gz", "tar.zst"])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".ndjson"])
def test_a_table_in_a_tar_is_read(tmp_path: Path, ending: str, packed: str) -> None:
    content = written(tmp_path, ending).read_bytes()
    path = packed_in(packed, tmp_path, {f"2025{ending}": content, "about.md": b"x", f"2026{ending}": content})
    report = imported(path, tmp_path / "landing", **NAMED)
    assert report.rows_read == report.rows_written["play_counts"] == 4
    assert report.listeners == ("ann", "bo")


def test_without_names_the_item_stands_for_the_track_and_its_artist(tmp_path: Path) -> None:
    imported(written(tmp_path, ".csv"), tmp_path / "landing", **BARE)
    tracks = landed(tmp_path / "landing", "tracks")
    assert [(track["title"], track["artist_name"]) for track in tracks] == [("42", "42"), ("43", "43")]


def test_an_item_that_is_a_known_id_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("who,what,n\nann,spotify:track:abc,1\nann,11111111-2222-3333-4444-555555555555,1\n")
    imported(path, tmp_path / "landing", **BARE)
    ids = [row["track_id"] for row in landed(tmp_path / "landing", "play_counts")]
    assert ids == ["spotify:abc", "mbid:11111111-2222-3333-4444-555555555555"]


def test_a_file_that_names_no_columns_is_read_by_their_places(tmp_path: Path) -> None:
    path = tmp_path / "counts.tsv"
    path.write_text('ann\tx\tThe "Weeknd\t12\nbo\ty\tSigur Rós\t7\n')
    options = {"user_column": "1", "item_column": "3", "count_column": "4", "has_header": False}
    imported(path, tmp_path / "landing", **options)
    assert [row["play_count"] for row in landed(tmp_path / "landing", "play_counts")] == [12, 7]
    assert landed(tmp_path / "landing", "tracks")[0]["title"] == 'The "Weeknd'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",42,1,by,called,2026-01-05", "no_user"),
        ("ann,,1,by,called,2026-01-05", "no_item"),
        ("ann,42,1,by,,2026-01-05", "no_title_or_artist"),
        ("ann,42,,by,called,2026-01-05", "unreadable_count"),
        ("ann,42,-1,by,called,2026-01-05", "unreadable_count"),
        ("ann,42,1.5,by,called,2026-01-05", "unreadable_count"),
        ("ann,42,1,by,called,someday", "unreadable_date"),
        ("ann,42,1", "unreadable_row"),
    ],
)
def test_what_is_no_count_is_counted_under_its_own_name(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path, ".csv")
    path.write_text(path.read_text() + line + "\n")
    report = imported(path, tmp_path / "landing", **NAMED)
    assert report.skipped == {reason: 1}
    assert report.rows_read == 3
    assert report.rows_written["play_counts"] == 2


@pytest.mark.parametrize("has_header", [True, False])
def test_blank_lines_before_the_first_row_are_passed_over(tmp_path: Path, has_header: bool) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("\ufeff\r\n\n1,2,3\nann,x,5\nbo,y,7\n", encoding="utf-8")
    columns = {"user_column": "1", "item_column": "2", "count_column": "3"}
    report = imported(path, tmp_path / "landing", has_header=has_header, **columns)
    assert report.rows_read == (2 if has_header else 3)
    assert [row["play_count"] for row in landed(tmp_path / "landing", "play_counts")] == [3, 5, 7][has_header:]


def test_a_quote_that_never_ends_is_an_error_that_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("who,what,n\n" + "ann,x,1\n" * 200 + '"bo,x,1\n' + "ann,y,1\n" * 300)
    with pytest.raises(InputError, match=r"counts\.csv: a quoted value that begins in row 201 is never closed"):
        imported(path, tmp_path / "landing", **BARE)
    path.write_text('who;what;n\nann;x;"1\nann;y;1\n')
    with pytest.raises(InputError, match="begins in row 1 is never closed"):
        imported(path, tmp_path / "landing", **BARE)


def test_counts_with_a_point_are_whole_numbers_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("who,what,n\nann,x,5.0\nann,y,1e3\n")
    imported(path, tmp_path / "landing", **BARE)
    assert [row["play_count"] for row in landed(tmp_path / "landing", "play_counts")] == [5, 1000]


def test_columns_that_were_not_named_or_are_not_there_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, ".csv")
    with pytest.raises(InputError, match="--item-column, --count-column not given"):
        imported(path, tmp_path / "landing", user_column="who")
    for ending in (".csv", ".parquet", ".ndjson"):
        with pytest.raises(InputError, match=rf"counts{ending}: no column 'plays'; the file has .*who"):
            imported(written(tmp_path, ending), tmp_path / "landing", **{**BARE, "count_column": "plays"})


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    parquet = written(tmp_path, ".parquet")
    content = parquet.read_bytes()
    inside = zipped(tmp_path / "counts.zip", {"counts.parquet": content})
    with pytest.raises(InputError, match="unpack it first"):
        imported(inside, tmp_path / "landing", **BARE)
    parquet.write_bytes(content[:-20])
    with pytest.raises(InputError, match=r"counts\.parquet: can't be read"):
        imported(parquet, tmp_path / "landing", **BARE)
