"""From what people type to tokens, in any script.

Belongs here: cleaning, words, emoji, scripts without spaces.
Does not: phrases (phrases.py), which words count (pooling.py).

Nothing here knows a language: no stop words, no stems. What every text says weighs little anyway (pooling.py).
"""

import html
import itertools
import re
import unicodedata

_TAG = re.compile(r"<[^<>]{0,2000}>")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\bspotify:[a-z]+:\S+")
# What only changes how a sign is drawn: variation selectors, skin tones, the keycap.
_DRAWING = re.compile("[\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HIRAGANA = "\u3041-\u309f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_THAI_LAO_MYANMAR_KHMER = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
_SPACELESS = _HAN + _HIRAGANA + _KATAKANA + _THAI_LAO_MYANMAR_KHMER
# Vowel signs and the like, which `\w` leaves out: without them a Hindi word falls apart.
_MARKS = "".join(chr(c) for c in range(0x300, 0x1E00) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
_WORD = f"(?:[^\\W_{_SPACELESS}][{_MARKS}]*)+"
_PICTURE = "[\u231a-\u23ff\u2600-\u27bf\u2b05-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_TOKEN = re.compile(
    f"(?P<spaceless>[{_HAN}]+|[{_HIRAGANA}]+|(?:[{_THAI_LAO_MYANMAR_KHMER}][{_MARKS}]*)+)"
    f"|[{_KATAKANA}]+|{_WORD}(?:&{_WORD})*|{_FLAG}|{_PICTURE}(?:\u200d{_PICTURE})*"
)
_CLUSTER = re.compile(f".[{_MARKS}]*", re.DOTALL)
# A whole word of any script, for names, which stand between spaces or signs also where words don't.
NAME_WORD = re.compile(f"(?:[^\\W_][{_MARKS}]*)+")


def clean(text: str) -> str:
    """Markup and addresses removed, then NFKC and case folding, so that 𝓒𝓱𝓲𝓵𝓵, Ｃｈｉｌｌ and chill are one word."""
    if "&" in text:
        text = html.unescape(text)
    text = _ADDRESS.sub(" ", _TAG.sub(" ", text))
    if text.isascii():
        return text.lower()
    return _DRAWING.sub("", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))


def tokens(text: str) -> list[str]:
    """The tokens of a text as typed: words, emoji, and pairs of neighbouring characters where words have no spaces.

    Pairs are what search engines use for Chinese and Japanese: they need no dictionary, and most words are in them.
    """
    found: list[str] = []
    for match in _TOKEN.finditer(clean(text)):
        if match.lastgroup == "spaceless":
            found += _neighbours(match.group())
        else:
            found.append(match.group())
    return found


def _neighbours(run: str) -> list[str]:
    """Overlapping pairs of characters with their marks; the character where it is alone."""
    characters = _CLUSTER.findall(run)
    if len(characters) == 1:
        return characters
    return [first + second for first, second in itertools.pairwise(characters)]
