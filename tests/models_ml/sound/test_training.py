"""Tests of training: what is learnt, the split, going on after a kill, same seed same bytes, odd and bad input."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_worlds import FRAMES, KINDS, MELS, PARAMS, kinds, mels_of, reader, targets_of, vectors_of

from models_ml.errors import InputError
from models_ml.sound.training import SoundTargets, evidence_weight, split_by_artist, train_sound

QUICK = replace(PARAMS, epochs=3)


class KilledError(Exception):
    pass


def killed_after(passes: int):
    """A progress that ends the training once so many passes are told."""

    def progress(line: str) -> None:
        if line.startswith(f"sound model: pass {passes} "):
            raise KilledError

    return progress


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_planted_truth_is_learnt_in_direction_and_length():
    kind, unheard = kinds(160), kinds(40, seed=7)
    model = train_sound(reader(mels_of(kind)), targets_of(kind), PARAMS, 1)
    predicted = model.embed([mels_of(unheard, seed=8)]).vectors
    assert cosine(predicted, vectors_of(unheard)).min() > 0.9
    assert 1.5 < np.linalg.norm(predicted, axis=1).mean() < 2.5
    assert model.quality.validation_cosine > 0.9
    assert model.quality.validation_explained > 0.7


def test_where_sound_says_nothing_the_mean_vector_is_about_all_that_is_predicted():
    kind = kinds(160)
    model = train_sound(reader(mels_of(kinds(160, seed=5))), targets_of(kind), PARAMS, 1)
    assert model.quality.validation_explained < 0.2


def test_genres_and_voice_are_learnt_where_they_are_known():
    kind, unheard = kinds(160), kinds(40, seed=7)
    known = np.arange(160) % 2 == 0
    genres = np.where(known[:, None], np.eye(KINDS, dtype=bool)[kind], True)
    instrumental = np.where(known, (kind == 0).astype(float), np.nan)
    columns = {"genres": genres, "genre_known": known, "genre_names": ("a", "b", "c", "d")}
    targets = targets_of(kind, instrumental=instrumental, **columns)
    found = train_sound(reader(mels_of(kind)), targets, replace(PARAMS, label_weight=1.0), 1).embed([mels_of(unheard)])
    assert (found.genres.argmax(axis=1) == unheard).mean() > 0.9
    assert ((found.instrumental > 0.5) == (unheard == 0)).mean() > 0.9


def test_vectors_without_weight_are_not_learnt():
    kind = kinds(160)
    wrong = np.arange(160) % 2 == 0
    vectors = np.where(wrong[:, None], 9 * np.roll(vectors_of(kind), 1, axis=1), vectors_of(kind))
    targets = targets_of(kind, vectors=vectors, weight=np.where(wrong, 0.0, 1.0))
    predicted = train_sound(reader(mels_of(kind)), targets, PARAMS, 1).embed([mels_of(kind, seed=8)]).vectors
    assert cosine(predicted, vectors_of(kind)).mean() > 0.85


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.floats(0, 0.5), st.integers(0, 9))
def test_no_artist_is_on_both_sides_and_the_share_is_not_passed(artists, share, seed):
    artist = np.array(artists)
    aside = split_by_artist(artist, share, seed)
    assert not set(artist[aside]) & set(artist[~aside])
    assert aside.sum() <= round(share * len(artist))
    assert not aside.all()


def test_about_the_share_is_kept_aside_where_artists_are_small():
    aside = split_by_artist(np.arange(1000) // 3, 0.1, 0)
    assert 97 <= aside.sum() <= 100


def test_normalisation_is_fitted_on_the_tracks_trained_on_alone():
    kind, mels = kinds(60), mels_of(kinds(60))
    targets = targets_of(kind)
    aside = split_by_artist(targets.artist, QUICK.validation_share, 1)
    assert aside.any()
    louder = mels.copy()
    louder[aside] = 255
    plain, changed = (train_sound(reader(each), targets, replace(QUICK, epochs=1), 1) for each in (mels, louder))
    trained_on = mels[~aside].astype(np.float64)
    assert np.allclose(plain.network.mean.numpy()[:, 0], trained_on.mean(axis=(0, 1, 3)), rtol=1e-5)
    assert np.allclose(plain.network.deviation.numpy()[:, 0], trained_on.std(axis=(0, 1, 3)), rtol=1e-5)
    assert np.array_equal(plain.network.mean.numpy(), changed.network.mean.numpy())
    assert np.allclose(plain.mean_vector, targets.vectors[~aside].mean(axis=0), atol=1e-6)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    kind = kinds(40)
    one, again, other = (train_sound(reader(mels_of(kind)), targets_of(kind), QUICK, seed) for seed in (3, 3, 4))
    assert one.to_bytes() == again.to_bytes()
    assert one.to_bytes() != other.to_bytes()


@pytest.mark.parametrize("passes", [1, 2])
def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(passes, tmp_path):
    kind = kinds(40)
    mels, targets = reader(mels_of(kind)), targets_of(kind)
    whole = train_sound(mels, targets, QUICK, 3)
    with pytest.raises(KilledError):
        train_sound(mels, targets, QUICK, 3, tmp_path / "checkpoint", progress=killed_after(passes))
    lines: list[str] = []
    resumed = train_sound(mels, targets, QUICK, 3, tmp_path / "checkpoint", progress=lines.append)
    assert lines[0] == f"sound model: goes on after pass {passes}"
    assert len(lines) == 1 + QUICK.epochs - passes
    assert resumed.to_bytes() == whole.to_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_process_that_dies_leaves_a_checkpoint_that_another_goes_on_from(tmp_path):
    script = (
        "import os\n"
        "from sound_worlds import *\n"
        "from dataclasses import replace\n"
        "from models_ml.sound.training import train_sound\n"
        "from pathlib import Path\n"
        "kind = kinds(40)\n"
        "die = lambda line: os._exit(9) if 'pass 2 ' in line else None\n"
        f"path = Path({str(tmp_path / 'checkpoint')!r})\n"
        "train_sound(reader(mels_of(kind)), targets_of(kind), replace(PARAMS, epochs=3), 3, path, progress=die)\n"
    )
    here = Path(__file__).resolve()
    paths = f"{here.parent}:{here.parents[3]}"
    assert subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": paths}, check=False).returncode == 9
    kind = kinds(40)
    mels, targets = reader(mels_of(kind)), targets_of(kind)
    resumed = train_sound(mels, targets, QUICK, 3, tmp_path / "checkpoint")
    assert resumed.to_bytes() == train_sound(mels, targets, QUICK, 3).to_bytes()


def test_a_finished_training_asked_for_again_is_read_from_its_checkpoint(tmp_path):
    kind = kinds(40)
    mels, targets = reader(mels_of(kind)), targets_of(kind)
    first = train_sound(mels, targets, QUICK, 3, tmp_path / "checkpoint")
    lines: list[str] = []
    again = train_sound(mels, targets, QUICK, 3, tmp_path / "checkpoint", progress=lines.append)
    assert lines == [f"sound model: goes on after pass {QUICK.epochs}"]
    assert again.to_bytes() == first.to_bytes()


@pytest.mark.parametrize("change", ["seed", "mels", "vectors", "damaged"])
def test_a_checkpoint_of_another_training_is_not_taken(change, tmp_path):
    kind, path = kinds(40), tmp_path / "checkpoint"
    mels, targets, seed = mels_of(kind), targets_of(kind), 3
    train_sound(reader(mels), targets, replace(QUICK, epochs=1), seed, path)
    seed += change == "seed"
    mels = mels_of(kind, seed=9) if change == "mels" else mels
    targets = targets_of(kind, vectors=-vectors_of(kind)) if change == "vectors" else targets
    if change == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    lines: list[str] = []
    found = train_sound(reader(mels), targets, replace(QUICK, epochs=1), seed, path, progress=lines.append)
    assert "training starts anew" in lines[0]
    assert found.to_bytes() == train_sound(reader(mels), targets, replace(QUICK, epochs=1), seed).to_bytes()


def test_training_stops_when_the_tracks_kept_aside_get_no_better():
    kind = kinds(80)
    params = replace(PARAMS, epochs=40, patience_epochs=2)
    quality = train_sound(reader(mels_of(kinds(80, seed=5))), targets_of(kind), params, 1).quality
    assert quality.epochs == quality.best_epoch + 2 < 40


def test_a_warm_start_takes_fewer_passes_and_is_good_from_the_first():
    kind = kinds(160)
    mels, targets = reader(mels_of(kind)), targets_of(kind)
    earlier = train_sound(mels, targets, PARAMS, 1)
    warm = train_sound(mels, targets, PARAMS, 2, previous=earlier.to_bytes())
    cold = train_sound(mels, targets, replace(PARAMS, epochs=PARAMS.warm_epochs), 2)
    assert warm.quality.warm_started
    assert warm.quality.epochs <= PARAMS.warm_epochs
    assert warm.quality.validation_loss < cold.quality.validation_loss


def test_an_earlier_model_of_other_sizes_is_not_started_from():
    kind = kinds(40)
    mels, targets = reader(mels_of(kind)), targets_of(kind)
    earlier = train_sound(mels, targets, replace(QUICK, channels=4), 1)
    lines: list[str] = []
    model = train_sound(mels, targets, QUICK, 1, previous=earlier.to_bytes(), progress=lines.append)
    assert "other sizes" in lines[0]
    assert not model.quality.warm_started
    assert model.to_bytes() == train_sound(mels, targets, QUICK, 1).to_bytes()


@pytest.mark.parametrize("count", [1, 2, 33])
def test_few_tracks_or_a_single_artist_train_for_all_passes_with_none_kept_aside(count):
    kind = kinds(count)
    model = train_sound(reader(mels_of(kind)), targets_of(kind, artist=np.zeros(count, dtype=int)), QUICK, 1)
    assert model.quality.validation_tracks == 0
    assert model.quality.epochs == model.quality.best_epoch == QUICK.epochs
    assert np.isnan(model.quality.validation_loss)
    assert np.isfinite(model.embed([mels_of(kind)]).vectors).all()


def test_silent_spectrograms_are_learnt_from_like_others():
    kind = kinds(20)
    model = train_sound(lambda rows: np.zeros((len(rows), 2, MELS, FRAMES), dtype=np.uint8), targets_of(kind), QUICK, 1)
    assert np.isfinite(model.embed([mels_of(kind)]).vectors).all()


def test_the_same_vector_for_all_is_what_is_predicted():
    kind = np.zeros(20, dtype=int)
    model = train_sound(reader(mels_of(kind)), targets_of(kind), QUICK, 1)
    assert np.abs(model.embed([mels_of(kind)]).vectors - vectors_of(kind)).max() < 0.5


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"vectors": np.zeros((4, 6), np.float32)}, "none of 4 tracks has a vector"),
        ({"weight": np.zeros(4)}, "none of 4 tracks has a vector"),
        ({"vectors": np.full((4, 6), np.nan, np.float32)}, "vectors holds a NaN or an infinity in row 0"),
        ({"weight": np.array([1, np.inf, 1, 1])}, "weight holds a NaN or an infinity in row 1"),
        ({"weight": np.array([1, 1, -0.5, 1])}, "weight is -0.5 in row 2"),
        ({"artist": np.arange(3)}, "4 vectors, but 3 of artist"),
        ({"vectors": np.zeros((4, 0), np.float32)}, r"vectors of shape \(4, 0\)"),
        ({"genres": np.zeros((4, 2), bool)}, "0 genre_names for 2 columns"),
    ],
)
def test_targets_that_make_no_sense_are_named(columns, message):
    with pytest.raises(InputError, match=message):
        targets_of(kinds(4), **columns)


def test_no_tracks_at_all_is_an_error_that_says_so():
    with pytest.raises(InputError, match="none of 0 tracks has a vector"):
        targets_of(kinds(0))


@pytest.mark.parametrize(
    "block",
    [np.zeros((8, 2, MELS, FRAMES)), np.zeros((8, MELS, FRAMES), np.uint8), np.zeros((7, 2, MELS, 9), np.uint8)],
)
def test_a_reader_that_gives_something_else_is_named(block):
    with pytest.raises(InputError, match=r"8 rows gave .* of shape"):
        train_sound(lambda rows: block, targets_of(kinds(8)), replace(QUICK, validation_share=0.0), 1)


def test_excerpts_too_short_to_learn_from_are_named():
    with pytest.raises(InputError, match="excerpts have 4 frames"):
        train_sound(lambda rows: np.zeros((len(rows), 1, MELS, 4), np.uint8), targets_of(kinds(8)), QUICK, 1)


def test_trust_grows_with_listeners_and_is_nothing_below_the_minimum():
    params = replace(PARAMS, minimum_listeners=5, half_weight_listeners=20.0)
    weight = evidence_weight(np.array([0, 4, 5, 20, 180]), params)
    assert weight.tolist() == [0.0, 0.0, 5 / 25, 20 / 40, 180 / 200]


def test_tracks_with_labels_alone_can_be_among_the_targets():
    kind = kinds(40)
    weight = (np.arange(40) < 20).astype(float)
    vectors = np.where(weight[:, None] > 0, vectors_of(kind), 0).astype(np.float32)
    targets = SoundTargets(vectors, weight, np.arange(40), instrumental=np.ones(40))
    model = train_sound(reader(mels_of(kind)), targets, QUICK, 1)
    assert model.quality.training_tracks + model.quality.validation_tracks == 40
