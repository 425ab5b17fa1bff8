"""Neighbouring words that are one thing: "deep house", "lady gaga".

Belongs here: finding phrases, and adding them to tokens, the same way in training and in a query.
Does not: tokens (tokens.py).

Source: Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", NIPS 2013,
section 4; names of artists are phrases without being counted, since the catalogue says so.
"""

from collections.abc import Iterable, Sequence

# No token holds it (tokens.py).
JOINER = "_"
# Names of more words than this are no phrase.
_LONGEST = 8


class KnownPhrases:
    """Phrases by their first word, to be added to tokens beside the words they are made of.

    Beside, not in their place: who asks for "house" means "deep house" too.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._known = {phrase for phrase in phrases if JOINER in phrase}
        self._longest: dict[str, int] = {}
        for phrase in self._known:
            first, _, rest = phrase.partition(JOINER)
            self._longest[first] = max(self._longest.get(first, 0), rest.count(JOINER) + 2)

    def added(self, words: Sequence[str]) -> list[str]:
        """The words, then each phrase in them, in the order of where it begins, shorter ones first."""
        found = list(words)
        for start, first in enumerate(words):
            for stop in range(start + 2, min(start + self._longest.get(first, 0), len(words)) + 1):
                phrase = JOINER.join(words[start:stop])
                if phrase in self._known:
                    found.append(phrase)
        return found


class KnownWords:
    """Words by place, phrases among them: which of them a text has."""

    def __init__(self, words: Sequence[str]) -> None:
        self._place = {word: place for place, word in enumerate(words)}
        self._phrases = KnownPhrases(self._place)

    def among(self, tokens: Sequence[str]) -> list[int]:
        """Places of the words and phrases that tokens hold, each once, in order."""
        read = dict.fromkeys(self._phrases.added(tokens))
        return [self._place[word] for word in read if word in self._place]

    def place(self, word: str) -> int | None:
        """The place of one word, None where it isn't known."""
        return self._place.get(word)

    def weights(self, title: Sequence[str], description: Sequence[str], title_weight: float) -> dict[int, float]:
        """Places of the words and phrases of a title and a description: `title_weight` for the title's, else 1."""
        return dict.fromkeys(self.among(description), 1.0) | dict.fromkeys(self.among(title), title_weight)


def name_token(words: Sequence[str]) -> str | None:
    """The one token of a name of these words; None where it has none, or too many."""
    return JOINER.join(words) if 0 < len(words) <= _LONGEST else None


def learn_phrases(texts: Sequence[list[str]], minimum_count: int, threshold: float) -> set[str]:
    """Pairs of neighbours that stand together far more often than by chance; each text counts once."""
    if not texts:
        return set()
    from gensim.models.phrases import Phrases  # a second to load, and many homes have no texts

    model = Phrases(texts, min_count=minimum_count, threshold=threshold, delimiter=JOINER)
    return set(model.export_phrases())
