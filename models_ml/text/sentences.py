"""Sentences for Word2Vec: recordings as tokens among the words written about them, so that both share a space.

Belongs here: how words and recordings are woven into sequences. Does not: training (training.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Ints, place_in_row
from models_ml.text.columns import Ragged
from models_ml.text.contexts import Contexts, Source
from models_ml.text.params import TextParams

# After how many words of a document, and of a tag list, the recordings it is about are named again.
_DOCUMENT_STEP, _TAG_STEP = 4, 1


@dataclass(frozen=True)
class Sentences:
    """Sequences of tokens; numbers below `word_count` are words, the others recordings from there on."""

    tokens: Ragged
    word_count: int


def weave(main: Ragged, side: Ragged, step: int) -> Ragged:
    """Rows of `main` with one of the same row of `side` after every `step`, in turn, and after the last.

    Where a row of `main` is empty, the row of `side` as it is.
    """
    rows, place = main.rows, place_in_row(main.rows)
    length, side_length = np.diff(main.indptr), np.diff(side.indptr)
    due = ((place + 1) % step == 0) | (place + 1 == length[rows])
    after = np.flatnonzero(due & (side_length[rows] > 0))
    turn = place[after] // step
    chosen = side.values[side.indptr[rows[after]] + turn % side_length[rows[after]]]
    left = np.flatnonzero((length == 0)[side.rows])
    all_rows = np.concatenate([rows, rows[after], side.rows[left]])
    order = np.lexsort((np.concatenate([2 * np.arange(len(rows)), 2 * after + 1, left]), all_rows))
    values = np.concatenate([main.values, chosen, side.values[left]])[order]
    return Ragged.of(all_rows[order], values, len(main))


def sentences(contexts: Contexts, params: TextParams) -> Sentences:
    """What Word2Vec reads: playlists, then documents, then the tags of each recording; empty ones left out."""
    word_count = len(contexts.vocabulary)
    parts = [
        _of_playlists(contexts.playlists, contexts.artist_word, word_count, params),
        _of_documents(contexts.documents, word_count),
        _of_tags(contexts.tags, word_count, len(contexts.artist_word)),
    ]
    lengths = np.concatenate([np.diff(part.indptr) for part in parts])
    values = np.concatenate([part.values for part in parts])
    lengths = lengths[lengths > 0]
    return Sentences(Ragged(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), values), word_count)


def _of_playlists(source: Source, artist_word: Ints, word_count: int, params: TextParams) -> Ragged:
    """Each playlist's recordings, each followed by its artist's name, and by one of the playlist's words in turn."""
    kept = np.flatnonzero(source.trained)
    members, words = source.recordings.take(kept), source.words.take(kept)
    total = np.diff(members.indptr)[members.rows]
    cap = np.minimum(total, params.playlist_length_cap)
    place = place_in_row(members.rows)
    short = (place + 1) * cap // np.maximum(total, 1) > place * cap // np.maximum(total, 1)
    rows, recording = members.rows[short], members.values[short]
    times = np.bincount(recording, minlength=len(artist_word))
    itself = np.where(times[recording] >= params.recording_minimum_count, recording + word_count, -1)
    both = np.stack([itself, artist_word[recording]], axis=1).ravel()
    rows = np.repeat(rows, 2)
    named = both >= 0
    return weave(Ragged.of(rows[named], both[named], len(kept)), words, 2)


def _of_documents(source: Source, word_count: int) -> Ragged:
    about = Ragged(source.recordings.indptr, source.recordings.values + word_count)
    return weave(source.sequence, about, _DOCUMENT_STEP)


def _of_tags(source: Source, word_count: int, recording_count: int) -> Ragged:
    """The words of each recording's tags, the recording after each."""
    tag, recording = source.recordings.rows, source.recordings.values
    of_recording = Ragged.of(recording, tag, recording_count)
    words = source.sequence.take(of_recording.values)
    main = Ragged.of(of_recording.rows[words.rows], words.values, recording_count)
    tagged = np.flatnonzero(np.diff(main.indptr))
    itself = Ragged(np.arange(len(tagged) + 1), tagged + word_count)
    return weave(main.take(tagged), itself, _TAG_STEP)
