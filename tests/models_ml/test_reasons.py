"""Reasons: the strongest that is true, a genre where it can be named, and what each led to in the choice."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.errors import InputError
from models_ml.evidence import ContentEvidence
from models_ml.ranking import Components
from models_ml.reasons import CODES, ReasonChoice, ReasonParams, SlotEvidence, read_lifts, strongest_reason
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, SEGMENT_RUNG

GENRES = pa.array(["folk", "jazz"])


def evidence(
    *,
    anchor: int = -1,
    own: bool = False,
    everywhere: bool = False,
    sounds_like: int = -1,
    playlist: int = -1,
    rung: int = COLLABORATIVE_RUNG,
    genre: int = -1,
    **components: float,
) -> SlotEvidence:
    """One slot."""
    return SlotEvidence(
        Components(**{part.name: np.array([components.get(part.name, 0.0)]) for part in fields(Components)}),
        np.array([anchor]),
        np.array([own]),
        np.array([everywhere]),
        ContentEvidence(*(np.array([value], dtype=np.int32) for value in (sounds_like, 2, playlist))),
        np.array([rung]),
        np.array([genre]),
    )


def lifts(**of: float) -> np.ndarray:
    """(3, CODES): everyone's and each segment's alike."""
    return np.array([[of.get(code, 1.0) for code in CODES]] * (len(GENRES) + 1))


def told(slot: SlotEvidence, lift: np.ndarray | None, taste: tuple[float, float] = (0.0, 0.0), **params: float) -> str:
    choice = ReasonChoice(ReasonParams(**params), lift)
    return str(choice.codes(slot, np.float32([taste]), np.array([0]))[0])


@pytest.mark.parametrize(
    ("collaborative", "by_artist", "popularity", "freshness", "anchor", "own", "everywhere", "code"),
    [
        (0.8, 0.2, -0.1, 0.1, 5, True, True, "because_you_played"),
        (0.2, 0.8, -0.1, 0.1, 5, True, True, "more_by_artist"),
        (0.1, 0.2, -0.1, 0.3, 5, True, True, "new_release"),
        (0.0, 0.0, 0.9, 0.1, -1, True, True, "popular_in_market"),
        (0.0, 0.0, 0.9, 0.1, -1, False, True, "popular"),
        (0.0, 0.0, 0.1, 0.9, -1, True, True, "new_release"),
        (0.1, 0.0, 0.9, 0.0, 5, True, True, "popular_in_market"),
        (0.8, 0.0, -0.1, 0.0, -1, False, True, "popular"),
        (-0.2, 0.0, -0.1, 0.0, 5, False, False, "completes_the_list"),
        (0.0, 0.0, 0.0, 0.0, -1, False, False, "completes_the_list"),
    ],
)
def test_the_reason_is_the_strongest_evidence_there_is(
    collaborative, by_artist, popularity, freshness, anchor, own, everywhere, code
):
    parts = {
        "collaborative": collaborative,
        "artist_affinity": by_artist,
        "popularity": popularity,
        "freshness": freshness,
    }
    slot = evidence(anchor=anchor, own=own, everywhere=everywhere, **parts)
    assert strongest_reason(slot).tolist() == [code]
    assert told(slot, None) == code
    assert told(slot, lifts(), learned_weight=0.0) == code
    assert told(slot, lifts()) == code


@pytest.mark.parametrize(
    ("text", "audio", "sounds_like", "playlist", "rung", "code"),
    [
        (0.5, 0.6, 3, 4, COLLABORATIVE_RUNG, "sounds_like"),
        (0.6, 0.5, 3, 4, COLLABORATIVE_RUNG, "on_playlists"),
        (0.6, 0.5, 3, -1, COLLABORATIVE_RUNG, "because_you_played"),
        (0.5, 0.6, -1, 4, COLLABORATIVE_RUNG, "because_you_played"),
        (0.5, 0.6, -1, 4, CONTENT_RUNG, "near_what_you_named"),
        (0.5, 0.6, -1, 4, SEGMENT_RUNG, "near_your_segment"),
    ],
)
def test_words_and_sound_are_a_reason_only_with_evidence(text, audio, sounds_like, playlist, rung, code):
    slot = evidence(
        anchor=5, sounds_like=sounds_like, playlist=playlist, rung=rung, collaborative=0.3, text=text, audio=audio
    )
    assert strongest_reason(slot).tolist() == [code]


@pytest.mark.parametrize(
    ("demand", "own", "everywhere", "code"),
    [
        (0.5, True, True, "popular_in_market"),
        (0.5, False, True, "popular"),
        (0.5, False, False, "because_you_played"),
        (0.2, True, True, "because_you_played"),
    ],
)
def test_that_many_listen_is_a_reason_where_it_weighs_most_and_is_so(demand, own, everywhere, code):
    slot = evidence(anchor=5, own=own, everywhere=everywhere, collaborative=0.3, demand=demand)
    assert strongest_reason(slot).tolist() == [code]


@pytest.mark.parametrize(
    ("affinity", "genre", "code"),
    [(0.5, 1, "your_genre"), (0.5, -1, "because_you_played"), (0.2, 1, "because_you_played")],
)
def test_a_genre_is_a_reason_where_it_weighs_most_and_can_be_named(affinity, genre, code):
    slot = evidence(anchor=5, genre=genre, collaborative=0.3, genre_affinity=affinity if genre >= 0 else 0.0)
    assert strongest_reason(slot).tolist() == [code]
    assert told(slot, lifts()) == code


def test_of_true_reasons_the_one_that_led_to_more_is_told_where_it_weighs_enough():
    slot = evidence(anchor=5, genre=1, collaborative=0.5, genre_affinity=0.4)
    assert told(slot, lifts()) == "because_you_played"
    assert told(slot, lifts(your_genre=1.2)) == "because_you_played"  # 0.4 * 1.2 < 0.5
    assert told(slot, lifts(your_genre=1.3)) == "your_genre"
    assert told(slot, lifts(your_genre=1.2), learned_weight=2.0) == "your_genre"
    assert told(slot, lifts(because_you_played=0.7)) == "your_genre"
    assert told(slot, lifts(your_genre=9.0), least_strength=0.9) == "because_you_played"
    assert told(slot, lifts(your_genre=9.0), learned_weight=0.0) == "because_you_played"


def test_a_reason_that_is_not_true_is_never_told_whatever_it_led_to():
    slot = evidence(anchor=-1, collaborative=0.5, genre=-1, text=0.4, audio=0.4, own=False, everywhere=False)
    everything = np.full((len(GENRES) + 1, len(CODES)), 50.0)
    assert told(slot, everything, least_strength=0.0) == "completes_the_list"


def test_popular_in_the_market_is_never_told_as_popular_alone():
    slot = evidence(own=True, everywhere=True, popularity=0.5)
    assert told(slot, lifts(popular=2.0, popular_in_market=0.5)) == "popular_in_market"


def test_a_segment_goes_by_its_own_lifts_and_who_has_none_by_those_of_everyone():
    table = pa.table(
        {
            "segment": ["everyone", "jazz", "gone", "jazz"],
            "reason_code": ["your_genre", "your_genre", "your_genre", "of_older_code"],
            "lift": [1.1, 2.0, 9.0, 9.0],
        }
    )
    read = read_lifts(table, GENRES)
    at = CODES.index("your_genre")
    assert read[:, at].tolist() == [1.1, 2.0, 1.1]
    assert (np.delete(read, at, axis=1) == 1).all()
    slot = evidence(anchor=5, genre=1, collaborative=0.5, genre_affinity=0.4)
    assert [told(slot, read, taste) for taste in ((0.9, 0.1), (0.1, 0.9), (0.0, 0.0))] == [
        "because_you_played",
        "your_genre",
        "because_you_played",
    ]


def test_a_lift_that_is_no_factor_is_refused():
    table = pa.table({"segment": ["everyone"], "reason_code": ["popular"], "lift": [0.0]})
    with pytest.raises(InputError, match="reason_lifts: lift is 0 in row 0"):
        read_lifts(table, GENRES)


@given(st.lists(st.floats(-1.0, 1.0), min_size=10, max_size=10), st.floats(0.1, 9.0), st.data())
def test_whatever_is_told_is_true_and_weighs_enough(parts, lift, data):
    names = [part.name for part in fields(Components)]
    truths = {name: data.draw(st.sampled_from([-1, 3])) for name in ("anchor", "sounds_like", "playlist", "genre")}
    slot = evidence(**truths, own=data.draw(st.booleans()), **dict(zip(names, parts, strict=True)))
    code = told(slot, lifts(**{data.draw(st.sampled_from(CODES)): lift}))
    if code == strongest_reason(slot)[0]:
        return
    strength = slot.strengths()[CODES.index(code), 0]
    assert strength >= 0.5 * max(parts)
    assert strength > 0
