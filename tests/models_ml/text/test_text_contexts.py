"""Tests of templates, owners' caps, contexts and sentences."""

import numpy as np
import pyarrow as pa
import pytest
from text_worlds import PARAMS, documents_of, inputs_of, names_of, playlists_of, tags_of

from models_ml.errors import InputError
from models_ml.text.columns import Ragged
from models_ml.text.contexts import read_contexts
from models_ml.text.params import TextParams
from models_ml.text.pooling import context_counts
from models_ml.text.sentences import sentences, weave
from models_ml.text.templates import groups, template


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Chill Vol. 3", "chill"),
        ("Gym 2024-05-01", "gym"),
        ("Week 12: New Music", "new music"),
        ("May 2021 favourites", "favourites"),
        ("All Out 80s", "all out 80s"),
        ("Monday Motivation", "monday motivation"),
        ("2021", "2021"),
        ("", ""),
    ],
)
def test_a_template_is_the_title_without_numbers_and_what_belongs_to_them(title: str, expected: str):
    assert template(title) == expected


def test_one_owners_playlists_of_one_template_are_one_group():
    titles = pa.array(["Mix 1", "Mix 2", "Mix 3", "Mix 1", None, None, "Other"])
    owners = pa.array(["a", "a", "b", None, "a", "a", "a"])
    assert groups(titles, owners).tolist() == [0, 0, 1, 2, 3, 4, 5]


def test_a_playlist_counts_once_an_owner_and_template():
    playlists, tracks = playlists_of([("Mix 1", [0, 1]), ("Mix 2", [1, 0]), ("Mix 3", [1])], owners=["a", "a", "b"])
    contexts = read_contexts(inputs_of(2, playlists=playlists, playlist_tracks=tracks), PARAMS)
    assert context_counts(contexts).tolist() == [1, 2]


def test_an_owner_counts_for_a_recording_no_more_often_than_the_cap():
    rows = [(f"{word} songs", [0]) for word in ("red", "blue", "green", "black", "white")]
    playlists, tracks = playlists_of([*rows, ("mine", [0])], owners=["a"] * 5 + ["b"])
    params = TextParams(owner_cap_per_recording=2, owner_cap=3)
    contexts = read_contexts(inputs_of(1, playlists=playlists, playlist_tracks=tracks), params)
    assert context_counts(contexts).tolist() == [2 + 1]
    assert contexts.playlists.trained.tolist() == [False, True, False, True, True, True]


def test_documents_are_linked_by_the_ids_they_carry_else_by_name():
    documents = documents_of([(None, "Moby - Go", [0]), (None, "Moby - Go", []), (None, "Moby - Go", None)])
    contexts = read_contexts(inputs_of(2, documents=documents, names=names_of([(1, "Go", "Moby")])), PARAMS)
    assert contexts.documents.recordings.values.tolist() == [0, 1, 1]


def test_the_tags_of_a_recording_weigh_and_count_as_one_context():
    tags = tags_of([(0, "warm", 1), (0, "slow", 3), (1, "warm", 5)])
    contexts = read_contexts(inputs_of(3, tags=tags), PARAMS)
    assert context_counts(contexts).tolist() == [1, 1, 0]
    weight = np.bincount(contexts.tags.recordings.values, contexts.tags.weight)
    assert weight == pytest.approx([1, 1])
    warm = contexts.tags.weight[contexts.tags.recordings.values == 0][0]
    assert warm == pytest.approx(np.log(2) / (np.log(2) + np.log(4)))


def test_weaving_puts_one_of_the_side_after_every_step_and_after_the_last():
    main = Ragged(np.array([0, 5, 5, 7]), np.array([1, 2, 3, 4, 5, 6, 7]))
    side = Ragged(np.array([0, 2, 3, 3]), np.array([10, 20, 30]))
    woven = weave(main, side, 2)
    rows = [woven.values[woven.indptr[row] : woven.indptr[row + 1]].tolist() for row in range(3)]
    assert rows == [[1, 2, 10, 3, 4, 20, 5, 10], [30], [6, 7]]


def test_a_playlist_becomes_its_recordings_with_artist_and_title_between():
    playlists, tracks = playlists_of([("calm", [0, 1]), ("calm", [1])])
    names = names_of([(0, "x", "Moby"), (1, "y", "Lady Gaga")])
    contexts = read_contexts(inputs_of(2, playlists=playlists, playlist_tracks=tracks, names=names), PARAMS)
    woven = sentences(contexts, TextParams(recording_minimum_count=2))
    names_of_all = [*contexts.vocabulary, "#0", "#1"]
    read = [names_of_all[token] for token in woven.tokens.values.tolist()]
    assert read == ["moby", "#1", "calm", "lady_gaga", "calm", "#1", "lady_gaga", "calm"]


def test_a_long_playlist_is_cut_evenly():
    playlists, tracks = playlists_of([("calm", range(10))])
    contexts = read_contexts(inputs_of(10, playlists=playlists, playlist_tracks=tracks), PARAMS)
    params = TextParams(playlist_length_cap=2, recording_minimum_count=1)
    tokens = sentences(contexts, params).tokens.values - len(contexts.vocabulary)
    assert tokens[tokens >= 0].tolist() == [4, 9]


def test_bad_inputs_are_named_with_table_row_and_value():
    playlists, tracks = playlists_of([("a", [0, 1]), ("b", [1])])
    with pytest.raises(InputError, match="playlist_tracks: recording_index is 1 in row 1"):
        inputs_of(1, playlists=playlists, playlist_tracks=tracks)
    with pytest.raises(InputError, match="playlist_tracks: playlist_index is 0 in row 1, after 1"):
        inputs_of(2, playlists=playlists, playlist_tracks=tracks.take([2, 0]))
    with pytest.raises(InputError, match="playlist_tracks: row 1 repeats playlist_index 0, recording_index 0"):
        inputs_of(2, playlists=playlists, playlist_tracks=tracks.take([0, 0]))
    with pytest.raises(InputError, match="playlists: playlist_index is 1 in row 0"):
        inputs_of(2, playlists=playlists.slice(1), playlist_tracks=tracks.slice(0, 0))
    with pytest.raises(InputError, match="tags: tag_count is 0 in row 0"):
        inputs_of(1, tags=tags_of([(0, "x", 0)]))
    with pytest.raises(InputError, match="documents: recording_indexes is 7 in row 0"):
        inputs_of(2, documents=documents_of([(None, "x", [7])]))
    with pytest.raises(InputError, match="names: column artist_name is missing"):
        inputs_of(2, names=names_of([]).drop_columns(["artist_name"]))
