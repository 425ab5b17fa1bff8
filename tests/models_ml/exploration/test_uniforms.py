"""Numbers by listener, draw and use: even, unrelated, and the same whoever else is drawn for."""

import numpy as np
import pyarrow as pa
from scipy.stats import kstest, pearsonr

from models_ml.exploration.uniforms import Use, chosen_by, keys, uniforms
from models_ml.funnel import hashes

IDS = hashes(pa.array([f"user_{number:05}" for number in range(20_000)]))


def test_numbers_are_even_over_listeners_and_over_draws():
    assert kstest(uniforms(keys(IDS, 1), 3, Use.TRACK), "uniform").pvalue > 0.01
    of_one = np.array([uniforms(keys(IDS[:1], 1), draw, Use.TRACK)[0] for draw in range(2_000)])
    assert kstest(of_one, "uniform").pvalue > 0.01


def test_numbers_of_another_use_draw_or_week_have_nothing_to_do_with_each_other():
    first = uniforms(keys(IDS, 1), 3, Use.TRACK)
    others = [
        uniforms(keys(IDS, 1), 3, Use.ARM),
        uniforms(keys(IDS, 1), 4, Use.TRACK),
        uniforms(keys(IDS, 2), 3, Use.TRACK),
        uniforms(keys(IDS, 1), 0, Use.LISTENER),
    ]
    # 20,000 pairs: a correlation of chance is below .02 but for three in a thousand.
    assert all(abs(pearsonr(first, other).statistic) < 0.025 for other in others)


def test_a_listener_has_the_same_numbers_whoever_else_is_there():
    assert uniforms(keys(IDS, 1), 5, Use.ARM)[7] == uniforms(keys(IDS[7:8], 1), 5, Use.ARM)[0]


def test_only_what_has_a_weight_is_chosen_even_by_the_highest_number():
    weights = np.array([[0.0, 0.1, 0.2, 0.0], [0.3, 0.0, 0.0, 0.0]])
    almost_one = np.full(2, 1 - 2.0**-53)
    place, chance = chosen_by(weights, almost_one)
    assert place.tolist() == [2, 0]
    assert np.allclose(chance, [2 / 3, 1.0])
    assert chosen_by(weights, np.zeros(2))[0].tolist() == [1, 0]
