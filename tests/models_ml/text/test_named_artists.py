"""Tests of recordings beside named artists: against the cosine written out, sure and unsure names, search by them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from text_worlds import PARAMS, documents_of, inputs_of, names_of, playlists_of, tags_of

from models_ml.text.contexts import read_contexts
from models_ml.text.inputs import TextInputs
from models_ml.text.named_artists import ListedArtists, list_artists, no_artists
from models_ml.text.own_names import read_own_names
from models_ml.text.pooling import context_counts
from models_ml.text.vectors import train_text

# Recordings by place: two by Ada, two by Bo, one by Cy Twin.
NAMES = [(0, "One", "Ada"), (1, "Two", "Ada"), (2, "Three", "Bo"), (3, "Four", "Bo"), (4, "Five", "Cy Twin")]
LISTS = [("dawn", [0, 1, 2]), ("noon", [1, 2, 3]), ("dusk", [3, 4])]


def world(names=NAMES, lists=LISTS, count=5, **more) -> TextInputs:
    playlists, tracks = playlists_of(lists)
    return inputs_of(count, playlists=playlists, playlist_tracks=tracks, names=names_of(names), **more)


def artists_of(inputs: TextInputs, name_share: float = 0.5) -> tuple[ListedArtists, np.ndarray]:
    contexts = read_contexts(inputs, PARAMS)
    own = read_own_names(contexts.vocabulary, inputs, PARAMS.name_weight)
    return list_artists(contexts, own, name_share), context_counts(contexts)


def asked(inputs: TextInputs, text: str, described: str = "", name_share: float = 0.5) -> np.ndarray:
    artists, listed = artists_of(inputs, name_share)
    return artists.scores(text, described, 2.0, listed)


def test_artists_are_near_by_the_lists_they_share_and_the_much_listed_come_first():
    # Roots of how many of each are on each list (dawn, noon, dusk), the lists at length one.
    lists = np.sqrt(np.array([[2, 1, 0], [1, 2, 1], [0, 0, 1]], dtype=float))
    lists /= np.linalg.norm(lists, axis=0)
    lists /= np.linalg.norm(lists, axis=1, keepdims=True)
    near = (lists @ lists.T)[0]
    expected = near[[0, 0, 1, 1, 2]] * np.log1p([1, 2, 2, 2, 1])
    assert asked(world(), "songs like ada") == pytest.approx(expected / expected.max(), abs=1e-6)
    assert asked(world(), "songs like ada")[4] == 0


def test_a_title_names_louder_than_a_description_and_names_add_up():
    by_title, by_description = asked(world(), "ada", "cy twin"), asked(world(), "cy twin", "ada")
    assert by_title[1] > by_title[4]
    assert by_description[4] > by_description[1]
    # Bo's third is on a list with each.
    both = asked(world(), "ada and cy twin")
    assert both[3] > 0


def test_a_name_that_is_a_common_word_names_nobody():
    names = [(0, "Home", "Home"), *((place, "Home again", f"Band {place}") for place in range(1, 20))]
    inputs = world(names, [("x", range(20))], 20)
    assert not asked(inputs, "home").any()
    assert asked(inputs, "home", name_share=0.01).any()
    # What is written with it counts too.
    lists = [("x", [0, 1]), ("moon", [1]), ("full moon", [1]), ("moon river", [1])]
    artists, _ = artists_of(world([(0, "One", "Moon"), (1, "Two", "Bo")], lists, 2), name_share=0.0)
    assert dict(zip(artists.names.to_pylist(), artists.share.tolist(), strict=True)) == {"moon": 1 / 4, "bo": 1.0}


def test_a_recording_by_several_is_as_near_as_they_are_in_the_mean():
    credits = pa.array([["Ada"], ["Ada", "Dee"], ["Dee"]], pa.list_(pa.string()))
    names = names_of([(0, "One", "Ada"), (1, "Two", "Ada"), (2, "Three", "Dee")])
    names = names.set_column(names.column_names.index("artist_names"), "artist_names", credits)
    playlists, tracks = playlists_of([("dawn", [0]), ("dusk", [2]), ("noon", [1])])
    found = asked(inputs_of(3, playlists=playlists, playlist_tracks=tracks, names=names), "ada")
    assert found[0] == 1
    assert found[1] == pytest.approx((1 + found[2]) / 2)
    assert 0 < found[2] < found[1]


def test_documents_list_too_and_tags_do_not():
    names = [(0, "One", "Ada"), (1, "Two", "Bo"), (2, "Three", "Cy")]
    documents = documents_of([(None, "Both of them are good.", [0, 1])])
    inputs = inputs_of(3, documents=documents, tags=tags_of([(0, "calm", 1), (2, "calm", 1)]), names=names_of(names))
    found = asked(inputs, "ada")
    assert found[1] > 0
    assert found[2] == 0


def test_what_nobody_listed_is_never_beside():
    found = asked(world([*NAMES, (5, "Six", "Ada")], count=6), "ada")
    assert found[0] > 0
    assert found[5] == 0


def test_without_lists_or_names_nobody_is_named():
    for inputs in (world(names=[]), world(lists=[]), inputs_of(0)):
        artists, listed = artists_of(inputs)
        assert len(artists.names) == 0
        assert not artists.scores("ada", "bo", 2.0, listed).any()


def test_what_is_kept_and_read_again_says_the_same():
    for artists in (artists_of(world())[0], no_artists()):
        again = ListedArtists.from_table(artists.to_table())
        assert again.to_table() == artists.to_table()
        listed = np.ones(5, dtype=np.int64)
        assert again.scores("ada", "", 2.0, listed).tobytes() == artists.scores("ada", "", 2.0, listed).tobytes()


def test_search_finds_what_is_listed_beside_who_is_named():
    names = [(place, f"Song {place}", name) for place, name in enumerate(["Ada"] * 3 + ["Cy"] * 3 + ["Bo"] * 3)]
    lists = [("morning", [0, 6, 7]), ("evening", [1, 7, 8]), ("night", [3, 4, 5])]
    vectors = train_text(world(names, lists, 9), replace(PARAMS, direction_weight=0.0), seed=1)
    asked_for = "with ada and more"
    assert vectors.search(asked_for, 6).recordings.tolist()[:2] == [0, 1]
    assert set(vectors.search(asked_for, 6).recordings.tolist()) == {0, 1, 2, 6, 7, 8}
    alone = replace(vectors, params=replace(vectors.params, named_artists_weight=0.0))
    assert alone.search(asked_for, 6).recordings.tolist() == [0, 1, 2, 3, 4, 5]


def test_who_asks_for_an_artist_or_a_recording_by_name_gets_no_others_before():
    names = [(place, f"Song {place}", name) for place, name in enumerate(["Ada"] * 3 + ["Bo"] * 3)]
    # Of Ada's third, nobody wrote or listed anything.
    vectors = train_text(
        world(names, [("morning", [0, 1, 3, 4])] + [(f"x{n}", [3, 4]) for n in range(9)], 6), PARAMS, 1
    )
    assert set(vectors.search("ada", 3).recordings.tolist()) == {0, 1, 2}
    assert vectors.search("song 4 bo", 1).recordings.tolist() == [4]
