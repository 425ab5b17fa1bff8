"""Who is forgotten, and which rows and words are theirs.

Belongs here: matching ids in columns and in text, as the warehouse reads ids. Does not: files.
"""

import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from models_ml.landing.values import as_text

LISTENER_COLUMNS = ("user_id", "owner_id")
PLAYLIST_COLUMN = "playlist_id"
# The id of a list of ours ends with its listener's: <program>:<week>:<user_id> (warehouse/macros/playlists.sql).
OWN_LIST = r"[a-z0-9_-]+:[0-9]{4}-[0-9]{2}-[0-9]{2}:"
_OWN_LIST_OF = rf"^\s*{OWN_LIST}(?P<user_id>.*?) *$"
_TELLING_CHARACTERS = 6


@dataclass(frozen=True)
class People:
    """Listeners who are forgotten, and the playlists that were theirs alone."""

    user_ids: frozenset[str]
    playlist_ids: frozenset[str] = frozenset()

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """Ids that are nothing else wherever they stand: long enough, and neither a word nor a number."""
        return tuple(sorted(user_id for user_id in self.user_ids if _is_telling(user_id)))

    @cached_property
    def word(self) -> re.Pattern[str]:
        """Any of the ids, not as a part of a longer word."""
        return re.compile(_word(self.user_ids))

    @cached_property
    def own_list(self) -> re.Pattern[bytes]:
        """The id of a list of theirs in a line of CSV or JSON; group 1 is what stays: program and week."""
        written = {form for user_id in self.user_ids for form in _written_forms(user_id)}
        ends = rb"""(?=\s*(?:["',|}\]]|$))"""
        either = b"|".join(re.escape(form) for form in sorted(written, reverse=True)) or b"(?!)"
        return re.compile(b"(" + OWN_LIST.encode() + b")(?:" + either + b")" + ends)

    def owns(self, rows: pa.RecordBatch) -> pa.BooleanArray:
        """(n,) True for rows whose listener, or whose playlist, is among them."""
        found = pa.repeat(pa.scalar(False), rows.num_rows)
        wanted = dict.fromkeys(LISTENER_COLUMNS, self.user_ids) | {PLAYLIST_COLUMN: self.playlist_ids}
        for name, ids in wanted.items():
            if ids and name in rows.schema.names:
                found = pc.or_(found, _is_among(rows.column(name), ids))
        return found

    def names_lists_of(self, texts: pa.Array) -> pa.BooleanArray:
        """(n,) True for texts that are the id of a list of theirs."""
        parts = pc.extract_regex(texts, pattern=_OWN_LIST_OF)
        return _is_among(pc.struct_field(parts, "user_id"), self.user_ids)

    def without_lists(self, texts: pa.Array) -> pa.Array:
        """The texts, ids of lists of theirs cut to program and week: still a list of ours, nobody's."""
        cut = pc.replace_substring_regex(texts, pattern=rf"^(\s*{OWN_LIST}).*$", replacement=r"\1", max_replacements=1)
        return pc.if_else(self.names_lists_of(texts), cut, texts)

    def named_in(self, texts: pa.Array) -> pa.BooleanArray:
        """(n,) True for texts with any of the ids in them; for few texts, one by one."""
        return pa.array([text is not None and self.word.search(text) is not None for text in texts.to_pylist()])


def keyed_hash(key: bytes, kind: str, name: str) -> str:
    """What is kept of an id: HMAC-SHA256 in hex. kind: listener or playlist."""
    return hmac.digest(key, f"{kind} {name}".encode(), "sha256").hex()


def recognised(names: Iterable[str], kind: str, key: bytes, hashes: frozenset[str]) -> frozenset[str]:
    """Those of the names whose keyed hash is kept."""
    return frozenset(name for name in names if keyed_hash(key, kind, name) in hashes)


def distinct(values: pa.Array | pa.ChunkedArray) -> set[str]:
    """The ids of a column, blanks around them off."""
    found = pc.unique(values)
    texts = as_text(found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found)
    return {text for text in pc.utf8_trim(texts, characters=" ").to_pylist() if text}


def owners_of_lists(texts: pa.Array) -> set[str]:
    """Listeners whose lists these texts are the ids of."""
    return distinct(pc.struct_field(pc.extract_regex(pc.unique(texts), pattern=_OWN_LIST_OF), "user_id"))


def _is_among(values: pa.Array, ids: frozenset[str]) -> pa.BooleanArray:
    texts = pc.utf8_trim(as_text(values), characters=" ")
    return pc.is_in(texts, value_set=pa.array(sorted(ids), pa.string()))


def _is_telling(user_id: str) -> bool:
    has_letter, is_word = any(letter.isalpha() for letter in user_id), user_id.isalpha()
    return len(user_id.encode()) >= _TELLING_CHARACTERS and has_letter and not is_word


def _word(ids: Iterable[str]) -> str:
    either = "|".join(re.escape(one) for one in sorted(ids, reverse=True))
    return rf"(?<![A-Za-z0-9_])(?:{either or '(?!)'})(?![A-Za-z0-9_])"


def word_in_bytes(ids: Iterable[str]) -> re.Pattern[bytes]:
    """Any of the ids in bytes of any kind, not as a part of a longer word."""
    written = {form.decode() for one in ids for form in _written_forms(one)}
    return re.compile(_word(written).encode())


def _written_forms(text: str) -> set[bytes]:
    """A text as it may stand in a line: plain, in CSV's quotes, in JSON with and without escapes."""
    forms = {text, text.replace('"', '""')}
    forms |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {form.encode() for form in forms}
