"""Tests of prediction and of the model's file."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sound_worlds import FACTORS, FRAMES, MELS, PARAMS, kinds, mels_of, reader, targets_of

from models_ml.errors import InputError
from models_ml.sound.training import train_sound
from models_ml.sound.vectors import SoundModel, centred


@pytest.fixture(scope="module")
def model() -> SoundModel:
    kind = kinds(60)
    genres = {"genres": np.eye(4, dtype=bool)[kind][:, :2], "genre_names": ("one", "two")}
    return train_sound(reader(mels_of(kind)), targets_of(kind, **genres), replace(PARAMS, epochs=3, towers=2), 1)


def test_each_track_has_a_vector_an_embedding_of_length_one_and_chances(model):
    found = model.embed([mels_of(kinds(7))])
    assert found.vectors.shape == (7, FACTORS)
    assert found.embedding.shape == (7, 2 * PARAMS.embedding)
    assert np.allclose(np.linalg.norm(found.embedding, axis=1), 1, atol=1e-5)
    assert found.genres.shape == (7, 2)
    assert found.instrumental.shape == (7,)
    assert 0 < found.genres.min() <= found.genres.max() < 1
    assert {values.dtype for values in vars(found).values()} == {np.dtype(np.float32)}


def test_a_track_is_heard_the_same_alone_and_in_company(model):
    mels = mels_of(kinds(70))
    together = model.embed([mels])
    alone = model.embed([mels[66:67]])
    blocks = model.embed([mels[:40], mels[40:]])
    assert np.array_equal(together.vectors[66], alone.vectors[0])
    assert np.array_equal(together.embedding[66], alone.embedding[0])
    assert np.array_equal(together.vectors, blocks.vectors)


def test_the_order_of_excerpts_hardly_matters(model):
    mels = mels_of(kinds(5))
    assert np.allclose(model.embed([mels]).vectors, model.embed([mels[:, ::-1]]).vectors, atol=1e-5)


def test_of_no_tracks_there_are_no_predictions(model):
    found = model.embed([])
    assert found.vectors.shape == (0, FACTORS)
    assert found.embedding.shape == (0, 2 * PARAMS.embedding)
    assert model.embed([np.zeros((0, 2, MELS, FRAMES), np.uint8)]).genres.shape == (0, 2)


def test_silence_has_finite_predictions(model):
    found = model.embed([np.zeros((3, 2, MELS, FRAMES), np.uint8)])
    assert all(np.isfinite(values).all() for values in vars(found).values())


def test_embedding_changes_neither_the_model_nor_the_random_state(model):
    before, state = model.to_bytes(), torch.random.get_rng_state()
    model.embed([mels_of(kinds(5))])
    assert model.to_bytes() == before
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_model_read_from_its_file_says_the_same(model, tmp_path):
    model.save(tmp_path / "week" / "sound_model.pt")
    read = SoundModel.load(tmp_path / "week" / "sound_model.pt")
    mels = mels_of(kinds(5))
    assert np.array_equal(read.embed([mels]).vectors, model.embed([mels]).vectors)
    assert read.genre_names == ("one", "two")
    assert read.quality == model.quality
    assert read.to_bytes() == model.to_bytes()
    assert [path.name for path in (tmp_path / "week").iterdir()] == ["sound_model.pt"]


def test_a_file_that_is_missing_damaged_or_something_else_is_named(model, tmp_path):
    path = tmp_path / "sound_model.pt"
    with pytest.raises(InputError, match=r"sound_model\.pt: can't be read .*No such file"):
        SoundModel.load(path)
    for content in (b"", b"hello", model.to_bytes()[:2000]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"sound_model\.pt: can't be read, it is damaged"):
            SoundModel.load(path)
    torch.save({"format": 99}, path)
    with pytest.raises(InputError, match="not a sound model of format 1"):
        SoundModel.load(path)
    torch.save([1], path)
    with pytest.raises(InputError, match="holds list"):
        SoundModel.load(path)


@pytest.mark.parametrize("shape", [(2, 2, MELS + 1, FRAMES), (2, 2, MELS, 3), (2, MELS, FRAMES), (2, 0, MELS, FRAMES)])
def test_spectrograms_of_another_shape_are_named(model, shape):
    with pytest.raises(InputError, match="it was trained on"):
        model.embed([np.zeros(shape, np.uint8)])


def test_centred_rows_tell_pieces_apart():
    alike = np.array([[1.0, 0.02, 0.0], [1.0, 0.03, 0.0], [1.0, 0.0, 0.05]], dtype=np.float32)
    apart = centred(alike)
    assert np.linalg.norm(apart, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert apart[0] @ apart[1] > 0.5 > apart[0] @ apart[2]
    assert centred(np.zeros((0, 3), dtype=np.float32)).shape == (0, 3)
    assert not centred(np.ones((2, 3), dtype=np.float32)).any()
