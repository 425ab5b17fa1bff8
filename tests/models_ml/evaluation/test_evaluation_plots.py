"""Tests of the picture: a PNG of the promised width, for a full table, a thin one and an empty one."""

import datetime as dt
import struct

import pyarrow as pa
import pytest

from models_ml.evaluation.comparisons import COMPARISONS_SCHEMA
from models_ml.evaluation.plots import families_plot, history_plot, metrics_plot
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


def by_week(*values, model="published", ci=True) -> list[dict]:
    monday = dt.date(2024, 3, 4)
    return [
        row
        for place, value in enumerate(values)
        for row in rows({model: value}, week=monday + dt.timedelta(weeks=place), ci=ci)
    ]


def drawn(each: list[dict]) -> bytes:
    return history_plot(pa.Table.from_pylist(each, schema=EVALUATION_SCHEMA))


@pytest.mark.parametrize("ci", [True, False])
@pytest.mark.parametrize("weeks", [1, 2, 53])
def test_the_picture_of_the_weeks_is_800_pixels_wide(weeks, ci):
    values = [0.1 + 0.001 * place for place in range(weeks)]
    width, height = size_of(drawn(by_week(*values, ci=ci) + by_week(*values[::-1], model="ease", ci=ci)))
    assert (width, height) == (800, 400)


def test_each_week_is_in_the_picture_of_the_weeks_in_whatever_order_they_come():
    each = by_week(0.1, 0.2, 0.15) + by_week(0.05, 0.1, 0.1, model="ease")
    assert drawn(each) == drawn(each[::-1])
    assert drawn(each) != drawn(by_week(0.1, 0.1, 0.15) + by_week(0.05, 0.1, 0.1, model="ease"))
    assert drawn(each) == drawn([*each, *by_week(0.3, 0.3, 0.3, model="alone_text")])


def test_without_rows_the_picture_of_the_weeks_says_so():
    assert size_of(history_plot(EVALUATION_SCHEMA.empty_table()))[0] == 800


def test_families_of_the_score_stay_out_of_the_picture_of_the_models():
    plain = rows({"published": 0.1})
    both = rows({"published": 0.1, "alone_text": 0.05, "without_text": 0.1})
    pictures = [metrics_plot(pa.Table.from_pylist(each, schema=EVALUATION_SCHEMA)) for each in (plain, both)]
    assert pictures[0] == pictures[1]


def compared(differences, ci=True, **changes) -> pa.Table:
    row = {"protocol_id": "kept", "other_model": "ranked", "segment": "all", "metric": "ndcg", "k": 30, "listeners": 50}
    ends = {"ci_low": -0.2, "ci_high": 0.1} if ci else {}
    given = [row | ends | {"model": model, "difference": value} | changes for model, value in differences.items()]
    return pa.Table.from_pylist(given, schema=COMPARISONS_SCHEMA)


@pytest.mark.parametrize("ci", [True, False])
def test_the_picture_of_the_families_is_800_pixels_wide(ci):
    differences = {"alone_text": -0.1, "without_text": 0.0, "alone_audio": -0.2, "published": -0.01}
    width, height = size_of(families_plot(compared(differences, ci)))
    assert width == 800
    assert 100 < height < 800


def test_without_families_the_picture_says_so():
    recall = compared({"alone_text": 1.0}, metric="recall")
    for table in (COMPARISONS_SCHEMA.empty_table(), compared({"published": 0.1}), recall):
        assert families_plot(table) == metrics_plot(EVALUATION_SCHEMA.empty_table())
