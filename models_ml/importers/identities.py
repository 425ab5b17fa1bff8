"""Ids by which tracks and artists of different sources meet.

Belongs here: how names are normalised, and the ids made of them. Does not: which tracks are one recording (the
warehouse decides by these ids, titles and lengths).

A name is compared without accents, case, punctuation and repeated blanks: Unicode NFKD, combining accents (U+0300 to
U+036F) dropped, casefolded, whatever is no letter, mark or number a blank. Of an artist, what follows "feat.", "ft." or
"featuring" and a leading "The" don't count. Names of symbols only are compared as they stand.
"""

import hashlib
import re
import unicodedata
from typing import Final

ARTIST_DIGEST_BYTES: Final = 8
NAME_DIGEST_BYTES: Final = 10
_SEPARATOR = "\x1f"
_FEATURING = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?\s.*", re.IGNORECASE | re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPOTIFY_TRACK = re.compile(r"(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)(\w+)(?:[?#].*)?")


class _Folding(dict[int, str]):
    """What becomes of each character; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        if 0x300 <= code <= 0x36F:
            folded = ""
        else:
            character = chr(code)
            folded = character if unicodedata.category(character)[0] in "LMN" else " "
        self[code] = folded
        return folded


_FOLDING = _Folding()


def normalised(name: str) -> str:
    """The name as it is compared."""
    folded = name if name.isascii() else unicodedata.normalize("NFKD", name)
    folded = folded.casefold()
    return " ".join(folded.translate(_FOLDING).split()) or " ".join(folded.split())


def normalised_artist(name: str) -> str:
    """The artist's name as it is compared."""
    compared = normalised(_FEATURING.sub("", name, count=1))
    return compared.removeprefix("the ") or compared


def digest(text: str, size_bytes: int = 8) -> bytes:
    """A hash that stays the same everywhere and for good."""
    return hashlib.blake2b(text.encode(), digest_size=size_bytes).digest()


def artist_id(compared_artist: str) -> str:
    """Id of an artist, from the normalised name."""
    return "artist:" + digest(compared_artist, ARTIST_DIGEST_BYTES).hex()


def album_id(compared_artist: str, album: str) -> str:
    """Id of an album, from its title and the normalised name of its artist."""
    return "album:" + digest(compared_artist + _SEPARATOR + normalised(album), ARTIST_DIGEST_BYTES).hex()


def name_id(compared_artist: str, title: str) -> str:
    """Id of a track that has no other."""
    return "name:" + digest(compared_artist + _SEPARATOR + normalised(title), NAME_DIGEST_BYTES).hex()


def spotify_id(text: object) -> str | None:
    """`spotify:<id>` from a track's URI or address, None where it is none (local files, episodes)."""
    found = _SPOTIFY_TRACK.fullmatch(text) if isinstance(text, str) else None
    return f"spotify:{found[1]}" if found else None


def mbid(text: object) -> str | None:
    """`mbid:<uuid>` of a MusicBrainz id, None where it is none."""
    if not isinstance(text, str) or not _UUID.fullmatch(lowered := text.strip().lower()):
        return None
    return f"mbid:{lowered}"
