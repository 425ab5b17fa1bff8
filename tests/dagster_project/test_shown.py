"""What a person is shown: the table of quality in its order, with what is missing left out."""

import base64
import datetime as dt
from typing import Any

import pyarrow as pa

from dagster_project.shown import alarm_lines, families_table, markdown_table, picture, quality_table
from models_ml.evaluation.comparisons import COMPARISONS_SCHEMA
from models_ml.evaluation.report import EVALUATION_SCHEMA


def _rows(*rows: dict[str, Any]) -> pa.Table:
    defaults: dict[str, Any] = {
        "as_of_week": dt.date(2026, 11, 16),
        "protocol_id": "kept",
        "segment": "all",
        "metric": "recall",
        "k": 30,
        "truth_window_days": 7,
        "value": 0.5,
        "ceiling": 1.0,
        "listeners": 10,
        "ci_low": 0.25,
        "ci_high": 0.75,
    }
    return pa.Table.from_pylist([defaults | row for row in rows], schema=EVALUATION_SCHEMA)


def test_the_best_by_ndcg_stands_first_and_the_ceiling_last() -> None:
    table = quality_table(
        _rows(
            {"model": "a", "value": 0.9},
            {"model": "a", "metric": "ndcg", "value": 0.1, "ceiling": 0.8},
            {"model": "b", "value": 0.2},
            {"model": "b", "metric": "ndcg", "value": 0.3, "ceiling": 0.8},
        )
    )
    interval = "(0.2500 to 0.7500)"
    assert table == [
        ["model", "recall@30", "ndcg@30"],
        ["b", f"0.2000 {interval}", f"0.3000 {interval}"],
        ["a", f"0.9000 {interval}", f"0.1000 {interval}"],
        ["(ceiling)", "1.0000", "0.8000"],
    ]


def test_other_protocols_segments_and_cutoffs_stay_out() -> None:
    table = quality_table(
        _rows(
            {"model": "a"},
            {"model": "a", "k": 10, "value": 0.1},
            {"model": "a", "segment": "new", "value": 0.1},
            {"model": "b", "protocol_id": "first_listens"},
        )
    )
    assert [line[0] for line in table] == ["model", "a", "(ceiling)"]
    assert table[1][1].startswith("0.5000")


def test_what_has_no_interval_no_ceiling_or_no_row_is_left_out() -> None:
    table = quality_table(_rows({"model": "a", "ci_low": None, "ci_high": None, "ceiling": None}))
    assert table[1:] == [["a", "0.5000", ""], ["(ceiling)", "", ""]]


def test_nothing_scored_is_no_table() -> None:
    assert quality_table(EVALUATION_SCHEMA.empty_table()) == []
    assert quality_table(_rows({"model": "a", "protocol_id": "first_listens"})) == []


def test_markdown_has_a_head_a_rule_and_a_line_a_row() -> None:
    lines = markdown_table(("rule", "candidates"), [("heard", 12_345), ("sampled", 7)]).splitlines()
    assert lines == ["| rule | candidates |", "| --- | --- |", "| heard | 12,345 |", "| sampled | 7 |"]


def test_a_picture_is_markdown_that_holds_its_bytes() -> None:
    text = picture(b"\x89PNG", "words")
    assert text.startswith("![words](data:image/png;base64,")
    assert base64.b64decode(text.split("base64,")[1].rstrip(")")) == b"\x89PNG"


def _compared(*rows: dict[str, Any]) -> pa.Table:
    same = {"protocol_id": "kept", "other_model": "ranked", "segment": "all", "metric": "ndcg", "k": 30, "listeners": 9}
    ends = {"difference": -0.125, "ci_low": -0.25, "ci_high": 0.0}
    return pa.Table.from_pylist([same | ends | row for row in rows], schema=COMPARISONS_SCHEMA)


def test_the_family_that_is_missed_most_stands_first() -> None:
    table = families_table(
        _compared(
            {"model": "alone_audio"},
            {"model": "without_audio", "difference": 0.5, "ci_low": None, "ci_high": None},
            {"model": "alone_text"},
            {"model": "without_text"},
            {"model": "alone_text", "other_model": "published", "difference": 9.0},
            {"model": "published"},
        )
    )
    change = "-0.1250 (-0.2500 to +0.0000)"
    assert table[1:] == [["text", change, change], ["audio", change, "+0.5000"]]


def test_families_are_not_among_the_models_and_without_them_there_is_no_table() -> None:
    assert [line[0] for line in quality_table(_rows({"model": "a"}, {"model": "without_text"}))][1:-1] == ["a"]
    assert families_table(_compared({"model": "published"})) == []


def test_an_alarm_names_what_it_is_about_how_much_and_the_page() -> None:
    shared = {"dataset": "events", "unit": "rows", "page": "docs/alarms.md#volume"}
    table = pa.Table.from_pylist(
        [
            {"metric": "volume", "subject": "*", "value": 12.0, "reference": 1000.0, "level": "block"} | shared,
            {"metric": "null_share", "subject": "ms_played", "value": 1 / 3, "reference": None, "level": "warn"}
            | shared,
            {"metric": "rows", "subject": "*", "value": 1.0, "reference": 1.0, "level": "ok"} | shared,
        ]
    )
    assert alarm_lines(table, "block") == ["events: volume is 12 rows, usually 1000; docs/alarms.md#volume"]
    assert alarm_lines(table, "warn") == [
        "events: null_share of ms_played is 0.333333 rows, with nothing to hold it against; docs/alarms.md#volume"
    ]
