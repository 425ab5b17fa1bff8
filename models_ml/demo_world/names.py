"""Names of artists, albums and tracks, put together from patterns and words.

Belongs here: filling patterns for whole arrays, keeping names apart.
Does not: the words (vocabulary.py, patterns.py), playlist titles and reviews (playlist_words.py).
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from models_ml.demo_world.draws import Bools, Ints, Objects, Random
from models_ml.demo_world.patterns import ARTIST_PATTERNS, LOCAL_TITLE_PATTERNS, TITLE_PATTERNS
from models_ml.demo_world.vocabulary import FIRST_NAMES, LAST_NAMES, LOCAL_WORDS, PLACES, WORDS

Words = Mapping[str, Sequence[str]]
_SLOT = re.compile(r"\{(\w+)\}")
_REDRAWS = 12


def fill(random: Random, pattern: str, words: Words, count: int) -> Objects:
    """`count` texts from one pattern, every slot drawn anew from its list of words; (count,) object."""
    parts = _SLOT.split(pattern)
    texts = np.full(count, parts[0], dtype=object)
    before: dict[str, Ints] = {}
    for slot, literal in zip(parts[1::2], parts[2::2], strict=True):
        choices = np.array(words[slot], dtype=object)
        drawn = random.integers(0, len(choices), count)
        # No "Aiko & Aiko": the second of a kind moves on by one.
        drawn = (drawn + (drawn == before.get(slot, -1))) % len(choices)
        before[slot] = drawn
        texts = texts + choices[drawn] + literal
    return texts


def fill_any(random: Random, patterns: Sequence[str], words: Words, count: int) -> Objects:
    """`count` texts, each from a pattern drawn at random; (count,) object."""
    which = random.integers(0, len(patterns), count)
    texts = np.empty(count, dtype=object)
    for place, pattern in enumerate(patterns):
        rows = np.flatnonzero(which == place)
        texts[rows] = fill(random, pattern, words, len(rows))
    return texts


def words_of(language: str) -> dict[str, Sequence[str]]:
    """The lists that patterns draw from in a language."""
    return {
        **WORDS,
        **LOCAL_WORDS.get(language, {}),
        "first": FIRST_NAMES[language],
        "last": LAST_NAMES[language],
        "place": PLACES[language],
    }


def _by_group(
    random: Random, flavours: Objects, languages: Objects, patterns_of: Mapping[str, Sequence[str]]
) -> Objects:
    """Texts for rows of (flavour, language): one array operation for each pair that occurs."""
    texts = np.empty(len(flavours), dtype=object)
    for language in sorted(set(languages.tolist())):
        for flavour in sorted(set(flavours[languages == language].tolist())):
            rows = np.flatnonzero((languages == language) & (flavours == flavour))
            texts[rows] = fill_any(random, patterns_of[flavour], words_of(language), len(rows))
    return texts


def artist_names(random: Random, flavours: Objects, languages: Objects) -> Objects:
    """A different name for every artist: (artists,) flavours and languages in, (artists,) names out.

    Names that were given before are drawn again; what is still taken then gets a partner or a number.
    """
    names = _by_group(random, flavours, languages, ARTIST_PATTERNS)
    for _ in range(_REDRAWS):
        taken = np.flatnonzero(_repeated(names))
        if not len(taken):
            return names
        names[taken] = _by_group(random, flavours[taken], languages[taken], ARTIST_PATTERNS)
    taken = np.flatnonzero(_repeated(names))
    names[taken] = names[taken] + " & " + _by_group(random, flavours[taken], languages[taken], ARTIST_PATTERNS)
    taken = np.flatnonzero(_repeated(names))
    names[taken] = names[taken] + np.array([f" {place + 2}" for place in range(len(taken))], dtype=object)
    return names


def track_titles(random: Random, flavours: Objects, languages: Objects, artists: Ints) -> Objects:
    """A title for every track; no artist has the same one twice (artists: (tracks,) sorted positions)."""
    titles = _titles(random, flavours, languages)
    for _ in range(_REDRAWS):
        taken = np.flatnonzero(_repeated(_beside(titles, artists)))
        if not len(taken):
            return titles
        titles[taken] = _titles(random, flavours[taken], languages[taken])
    taken = np.flatnonzero(_repeated(_beside(titles, artists)))
    titles[taken] = titles[taken] + np.array([f", Pt. {place + 2}" for place in range(len(taken))], dtype=object)
    return titles


def _titles(random: Random, flavours: Objects, languages: Objects) -> Objects:
    """Titles of what is sung in English by genre, of what is sung in another language by language."""
    titles = np.empty(len(flavours), dtype=object)
    english = languages == "en"
    titles[english] = _by_group(random, flavours[english], languages[english], TITLE_PATTERNS)
    local = {language: LOCAL_TITLE_PATTERNS[language] for language in LOCAL_TITLE_PATTERNS}
    others = languages[~english]
    titles[~english] = _by_group(random, others, others, local)
    return titles


def _beside(titles: Objects, artists: Ints) -> Objects:
    pairs: Objects = artists.astype(str).astype(object) + "\t" + titles
    return pairs


def _repeated(texts: Objects) -> Bools:
    """True where a text has occurred before."""
    repeated = np.ones(len(texts), dtype=bool)
    repeated[np.unique(texts.astype(str), return_index=True)[1]] = False
    return repeated
