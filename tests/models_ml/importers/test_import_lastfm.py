"""Last.fm scrobbles: the 1K table and the ways exporters write CSV."""

from pathlib import Path

import pytest

from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.options import ImportOptions
from models_ml.importers.report import ImportReport
from tests.models_ml.importers.exports import compressed, landed, packed_in

MBID = "11111111-2222-3333-4444-555555555555"


def imported(folder: Path, name: str, text: str, user: str | None = None) -> ImportReport:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return import_history("lastfm", [path], folder / "landing", ImportOptions(user=user))


def test_the_1k_table_is_read_without_quoting(tmp_path: Path) -> None:
    text = (
        f'user_000001\t2009-05-04T23:08:57Z\tartist-mbid\tDeep Dish\t\tFuck Me Im Famous "Pacha\n'
        f"user_000002\t2009-05-04T13:54:10Z\t\tSigur Rós\t{MBID}\tHoppípolla\n"
        "user_000002\t2009-05-04T13:54:10Z\tshort row\n"
        "user_000002\t\t\tSigur Rós\t\tHoppípolla\n"
        "user_000002\t2009-05-04T13:54:10Z\t\t\t\tHoppípolla\n"
    )
    report = imported(tmp_path, "scrobbles.tsv", text)
    events = landed(tmp_path / "landing", "events")
    assert [(event["user_id"], event["occurred_at"]) for event in events] == [
        ("user_000001", "2009-05-04T23:08:57+00:00"),
        ("user_000002", "2009-05-04T13:54:10+00:00"),
    ]
    assert "ms_played" not in events[0], "a scrobble stands for half the track by its own rule"
    tracks = landed(tmp_path / "landing", "tracks")
    assert [track["title"] for track in tracks] == ['Fuck Me Im Famous "Pacha', "Hoppípolla"]
    assert tracks[1]["recording_id"] == tracks[1]["track_id"] == f"mbid:{MBID}"
    assert report.skipped == {"no_track": 1, "unreadable_row": 1, "unreadable_time": 1}
    assert report.rows_read == 5


@pytest.mark.parametrize(
    "text",
    [
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        '1577882040,"01 Jan 2020, 12:34",Nina Simone,,"Pastel, Blues",,Sinnerman,\n',
        'Nina Simone,"Pastel, Blues",Sinnerman,01 Jan 2020 12:34\n',
        'Artist;Album;AlbumId;Track;Date#ann\nNina Simone;"Pastel, Blues";;Sinnerman;1577882040000\n',
        'artist,album,name,date\nNina Simone,"Pastel, Blues",Sinnerman,2020-01-01 12:34\n',
        'date,title,artist,album\n"01 Jan 2020, 12:34",Sinnerman,Nina Simone,"Pastel, Blues"\n',
    ],
)
def test_exporters_may_write_their_columns_as_they_like(tmp_path: Path, text: str) -> None:
    report = imported(tmp_path, "scrobbles.csv", text)
    (event,) = landed(tmp_path / "landing", "events")
    (track,) = landed(tmp_path / "landing", "tracks")
    assert event["occurred_at"] == "2020-01-01T12:34:00+00:00"
    assert (track["artist_name"], track["title"], track["album_title"]) == ("Nina Simone", "Sinnerman", "Pastel, Blues")
    assert report.listeners == ("ann",) if "#ann" in text else ("me",)


def test_a_quoted_line_break_belongs_to_its_title(tmp_path: Path) -> None:
    imported(tmp_path, "scrobbles.csv", 'artist,track,uts\nNina Simone,"Sinner\nman",1577882040\n', user="ann")
    assert [track["title"] for track in landed(tmp_path / "landing", "tracks")] == ["Sinner\nman"]


ROW = "Prince,Purple Rain,Kiss,01 Jan 2020 12:34\n"


@pytest.mark.parametrize(
    ("bad", "after"),
    [
        ('Prince,,"7,01 Jan 2020 12:34\n', 700),
        ('Prince,,7,"01 Jan 2020 12:34\n', 700),  # the last value takes all that follows, and the row is whole
        ('Prince,,"7,01 Jan 2020 12:34\nPrince,""\n', 700),
        ('Prince,,"7,01 Jan 2020 12:34\n', 0),
        ('Prince,,7,"01 Jan 2020 12:34', 0),
    ],
)
def test_a_quote_that_never_ends_is_an_error_that_names_its_row(tmp_path: Path, bad: str, after: int) -> None:
    text = ROW * 299 + "Prince,Kiss\n" + bad + ROW * after
    with pytest.raises(InputError, match=r"scrobbles\.csv: a quoted value that begins in row 301 is never closed"):
        imported(tmp_path, "scrobbles.csv", text)
    assert landed(tmp_path / "landing", "events") == []


def test_a_quote_that_ends_nowhere_near_is_an_error_before_the_file_is_read(tmp_path: Path) -> None:
    text = ROW * 100_000 + 'Prince,,"7,01 Jan 2020 12:34\n' + ROW * 200_000
    with pytest.raises(InputError, match=r"scrobbles\.csv: row 100001 doesn't end within 4 MiB; close its quotes"):
        imported(tmp_path, "scrobbles.csv", text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n\n"])
@pytest.mark.parametrize(
    ("row", "title"),
    [
        ('uts,artist,track\n1577882040,Prince,Kiss 12" mix', 'Kiss 12" mix'),
        ('uts,artist,track\n1577882040,Prince,"Kiss\n12"" mix"', 'Kiss\n12" mix'),
        ('uts,artist,track\n1577882040,Prince,"Kiss ""12"""', 'Kiss "12"'),
    ],
)
def test_quotes_in_the_last_value_leave_none_open(tmp_path: Path, row: str, title: str, end: str) -> None:
    report = imported(tmp_path, "scrobbles.csv", row + end)
    assert [track["title"] for track in landed(tmp_path / "landing", "tracks")] == [title]
    assert (report.rows_read, report.skipped) == (1, {})


def test_a_last_row_of_another_length_with_one_quote_is_counted(tmp_path: Path) -> None:
    report = imported(tmp_path, "scrobbles.csv", ROW + 'Prince,Kiss 12" mix')
    assert (report.rows_read, report.skipped) == (2, {"unreadable_row": 1})


def test_rows_between_a_quote_left_open_and_the_next_are_counted_each(tmp_path: Path) -> None:
    text = ROW * 3 + 'Prince,,"7,01 Jan 2020 12:34\n' + ROW * 5 + 'Prince,"1999, live",Kiss,01 Jan 2020 12:34\n' + ROW
    report = imported(tmp_path, "scrobbles.csv", text)
    assert (report.rows_read, report.skipped) == (3 + 1 + 5 + 1 + 1, {"unreadable_row": 1 + 5 + 1})


def test_a_quoted_line_break_makes_no_second_row_of_one_that_cannot_be_read(tmp_path: Path) -> None:
    report = imported(tmp_path, "scrobbles.csv", ROW + 'Prince,"Purple\nRain",Kiss\n')
    assert (report.rows_read, report.skipped) == (2, {"unreadable_row": 1})


def test_bytes_that_are_no_text_cost_their_row_only(tmp_path: Path) -> None:
    path = tmp_path / "scrobbles.csv"
    path.write_bytes(b"artist,track,uts\nNina Simone,Sinn\xffrman,1577882040\nNina Simone,Feeling Good,1577882041\n")
    report = import_history("lastfm", [path], tmp_path / "landing")
    assert report.skipped == {"unreadable_row": 1}
    assert report.rows_written["events"] == 1


def test_a_compressed_table_is_read_and_a_truncated_one_is_named(tmp_path: Path) -> None:
    rows = [f"u{n}\t2009-05-04T23:08:57Z\t\tArtist {n * 7919 % 10_007}\t\tSong {n}\n" for n in range(20_000)]
    plain = tmp_path / "scrobbles.tsv"
    plain.write_text("".join(rows))
    path = compressed(plain, "gzip")
    assert import_history("lastfm", [path], tmp_path / "landing").rows_written["events"] == 20_000
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match=r"scrobbles\.tsv\.gz: can't be read"):
        import_history("lastfm", [path], tmp_path / "landing")


@pytest.mark.parametrize("packed", ["tar", "tar.gz", "tar.zst"])
def test_a_tar_is_read_member_by_member_and_one_after_the_other(tmp_path: Path, packed: str) -> None:
    rows = 20_000  # over a megabyte, so that what is looked at first is far less than the whole
    table = "".join(f"u1\t2009-05-04T23:08:57Z\t\tSigur Rós\t\tSong number {n} of {rows}\n" for n in range(rows))
    contents = {
        "lastfm-dataset-1K/README.txt": b"about it",
        "lastfm-dataset-1K/empty.tsv": b"",
        "lastfm-dataset-1K/userid-timestamp-artid-artname-traid-traname.tsv": table.encode(),
        "mine.csv": b"artist,track,uts\nNina Simone,Sinnerman,1577882040\n",
    }
    report = import_history("lastfm", [packed_in(packed, tmp_path, contents)], tmp_path / "landing")
    assert report.rows_read == report.rows_written["events"] == rows + 1
    assert report.listeners == ("u1", "me")
    assert (len(report.files), len(report.ignored_files)) == (3, 1)


def test_a_file_of_another_kind_is_an_error_that_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.csv: the first line has 2 values, .*expected scrobbles"):
        imported(tmp_path, "x.csv", "city,people\nLund,94000\n")


@pytest.mark.parametrize("blank", ["\n", "\r\n\r\n", "\ufeff\n", "\ufeff", "\n" * 70_000])
@pytest.mark.parametrize(
    "text",
    [
        "artist,track,uts\nNina Simone,Sinnerman,1577882040\n",
        "Nina Simone,Pastel Blues,Sinnerman,01 Jan 2020 12:34\n",
        "ann\t2020-01-01T12:34:00Z\t\tNina Simone\t\tSinnerman\n",
    ],
)
def test_blank_lines_before_the_first_row_are_passed_over(tmp_path: Path, text: str, blank: str) -> None:
    report = imported(tmp_path, "scrobbles.csv", blank + text, user="ann")
    (event,) = landed(tmp_path / "landing", "events")
    assert (event["user_id"], event["occurred_at"]) == ("ann", "2020-01-01T12:34:00+00:00")
    assert (report.rows_read, report.skipped) == (1, {})


def test_an_empty_file_lands_nothing(tmp_path: Path) -> None:
    assert imported(tmp_path, "z.csv", "\ufeff\r\n\n").rows_written == {}
    assert imported(tmp_path, "x.csv", "").rows_written == {}
    assert imported(tmp_path, "y.csv", "artist,track,uts\n").rows_written == {}
