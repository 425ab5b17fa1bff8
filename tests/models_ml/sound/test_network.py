"""Tests of the layers: shapes, what pooling over time makes of length and order, repeatability."""

import pytest
import torch

from models_ml.sound.network import SHORTEST_FRAMES, NetworkShape, SoundNetwork, device_named, repeatable

SHAPE = NetworkShape(mels=12, channels=8, embedding=10, factors=5, genres=3, towers=2, dropout=0.5)


def network(shape: NetworkShape = SHAPE) -> SoundNetwork:
    torch.manual_seed(1)
    built = SoundNetwork(shape).eval()
    for tower in built.towers:
        torch.nn.init.normal_(tower.output.weight)
    return built


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


def test_each_tower_gives_a_vector_genres_and_one_number_for_voice():
    heard = network()(noise(7, 12, 40))
    assert heard.vectors.shape == (2, 7, 5)
    assert heard.genres.shape == (2, 7, 3)
    assert heard.instrumental.shape == (2, 7)
    assert heard.embedding.shape == (2, 7, 10)


def test_without_genres_there_is_still_a_vector_and_voice():
    heard = network(NetworkShape(12, 8, 10, 5, 0, 1, 0.5))(noise(2, 12, 40))
    assert heard.genres.shape == (1, 2, 0)
    assert heard.instrumental.shape == (1, 2)


def test_towers_differ():
    heard = network()(noise(3, 12, 40))
    assert not torch.allclose(heard.vectors[0], heard.vectors[1])


@pytest.mark.parametrize("frames", [SHORTEST_FRAMES, 9, 40, 333])
def test_any_length_from_the_shortest_on_gives_finite_numbers(frames):
    heard = network()(noise(2, 12, frames))
    assert torch.isfinite(heard.vectors).all()


def test_an_untrained_network_predicts_the_mean_vector_and_even_chances():
    heard = SoundNetwork(SHAPE).eval()(noise(4, 12, 40))
    assert heard.vectors.abs().max() == 0
    assert heard.genres.abs().max() == 0


def test_sound_that_never_changes_has_finite_slopes():
    built = network().train()
    heard = built(torch.zeros(4, 12, 40))
    heard.vectors.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in built.parameters() if weight.grad is not None)


def test_bands_are_normalised_by_their_own_mean_and_deviation():
    built = network()
    built.mean.copy_(torch.arange(12.0)[:, None])
    built.deviation.fill_(2.0)
    levels = torch.arange(12.0)[None, :, None].expand(1, 12, 8) + 4
    assert torch.equal(built.normalised(levels), torch.full((1, 12, 8), 2.0))


def test_repeatable_leaves_threads_and_algorithms_as_they_were():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with repeatable(1, torch.device("cpu")):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_cpu_is_cpu_whatever_else_there_is():
    assert device_named("cpu").type == "cpu"
    assert device_named("auto").type in ("cpu", "cuda")
