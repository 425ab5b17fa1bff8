"""Tests of the store: what is analysed once, what is named each time, killed runs, workers, content hashes."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rendered_sound import RATE, cadence, clicks, piece, write

from models_ml.errors import InputError
from models_ml.sound import store as store_module
from models_ml.sound.decoding import read_excerpts
from models_ml.sound.hashes import HASHES_NAME, SoundFile, hash_files
from models_ml.sound.spectrograms import SpectrogramParams, log_mel, quantised
from models_ml.sound.store import TABLE_SCHEMA, SoundStore, settings_hash

PARAMS = SpectrogramParams(excerpts=2, excerpt_seconds=2.0, mels=24)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three good files, and one of each kind of bad ones."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    write(sounds / "cadence.flac", 0.3 * cadence(2, 4, 6))
    write(sounds / "clicks.ogg", clicks(120, 8))
    write(sounds / "piece.mp3", piece(5))
    write(sounds / "silent.wav", np.zeros(5 * RATE))
    write(sounds / "short.wav", piece(0.5))
    (sounds / "broken.wav").write_bytes(b"no sound " * 100)
    return sounds


def settle(*paths: Path) -> None:
    """Make files look as old as landed ones are: what changed a moment ago is hashed again."""
    for path in paths:
        os.utime(path, ns=(10**18, 10**18 + len(path.name)))


def files_in(folder: Path) -> tuple[SoundFile, ...]:
    return hash_files(sorted(folder.iterdir()), folder.parent / "hashes").files


def by_name(table) -> dict[str, dict]:
    return {Path(row["path"]).name: row for row in table.to_pylist()}


def shards(store: SoundStore) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.location.iterdir()}


def test_each_file_has_a_row_with_what_was_measured_or_why_nothing_was(folder, tmp_path):
    table = SoundStore(tmp_path / "store", PARAMS).analyse(files_in(folder))
    rows = by_name(table)
    assert table.schema == TABLE_SCHEMA
    assert table["content_hash"].to_pylist() == sorted(table["content_hash"].to_pylist())
    assert {name: row["status"] for name, row in rows.items()} == {
        "cadence.flac": "ok",
        "clicks.ogg": "ok",
        "piece.mp3": "ok",
        "silent.wav": "silent",
        "short.wav": "too_short",
        "broken.wav": "unreadable",
    }
    assert (rows["cadence.flac"]["key"], rows["cadence.flac"]["mode"]) == (2, "major")
    assert rows["cadence.flac"]["duration_seconds"] == pytest.approx(6)
    assert rows["cadence.flac"]["message"] is None
    assert str(folder / "short.wav") in rows["short.wav"]["message"]
    assert all(rows["silent.wav"][name] is None for name in ("tempo_bpm", "key", "energy", "loudness_lufs"))


def test_the_same_files_again_are_not_read_and_give_the_same_rows(folder, tmp_path):
    files = files_in(folder)
    store = SoundStore(tmp_path / "store", PARAMS)
    first, before = store.analyse(files), shards(store)
    for file in files:
        file.path.write_bytes(b"read again")
    lines: list[str] = []
    assert SoundStore(tmp_path / "store", PARAMS).analyse(files, lines.append).equals(first)
    assert shards(store) == before
    assert lines == []


def test_a_new_file_alone_is_analysed(folder, tmp_path):
    store, lines = SoundStore(tmp_path / "store", PARAMS), list[str]()
    first, before = store.analyse(files_in(folder)), shards(store)
    write(folder / "new.flac", piece(7))
    table = store.analyse(files_in(folder), lines.append)
    assert lines == ["sound: 1 of 1 new files analysed, 0 of them unusable"]
    assert len(table) == len(first) + 1
    assert before.items() <= shards(store).items()


def test_only_those_asked_for_are_told_of(folder, tmp_path):
    files, store = files_in(folder), SoundStore(tmp_path / "store", PARAMS)
    store.analyse(files)
    assert store.analyse(files[:2])["content_hash"].to_pylist() == sorted(file.content_hash for file in files[:2])
    assert len(store.analyse(())) == 0


def test_two_files_of_one_content_are_one_row_with_the_path_that_comes_first(folder, tmp_path):
    (folder / "a_copy.flac").write_bytes((folder / "cadence.flac").read_bytes())
    rows = by_name(SoundStore(tmp_path / "store", PARAMS).analyse(files_in(folder)[::-1]))
    assert len(rows) == 6
    assert "a_copy.flac" in rows
    assert "cadence.flac" not in rows


def test_a_known_content_is_named_by_where_it_lies_now(folder, tmp_path):
    store = SoundStore(tmp_path / "store", PARAMS)
    store.analyse(files_in(folder))
    (folder / "short.wav").rename(folder / "renamed.wav")
    message = by_name(store.analyse(files_in(folder)))["renamed.wav"]["message"]
    assert message.startswith(f"{folder / 'renamed.wav'}: 0.50 s of sound")


def test_spectrograms_come_back_in_the_order_asked_for(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "SHARD_FILES", 2)
    files, store = files_in(folder), SoundStore(tmp_path / "store", PARAMS)
    store.analyse(files)
    hashes = {file.path.name: file.content_hash for file in files}
    names = ["piece.mp3", "cadence.flac", "clicks.ogg", "cadence.flac"]
    mels = store.mels([hashes[name] for name in names])
    assert mels.shape == (4, *PARAMS.shape)
    assert mels.dtype == np.uint8
    assert (mels[1] == mels[3]).all()
    heard = read_excerpts(folder / "cadence.flac", 2, 2.0, RATE).samples
    assert (mels[1] == quantised(log_mel(heard, PARAMS))).all()
    blocks = list(store.mel_blocks([hashes[name] for name in names]))
    assert sorted(position for positions, _ in blocks for position in positions) == [0, 1, 2, 3]
    for positions, block in blocks:
        assert (block == mels[positions]).all()


def test_a_spectrogram_that_is_not_there_is_an_error(folder, tmp_path):
    store = SoundStore(tmp_path / "store", PARAMS)
    files = {file.path.name: file.content_hash for file in files_in(folder)}
    store.analyse(files_in(folder))
    assert store.mels([]).shape == (0, *PARAMS.shape)
    with pytest.raises(InputError, match="unknown"):
        store.mels(["unknown"])
    with pytest.raises(InputError, match=files["silent.wav"]):
        store.mels([files["clicks.ogg"], files["silent.wav"]])


def test_any_number_of_workers_gives_the_same_rows_and_the_same_bytes(folder, tmp_path):
    files = files_in(folder)
    stores = [SoundStore(tmp_path / f"store{workers}", PARAMS) for workers in (1, 2, 5)]
    tables = [store.analyse(files, workers=workers) for store, workers in zip(stores, (1, 2, 5), strict=True)]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert shards(stores[0]) == shards(stores[1]) == shards(stores[2])


def test_other_parameters_do_not_mix(folder, tmp_path):
    files = files_in(folder)
    one = SoundStore(tmp_path / "store", PARAMS)
    two = SoundStore(tmp_path / "store", SpectrogramParams(excerpts=2, excerpt_seconds=2.0, mels=32))
    one.analyse(files)
    assert two.analyse(files).num_rows == 6
    ok = [row["content_hash"] for row in two.analyse(files).to_pylist() if row["status"] == "ok"]
    assert (one.mels(ok).shape[2], two.mels(ok).shape[2]) == (24, 32)


def test_another_version_of_the_analysis_is_another_folder(monkeypatch):
    before = settings_hash(PARAMS)
    monkeypatch.setattr(store_module, "ANALYSIS_VERSION", store_module.ANALYSIS_VERSION + 1)
    assert settings_hash(PARAMS) != before


def test_leftovers_of_a_killed_run_go_and_a_spoilt_shard_is_made_anew(folder, tmp_path):
    files, store, lines = files_in(folder), SoundStore(tmp_path / "store", PARAMS), list[str]()
    whole, before = store.analyse(files), shards(store)
    (name,) = before
    (store.location / f".{name}.tmp").write_bytes(b"half")
    (store.location / name).write_bytes(before[name][:100])
    assert store.analyse(files, lines.append).equals(whole)
    assert shards(store) == before
    assert "its files are analysed again" in lines[0]


def analyse_one_a_shard(files: tuple[SoundFile, ...], folder: Path) -> None:
    store_module.SHARD_FILES = 1
    SoundStore(folder, SpectrogramParams()).analyse(files, workers=1)


def test_a_killed_run_has_kept_what_it_had_and_the_next_one_completes(tmp_path, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    for place in range(30):
        write(folder / f"{place:02}.flac", clicks(60 + place, 20, seed=place))
    files, store = files_in(folder), SoundStore(tmp_path / "killed", SpectrogramParams())
    run = multiprocessing.get_context("spawn").Process(target=analyse_one_a_shard, args=(files, tmp_path / "killed"))
    run.start()
    while run.is_alive() and len(list(store.location.glob("*.parquet"))) < 3:
        time.sleep(0.005)
    run.kill()
    run.join()
    kept = len(list(store.location.glob("*.parquet")))
    assert kept >= 3
    monkeypatch.setattr(store_module, "SHARD_FILES", 1)
    lines: list[str] = []
    table = store.analyse(files, lines.append)
    assert len(lines) == 30 - kept
    never_killed = SoundStore(tmp_path / "whole", SpectrogramParams())
    assert table.equals(never_killed.analyse(files))
    assert shards(store) == shards(never_killed)


def test_a_missing_file_is_named_and_tried_again(folder, tmp_path):
    files, store = files_in(folder), SoundStore(tmp_path / "store", PARAMS)
    clicks_file = next(file for file in files if file.path.name == "clicks.ogg")
    content = clicks_file.path.read_bytes()
    clicks_file.path.unlink()
    row = by_name(store.analyse(files))["clicks.ogg"]
    assert row["status"] == "missing"
    assert str(clicks_file.path) in row["message"]
    clicks_file.path.write_bytes(content)
    assert by_name(store.analyse(files))["clicks.ogg"]["status"] == "ok"


def test_what_had_no_decoder_is_tried_again_once_there_is_one(tmp_path, monkeypatch):
    (tmp_path / "song.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(1_000))
    files, store = (SoundFile(tmp_path / "song.m4a", "a" * 32),), SoundStore(tmp_path / "store", PARAMS)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert store.analyse(files)["status"].to_pylist() == ["no_decoder"]
    before = shards(store)
    assert store.analyse(files)["status"].to_pylist() == ["no_decoder"]
    assert shards(store) == before
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert store.analyse(files)["status"].to_pylist() == ["unreadable"]
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert store.analyse(files)["status"].to_pylist() == ["unreadable"]


def test_hashes_tell_contents_apart_and_say_which_files_are_gone(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in ("c", "gone", "b", "a")]
    found = hash_files(paths, tmp_path / "store")
    assert [file.path.name for file in found.files] == ["c", "b", "a"]
    assert found.missing == (tmp_path / "gone",)
    assert found.files[0].content_hash == found.files[2].content_hash != found.files[1].content_hash


def test_an_unchanged_file_is_hashed_once_and_a_changed_one_again(tmp_path):
    path, store = tmp_path / "sound.wav", tmp_path / "store"
    path.write_bytes(b"first")
    settle(path)
    first = hash_files([path], store)
    state = path.stat()
    path.write_bytes(b"other")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert hash_files([path], store) == first
    path.write_bytes(b"a longer one")
    settle(path)
    assert hash_files([path], store) != first


def test_a_file_changed_a_moment_ago_is_hashed_again(tmp_path):
    path, store = tmp_path / "sound.wav", tmp_path / "store"
    path.write_bytes(b"first")
    first = hash_files([path], store)
    path.write_bytes(b"other")
    assert hash_files([path], store) != first


def test_paths_no_longer_asked_for_and_a_spoilt_memory_are_forgotten(tmp_path):
    paths, store = [tmp_path / "a", tmp_path / "b"], tmp_path / "store"
    for path in paths:
        path.write_bytes(path.name.encode())
    settle(*paths)
    both = hash_files(paths, store)
    hash_files(paths[:1], store)
    assert pq.read_table(store / HASHES_NAME)["path"].to_pylist() == [os.fsencode(paths[0])]
    (store / HASHES_NAME).write_bytes(b"spoilt")
    assert hash_files(paths, store) == both
