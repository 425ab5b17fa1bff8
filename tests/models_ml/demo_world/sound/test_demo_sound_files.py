"""Sound files of a demo world: which there are, what is wrong with some, what they say of taste.

Belongs here: worlds of few tracks with sound. Does not: music (test_demo_sound_music.py).
"""

import dataclasses
import datetime as dt
import functools
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.demo_world.catalogue import Catalogue
from models_ml.demo_world.catalogue_tables import catalogue_ids
from models_ml.demo_world.draws import generator
from models_ml.demo_world.editions import draw_catalogue
from models_ml.demo_world.sound import files
from models_ml.demo_world.sound.files import (
    CORRUPT,
    NO_FILE,
    RECENT_WEEKS,
    SHORT,
    SILENT,
    WHOLE,
    sound_path,
    sound_states,
    write_sound,
)
from models_ml.demo_world.sound.plans import COLOURS, draw_colours, draw_heard
from models_ml.demo_world.sound.waves import SAMPLE_RATE
from models_ml.demo_world.world import MARKER

LAST_WEEK = dt.date(2026, 11, 2)
SIZE = WorldSize(listeners=20, tracks=480, weeks=1, last_week=LAST_WEEK, history_weeks=10, sound=True)
# A few tracks beside the recent ones, of the shortest sound.
PARAMS = WorldParams(sound_share=0.02, sound_seconds=2.0, silent_sound_files=2, released_in_history_share=0.02)
SEED = 5
_HOLDER = tempfile.TemporaryDirectory()


@functools.cache
def world() -> Path:
    """A folder with landing/ and truth/, written at the first call."""
    folder = Path(_HOLDER.name)
    report = write_world(folder / "landing", folder / "truth", SIZE, PARAMS, SEED)
    assert report.rows["audio"] == len(list(folder.glob("landing/audio/*/*.flac")))
    return folder


def truth() -> pa.Table:
    return pq.ParquetFile(world() / "truth" / "tracks.parquet").read()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.flac")}


@functools.cache
def catalogue(carries: float = 0.8) -> Catalogue:
    size = dataclasses.replace(SIZE, tracks=4_000)
    return draw_catalogue(SEED, size, WorldParams(sound_carries_taste=carries))


def test_files_are_named_by_their_tracks_and_the_truth_says_which_there_are() -> None:
    table = truth()
    states = dict(zip(table["track_id"].to_pylist(), table["sound_file"].to_pylist(), strict=True))
    names = {path.stem for path in (world() / "landing" / "audio").rglob("*.flac")}
    assert names == {track_id for track_id, state in states.items() if state != NO_FILE}
    assert 10 < len(names) < 60
    assert all(sound_path(world() / "landing" / "audio", name).is_file() for name in names)


def test_whole_files_are_mono_sound_of_the_length_that_was_asked_for() -> None:
    table = truth().to_pylist()
    for row in [row for row in table if row["sound_file"] == WHOLE]:
        sound, rate = soundfile.read(sound_path(world() / "landing" / "audio", row["track_id"]), dtype="int16")
        assert rate == SAMPLE_RATE
        assert sound.ndim == 1
        assert len(sound) / rate == pytest.approx(PARAMS.sound_seconds, rel=0.03)
        assert np.abs(sound).max() > 10_000


def test_some_files_are_silent_short_or_corrupt() -> None:
    found: dict[str, list[Path]] = {SILENT: [], SHORT: [], CORRUPT: []}
    for row in truth().to_pylist():
        if row["sound_file"] in found:
            found[row["sound_file"]].append(sound_path(world() / "landing" / "audio", row["track_id"]))
    assert {state: len(paths) for state, paths in found.items()} == {SILENT: 2, SHORT: 1, CORRUPT: 1}
    assert not any(soundfile.read(path)[0].any() for path in found[SILENT])
    assert soundfile.info(found[SHORT][0]).duration < 0.1
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(found[CORRUPT][0])


def test_the_truth_names_key_mode_and_voice() -> None:
    table = truth()
    assert set(table["key"].to_pylist()) == set(range(12))
    assert set(table["mode"].to_pylist()) == {"major", "minor"}
    assert set(table["instrumental"].to_pylist()) == {True, False}
    assert set(table["heard_genre"].to_pylist()) <= set(table["genre"].to_pylist())


def test_editions_are_in_the_key_of_their_original_and_sound_as_it_does() -> None:
    rows = {row["track_id"]: row for row in truth().to_pylist()}
    for row in rows.values():
        original = rows[row["original_track_id"]]
        assert [row[name] for name in ("key", "mode", "instrumental", "heard_genre", "tempo_bpm")] == [
            original[name] for name in ("key", "mode", "instrumental", "heard_genre", "tempo_bpm")
        ]


def test_the_bytes_do_not_depend_on_how_many_threads_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_TRACKS_A_BLOCK", 2)
    small = draw_catalogue(SEED, SIZE, PARAMS)
    states = sound_states(SEED, small, SIZE, PARAMS)
    states[np.flatnonzero(states != NO_FILE)[12:]] = NO_FILE
    for threads in (1, 3):
        write_sound(tmp_path / str(threads), SEED, small, catalogue_ids(small), states, PARAMS, threads=threads)
    one, three = (bytes_of(tmp_path / str(threads)) for threads in (1, 3))
    assert len(one) == 12
    assert one == three
    assert one.items() <= bytes_of(world() / "landing").items()


def test_recent_tracks_have_a_whole_file_however_few_others_have() -> None:
    params = WorldParams(sound_share=0.01, silent_sound_files=20)
    states = sound_states(SEED, catalogue(), SIZE, params)
    recent = catalogue().tracks.playable_ms >= SIZE.end_ms - RECENT_WEEKS * 7 * 86_400_000
    assert 50 < recent.sum() < 1_000
    assert set(states[recent]) == {WHOLE}
    assert 0 < (states[~recent] != NO_FILE).mean() < 0.03


def test_all_tracks_have_a_file_by_default_and_none_where_the_share_is_zero() -> None:
    count = len(catalogue().tracks)
    states = sound_states(SEED, catalogue(), SIZE, WorldParams())
    assert [int((states == state).sum()) for state in (NO_FILE, SILENT, SHORT, CORRUPT)] == [0, 1, 1, 1]
    none = sound_states(SEED, catalogue(), SIZE, WorldParams(sound_share=0))
    assert (none == NO_FILE).sum() == count


def test_sound_can_be_switched_off_and_then_leaves_nothing(tmp_path: Path) -> None:
    size = dataclasses.replace(SIZE, sound=False)
    report = write_world(tmp_path / "landing", tmp_path / "truth", size, PARAMS, SEED)
    assert "audio" not in report.rows
    assert not (tmp_path / "landing" / "audio").exists()
    # Nothing else of the world depends on it.
    for path in sorted((world() / "landing").glob("*/**/*")):
        if path.is_file() and "audio" not in path.parts:
            assert (tmp_path / "landing" / path.relative_to(world() / "landing")).read_bytes() == path.read_bytes()


def test_what_an_unfinished_writing_left_of_the_sound_goes(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / "audio" / "00").mkdir(parents=True)
    (landing / "audio" / "00" / "t99999900.flac").write_bytes(b"half")
    (landing / MARKER).write_bytes(b'{"state": "writing"}')
    write_world(landing, tmp_path / "truth", SIZE, PARAMS, SEED)
    assert bytes_of(landing) == bytes_of(world() / "landing")


def test_progress_names_how_many_files_are_written(tmp_path: Path) -> None:
    small = draw_catalogue(SEED, SIZE, PARAMS)
    states = np.full(len(small.tracks), NO_FILE, dtype=object)
    states[:3] = SILENT
    said: list[str] = []
    write_sound(tmp_path, SEED, small, catalogue_ids(small), states, PARAMS, said.append)
    assert said == ["3 of 3 sound files written"]


def elsewhere(world: Catalogue) -> Catalogue:
    """The same world with every artist in another genre and place, and every track as likely sung as not."""
    random = generator(1, "elsewhere")
    artists = dataclasses.replace(world.artists, genre=random.permutation(world.artists.genre))
    place = random.permutation(world.tracks.place)
    sung = random.random(len(world.tracks)) < 0.5
    return dataclasses.replace(world, artists=artists, tracks=dataclasses.replace(world.tracks, place=place, sung=sung))


def test_what_is_heard_says_nothing_of_genre_and_place_where_sound_carries_no_taste() -> None:
    here, there = catalogue(0.0), elsewhere(catalogue(0.0))
    assert all(
        (getattr(draw_heard(SEED, here, 0.0), name) == getattr(draw_heard(SEED, there, 0.0), name)).all()
        for name in ("key", "minor", "sung")
    )
    assert (draw_colours(SEED, here, 0.0) == draw_colours(SEED, there, 0.0)).all()


def test_the_genre_heard_is_the_true_one_as_far_as_sound_carries_taste() -> None:
    for carries in (0.0, 0.5, 1.0):
        world = catalogue(carries)
        agree = float(np.mean(world.tracks.heard_as == world.track_genre))
        artists = len(world.artists.genre)
        expected = carries + (1 - carries) / 24
        # Five standard deviations of a share of artists, who have ten tracks each on average, some many more.
        assert abs(agree - expected) <= 5 * (expected * (1 - expected) / artists * 3) ** 0.5


def test_a_misheard_artist_sounds_like_one_genre_or_each_track_like_its_own() -> None:
    shares = {}
    for tells in (0.0, 1.0):
        size = dataclasses.replace(SIZE, tracks=4_000)
        world = draw_catalogue(SEED, size, WorldParams(sound_carries_taste=0, sound_tells_artist=tells))
        first = np.flatnonzero(world.tracks.original == np.arange(len(world.tracks)))
        artist, genre = world.tracks.artist[first], world.tracks.heard_as[first]
        same = artist[1:] == artist[:-1]
        shares[tells] = float(np.mean(genre[1:][same] == genre[:-1][same]))
    assert shares[1.0] == 1
    assert abs(shares[0.0] - 1 / 24) < 0.02


def between_artists(colours: np.ndarray, artist: np.ndarray) -> float:
    """Share of the variance that knowing the artist explains."""
    counts = np.maximum(np.bincount(artist), 1)
    means = np.stack([np.bincount(artist, weights=column) / counts for column in colours.T], axis=1)
    rest = ((colours - means[artist]) ** 2).sum()
    return float(1 - rest / ((colours - colours.mean(axis=0)) ** 2).sum())


def test_tracks_of_an_artist_sound_alike_and_at_random_where_sound_carries_no_taste() -> None:
    shares = []
    for carries in (0.0, 1.0):
        world = catalogue(carries)
        colours = draw_colours(SEED, world, carries)
        assert colours.shape == (len(world.tracks), COLOURS)
        assert 0.5 < colours.std() < 1.5
        originals = world.tracks.original == np.arange(len(world.tracks))
        shares.append(between_artists(colours[originals], world.tracks.artist[originals]))
    # Chance alone: one in so many tracks as an artist has, about a tenth.
    assert shares[0] < 0.15
    assert shares[1] > 0.5


def test_dark_tracks_are_mostly_in_minor_and_light_ones_in_major() -> None:
    minor = draw_heard(SEED, catalogue(), 0.8).minor
    darkness = catalogue().tracks.sound[:, 1]
    assert minor[darkness > 0.7].mean() > 0.6
    assert minor[darkness < 0.2].mean() < 0.4


@pytest.mark.parametrize("field", ["silent_sound_files", "short_sound_files", "corrupt_sound_files"])
def test_more_faults_than_files_spoil_no_recent_one(field: str) -> None:
    small = draw_catalogue(SEED, SIZE, PARAMS)
    states = sound_states(SEED, small, SIZE, WorldParams(sound_share=0.001, **{field: 20}))
    recent = small.tracks.playable_ms >= SIZE.end_ms - RECENT_WEEKS * 7 * 86_400_000
    assert set(states[recent]) == {WHOLE}
