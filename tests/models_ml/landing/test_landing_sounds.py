"""Sound files: a row each, new ones together in one intake file, each with the moment it was first seen."""

import datetime as dt
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models_ml.errors import InputError
from models_ml.landing.intake import intake_path
from models_ml.landing.sounds import sounds_file
from tests.models_ml.landing.landing_home import NOW, Home

LATER = NOW + dt.timedelta(days=7)


def sound_files(home: Home) -> list[Path]:
    """Intake files of sounds, hidden ones too."""
    return [path for path in sorted((home.intake / "audio").iterdir()) if "sounds" in path.name]


def land_three(home: Home) -> None:
    for name in ("a/t1.flac", "b/t2.flac", "t3.ogg"):
        home.land(f"audio/{name}", b"sound")


def test_sounds_that_come_together_lie_in_one_intake_file_in_order_of_their_paths(home: Home) -> None:
    land_three(home)
    files = home.take_in().files
    (location,) = sound_files(home)
    table = pq.read_table(location)
    assert table["track_id"].to_pylist() == ["t1", "t2", "t3"]
    assert table["path"].to_pylist() == ["audio/a/t1.flac", "audio/b/t2.flac", "audio/t3.ogg"]
    assert table["_file_hash"].to_pylist() == [file.content_hash for file in files]
    assert table["_row"].to_pylist() == [1, 1, 1]
    assert [file.row_count for file in files] == [1, 1, 1]
    assert [file.duplicate_of for file in files] == [None, None, None]


def test_its_schema_is_that_of_every_intake_file_of_sound(home: Home) -> None:
    land_three(home)
    home.take_in()
    (location,) = sound_files(home)
    empty = intake_path(home.intake, "audio", "_empty")
    assert pq.read_schema(location).equals(pq.read_schema(empty), check_metadata=False)


def test_sounds_taken_in_keep_their_moment_and_new_ones_get_a_file_of_their_own(home: Home) -> None:
    land_three(home)
    home.take_in(NOW)
    before = sound_files(home)[0].read_bytes()
    home.land("audio/t4.flac", b"sound")
    seen = {file.path: file.first_seen_at for file in home.take_in(LATER).files}
    assert seen["audio/t4.flac"] == LATER
    assert {moment for path, moment in seen.items() if path != "audio/t4.flac"} == {NOW}
    assert sorted(pq.read_metadata(path).num_rows for path in sound_files(home)) == [1, 3]
    assert before in [path.read_bytes() for path in sound_files(home)]


def test_taking_in_again_writes_nothing(home: Home) -> None:
    land_three(home)
    first = home.take_in(NOW)
    before = [(path, path.stat().st_mtime_ns) for path in sound_files(home)]
    assert home.take_in(LATER) == first
    assert [(path, path.stat().st_mtime_ns) for path in sound_files(home)] == before


@pytest.mark.usefixtures("settled")
def test_a_sound_that_changes_is_a_new_content_and_the_old_row_stays(home: Home) -> None:
    home.land("audio/t1.flac", b"sound")
    old = home.file("audio/t1.flac", NOW)
    home.land("audio/t1.flac", b"another sound")
    new = home.file("audio/t1.flac", LATER)
    assert new.content_hash != old.content_hash
    assert new.first_seen_at == LATER
    assert len(sound_files(home)) == 2


def test_every_content_is_found_by_its_hash(home: Home) -> None:
    land_three(home)
    files = home.take_in().files
    (location,) = sound_files(home)
    assert {intake_path(home.intake, "audio", str(file.content_hash)) for file in files} == {location}
    assert not intake_path(home.intake, "audio", "0" * 32).exists()
    assert sounds_file(home.intake / "audio", "0" * 32) is None


def test_what_a_killed_run_left_of_a_file_of_sounds_goes_and_is_written_anew(home: Home) -> None:
    land_three(home)
    home.take_in(NOW)
    (location,) = sound_files(home)
    location.rename(location.with_name(f".{location.name}.tmp"))
    assert {file.first_seen_at for file in home.take_in(LATER).files} == {LATER}
    assert sound_files(home) == [location]


def test_a_sound_from_before_they_were_kept_together_is_still_known(home: Home) -> None:
    home.land("audio/t1.flac", b"sound")
    file_hash = str(home.file("audio/t1.flac", NOW).content_hash)
    (location,) = sound_files(home)
    location.rename(home.intake / "audio" / f"{file_hash}.parquet")
    assert home.file("audio/t1.flac", LATER).first_seen_at == NOW
    assert home.rows("audio/t1.flac", "track_id") == ["t1"]
    assert sound_files(home) == []


def test_a_table_beside_the_sounds_keeps_its_own_file(home: Home) -> None:
    home.land("audio/t1.flac", b"sound")
    home.land("audio/more.csv", b"track_id,path\nt2,elsewhere/t2.wav\n")
    assert home.rows("audio/more.csv", "track_id", "path") == [("t2", "elsewhere/t2.wav")]
    assert home.rows("audio/t1.flac", "track_id") == ["t1"]
    assert len(sound_files(home)) == 1


def test_a_file_of_sounds_that_intake_did_not_write_is_named(home: Home) -> None:
    home.take_in()
    pq.write_table(pq.read_table(intake_path(home.intake, "audio", "_empty")), home.intake / "audio/sounds-x.parquet")
    with pytest.raises(InputError, match=r"sounds-x\.parquet: not written by intake; delete it"):
        home.take_in()
