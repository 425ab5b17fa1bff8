"""HTML as plain text.

Belongs here: what of a page is read, and where words end. Does not: which text of an entry is taken (entries.py).
"""

import re
from html.parser import HTMLParser
from typing import Final

_UNREAD: Final = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"})
# Elements whose text stands by itself; what stands in others runs on: un<b>believ</b>able is one word.
_BLOCK_NAMES: Final = """
    address article aside audio blockquote body br button caption center col dd details dialog div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr img input label legend li main menu nav ol optgroup option
    p picture pre rp section select summary table tbody td textarea tfoot th thead tr ul video
"""
_BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
# A tag as far as we read it. No part of it looks beyond the next "<", so a text of nothing but "<a " is read in one go.
_TAG: Final = re.compile(
    r"""<(/?)([a-zA-Z][^\s<>/"']*+)(?:(?:[^<>"']++|"[^"<]*"|'[^'<]*')*+>|[^<>]*+>)|<[!?/][^<>]*+>|<"""
)
# Soft hyphens, zero-width spaces and joiners within words, byte order marks, control characters that aren't blanks.
_INVISIBLE: Final = re.compile("[\u00ad\u200b\u2060\ufeff\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def plain_text(html: str) -> str:
    """The words of an HTML text: no tags, no scripts and styles, entities decoded, blanks folded into one each."""
    reader = _Reader()
    # Python 3.11's parser takes 48 s for 40 KB of "<a ": it gets the tags only, and those without attributes.
    reader.feed(_TAG.sub(_bare, _without_comments(html)))
    reader.close()
    return folded("".join(reader.pieces))


def folded(text: str) -> str:
    """Without what can't be seen or stored, runs of blanks as one."""
    visible = _INVISIBLE.sub("", text.encode("utf-8", errors="replace").decode())
    return " ".join(visible.split())


def _without_comments(html: str) -> str:
    """A comment that is never closed takes the rest with it, as in browsers."""
    closed = _COMMENT.sub("", html) if html.rfind("-->") >= 0 else html
    return closed.partition("<!--")[0]


def _bare(tag: re.Match[str]) -> str:
    """A tag without its attributes; a `<` that begins none as text."""
    name = tag.group(2)
    if name is not None:
        return f"<{tag.group(1)}{name}{'/' if tag.group().endswith('/>') else ''}>"
    return "&lt;" if tag.group() == "<" else ""


class _Reader(HTMLParser):
    """Collects the text between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = ""  # the outermost element that isn't read, and how deep it is nested in itself
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Words end at a block; what isn't read begins."""
        if tag in _BLOCKS:
            self.pieces.append(" ")
        if not self._unread and tag in _UNREAD:
            self._unread = tag
        if tag == self._unread:
            self._depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """Words end at a block; what isn't read is over."""
        if tag in _BLOCKS:
            self.pieces.append(" ")
        if tag == self._unread:
            self._depth -= 1
            if not self._depth:
                self._unread = ""

    def handle_data(self, data: str) -> None:
        """Text, unless it stands in what isn't read."""
        if not self._unread:
            self.pieces.append(data)
