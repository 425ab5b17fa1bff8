"""Tests of the trained vectors: what is near what, queries, determinism, little or no input."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from text_worlds import PARAMS, inputs_of, names_of, playlists_of, tags_of, two_moods

from models_ml.text.inputs import no_inputs
from models_ml.text.pooling import common_components, without, word_weights
from models_ml.text.vectors import TextTables, TextVectors, train_text

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def moods() -> TextVectors:
    return train_text(two_moods(), PARAMS, seed=1)


def test_recordings_of_one_mood_are_nearer_to_each_other_than_to_those_of_the_other(moods: TextVectors):
    cosine = moods.recording_vectors[:20] @ moods.recording_vectors[:20].T
    same = np.equal.outer(np.arange(20) < 10, np.arange(20) < 10)
    assert cosine[same].min() > cosine[~same].max()


@pytest.mark.parametrize(("place", "mood"), [(20, "calm"), (21, "loud"), (22, "calm")])
def test_a_recording_with_a_review_or_tags_only_lies_with_its_mood(moods: TextVectors, place: int, mood: str):
    cosine = moods.recording_vectors[:20] @ moods.recording_vectors[place]
    calm, loud = cosine[:10].mean(), cosine[10:].mean()
    assert (calm > loud + 0.5) == (mood == "calm")
    assert (loud > calm + 0.5) == (mood == "loud")


def test_vectors_have_length_one_and_are_zero_where_nobody_wrote(moods: TextVectors):
    length = np.linalg.norm(moods.recording_vectors, axis=1)
    assert length[:23] == pytest.approx(1, abs=1e-5)
    assert not moods.recording_vectors[23].any()
    assert moods.context_count.tolist()[20:] == [1, 1, 1, 0]
    assert moods.recording_vectors.dtype == np.float32


@pytest.mark.parametrize("text", ["calm", "CALM piano", "🌙", "sleepy, unheard-of words"])
def test_words_find_the_recordings_they_were_written_about(moods: TextVectors, text: str):
    vector = moods.query(text)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert set(moods.nearest(vector, 10).recordings.tolist()) <= {*range(10), 20, 22}


def test_unknown_words_give_a_vector_of_zeros_and_the_most_written_about(moods: TextVectors):
    assert not moods.query("xyzzy 🦖").any()
    found = moods.search("xyzzy", 3)
    most = np.argsort(-moods.context_count, kind="stable")[:3]
    assert found.recordings.tolist() == most.tolist()


def test_nearest_leaves_out_what_nobody_wrote_about_and_is_never_longer_than_there_is(moods: TextVectors):
    found = moods.nearest(moods.query("calm"), 100)
    assert len(found.recordings) == 23
    assert 23 not in found.recordings
    assert (np.diff(found.scores) <= 0).all()
    assert len(moods.nearest(moods.query("calm"), 0).recordings) == 0


def test_a_named_artist_comes_first_in_search():
    playlists, tracks = playlists_of([("calm songs", range(8)), ("more calm songs", range(8))])
    names = names_of([(place, f"t{place}", "Lady Gaga" if place == 5 else f"Artist {place}") for place in range(8)])
    inputs = inputs_of(8, playlists=playlists, playlist_tracks=tracks, names=names)
    vectors = train_text(inputs, PARAMS, seed=1)
    assert vectors.search("songs by lady gaga", 3).recordings[0] == 5


def test_the_same_input_and_seed_give_the_same_bytes_in_any_process():
    def digest(hash_seed: str) -> str:
        code = (
            "import hashlib, text_worlds as w; from models_ml.text.vectors import train_text\n"
            "v = train_text(w.two_moods(2), w.PARAMS, 3)\n"
            "print(hashlib.sha256(v.word_vectors.tobytes() + v.recording_vectors.tobytes()"
            " + '|'.join(v.words.to_pylist()).encode()).hexdigest())"
        )
        paths = f"{REPOSITORY}:{Path(__file__).parent}"
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths, "PATH": "/usr/bin:/bin"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    here = train_text(two_moods(2), PARAMS, 3)
    words = "|".join(here.words.to_pylist()).encode()
    expected = hashlib.sha256(here.word_vectors.tobytes() + here.recording_vectors.tobytes() + words).hexdigest()
    assert digest("1") == expected


def test_another_seed_starts_elsewhere():
    first, second = (train_text(two_moods(2), PARAMS, seed) for seed in (1, 2))
    assert first.word_vectors.tobytes() != second.word_vectors.tobytes()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_without_anything_written_all_vectors_are_zero(count: int):
    vectors = train_text(no_inputs(count), PARAMS, seed=1)
    assert vectors.recording_vectors.shape == (count, 16)
    assert not vectors.recording_vectors.any()
    assert not vectors.query("calm").any()
    assert len(vectors.search("calm", 5).recordings) == 0


def test_playlists_without_words_still_group_recordings():
    calm, loud = list(range(8)), list(range(8, 16))
    playlists, tracks = playlists_of([(None, calm), ("", loud), ("!?", loud[::-1]), (None, calm[::-1])] * 20)
    vectors = train_text(inputs_of(17, playlists=playlists, playlist_tracks=tracks), PARAMS, seed=1).recording_vectors
    assert np.linalg.norm(vectors[:16], axis=1) == pytest.approx(1, abs=1e-5)
    alike = vectors[:16] @ vectors[:16].T
    within = (alike[:8, :8].sum() - 8) / 56 + (alike[8:, 8:].sum() - 8) / 56
    assert within / 2 > alike[:8, 8:].mean() + 0.2
    assert not vectors[16].any()


def test_one_word_about_one_recording_is_enough_for_no_error():
    vectors = train_text(inputs_of(1, tags=tags_of([(0, "calm", 1)])), PARAMS, seed=1)
    assert vectors.context_count.tolist() == [1]
    assert np.isfinite(vectors.recording_vectors).all()


def test_what_is_kept_and_read_again_answers_the_same(moods: TextVectors, tmp_path: Path):
    kept = moods.to_tables()
    read = {}
    for name in ("words", "recordings", "common", "word_recordings", "listed_artists"):
        pq.write_table(getattr(kept, name), tmp_path / f"{name}.parquet")
        read[name] = pq.read_table(tmp_path / f"{name}.parquet")
    again = TextVectors.from_tables(TextTables(**read), PARAMS)
    assert again.query("calm 🌙").tobytes() == moods.query("calm 🌙").tobytes()
    assert again.search("gym", 9).recordings.tolist() == moods.search("gym", 9).recordings.tolist()
    assert again.index.to_table() == moods.index.to_table()
    empty = train_text(no_inputs(0), PARAMS, seed=1)
    assert TextVectors.from_tables(empty.to_tables(), PARAMS).recording_vectors.shape == (0, 16)


def test_progress_is_told_each_pass():
    lines: list[str] = []
    train_text(two_moods(1), replace(PARAMS, epochs=3), seed=1, progress=lines.append)
    assert [line for line in lines if line.startswith("text: pass")][-1].startswith("text: pass 3 of 3")


def test_a_rare_word_weighs_more_than_a_frequent_one_as_the_source_has_it():
    assert word_weights(np.array([90, 10, 0]), 0.1) == pytest.approx([0.1 / 1.0, 0.1 / 0.2, 1.0])


def test_what_is_common_to_all_is_the_direction_they_share():
    vectors = np.array([[1.0, 0.1], [1.0, -0.1], [0.0, 0.0]])
    common = common_components(vectors, 1)
    assert np.abs(common[0]) == pytest.approx([1, 0], abs=1e-6)
    assert without(vectors, common) == pytest.approx(np.array([[0, 1], [0, -1], [0, 0]]), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.floats(-9, 9)),
    st.integers(0, 4),
)
def test_what_is_left_holds_nothing_of_the_common_directions(vectors: np.ndarray, count: int):
    common = common_components(vectors, count)
    left = without(vectors, common)
    length = np.linalg.norm(left, axis=1)
    assert ((np.abs(length - 1) < 1e-6) | (length == 0)).all()
    assert np.abs(left @ common.T).max(initial=0) < 1e-2
