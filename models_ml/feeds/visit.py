"""Visiting a feed: robots.txt first, redirects one by one, nothing asked for twice that has not changed.

Belongs here: which requests are made, in which order, and whether they may be. Does not: a single request (network.py),
what the feed says (entries.py).
"""

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from models_ml.feeds.courtesy import TOO_MANY, HostTurns, Waits
from models_ml.feeds.network import Answer, Network
from models_ml.feeds.robots import RobotRules, read_robots
from models_ml.feeds.settings import ROBOT_NAME, FeedError, FeedSettings, LeftAloneError

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED: Final = 304
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
_ROBOTS_REDIRECTS: Final = 5  # RFC 9309, 2.3.1.2: at least five


@dataclass(frozen=True)
class Validators:
    """What a server gave to recognise an answer by; good only for the address that answered."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""

    def headers(self, url: str) -> dict[str, str]:
        """The headers of a conditional request."""
        if url != self.url:
            return {}
        both = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in both.items() if value}


@dataclass(frozen=True)
class Visit:
    """content: None where nothing changed.  url: that answered, after redirects.  content_type: as the server says."""

    url: str
    validators: Validators
    content: bytes | None = None
    content_type: str = ""


@dataclass(frozen=True)
class _Robots:
    """rules: None where they can't be had, for which `why` gives the reason."""

    rules: RobotRules | None
    why: str = ""


class Visitor:
    """Visits of one run; robots.txt of a host is fetched once."""

    def __init__(self, settings: FeedSettings, waits: Waits) -> None:
        self._settings = settings
        self._waits = waits
        self._turns = HostTurns()
        self._lock = threading.Lock()
        self._robots: dict[str, _Robots] = {}
        self._robot_locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def visit(self, url: str, known: Validators) -> Visit:
        """What stands at the address now. Raises FeedError saying why it can't be had."""
        with Network(self._settings) as network:
            place = address(url)
            for _ in range(self._settings.max_redirects + 1):
                self._ask_robots(network, place)
                answer = self._get(network, place, {"Accept": _ACCEPT, **known.headers(place)})
                if answer.status not in _REDIRECTS:
                    return _visit_of(answer, place, known)
                place = _next_place(answer, place)
        raise FeedError(f"more than {self._settings.max_redirects} redirects, the last to {place}")

    def _get(self, network: Network, place: str, headers: dict[str, str]) -> Answer:
        """One request in its turn; a host that wants to be left alone is."""
        host = host_of(place)
        delay = max(self._settings.host_delay_seconds, self._crawl_delay(place))
        with self._turns.turn(host, delay):
            until = self._waits.of(host)
            if until is not None:
                raise LeftAloneError(f"{host} until {until:%Y-%m-%d %H:%M:%S}Z")
            answer = network.get(place, headers, self._settings.max_bytes)
            self._waits.heed(host, answer.status, answer.headers.get("retry-after"))
        return answer

    def _crawl_delay(self, place: str) -> float:
        with self._lock:
            known = self._robots.get(_origin(place))
        asked = known.rules.crawl_delay_seconds if known is not None and known.rules is not None else 0.0
        return min(asked, self._settings.max_crawl_delay_seconds)

    def _ask_robots(self, network: Network, place: str) -> None:
        """Raises FeedError unless robots.txt lets us ask for the place."""
        origin = _origin(place)
        with self._lock:
            turn = self._robot_locks[origin]
        with turn:
            if origin not in self._robots:
                found = self._fetch_robots(network, origin)
                with self._lock:
                    self._robots[origin] = found
        robots = self._robots[origin]
        if robots.rules is None:
            raise FeedError(f"not asked: robots.txt of {host_of(place)} can't be had ({robots.why})")
        if not robots.rules.allows(place):
            raise FeedError(f"robots.txt of {host_of(place)} doesn't allow {place}")

    def _fetch_robots(self, network: Network, origin: str) -> _Robots:
        """RFC 9309, 2.3.1: none there (4xx) allows everything; a server that fails or can't be reached, nothing."""
        place = f"{origin}/robots.txt"
        try:
            for _ in range(_ROBOTS_REDIRECTS + 1):
                answer = self._get(network, place, {"Accept": "text/plain, */*;q=0.1"})
                if answer.status not in _REDIRECTS:
                    break
                place = _next_place(answer, place)
        except LeftAloneError:
            raise
        except FeedError as error:
            return _Robots(None, str(error))
        if answer.status == requests.codes.ok:
            return _Robots(read_robots(answer.body, ROBOT_NAME))
        if 300 <= answer.status < 500 and answer.status != TOO_MANY:
            return _Robots(RobotRules())
        return _Robots(None, f"the server answered {answer.status}")


def address(text: str) -> str:
    """The address as it is asked for, without fragment. Raises FeedError where it is none of http or https."""
    try:
        prepared = str(requests.Request("GET", text.strip().partition("#")[0]).prepare().url)
        parts = urlsplit(prepared)
        has_password = parts.username is not None or parts.password is not None
    except (requests.RequestException, ValueError) as error:
        raise FeedError("the address can't be read") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FeedError("the address begins with neither http:// nor https://")
    if has_password:
        raise FeedError("the address holds a name or password; addresses without are read")
    return prepared


def host_of(place: str) -> str:
    """Host and port, as manners count them."""
    return urlsplit(place).netloc.lower()


def _origin(place: str) -> str:
    return f"{urlsplit(place).scheme}://{host_of(place)}"


def _next_place(answer: Answer, place: str) -> str:
    """Where a redirect leads."""
    location = answer.headers.get("location", "")
    if not location:
        raise FeedError(f"{place} answered {answer.status} without saying where to")
    try:
        # Headers are read as Latin-1; addresses in them are UTF-8 where they aren't ASCII.
        return address(urljoin(place, location.encode("latin-1").decode("utf-8")))
    except (FeedError, ValueError) as error:
        raise FeedError(f"a redirect to {location[:200]!r} is not followed ({error})") from error


def _visit_of(answer: Answer, place: str, known: Validators) -> Visit:
    if answer.status == _NOT_MODIFIED and known.headers(place):
        return Visit(place, known)
    if answer.status != requests.codes.ok:
        gone = "; take it off the list" if answer.status == requests.codes.gone else ""
        raise FeedError(f"{host_of(place)} answered {answer.status}{gone}")
    found = Validators(place, answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
    return Visit(place, found, answer.body, answer.headers.get("content-type", ""))
