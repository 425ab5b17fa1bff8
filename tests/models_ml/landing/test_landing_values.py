"""Values of every type as text, lists and vectors."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from models_ml.landing.values import as_text, as_text_list, as_vector, json_objects, texts_of
from tests.models_ml.landing.landing_home import Home

TWO_HOURS_EAST = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, 2**62]), ["1", None, str(2**62)]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([5.0, 0.1, float("nan"), -0.5]), ["5", "0.1", None, "-0.5"]),
        (pa.array([2.0**53, 1e18]), [str(2**53), str(10**18)]),
        (pa.array([0.1, 7], pa.float32()), ["0.1", "7"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([dt.date(2026, 1, 5)]), ["2026-01-05"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array([{"a": [1]}, None]), ['{"a":[1]}', None]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.float64()), []),
    ],
)
def test_values_of_each_type_as_text(array: pa.Array, expected: list[str | None]) -> None:
    assert as_text(array).to_pylist() == expected


def test_moments_are_utc_with_microseconds() -> None:
    moment = dt.datetime(2026, 1, 5, 1, 30)
    east = pa.array([moment.replace(tzinfo=TWO_HOURS_EAST)])
    assert as_text(east).to_pylist() == ["2026-01-04 23:30:00.000000"]
    assert as_text(pa.array([moment], pa.timestamp("s"))).to_pylist() == ["2026-01-05 01:30:00.000000"]
    assert as_text(pa.array([1_500], pa.timestamp("ns"))).to_pylist() == ["1970-01-01 00:00:00.000001"]


def test_text_moments_stay_as_they_are(home: Home) -> None:
    home.land("deletions/a.csv", b"user_id,requested_at\nu,2026-01-05T01:30:00+02:00\n")
    assert home.rows("deletions/a.csv", "requested_at") == ["2026-01-05T01:30:00+02:00"]


def test_json_values_of_mixed_types_become_text() -> None:
    mixed = ["a", 1, 2.0, 0.5, True, None, {"b": [1]}, [2], 2**64 - 1]
    assert texts_of(mixed).to_pylist() == [
        "a",
        "1",
        "2",
        "0.5",
        "true",
        None,
        '{"b":[1]}',
        "[2]",
        str(2**64 - 1),
    ]


def test_the_text_of_a_number_does_not_depend_on_its_neighbours() -> None:
    alone, beside_text = texts_of([1e30, 5.0]), texts_of([1e30, 5.0, "a"])
    assert alone.to_pylist() == beside_text.to_pylist()[:2]


def test_objects_of_different_keys_are_not_merged() -> None:
    assert texts_of([{"a": 1}, {"b": 2}]).to_pylist() == ['{"a":1}', '{"b":2}']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rock|pop", ["rock", "pop"]),
        (" rock | pop |", ["rock", "pop"]),
        ('["a|b", 1, null, true]', ["a|b", "1", "true"]),
        ("[]", []),
        ("rock", ["rock"]),
    ],
)
def test_lists_written_as_text(text: str, expected: list[str]) -> None:
    lists, bad = as_text_list(pa.array([text, None]))
    assert lists.to_pylist() == [expected, None]
    assert not bad.any()


def test_a_broken_json_array_is_no_list() -> None:
    lists, bad = as_text_list(pa.array(["['a' 'b']", "a"]))
    assert lists.to_pylist() == [None, ["a"]]
    assert bad.tolist() == [True, False]


def test_nulls_in_lists_are_dropped_and_null_lists_stay() -> None:
    lists = pa.array([["a", None], None, [], [None], ["b", "c"]])
    for kind in (lists.type, pa.large_list(pa.string())):
        converted, bad = as_text_list(lists.cast(kind))
        assert converted.to_pylist() == [["a"], None, [], [], ["b", "c"]]
        assert not bad.any()


def test_a_slice_of_lists_is_converted_like_the_whole() -> None:
    lists = pa.array([["a"], ["b", "c"], None, ["d"]])
    assert as_text_list(lists.slice(1, 3))[0].to_pylist() == [["b", "c"], None, ["d"]]
    assert as_vector(pa.array([[1.0], [2.0, 3.0], None]).slice(1))[0].to_pylist() == [[2.0, 3.0], None]


def test_numbers_in_lists_become_text() -> None:
    assert as_text_list(pa.array([[1, 2], [3]]))[0].to_pylist() == [["1", "2"], ["3"]]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1.0, 2.5]], pa.list_(pa.float32())),
        pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2.5], pa.float16()), 2),
        pa.array([["1", "2.5"]]),
        pa.array(["[1, 2.5]"]),
        pa.array(["1|2.5"]),
    ],
)
def test_vectors_however_written_are_doubles(array: pa.Array) -> None:
    vectors, bad = as_vector(array)
    assert vectors.type == pa.list_(pa.float64())
    assert vectors.to_pylist() == [[1.0, 2.5]]
    assert bad.tolist() == [False]


def test_a_vector_with_an_element_that_is_no_number_is_malformed_as_a_whole() -> None:
    vectors, bad = as_vector(pa.array([[1.0, None], [1.0, 2.0], None]))
    assert vectors.to_pylist() == [None, [1.0, 2.0], None]
    assert bad.tolist() == [True, False, False]
    assert as_vector(pa.array(["1|x", "1|2"]))[1].tolist() == [True, False]


def test_rows_without_any_extra_have_null() -> None:
    columns = {"b": pa.array([None, "x", None]), "a": pa.array([None, 1, 2])}
    assert json_objects(columns, 3).to_pylist() == [None, '{"a":1,"b":"x"}', '{"a":2}']
    assert json_objects({"a": pa.nulls(2, pa.string())}, 2).to_pylist() == [None, None]
    assert json_objects({}, 2).to_pylist() == [None, None]


def test_infinite_extras_are_left_out_and_bytes_are_base64() -> None:
    assert json_objects({"a": pa.array([np.inf]), "b": pa.array([b"\x00\xff"])}, 1).to_pylist() == ['{"b":"AP8="}']


def test_a_malformed_list_marks_its_row_and_keeps_the_rest(home: Home) -> None:
    home.land("tracks/a.csv", b"track_id,title,artist_id,artist_name,genres\n1,a,b,c,['x'\n2,a,b,c,x|y\n")
    assert home.rows("tracks/a.csv", "track_id", "genres", "_parse_error", "_extras") == [
        ("1", None, "malformed list in genres", '{"raw":"[\'x\'"}'),
        ("2", ["x", "y"], None, None),
    ]


def test_vectors_land_from_json_lines(home: Home) -> None:
    home.land(
        "track_vectors/a.ndjson",
        b'{"track_id":"1","vector":[1,2.5]}\n{"track_id":"2","vector":"x"}\n{"track_id":"3","vector":null}\n',
    )
    assert home.rows("track_vectors/a.ndjson", "track_id", "vector", "_parse_error") == [
        ("1", [1.0, 2.5], None),
        ("2", None, "malformed vector in vector"),
        ("3", None, None),
    ]
