"""Tests of what stands under a word: against the formula written out, names, caps, and search by them."""

from dataclasses import replace

import numpy as np
import pytest
from text_worlds import PARAMS, inputs_of, names_of, playlists_of, tags_of

from models_ml.text import word_index
from models_ml.text.contexts import read_contexts
from models_ml.text.inputs import TextInputs
from models_ml.text.own_names import read_own_names
from models_ml.text.params import TextParams
from models_ml.text.vectors import train_text
from models_ml.text.word_index import WordIndex, index_words


def index_of(inputs: TextInputs, params: TextParams = PARAMS) -> WordIndex:
    contexts = read_contexts(inputs, params)
    return index_words(contexts, read_own_names(contexts.vocabulary, inputs, params.name_weight), params)


def weights_of(index: WordIndex) -> dict[tuple[str, int], float]:
    return {(row["word"], row["recording_index"]): row["weight"] for row in index.to_table().to_pylist()}


def listed(*rows: tuple[str, range | list[int]], count: int, names: list[tuple[int, str, str]] | None = None):
    playlists, tracks = playlists_of(rows)
    return inputs_of(count, playlists=playlists, playlist_tracks=tracks, names=names_of(names or []))


def test_a_word_says_of_a_recording_what_the_lists_that_have_it_say_rarer_words_more():
    found = weights_of(index_of(listed(("calm piano", [0, 1]), ("calm", [1]), ("gym", [2]), count=3)))
    # log((1 + contexts) / (1 + those with the word)) + 1, of three contexts; each list's words at length one.
    calm, piano = np.log(4 / 3) + 1, np.log(4 / 2) + 1
    first = np.hypot(calm, piano)
    assert found["calm", 0] == pytest.approx(calm * calm / first)
    assert found["calm", 1] == pytest.approx(calm * (calm / first + 1.0))
    assert found["piano", 1] == pytest.approx(piano * piano / first)
    assert ("gym", 0) not in found
    assert found["piano", 0] > found["calm", 0]


def test_tags_and_names_stand_under_their_words_too():
    inputs = inputs_of(2, tags=tags_of([(0, "dream pop", 3)]), names=names_of([(1, "Bloom", "Beach House")]))
    assert {("dream", 0), ("pop", 0), ("bloom", 1), ("beach", 1), ("beach_house", 1)} <= set(
        weights_of(index_of(inputs))
    )


def test_the_whole_name_of_an_artist_says_more_than_its_words():
    found = weights_of(
        index_of(listed(("x", [0, 1]), count=2, names=[(0, "Bloom", "Beach House"), (1, "Lift", "One")]))
    )
    assert found["beach_house", 0] == pytest.approx(PARAMS.name_weight * found["beach", 0])


def test_names_of_what_nobody_listed_say_less_and_can_be_left_out():
    names = [(0, "Bloom", "Beach House"), (1, "Bloom", "Beach House")]
    inputs = listed(("x", [0]), count=2, names=names)
    found = weights_of(index_of(inputs))
    assert found["bloom", 1] == pytest.approx(PARAMS.unwritten_weight * found["bloom", 0])
    assert ("bloom", 1) not in weights_of(index_of(inputs, replace(PARAMS, unwritten_weight=0.0)))


def test_editions_of_a_recording_share_their_words_and_each_counts_once():
    once = listed(("x", [0]), count=1, names=[(0, "Bloom", "Beach House")])
    twice = listed(("x", [0]), count=1, names=[(0, "Bloom", "Beach House"), (0, "Bloom", "Beach House")])
    assert weights_of(index_of(once)) == weights_of(index_of(twice))


def test_a_word_stands_for_the_recordings_it_says_most_of_ties_by_position():
    inputs = listed(("calm", range(9)), ("calm", [7, 8]), ("calm", [8]), count=9)
    found = weights_of(index_of(inputs, replace(PARAMS, recordings_per_word=4)))
    assert [recording for word, recording in found if word == "calm"] == [0, 1, 7, 8]


def test_words_taken_in_small_groups_give_the_same(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    words = np.array(["calm", "gym", "piano", "riot", "dusk", "neon"])
    rows = [(" ".join(random.choice(words, 3)), random.permutation(30)[:9].tolist()) for _ in range(40)]
    inputs = listed(*rows, count=30, names=[(place, f"song {place}", f"Artist {place % 4}") for place in range(30)])
    whole = index_of(inputs).to_table()
    monkeypatch.setattr(word_index, "_PAIRS", 7)
    assert index_of(inputs).to_table() == whole


def test_a_whole_title_is_found_before_what_is_called_by_one_of_its_words():
    names = [(0, "Letters", "Foreign Reno"), (1, "Harbour", "Foreign Reno"), (2, "Foreign Money", "Somebody Else")]
    inputs = listed(*[("foreign nights", [0])] * 2, ("drive", [0, 1, 2]), count=3, names=names)
    assert train_text(inputs, PARAMS, seed=1).search("foreign money", 3).recordings.tolist()[0] == 2


def test_a_title_an_album_or_an_artist_is_found_by_its_name_before_all_else():
    names = [(place, f"Song {place}", "Somebody") for place in range(9)] + [(9, "Weightless", "Marconi Union")]
    inputs = listed(*[("calm evening songs", range(9))] * 5, count=10, names=names)
    vectors = train_text(inputs, PARAMS, seed=1)
    for asked in ("weightless", "MARCONI UNION", "songs by Marconi Union", "weightless, marconi union"):
        assert vectors.search(asked, 1).recordings.tolist() == [9], asked


def test_words_that_no_text_has_together_say_less_than_those_of_one_text():
    index = index_of(listed(("calm piano", [0]), ("gym riot", [1]), count=2))
    assert index.scores("calm piano", "", 2.0, 2) == pytest.approx([1.0, 0.0])
    assert index.scores("calm gym", "", 2.0, 2) == pytest.approx([0.5, 0.5])
    # Of two lists that have them all, each says as much: 1 is the most they say of any.
    index = index_of(listed(("calm piano", [0, 1]), ("piano, calm", [1]), count=2))
    assert index.scores("calm piano", "", 2.0, 2) == pytest.approx([0.5, 1.0])


def test_a_recording_whose_names_have_every_word_was_asked_for():
    names = [(0, "Bloom", "Beach House"), (1, "Lift", "Beach House")]
    index = index_of(listed(("calm lift beach", [0, 1]), count=2, names=names))
    assert index.name_one(("bloom", "beach house"), 9)
    assert index.name_one(("LIFT, beach!", ""), 9)
    assert not index.name_one(("bloom by beach house", ""), 9)
    assert not index.name_one(("bloom lift", ""), 9)
    assert not index.name_one(("", "!?"), 9)
    # Both are on a list with these words, and neither is called so.
    assert not index.name_one(("calm lift", ""), 9)
    # Under as many as may stand there others may have been left out: such a word says nothing.
    assert index.name_one(("bloom beach", ""), 2)
    assert not index.name_one(("beach", ""), 2)


def test_of_a_week_before_rarity_and_names_were_kept_words_are_found_as_then():
    index = index_of(listed(("calm piano", [0, 1]), ("gym riot", [2]), count=3, names=[(0, "Bloom", "One")]))
    older = WordIndex.from_table(index.to_table().drop_columns(["rarity", "is_named"]))
    assert older.scores("calm gym", "", 2.0, 3) == pytest.approx(index.scores("calm gym", "", 2.0, 3) * 2)
    assert not older.name_one(("bloom", ""), 9)
    again = WordIndex.from_table(index.to_table())
    assert again.to_table() == index.to_table()
    assert again.name_one(("bloom", ""), 9)


def test_words_of_a_title_say_more_than_those_of_a_description():
    vectors = train_text(listed(*[("calm", [0]), ("gym", [1])] * 3, count=2), PARAMS, seed=1)
    assert vectors.search("calm", 1, described="gym").recordings.tolist() == [0]
    assert vectors.search("gym", 1, described="calm").recordings.tolist() == [1]


def test_what_is_known_is_told_of_words_in_texts_and_in_names():
    vectors = train_text(listed(("calm", [0]), count=2, names=[(1, "Bloom", "One")]), PARAMS, seed=1)
    assert vectors.knows("CALM")
    assert vectors.knows("bloom")
    assert not vectors.knows("xyzzy")
