"""Playlists that are the same list again: one owner's titles that differ in numbers and dates only.

Belongs here: the template of a title, and the groups of playlists that count once.
Does not: words as they are trained (corpus.py).
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Ints
from models_ml.text.tokens import tokens

# Numbers as they stand in dates, volumes and weeks; 80s and 2010s are kept, they say what is in the list.
_NUMBER = re.compile(r"(?:v|vol|w|kw|pt|ep|no|nr|cw)?\d+(?:st|nd|rd|th)?")
# What stands beside such a number; dropped only where there is one.
_BESIDE_NUMBERS = frozenset(
    (
        *("vol", "volume", "week", "part", "pt", "ep", "episode", "edition", "no", "nr", "number", "kw", "day"),
        *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
        *("november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    )
)


def template(title: str) -> str:
    """A title without its numbers, and what belongs to them; the whole title where nothing else is in it."""
    words = tokens(title)
    if not any(_NUMBER.fullmatch(word) for word in words):
        return " ".join(words)
    left = [word for word in words if not _NUMBER.fullmatch(word) and word not in _BESIDE_NUMBERS]
    return " ".join(left or words)


def groups(titles: pa.Array, owners: pa.Array) -> Ints:
    """(playlists,) group of each, dense, in the order of first appearance: one owner and title template.

    Without an owner each is a group of its own, and so is each without a title.
    """
    encoded = titles.dictionary_encode()
    shape_of = {text: template(text) for text in encoded.dictionary.to_pylist()}
    rows = zip(owners.to_pylist(), titles.to_pylist(), strict=True)
    seen: dict[tuple[str, str] | int, int] = {}
    found = [
        seen.setdefault(place if owner is None or not title else (owner, shape_of[title]), len(seen))
        for place, (owner, title) in enumerate(rows)
    ]
    return np.array(found, dtype=np.int64)


def owner_codes(owners: pa.Array) -> Ints:
    """(playlists,) a number for each owner; those without one are all different."""
    codes = pc.fill_null(owners.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.asarray(codes)
