"""Contexts: each text with the recordings it is about, and what keeps one owner from drowning the rest.

Belongs here: playlists, documents and tags as contexts; owners' caps; the words and recordings of each.
Does not: training (sentences.py, training.py), vectors (pooling.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Progress, place_in_row, silent, stable_order, strings
from models_ml.text.columns import Ragged, encode, read_column
from models_ml.text.inputs import TextInputs
from models_ml.text.linking import mentioned
from models_ml.text.params import TextParams
from models_ml.text.phrases import KnownPhrases, learn_phrases, name_token
from models_ml.text.templates import groups, owner_codes
from models_ml.text.tokens import tokens


@dataclass(frozen=True)
class Source:
    """Contexts of one kind.

    words: different words of each context.  word_weight: (words,) float64 beside `words.values`.
    sequence: its words as they follow each other.  recordings: what each is about, in the order of the list.
    weight: (pairs,) float64 beside `recordings.values`, 0 beyond an owner's cap.
    counted: (pairs,) int64, how many contexts of the recording a pair counts as.
    trained: (contexts,) False for playlists beyond their owner's cap.
    """

    words: Ragged
    word_weight: Floats
    sequence: Ragged
    recordings: Ragged
    weight: Floats
    counted: Ints
    trained: Bools


@dataclass(frozen=True)
class Contexts:
    """Everything written.

    vocabulary: the different words, in the order of first appearance; Source's words are positions in it.
    artist_word: (recordings,) int64, the word of the artist's name, -1 without one.
    """

    vocabulary: list[str]
    playlists: Source
    documents: Source
    tags: Source
    artist_word: Ints

    @property
    def sources(self) -> tuple[Source, Source, Source]:
        """Every kind of context."""
        return self.playlists, self.documents, self.tags


def read_contexts(inputs: TextInputs, params: TextParams, progress: Progress = silent) -> Contexts:
    """What was written, as contexts."""
    playlists, documents = inputs.playlists, inputs.documents
    tag_rows = strings(inputs.tags, "tags", "tag").dictionary_encode()
    columns = [
        read_column(strings(playlists, "playlists", "title")),
        read_column(strings(playlists, "playlists", "description")),
        read_column(strings(documents, "documents", "title")),
        read_column(strings(documents, "documents", "body")),
        read_column(tag_rows.dictionary),
    ]
    texts = [text for column in columns for text in column.texts]
    artists = _artist_tokens(inputs)
    learnt = learn_phrases(texts, params.phrase_minimum_count, params.phrase_threshold)
    phrases = KnownPhrases(learnt.union(token for token in artists if token))
    progress(f"text: {len(texts)} different texts, {len(learnt)} phrases, and names of artists")
    encoded, vocabulary = encode([column.with_tokens(phrases.added) for column in columns])
    code_of = {token: code for code, token in enumerate(vocabulary)}
    artist_word = [code_of.setdefault(token, len(code_of)) if token else -1 for token in artists]
    return Contexts(
        list(code_of),
        _playlists(inputs, encoded[0], encoded[1], params),
        _documents(inputs, encoded[2], encoded[3], params, progress),
        _tags(inputs, encoded[4], tag_rows.indices.to_numpy(zero_copy_only=False).astype(np.int64)),
        np.array(artist_word, dtype=np.int64),
    )


def _artist_tokens(inputs: TextInputs) -> list[str | None]:
    """Of each recording, its artist's name as one token, by its first edition; None without a name."""
    names = strings(inputs.names, "names", "artist_name").dictionary_encode()
    token_of = [name_token(tokens(name or "")) for name in names.dictionary.to_pylist()]
    found: list[str | None] = [None] * inputs.recording_count
    rows = zip(inputs.names.column("recording_index").to_pylist(), names.indices.to_pylist(), strict=True)
    for recording, name in rows:
        if name is not None and found[recording] is None:
            found[recording] = token_of[name]
    return found


def _playlists(inputs: TextInputs, titles: Ragged, descriptions: Ragged, params: TextParams) -> Source:
    owners = strings(inputs.playlists, "playlists", "owner_id")
    group = groups(strings(inputs.playlists, "playlists", "title"), owners)
    count = int(group.max(initial=-1)) + 1
    words, weight = different_words(
        [
            (group[titles.rows], titles.values, params.title_weight),
            (group[descriptions.rows], descriptions.values, 1.0),
        ],
        count,
    )
    playlist, recording = inputs.membership
    _, first = np.unique(group[playlist] * max(inputs.recording_count, 1) + recording, return_index=True)
    first.sort()
    members = Ragged.of(group[playlist[first]], recording[first], count)
    _, first_playlist = np.unique(group, return_index=True)
    owner = owner_codes(owners)[first_playlist]
    counted = (_turn(owner[members.rows], members.values) < params.owner_cap_per_recording).astype(np.int64)
    return Source(
        words, weight, words, members, counted.astype(np.float64), counted, _spread_evenly(owner, params.owner_cap)
    )


def _documents(inputs: TextInputs, titles: Ragged, bodies: Ragged, params: TextParams, progress: Progress) -> Source:
    count = len(titles)
    words, weight = different_words(
        [(titles.rows, titles.values, params.title_weight), (bodies.rows, bodies.values, 1.0)], count
    )
    sequence = Ragged.of(
        np.concatenate([titles.rows, bodies.rows]), np.concatenate([titles.values, bodies.values]), count
    )
    document, recording = inputs.carried
    unlinked = np.flatnonzero(np.bincount(document, minlength=count) == 0)
    table = inputs.documents
    columns = strings(table, "documents", "title"), strings(table, "documents", "body")
    by_name = mentioned(*columns, unlinked, inputs.names, progress)
    both = np.stack([np.concatenate([document, by_name[0]]), np.concatenate([recording, by_name[1]])], axis=1)
    pairs = np.unique(both, axis=0) if len(both) else both
    about = Ragged.of(pairs[:, 0], pairs[:, 1], count)
    ones = np.ones(len(pairs), dtype=np.int64)
    return Source(words, weight, sequence, about, ones.astype(np.float64), ones, np.ones(count, dtype=bool))


def _tags(inputs: TextInputs, texts: Ragged, tag: Ints) -> Source:
    """Each different tag is a context; all tags of a recording together weigh and count as one."""
    words, weight = different_words([(texts.rows, texts.values, 1.0)], len(texts))
    recording = inputs.tags.column("recording_index").to_numpy().astype(np.int64)
    strength = np.log1p(inputs.tags.column("tag_count").to_numpy().astype(np.float64))
    total = np.bincount(recording, strength, minlength=inputs.recording_count)
    order = stable_order(tag)
    first = np.zeros(len(tag), dtype=np.int64)
    first[np.unique(recording, return_index=True)[1]] = 1
    return Source(
        words,
        weight,
        texts,
        Ragged.of(tag, recording, len(texts)),
        (strength / total[recording])[order],
        first[order],
        np.ones(len(texts), dtype=bool),
    )


def different_words(parts: list[tuple[Ints, Ints, float]], count: int) -> tuple[Ragged, Floats]:
    """(different words of each context in order of appearance, their weights) from (context, word, weight) parts.

    A word of several parts has the weight of the first, so give the heavier one first.
    """
    context = np.concatenate([part[0] for part in parts])
    word = np.concatenate([part[1] for part in parts])
    weight = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    _, first = np.unique(context * (int(word.max(initial=0)) + 1) + word, return_index=True)
    first.sort()
    order = first[stable_order(context[first])]
    return Ragged.of(context[order], word[order], count), weight[order]


def _turn(owner: Ints, recording: Ints) -> Ints:
    """Of each pair, how many earlier ones have the same owner and recording."""
    keys = owner * (int(recording.max(initial=0)) + 1) + recording
    order = stable_order(keys)
    turn = np.empty(len(keys), dtype=np.int64)
    _, dense = np.unique(keys[order], return_inverse=True)
    turn[order] = place_in_row(dense)
    return turn


def _spread_evenly(owner: Ints, cap: int) -> Bools:
    """True for at most `cap` of each owner's contexts, spread evenly over them."""
    number = _turn(owner, np.zeros(len(owner), dtype=np.int64))
    total = np.bincount(owner, minlength=1)[owner] if len(owner) else owner
    share = np.minimum(cap, total)
    return np.asarray((number + 1) * share // np.maximum(total, 1) > number * share // np.maximum(total, 1))
