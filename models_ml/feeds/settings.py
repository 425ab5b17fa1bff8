"""How feeds are read: limits, manners, who we say we are.

Belongs here: the settings, and the one error a feed ends with. Does not: fetching; this loads at once.
"""

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from models_ml.errors import InputError, MondayMixError

ROBOT_NAME: Final = "monday-mix"  # robots.txt addresses us by it
MEBIBYTE: Final = 1024 * 1024


class FeedError(MondayMixError):
    """One feed can't be read, and why; the others go on."""


class LeftAloneError(FeedError):
    """The host has asked to be left alone for a while, and is."""


def _setting(default: Any, unit: str, low: float, high: float, doc: str) -> Any:
    return field(default=default, metadata={"unit": unit, "min": low, "max": high, "doc": doc})


@dataclass(frozen=True)
class FeedSettings:
    """Limits hold for each feed; sizes are those after decompression."""

    contact: str = field(default="", metadata={"doc": "address or page for whoever runs a server that we ask"})
    connect_timeout_seconds: float = _setting(10.0, "s", 0.01, 600.0, "to connect")
    read_timeout_seconds: float = _setting(20.0, "s", 0.01, 600.0, "between two pieces of an answer")
    deadline_seconds: float = _setting(60.0, "s", 0.01, 3600.0, "all requests of one feed; waiting doesn't count")
    # feedparser reads 1 MB of nothing but tags in about 10 s, of ordinary entries in 2.5 s: the limit bounds that too.
    max_mebibytes: float = _setting(5.0, "MiB", 0.001, 100.0, "size of one answer")
    max_redirects: int = _setting(5, "", 0, 20, "redirects followed")
    host_delay_seconds: float = _setting(1.0, "s", 0.0, 600.0, "between two requests to one host")
    max_crawl_delay_seconds: float = _setting(30.0, "s", 0.0, 3600.0, "a Crawl-delay in robots.txt counts up to this")
    default_wait_minutes: float = _setting(60.0, "min", 0.0, 100_000.0, "after a 429 that names no time")
    max_wait_days: float = _setting(7.0, "days", 0.0, 365.0, "a Retry-After counts up to this")
    hosts_at_once: int = _setting(4, "", 1, 32, "hosts asked at the same time, each by one request")
    remembered_documents: int = _setting(5000, "", 0, 1_000_000, "remembered of a feed beyond those it shows now")
    allow_private: bool = field(default=False, metadata={"doc": "also ask private and local addresses"})

    @property
    def max_bytes(self) -> int:
        """Size of one answer, bytes."""
        return int(self.max_mebibytes * MEBIBYTE)

    @property
    def user_agent(self) -> str:
        """Who we say we are. Raises InputError where the contact can't stand in a header."""
        contact = self.contact.strip()
        if not contact.isascii() or not contact.isprintable():
            raise InputError(f"contact {self.contact!r}: letters, digits and signs of ASCII only")
        return f"{ROBOT_NAME}/{_version()} ({f'feed reader; {contact}' if contact else 'feed reader'})"


def _version() -> str:
    try:
        return version("monday-mix")
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "0"
