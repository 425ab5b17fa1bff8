"""Tests of cleaning, tokens and phrases."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.text.columns import encode, read_column
from models_ml.text.phrases import KnownPhrases, learn_phrases, name_token
from models_ml.text.tokens import clean, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chill vibes 🌙", ["chill", "vibes", "🌙"]),
        ("Rock'n'Roll / R&B &amp; Soul", ["rock", "n", "roll", "r&b", "soul"]),
        ("𝓒𝓱𝓲𝓵𝓵 Ｃｈｉｌｌ CHILL", ["chill", "chill", "chill"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("華語流行", ["華語", "語流", "流行"]),
        ("夏の歌", ["夏", "の", "歌"]),
        ("シンセウェイヴ 80s", ["シンセウェイヴ", "80s"]),
        ("ฮิต", ["ฮิต"]),
        ("हिन्दी गाने", ["हिन्दी", "गाने"]),
        ("ретровейв", ["ретровейв"]),
        ("노래 모음", ["노래", "모음"]),
        ("👍🏽👍 ♡ 🇫🇷🇩🇪 👩‍🚀", ["👍", "👍", "♡", "🇫🇷", "🇩🇪", "👩\u200d🚀"]),
        ('<a href="spotify:genre:house">House</a> here https://example.org/x', ["house", "here"]),
        ("a_b", ["a", "b"]),
        ("!?… --", []),
        ("", []),
    ],
)
def test_a_text_is_read_as_these_tokens(text: str, expected: list[str]):
    assert tokens(text) == expected


def test_thai_is_read_as_pairs_of_letters_with_their_marks():
    assert tokens("เพลง") == ["เพ", "พล", "ลง"]


@given(st.text(max_size=60))
def test_no_token_is_empty_or_holds_what_separates_tokens(text: str):
    for token in tokens(text):
        assert token
        assert not set(token) & set(" _#\n\t")


@given(st.text(alphabet="aBcé 🌙夏歌&_-", max_size=30))
def test_reading_what_was_cleaned_changes_nothing(text: str):
    assert tokens(clean(text)) == tokens(text)


def test_null_has_no_tokens_and_equal_texts_are_read_once():
    column = read_column(pa.array(["a b", None, "a b", "b"], pa.string()))
    assert len(column.texts) == 3
    (rows,), words = encode([column])
    assert words == ["a", "b"]
    assert [rows.values[rows.indptr[row] : rows.indptr[row + 1]].tolist() for row in range(4)] == [
        [0, 1],
        [],
        [0, 1],
        [1],
    ]


def test_a_phrase_stands_beside_its_words():
    phrases = KnownPhrases(["deep_house", "my_bloody_valentine", "house"])
    assert phrases.added(["deep", "house"]) == ["deep", "house", "deep_house"]
    assert phrases.added(["my", "bloody", "valentine"])[-1] == "my_bloody_valentine"
    assert phrases.added(["house", "deep"]) == ["house", "deep"]


def test_words_that_always_stand_together_become_a_phrase():
    texts = [["deep", "house", f"a{place}"] for place in range(20)] + [
        [f"b{place}", f"c{place}"] for place in range(200)
    ]
    assert learn_phrases(texts, 5, 5.0) == {"deep_house"}
    assert learn_phrases([], 5, 5.0) == set()


def test_a_name_of_one_word_is_that_word_and_none_has_no_token():
    assert name_token(["adele"]) == "adele"
    assert name_token(["lady", "gaga"]) == "lady_gaga"
    assert name_token([]) is None
