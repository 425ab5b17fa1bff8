"""Pictures: a PNG of a known size, the same each time, for no slots too."""

import struct

import numpy as np
import pytest

from models_ml.plots import popularity_histogram

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("slots", [0, 1, 3000])
def test_it_is_a_picture_of_the_same_size_whatever_there_is_to_draw(slots: int) -> None:
    png = popularity_histogram(np.linspace(0.0, 1.0, slots))
    assert png[:8] == PNG
    assert struct.unpack(">II", png[16:24]) == (640, 240)


def test_the_same_slots_give_the_same_bytes_and_others_do_not() -> None:
    niche, popular = np.full(30, 0.1), np.full(30, 0.9)
    assert popularity_histogram(niche) == popularity_histogram(niche)
    assert popularity_histogram(niche) != popularity_histogram(popular)
