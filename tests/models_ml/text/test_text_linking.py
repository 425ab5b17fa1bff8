"""Tests of finding artist and title in documents."""

import numpy as np
import pyarrow as pa
import pytest
from text_worlds import names_of

from models_ml.text.linking import mentioned

NAMES = names_of(
    [
        (0, "One More Time", "Daft Punk"),
        (1, "Go", "Moby"),
        (2, "P!nk & Blue", "The Signs"),
        (3, "紅豆", "王菲"),
        (4, "One More Time", "Daft Punk"),
        (5, None, "Nobody"),
        (6, "!!!", "???"),
    ]
)


def found_in(body: str, title: str | None = None) -> list[int]:
    documents, recordings = mentioned(pa.array([title], pa.string()), pa.array([body]), np.array([0]), NAMES)
    assert not documents.any()
    return recordings.tolist()


@pytest.mark.parametrize(
    "body",
    [
        "Yes: Daft Punk - One More Time!",
        "DAFT PUNK – ONE MORE TIME",
        "Ｄａｆｔ Punk: One More Time",
        "daft  punk, one more\ntime, twice",
        'the song by Daft Punk "One More Time" again',
        "Daft Punk «One More Time»",
        "One More Time by Daft Punk.",
        "“One More Time” by Daft Punk",
        "“One More Time”, Daft Punk is loud",
        "with “One More Time,” Daft Punk are back",
    ],
)
def test_the_usual_forms_link_every_recording_of_that_name(body: str):
    assert found_in(body) == [0, 4]


@pytest.mark.parametrize(
    "body",
    [
        "Daft Punk One More Time",
        "One More Timeless, Daft Punk",
        "One More Time, Daft Punk",
        "Daft Punk. One More Time.",
        "Daft Punk - One, More Time",
        "Daft Punk - and now - One More Time",
        "One More Time by the Daft Punk",
        "Moby, Gone",
        "Mobyby Go",
        "Moby went, Go",
        "",
    ],
)
def test_anything_else_links_nothing(body: str):
    assert found_in(body) == []


def test_the_title_of_a_document_is_read_too():
    assert found_in("a review", "Moby: Go") == [1]


def test_signs_within_a_name_have_to_be_there():
    assert found_in("The Signs - P!nk & Blue") == [2]
    assert found_in("The Signs - P nk & Blue") == []


def test_names_between_signs_are_found_in_scripts_without_spaces():
    assert found_in("聽 王菲《紅豆》") == [3]


def test_a_mention_never_runs_from_one_document_into_the_next():
    bodies = pa.array(["ends with Moby", "- Go begins"])
    documents, recordings = mentioned(pa.nulls(2, pa.string()), bodies, np.array([0, 1]), NAMES)
    assert len(documents) == len(recordings) == 0


def test_only_the_documents_asked_about_are_read_and_a_pair_comes_once():
    bodies = pa.array(["Moby - Go", "nothing", "Moby - Go and Moby, Go"])
    documents, recordings = mentioned(pa.nulls(3, pa.string()), bodies, np.array([1, 2]), NAMES)
    assert documents.tolist() == [2]
    assert recordings.tolist() == [1]


def test_without_names_nothing_is_linked():
    documents, _ = mentioned(pa.nulls(1, pa.string()), pa.array(["Moby - Go"]), np.array([0]), names_of([]))
    assert len(documents) == 0
