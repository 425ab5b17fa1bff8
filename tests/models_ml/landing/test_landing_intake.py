"""Each content is taken in once, whole, and the report says what lies in landing now."""

import datetime as dt
import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.landing import intake as intake_module
from models_ml.landing.batches import intake_schema
from models_ml.landing.contract import DATASETS
from models_ml.landing.hashes import content_hash
from models_ml.landing.intake import ensure_empty_intake, intake_path, take_in
from models_ml.landing.storage import StorageError, replacing
from tests.models_ml.landing.landing_home import NOW, Home

LATER = NOW + dt.timedelta(days=7)
ROW = b"user_id,requested_at\nu,2026-01-01\n"
OTHER = b"user_id,requested_at\nv,2026-01-01\nw,2026-01-01\n"


def _intake_files(home: Home) -> set[str]:
    return {path.name for path in (home.intake / "deletions").iterdir()}


def test_an_empty_home_has_an_empty_report_and_typed_empty_intake(home: Home) -> None:
    assert home.take_in().files == ()
    for dataset in DATASETS.values():
        table = pq.read_table(intake_path(home.intake, dataset.name, "_empty"))
        assert table.num_rows == 0
        assert table.schema == intake_schema(dataset)


def test_empty_intake_is_left_alone_once_it_is_there(tmp_path: Path) -> None:
    ensure_empty_intake(tmp_path)
    before = (tmp_path / "events" / "_empty.parquet").stat().st_mtime_ns
    ensure_empty_intake(tmp_path)
    assert (tmp_path / "events" / "_empty.parquet").stat().st_mtime_ns == before


def test_the_report_has_one_row_per_file_in_naive_utc(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    home.land("nonsense/b.csv", b"x")
    east = dt.timezone(dt.timedelta(hours=2))
    table = home.take_in(NOW.astimezone(east)).to_arrow()
    assert table.column("path").to_pylist() == ["deletions/a.csv", "nonsense/b.csv"]
    assert table.column("row_count").to_pylist() == [1, 0]
    assert table.column("size_bytes").to_pylist() == [len(ROW), 1]
    assert table.column("first_seen_at").to_pylist() == [NOW.replace(tzinfo=None)] * 2
    assert table.column("error").is_valid().to_pylist() == [False, True]
    assert table.schema.field("first_seen_at").type == pa.timestamp("us")


def test_a_content_keeps_the_moment_it_was_first_seen(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    first = home.file("deletions/a.csv", NOW)
    assert home.file("deletions/a.csv", LATER) == first
    assert first.first_seen_at == NOW
    (home.landing / "deletions/a.csv").rename(home.landing / "deletions/moved.csv")
    assert home.file("deletions/moved.csv", LATER).first_seen_at == NOW


def test_a_naive_now_is_utc(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    assert home.file("deletions/a.csv", NOW.replace(tzinfo=None)).first_seen_at == NOW


def test_the_same_content_twice_is_read_once_and_named_a_duplicate(home: Home) -> None:
    home.land("deletions/b.csv", ROW)
    home.land("deletions/a.csv", ROW)
    home.land("deletions/c.csv", OTHER)
    files = home.take_in().files
    assert [file.path for file in files] == ["deletions/a.csv", "deletions/b.csv", "deletions/c.csv"]
    assert [file.duplicate_of for file in files] == [None, "deletions/a.csv", None]
    assert [file.row_count for file in files] == [1, 1, 2]
    assert _intake_files(home) == {f"{name}.parquet" for name in {"_empty"} | {f.content_hash for f in files}}


def test_where_the_last_row_holds_the_last_of_the_same_contents_is_read(home: Home) -> None:
    home.land("users/a.csv", b"user_id,market\nu,DE\n")
    home.land("users/b.csv", b"user_id,market\nu,SE\n")
    home.land("users/c.csv", b"user_id,market\nu,DE\n")
    assert [file.duplicate_of for file in home.take_in().files] == ["users/c.csv", None, None]


def test_the_same_content_in_two_datasets_is_no_duplicate(home: Home) -> None:
    content = b"user_id,requested_at,event,occurred_at\nu,2026-01-01,trial,2026-01-01\n"
    home.land("deletions/a.csv", content)
    home.land("subscriptions/a.csv", content)
    files = home.take_in().files
    assert [file.duplicate_of for file in files] == [None, None]
    assert files[0].content_hash == files[1].content_hash


@pytest.mark.usefixtures("settled")
def test_an_edited_file_is_a_new_content_and_the_old_one_stays(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    before = home.file("deletions/a.csv", NOW)
    home.land("deletions/a.csv", OTHER)
    after = home.file("deletions/a.csv", LATER)
    assert after.first_seen_at == LATER
    assert after.row_count == 2
    assert _intake_files(home) == {f"{name}.parquet" for name in ("_empty", before.content_hash, after.content_hash)}


def test_hidden_and_unfinished_files_are_not_there(home: Home) -> None:
    for name in (".a.csv", "_a.csv", "a.csv.tmp", "a.csv.part", ".git/a.csv", "_old/a.csv"):
        home.land(f"deletions/{name}", b"nonsense")
    assert home.take_in().files == ()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("evnts/a.csv", "evnts is no dataset of the contract; is it events?"),
        ("a.csv", "the file lies in no dataset's folder"),
        ("events/a.xlsx", "the ending says no format of the contract"),
        ("events/a.parquet.gz", "the ending says no format of the contract"),
        ("events/sound.ogg", "the ending says no format of the contract"),
        ("audio/sound.aiff", r".m4a"),
        ("events/noending", "the ending says no format of the contract"),
    ],
)
def test_files_that_the_contract_does_not_know_are_named(home: Home, path: str, message: str) -> None:
    home.land(path, b"x")
    home.land("deletions/a.csv", ROW)
    assert home.error(path).startswith(f"landing/{path}: ")
    assert message in home.error(path)
    assert home.rows("deletions/a.csv", "user_id") == ["u"]


def test_a_link_that_leads_nowhere_is_named(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    (home.landing / "deletions/b.csv").symlink_to("gone.csv")
    assert home.error("deletions/b.csv").startswith("landing/deletions/b.csv: the file can't be read")


def test_a_folder_linked_into_itself_is_walked_once(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    (home.landing / "deletions/loop").symlink_to(home.landing / "deletions", target_is_directory=True)
    assert [file.path for file in home.take_in().files] == ["deletions/a.csv"]


def test_datasets_have_landed_when_a_readable_file_has_rows(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    home.land("events/a.csv", b"")
    home.land("tracks/a.parquet", b"broken")
    assert home.take_in().landed_datasets == {"deletions"}


def test_a_broken_file_is_tried_again_and_read_once_it_is_whole(home: Home) -> None:
    home.land("deletions/a.csv.gz", b"broken")
    assert home.error("deletions/a.csv.gz")
    home.land("deletions/a.csv.gz", b"\x1f\x8b" + b"still broken")
    assert home.error("deletions/a.csv.gz")
    home.land("deletions/a.csv.gz", gzip.compress(ROW))
    assert home.file("deletions/a.csv.gz", LATER).first_seen_at == LATER


def test_what_a_killed_run_left_behind_does_not_count_and_goes(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    file_hash = home.file("deletions/a.csv").content_hash
    assert file_hash is not None
    target = intake_path(home.intake, "deletions", file_hash)
    whole = target.read_bytes()
    target.unlink()
    target.with_name(f".{target.name}.tmp").write_bytes(whole[:100])
    assert home.rows("deletions/a.csv", "user_id") == ["u"]
    assert _intake_files(home) == {"_empty.parquet", target.name}


def _write_half(target: Path) -> None:
    with replacing(target) as beside:
        beside.write_bytes(b"half")
        raise RuntimeError


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        _write_half(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_refuses_says_which_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"file/events/_empty.parquet: can't be written"):
        ensure_empty_intake(tmp_path / "file")


def test_a_file_that_changes_while_it_is_read_waits_for_the_next_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.land("deletions/a.csv", ROW)
    hashed = content_hash

    def hash_then_append(location: Path, salt: str = "") -> str:
        result = hashed(location, salt)
        with open(location, "ab") as stream:
            stream.write(b"more,2026-01-01\n")
        return result

    with monkeypatch.context() as patched:
        patched.setattr(intake_module, "content_hash", hash_then_append)
        assert home.error("deletions/a.csv").endswith("changed while it was read; it is taken in next time")
    assert _intake_files(home) == {"_empty.parquet"}
    assert path.read_bytes() == ROW + b"more,2026-01-01\n"
    assert home.rows("deletions/a.csv", "user_id") == ["u", "more"]


def _count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    hashed: list[str] = []
    original = content_hash

    def counting(location: Path, salt: str = "") -> str:
        hashed.append(location.name)
        return original(location, salt)

    monkeypatch.setattr(intake_module, "content_hash", counting)
    return hashed


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_is_not_hashed_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.land("deletions/a.csv", ROW)
    hashed = _count_hashing(monkeypatch)
    first = home.take_in()
    assert home.take_in(LATER) == first
    assert hashed == ["a.csv"]


def test_a_file_that_changed_a_moment_ago_is_hashed_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home.land("deletions/a.csv", ROW)
    hashed = _count_hashing(monkeypatch)
    home.take_in()
    home.take_in()
    assert hashed == ["a.csv"] * 2
    os.utime(path, (1_700_000_000, 1_700_000_000))
    home.take_in()
    home.take_in()
    assert hashed == ["a.csv"] * 3


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"deletions/a.csv": 1}', b'{"deletions/a.csv": [1, 2, 3, 4]}'])
def test_a_broken_cache_costs_only_time(home: Home, content: bytes) -> None:
    home.land("deletions/a.csv", ROW)
    first = home.take_in()
    (home.intake / "_seen.json").write_bytes(content)
    assert home.take_in(LATER) == first
    assert b"deletions/a.csv" in (home.intake / "_seen.json").read_bytes()


@pytest.mark.usefixtures("settled")
def test_a_remembered_hash_is_not_trusted_where_the_rows_are_gone(home: Home) -> None:
    home.land("deletions/a.csv", ROW)
    first = home.file("deletions/a.csv")
    cache = home.intake / "_seen.json"
    cache.write_text(cache.read_text().replace(str(first.content_hash), "0" * 32))
    assert home.file("deletions/a.csv").content_hash == first.content_hash


def test_taking_in_twice_from_scratch_gives_the_same_rows(home: Home, tmp_path: Path) -> None:
    home.land("deletions/a.csv", ROW)
    again = Home(home.landing, tmp_path / "again")
    assert home.take_in() == again.take_in()
    assert home.rows("deletions/a.csv") == again.rows("deletions/a.csv")


def test_many_files_show_progress(home: Home) -> None:
    for number in range(200):
        home.land(f"deletions/{number:03}.csv", ROW)
    lines: list[str] = []
    take_in(home.landing, home.intake, NOW, lines.append)
    assert lines == ["intake: 200 of 200 files"]
