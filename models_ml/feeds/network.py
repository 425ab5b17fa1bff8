"""One HTTP request within limits of time, size and address.

Belongs here: connections, the deadline, reading an answer. Does not: which requests are made and whether they may be
(visit.py), robots.txt, what an answer says.

Neither the environment's proxies nor its passwords (.netrc) are used.
"""

import contextlib
import functools
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from models_ml.feeds.addresses import addresses_of
from models_ml.feeds.settings import FeedError, FeedSettings
from models_ml.feeds.unpacking import ACCEPTED, unpacked

_PIECE_BYTES: Final = 64 * 1024
_NETWORK_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@dataclass(frozen=True)
class Answer:
    """body: unpacked, and only of a 200.  headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Budget:
    """The seconds that one feed's requests may still take together.

    A time-out holds for each piece of an answer, so a server that sends a byte now and then never meets it. When the
    budget ends, the connection is shut down under the request that waits for it.
    """

    seconds_left: float
    is_over: bool = False
    _socket: socket.socket | None = field(default=None, repr=False)

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Time inside the block counts. Raises FeedError where none is left."""
        if self.seconds_left <= 0:
            raise FeedError("the deadline of the feed is over")
        began = time.monotonic()
        timer = threading.Timer(self.seconds_left, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._socket = None
            self.seconds_left -= time.monotonic() - began

    def follow(self, connected: socket.socket) -> None:
        """What to shut down when the time is over."""
        self._socket = connected
        if self.is_over:
            self._cut()

    def _cut(self) -> None:
        self.is_over = True
        connected = self._socket
        if connected is not None:
            with contextlib.suppress(OSError):
                # The plain socket's method: that of a TLS socket takes its state away under the reading thread.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _Bounded:
    """A connection to looked-at addresses only, followed by a budget. Mixed into those of urllib3."""

    budget: Budget
    settings: FeedSettings

    def _new_conn(self: Any) -> socket.socket:
        last: OSError | None = None
        for place in addresses_of(self.host, self.port, self.settings.allow_private):
            seconds = min(self.settings.connect_timeout_seconds, max(self.budget.seconds_left, 0.001))
            try:
                return socket.create_connection(place, seconds)
            except OSError as error:
                last = error
        raise FeedError(f"no connection to {self.host} ({_reason(last)})") from last

    def connect(self: Any) -> None:
        super().connect()  # type: ignore[misc]
        self.budget.follow(self.sock)


class _PlainConnection(_Bounded, HTTPConnection):
    pass


class _SecureConnection(_Bounded, HTTPSConnection):
    pass


class Network:
    """Requests of one feed. Cookies of one answer go with the next, as redirects may want."""

    def __init__(self, settings: FeedSettings, budget: Budget | None = None) -> None:
        self._settings = settings
        self.budget = budget or Budget(settings.deadline_seconds)
        self._session = requests.Session()
        self._session.trust_env = False
        # requests would read the whole body of a redirect, however long, only to know where it leads.
        self._session.get_redirect_target = lambda answer: None
        adapter = requests.adapters.HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = {
            "http": functools.partial(self._pool, HTTPConnectionPool, _PlainConnection),
            "https": functools.partial(self._pool, HTTPSConnectionPool, _SecureConnection),
        }
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def get(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        """Ask once, without following redirects. Raises FeedError where no whole answer comes within the limits."""
        try:
            with self.budget.spending():
                answer = self._get(url, headers, max_bytes)
        except FeedError:
            self._raise_if_over()
            raise
        except _NETWORK_ERRORS as error:
            self._raise_if_over()
            raise FeedError(_words(error, self._settings)) from error
        self._raise_if_over()  # an answer without a length ends like a whole one when it is cut off
        return answer

    def _get(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
        always = {"User-Agent": self._settings.user_agent, "Accept-Encoding": ACCEPTED, "Connection": "close"}
        limits = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        answer = self._session.get(
            url, headers={**headers, **always}, timeout=limits, stream=True, allow_redirects=False
        )
        with contextlib.closing(answer):
            found = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status_code != requests.codes.ok:
                return Answer(answer.status_code, found)
            encoding = found.get("content-encoding", "").strip().lower()
            return Answer(answer.status_code, found, unpacked(_pieces(answer.raw), encoding, max_bytes))

    def _raise_if_over(self) -> None:
        if self.budget.is_over:
            raise FeedError(f"no whole answer within the deadline of {self._settings.deadline_seconds:g} s")

    def _pool(self, pool: Any, connection: Any, host: str, port: int | None = None, **more: Any) -> Any:
        made = pool(host, port, **more)
        bounded = type(connection.__name__, (connection,), {"budget": self.budget, "settings": self._settings})
        made.ConnectionCls = bounded
        return made


def _pieces(raw: Any) -> Iterator[bytes]:
    """The body as it came over the line."""
    while piece := raw.read(_PIECE_BYTES, decode_content=False):
        yield piece


def _words(error: Exception, settings: FeedSettings) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {settings.connect_timeout_seconds:g} s"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"nothing came for {settings.read_timeout_seconds:g} s"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return "the address can't be read"
    if isinstance(error, requests.exceptions.SSLError):
        return f"no secure connection ({_reason(error)})"
    return f"the connection failed ({_reason(error)})"


def _reason(error: BaseException | None) -> str:
    """What lies at the bottom of an error, in one line."""
    while error is not None and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__
    return " ".join(str(error or "no reason given").split())[:200]
