"""Tests of the picture: a PNG of the promised width, for a full table, a thin one and an empty one."""

import datetime as dt
import struct

import pyarrow as pa
import pytest

from models_ml.evaluation.plots import metrics_plot
from models_ml.evaluation.report import EVALUATION_SCHEMA


def rows(models, protocol="kept", week=dt.date(2024, 3, 4), ci=True) -> list[dict]:
    return [
        {
            "as_of_week": week,
            "protocol_id": protocol,
            "model": model,
            "segment": "all",
            "metric": metric,
            "k": k,
            "truth_window_days": 28,
            "value": value,
            "ceiling": 0.9,
            "listeners": 500,
            "ci_low": value - 0.01 if ci else None,
            "ci_high": value + 0.01 if ci else None,
        }
        for model, value in models.items()
        for metric in ("ndcg", "recall", "precision")
        for k in (10, 30)
    ]


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("models", [{"published": 0.1}, {"published": 0.1, "ease": 0.12, "item_knn": 0.0}])
@pytest.mark.parametrize("ci", [True, False])
def test_the_picture_is_800_pixels_wide(models, ci):
    width, height = size_of(metrics_plot(pa.Table.from_pylist(rows(models, ci=ci), schema=EVALUATION_SCHEMA)))
    assert width == 800
    assert 100 < height < 800


def test_other_protocols_are_drawn_only_without_kept_and_older_weeks_never():
    kept = rows({"published": 0.1})
    others = rows({"published": 0.3}, "first_listens") + rows({"published": 0.5}, week=dt.date(2024, 2, 26))
    together = metrics_plot(pa.Table.from_pylist(kept + others, schema=EVALUATION_SCHEMA))
    assert together == metrics_plot(pa.Table.from_pylist(kept, schema=EVALUATION_SCHEMA))
    assert metrics_plot(pa.Table.from_pylist(others[:6], schema=EVALUATION_SCHEMA)) != together


def test_without_rows_the_picture_says_so():
    assert size_of(metrics_plot(EVALUATION_SCHEMA.empty_table()))[0] == 800
