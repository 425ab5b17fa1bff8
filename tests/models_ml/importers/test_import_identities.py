"""Ids: sources that write a name differently meet, and what differs stays apart."""

import numpy as np
import pyarrow as pa
import pytest

from models_ml.importers.identities import artist_id, mbid, name_id, normalised, normalised_artist, spotify_id
from models_ml.importers.plays import event_ids
from models_ml.importers.times import NO_MOMENT, moments_of, unix_moments


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sigur Rós", "SIGUR  ROS"),
        ("AC/DC", "ac dc"),
        ("Beyoncé", "Beyonce\u0301"),
        ("Straße", "STRASSE"),
        ("ＡＢＣ", "abc"),
        ("Song (Live)", "Song - Live"),
    ],
)
def test_names_that_differ_in_writing_only_are_one(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("!!!", "???"), ("か", "が"), ("कि", "का"), ("Song", "Song 2"), ("ABC", "AB C")],
)
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "beatles"),
        ("Eminem feat. Rihanna", "Eminem"),
        ("Eminem (ft. Rihanna)", "Eminem"),
        ("Eminem Featuring Rihanna", "Eminem"),
    ],
)
def test_an_artist_is_found_without_the_and_without_guests(one: str, other: str) -> None:
    assert normalised_artist(one) == normalised_artist(other)


@pytest.mark.parametrize("name", ["The The", "The", "Daft Punk", "Feat", "Left Boy", "Fleetwood Mac & Friends"])
def test_an_artist_keeps_a_name(name: str) -> None:
    assert normalised_artist(name)


def test_ids_stay_what_they_are_for_good() -> None:
    """Landed files hold them: another hash would make every track a new one."""
    assert artist_id("nina simone") == "artist:0c3bce25091f7545"
    assert name_id("nina simone", "Sinnerman") == "name:8b29e1a75fe1ab587301"


def test_only_track_uris_and_mbids_are_ids() -> None:
    assert (
        spotify_id("spotify:track:abc")
        == spotify_id("https://open.spotify.com/intl-de/track/abc?si=1")
        == "spotify:abc"
    )
    assert [spotify_id(text) for text in ("spotify:episode:abc", "spotify:local:a:b:c:1", "", None, 3)] == [None] * 5
    assert mbid(" AAAAAAAA-2222-3333-4444-555555555555 ") == "mbid:aaaaaaaa-2222-3333-4444-555555555555"
    assert [mbid(text) for text in ("aaaaaaaa", "", None, ["x"])] == [None] * 4


def test_event_ids_are_the_same_for_the_same_and_others_for_others() -> None:
    numbers = [np.arange(10_000, dtype=np.uint64) % np.uint64(m) for m in (7, 11, 13, 10)]
    ids = event_ids("spotify", numbers).to_pylist()
    assert ids == event_ids("spotify", numbers).to_pylist()
    assert len(set(ids)) == min(10_000, 7 * 11 * 13 * 10)
    assert set(map(len, ids)) == {32}
    assert not set(ids) & set(event_ids("lastfm", numbers).to_pylist())


def test_moments_are_read_as_exports_write_them() -> None:
    texts = [
        "2020-01-01T12:34:00Z",
        "2020-01-01 12:34:00",
        "2020-01-01 12:34",
        "2020-01-01T14:34:00+02:00",
        "1577882040",
        "1577882040000",
        "01 Jan 2020 12:34",
        "01 Jan 2020, 12:34",
        "2020-13-01T12:34:00Z",
        "yesterday",
        "",
        None,
        "99999999999999",
    ]
    expected = [1_577_882_040_000] * 8 + [NO_MOMENT] * 5
    assert moments_of(pa.array(texts, pa.string())).tolist() == expected
    for text, moment in zip(texts, expected, strict=True):
        assert moments_of(pa.array([text], pa.string())).tolist() == [moment], text
    assert len(moments_of(pa.array([], pa.string()))) == 0


def test_seconds_in_json_may_be_numbers_or_text() -> None:
    readable = [1_577_882_040, 1_577_882_040.0, "1577882040"]
    assert unix_moments(readable).tolist() == [1_577_882_040_000] * 3
    assert unix_moments(readable[:1]).tolist() == [1_577_882_040_000]
    for value in (None, True, "x", [], {}, 10**30, -(10**10), 10**10, float("nan"), float("inf")):
        assert unix_moments([value]).tolist() == [NO_MOMENT], value
    assert unix_moments([]).tolist() == []
