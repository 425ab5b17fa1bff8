"""From the bytes of a feed to documents.

Belongs here: which text, id and date of an entry is taken, and what is left out and counted. Does not: fetching,
what has landed before.
"""

import calendar
import datetime as dt
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser

from models_ml.feeds.markup import folded, plain_text
from models_ml.feeds.settings import FeedError

WITHOUT_TEXT, TWICE, WITHOUT_DATE, DATE_NOT_USED = "without text", "twice", "without date", "date not usable"
FEED_CHARACTERS: Final = 12
ENTRY_CHARACTERS: Final = 20
FUTURE_TOLERANCE: Final = dt.timedelta(days=1)
_FIRST_YEAR: Final = 1900  # the warehouse reads no earlier moment
# What feedparser was seen to raise, or can, on bytes that are no feed: it wasn't written for hostile ones.
_PARSER_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    SAXException,
    TypeError,
    ValueError,
)
# About how it was served, not about the feed.
_HARMLESS: Final = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


@dataclass(frozen=True)
class Document:
    """A row of `documents`. published_at: UTC, in whole seconds."""

    document_id: str
    body: str
    title: str | None
    url: str | None
    published_at: dt.datetime | None

    def content_hash(self) -> str:
        """Changes whenever anything that lands does."""
        moment = None if self.published_at is None else int(self.published_at.timestamp())
        return _digest(json.dumps([self.body, self.title, self.url, moment]), ENTRY_CHARACTERS)


@dataclass(frozen=True)
class Entries:
    """documents: in the feed's order, one an id.  counts: entries by what was missing or left out.

    warning: what is wrong with the feed, where it could be read all the same.
    """

    documents: tuple[Document, ...]
    counts: Counter[str] = field(default_factory=Counter)
    warning: str = ""


def read_entries(content: bytes, url: str, answered: str, content_type: str, now: dt.datetime) -> Entries:
    """The entries of a feed.

    url: that the feed is known by, which its ids are made of.  answered: that relative links are relative to.
    Raises FeedError where it is no feed, or is broken and holds no entry.
    """
    parsed = _parsed(content, content_type)
    wrong = parsed.get("bozo_exception") if parsed.get("bozo") else None
    reason = "" if wrong is None or isinstance(wrong, _HARMLESS) else " ".join(str(wrong).split())[:200]
    if not parsed.entries and (reason or not parsed.get("version")):
        raise FeedError(f"no feed that can be read ({reason or 'it is neither RSS nor Atom'})")
    counts: Counter[str] = Counter()
    documents: dict[str, Document] = {}
    for entry in parsed.entries:
        document = _document(entry, feed_key(url), answered, now, counts)
        if document is None:
            counts[WITHOUT_TEXT] += 1
        elif document.document_id in documents:
            counts[TWICE] += 1
        else:
            documents[document.document_id] = document
    return Entries(tuple(documents.values()), counts, f"not well-formed: {reason}" if reason else "")


def feed_key(url: str) -> str:
    """What the ids of a feed's documents begin with."""
    return "feed:" + _digest(url, FEED_CHARACTERS)


def _parsed(content: bytes, content_type: str) -> Any:
    # No address: feedparser would make ids absolute by it as well, and they would change when the feed moves.
    headers = {"content-type": content_type or "application/xml"}
    try:
        # As a stream: bytes as such are first tried as the name of a file. Cleaning is left out, markup.py does that.
        return feedparser.parse(
            io.BytesIO(content), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except _PARSER_ERRORS as error:
        raise FeedError(
            f"no feed that can be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        ) from error


def _document(entry: Any, prefix: str, answered: str, now: dt.datetime, counts: Counter[str]) -> Document | None:
    """One entry, None where it has no text."""
    body = next(filter(None, map(_words, _texts(entry))), "")
    if not body:
        return None
    title = _words(entry.get("title_detail")) or None
    moment = _published(entry, now, counts)
    document_id = f"{prefix}:{_digest(_entry_key(entry, title, body), ENTRY_CHARACTERS)}"
    return Document(document_id, body, title, _link(entry, answered), moment)


def _texts(entry: Any) -> Iterable[Any]:
    """The texts of an entry, the best first: contents, those with markup before plain ones, then the summary."""
    contents: Sequence[Any] = entry.get("content") or ()
    yield from sorted(contents, key=lambda content: _string(content.get("type")) == "text/plain")
    yield entry.get("summary_detail")


def _words(detail: Any) -> str:
    """The plain text of a text as feedparser describes it."""
    if not detail:
        return ""
    value = _string(detail.get("value"))
    return folded(value) if detail.get("type") == "text/plain" else plain_text(value)


def _link(entry: Any, answered: str) -> str | None:
    """Where an entry stands on the web, None where it says nothing of the kind."""
    link = folded(_string(entry.get("link")))
    try:
        absolute = urljoin(answered, link)
    except ValueError:
        return None
    return absolute if link and absolute.lower().startswith(("http://", "https://")) else None


def _entry_key(entry: Any, title: str | None, body: str) -> str:
    """What an entry is known by from one visit to the next: its id, else its link, else title and date."""
    named, link = folded(_string(entry.get("id"))), folded(_string(entry.get("link")))
    if named:
        return f"id {named}"
    if link:
        return f"link {link}"
    date = _string(entry.get("published")) or _string(entry.get("updated") if "updated" in entry else "")
    return f"title {json.dumps([title, date])}" if title or date else f"body {body}"


def _published(entry: Any, now: dt.datetime, counts: Counter[str]) -> dt.datetime | None:
    """When it was published, else updated; None where neither is a moment up to a day from now."""
    # "in" first: feedparser answers for a missing `updated` with `published`, and complains about it.
    names = [name for name in ("published", "updated") if name in entry]
    moments = [_moment(entry.get(f"{name}_parsed")) for name in names if f"{name}_parsed" in entry]
    moment = next((moment for moment in moments if moment is not None), None)
    if moment is None:
        counts[DATE_NOT_USED if any(_string(entry.get(name)) for name in names) else WITHOUT_DATE] += 1
        return None
    if moment > now + FUTURE_TOLERANCE:
        counts[DATE_NOT_USED] += 1
        return None
    return moment


def _moment(parsed: Any) -> dt.datetime | None:
    """A moment from what feedparser gives, which is UTC."""
    try:
        moment = dt.datetime.fromtimestamp(calendar.timegm(parsed), dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _digest(text: str, characters: int) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:characters]
