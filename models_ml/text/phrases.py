"""Neighbouring words that are one thing: "deep house", "lady gaga".

Belongs here: finding phrases, and adding them to tokens, the same way in training and in a query.
Does not: tokens (tokens.py).

Source: Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", NIPS 2013,
section 4; names of artists are phrases without being counted, since the catalogue says so.
"""

from collections.abc import Iterable, Sequence

from gensim.models.phrases import Phrases

# No token holds either (tokens.py).
JOINER, NAME_MARK = "_", "@"
# Names of more words than this are not looked for.
_LONGEST = 8


class KnownPhrases:
    """Phrases, and names of artists, to be added to the words they are made of.

    Beside, not in their place: who asks for "house" means "deep house" too. A name is a token of its own also where it
    is one word, since Love is a band and love is not.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        """tokens: any; those that are phrases or names are known from now on."""
        self._token_of: dict[str, list[str]] = {}
        self._longest: dict[str, int] = {}
        for token in sorted(tokens):
            plain = token.removeprefix(NAME_MARK)
            if token is plain and JOINER not in token:
                continue
            self._token_of.setdefault(plain, []).append(token)
            first, _, rest = plain.partition(JOINER)
            length = 1 + (rest.count(JOINER) + 1 if rest else 0)
            self._longest[first] = max(self._longest.get(first, 0), length)

    def added(self, words: Sequence[str]) -> list[str]:
        """The words, then what is known in them, in the order of where it begins, shorter ones first."""
        found = list(words)
        for start, first in enumerate(words):
            longest = self._longest.get(first, 0)
            for stop in range(start + 1, min(start + longest, len(words)) + 1):
                found += self._token_of.get(JOINER.join(words[start:stop]), ())
        return found


def name_token(words: Sequence[str]) -> str | None:
    """The token of a name of these words; None where it has none, or too many."""
    return NAME_MARK + JOINER.join(words) if 0 < len(words) <= _LONGEST else None


def learn_phrases(texts: Sequence[list[str]], minimum_count: int, threshold: float) -> set[str]:
    """Pairs of neighbours that stand together far more often than by chance; each text counts once."""
    if not texts:
        return set()
    model = Phrases(texts, min_count=minimum_count, threshold=threshold, delimiter=JOINER)
    return set(model.export_phrases())
