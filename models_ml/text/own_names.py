"""What a recording is called: its title, its album and its artists, as words to search by.

Belongs here: the words of names, whole names as words, whose names they are. Does not: what is written about a
recording (contexts.py), what a word says (word_index.py, named_artists.py).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from models_ml.arrays import Floats, Ints, column, joined, strings
from models_ml.text.columns import Ragged, encode, read_column
from models_ml.text.contexts import different_words
from models_ml.text.inputs import TextInputs
from models_ml.text.phrases import name_token


@dataclass(frozen=True)
class OwnNames:
    """The words of every recording's names.

    vocabulary: words known before, then those of names, in the order of first appearance.
    words: the different words of each recording.  weight: (words,) float64 beside `words.values`.
    artists: the whole name of each artist of each recording, as words, each once, ascending.
    """

    vocabulary: list[str]
    words: Ragged
    weight: Floats
    artists: Ragged

    @property
    def counts(self) -> Ints:
        """(vocabulary,) int64: recordings with the word in a name."""
        return np.bincount(self.words.values, minlength=len(self.vocabulary))


def read_own_names(known: list[str], inputs: TextInputs, name_weight: float) -> OwnNames:
    """Names as words beside those known.

    The whole name of an artist, as one token, weighs `name_weight` times a word of it, a whole title as much as a word.
    """
    names = inputs.names
    recording = column(names, "names", "recording_index", np.int64)
    credits = joined(names.column("artist_names"))
    of_credit = recording[pc.list_parent_indices(credits).to_numpy().astype(np.int64)]
    credited = read_column(pc.list_flatten(credits))
    title, album = (read_column(strings(names, "names", name)) for name in ("title", "album_title"))
    whole = (title.with_tokens(_whole_title), credited.with_tokens(_whole_name))
    encoded, vocabulary = encode([title, album, credited, *whole], known)
    owners = [recording, recording, of_credit, recording, of_credit]
    weights = [1.0, 1.0, 1.0, 1.0, name_weight]
    columns = zip(owners, encoded, weights, strict=True)
    parts = [(owner[rows.rows], rows.values, weight) for owner, rows, weight in columns]
    words, weight = different_words(parts[::-1], inputs.recording_count)
    return OwnNames(vocabulary, words, weight, _each_once(parts[-1][0], parts[-1][1], inputs.recording_count))


def _each_once(recording: Ints, word: Ints, recording_count: int) -> Ragged:
    width = int(word.max(initial=0)) + 1
    recording, word = np.divmod(np.unique(recording * width + word), width)
    return Ragged.of(recording, word, recording_count)


def _whole_name(words: list[str]) -> list[str]:
    return [token] if (token := name_token(words)) else []


def _whole_title(words: list[str]) -> list[str]:
    """Of several words: one alone is what many others have in theirs, and what moods are called."""
    return _whole_name(words) if len(words) > 1 else []
