"""Which recordings a document is about, where it carries no ids: exact mentions of artist and title.

Belongs here: finding "Artist - Title", "Artist, Title", "Artist: Title", 'Artist "Title"', "Title by Artist" and
'"Title", Artist' in documents.
Does not: guessing. A name has to stand there letter by letter but for case and width, the two next to each other.

Every run of n words of all documents is looked up by a hash of its words, for each n that some "artist title" has, so
that the time doesn't depend on how many names there are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models_ml.arrays import Ints, Progress, silent, strings
from models_ml.text.tokens import NAME_WORD, clean

_OPEN, _CLOSE = "\"'“”„‟‘’«»‹›「」『』《》〈〉*_(", "\"'“”‟‘’«»‹›「」『』《》〈〉*_)"
_BETWEEN = re.compile(f"\\s*(?:[-‐-―~|:,·•/]+\\s*[{re.escape(_OPEN)}]*|[{re.escape(_OPEN)}]+)\\s*")
_BY = re.compile(f"[{re.escape(_CLOSE)}]*,? by [{re.escape(_OPEN)}]*")
_AFTER_QUOTE = re.compile(f"(?:[{re.escape(_CLOSE)}]+\\s*[-‐-―,:]|,[{re.escape(_CLOSE)}]+)\\s*")
_SPACES = re.compile(r"\s+")
# Names of more words together are not looked for.
_LONGEST = 24
_FILTER_BITS = 26
_FACTOR, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Name:
    """One artist and title, cleaned: what stands between their first and last word, and how many words each has."""

    artist: str
    title: str
    artist_words: int
    title_words: int


@dataclass(frozen=True)
class _Patterns:
    """Sequences of words to look for, sorted by hash within their length.

    hashes[n], pattern[n]: hash and name * 3 + form of each sequence of n words.  code_of: word to number from 1.
    """

    names: list[_Name]
    recordings: list[list[int]]
    code_of: dict[str, int]
    hashes: Mapping[int, Hashes]
    pattern: Mapping[int, Ints]


def mentioned(
    titles: pa.Array, bodies: pa.Array, unlinked: Ints, names: pa.Table, progress: Progress = silent
) -> tuple[Ints, Ints]:
    """(document, recording) of each mention in these documents, sorted, each pair once.

    titles, bodies: text of all documents.  unlinked: places of those to look through.  names: recording_index, title,
    artist_name. Where several recordings bear the same names, a mention is about all of them.
    """
    patterns = _read_names(names)
    found: set[tuple[int, int]] = set()
    if patterns.names and len(unlinked):
        for column in (titles, bodies):
            texts = [clean(text or "") for text in column.take(pa.array(unlinked)).to_pylist()]
            for text, name in _found_in(texts, patterns):
                found.update((int(unlinked[text]), recording) for recording in patterns.recordings[name])
        progress(f"text: {len(found)} mentions of artist and title in {len(unlinked)} documents without ids")
    pairs = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _read_names(names: pa.Table) -> _Patterns:
    code_of: dict[str, int] = {}
    place: dict[tuple[str, str], int] = {}
    found: list[_Name] = []
    recordings: list[list[int]] = []
    forms: dict[int, list[tuple[list[int], int]]] = {}
    rows = zip(
        names.column("recording_index").to_pylist(),
        strings(names, "names", "artist_name").to_pylist(),
        strings(names, "names", "title").to_pylist(),
        strict=True,
    )
    by = code_of.setdefault("by", 1)
    for recording, artist, title in rows:
        (artist_text, artist_words), (title_text, title_words) = _name(artist), _name(title)
        if not artist_words or not title_words or len(artist_words) + len(title_words) >= _LONGEST:
            continue
        number = place.setdefault((artist_text, title_text), len(found))
        if number == len(found):
            found.append(_Name(artist_text, title_text, len(artist_words), len(title_words)))
            recordings.append([])
            first = [code_of.setdefault(word, len(code_of) + 1) for word in artist_words]
            second = [code_of.setdefault(word, len(code_of) + 1) for word in title_words]
            for form, words in enumerate((first + second, second + first, [*second, by, *first])):
                forms.setdefault(len(words), []).append((words, number * 3 + form))
        if recording not in recordings[number]:
            recordings[number].append(recording)
    hashes, pattern = {}, {}
    for length in sorted(forms):
        words_of_all = np.array([words for words, _ in forms[length]], dtype=np.uint64)
        hashed = _hash_rows(words_of_all)
        order = np.argsort(hashed, kind="stable")
        hashes[length] = hashed[order]
        pattern[length] = np.array([number for _, number in forms[length]], dtype=np.int64)[order]
    return _Patterns(found, recordings, code_of, hashes, pattern)


def _name(text: str | None) -> tuple[str, list[str]]:
    """What stands from the first to the last word of a name, and its words."""
    cleaned = clean(text or "")
    matches = list(NAME_WORD.finditer(cleaned))
    if not matches:
        return "", []
    inner = cleaned[matches[0].start() : matches[-1].end()]
    return _SPACES.sub(" ", inner), [match.group() for match in matches]


def _hash_rows(words: npt.NDArray[np.uint64]) -> Hashes:
    hashed = np.zeros(len(words), dtype=np.uint64)
    for column in words.T:
        hashed = _step(hashed, column)
    return hashed


def _step(hashed: Hashes, word: npt.NDArray[np.uint64]) -> Hashes:
    mixed = (hashed * _FACTOR + word * _MIX) & np.uint64(0xFFFFFFFFFFFFFFFF)
    return np.asarray(mixed ^ (mixed >> np.uint64(29)))


def _found_in(texts: Sequence[str], patterns: _Patterns) -> list[tuple[int, int]]:
    """(text, name) of each mention, in order of the text."""
    codes: list[int] = []
    lengths: list[int] = []
    for text in texts:
        words = NAME_WORD.findall(text)
        codes += [patterns.code_of.get(word, 0) for word in words]
        lengths.append(len(words))
    flat = np.array(codes, dtype=np.uint64)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    candidates: dict[int, list[tuple[int, int]]] = {}
    for place, number in _matching_runs(flat, patterns):
        row = int(np.searchsorted(starts, place, side="right")) - 1
        candidates.setdefault(row, []).append((place - int(starts[row]), number))
    return [
        (row, number // 3)
        for row in sorted(candidates)
        for place, number in _confirmed(texts[row], candidates[row], patterns)
    ]


def _matching_runs(flat: npt.NDArray[np.uint64], patterns: _Patterns) -> list[tuple[int, int]]:
    """(place of its first word, pattern) of each run of words with the hash of a pattern."""
    found: list[tuple[int, int]] = []
    hashed = np.zeros(len(flat), dtype=np.uint64)
    # Runs with a word that is in no name are out; `alive` are the places whose run of so many words is still in.
    alive = np.arange(len(flat))
    for length in range(1, max(patterns.hashes, default=0) + 1):
        alive = alive[alive + length <= len(flat)]
        word = flat[alive + length - 1]
        hashed = _step(hashed[: len(alive)], word)
        known = word > 0
        alive, hashed = alive[known], hashed[known]
        if length in patterns.hashes:
            wanted, numbers = patterns.hashes[length], patterns.pattern[length]
            kept = np.flatnonzero(_maybe(wanted)[_low(hashed)])
            first = np.searchsorted(wanted, hashed[kept], side="left")
            last = np.searchsorted(wanted, hashed[kept], side="right")
            for run, low, high in zip(kept[last > first], first[last > first], last[last > first], strict=True):
                found += [(int(alive[run]), int(number)) for number in numbers[low:high]]
    return found


def _low(hashed: Hashes) -> Ints:
    return np.asarray(hashed >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)


def _maybe(wanted: Hashes) -> npt.NDArray[np.bool_]:
    """Whether some hash begins with these bits: a look-up that is many times faster than a search."""
    table = np.zeros(1 << _FILTER_BITS, dtype=bool)
    table[_low(wanted)] = True
    return table


def _confirmed(text: str, candidates: list[tuple[int, int]], patterns: _Patterns) -> list[tuple[int, int]]:
    """Those whose letters, and the signs between artist and title, are right too."""
    spans = [match.span() for match in NAME_WORD.finditer(text)]
    return [(place, number) for place, number in candidates if _is_mention(text, spans, place, number, patterns)]


def _is_mention(text: str, spans: list[tuple[int, int]], place: int, number: int, patterns: _Patterns) -> bool:
    name, form = patterns.names[number // 3], number % 3
    first, second = (name.artist, name.title) if form == 0 else (name.title, name.artist)
    first_words = name.artist_words if form == 0 else name.title_words
    second_words = name.artist_words + name.title_words - first_words
    gap_words = 1 if form == 2 else 0
    stop = place + first_words + gap_words + second_words
    if stop > len(spans):
        return False
    left, right = spans[place + first_words - 1][1], spans[place + first_words + gap_words][0]
    gap = (_BETWEEN, _AFTER_QUOTE, _BY)[form]
    return (
        _SPACES.sub(" ", text[spans[place][0] : left]) == first
        and _SPACES.sub(" ", text[right : spans[stop - 1][1]]) == second
        and gap.fullmatch(_SPACES.sub(" ", text[left:right])) is not None
    )
