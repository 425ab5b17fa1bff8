"""Manners towards a host: one request at a time, a pause between two, and staying away when asked to.

Belongs here: turns and waiting times. Does not: requests.
"""

import contextlib
import datetime as dt
import email.utils
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from models_ml.feeds.settings import FeedError, FeedSettings

TOO_MANY, UNAVAILABLE = 429, 503


@dataclass
class _Host:
    turn: threading.Lock = field(default_factory=threading.Lock)
    last_asked: float | None = None


class HostTurns:
    """At most one request at a time to a host, and a pause between two."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = defaultdict(_Host)

    @contextlib.contextmanager
    def turn(self, host: str, delay_seconds: float) -> Iterator[None]:
        """Wait for the host to be free and the pause to be over; the block is one request."""
        with self._lock:
            known = self._hosts[host]
        with known.turn:
            if known.last_asked is not None:
                time.sleep(max(0.0, known.last_asked + delay_seconds - time.monotonic()))
            try:
                yield
            finally:
                known.last_asked = time.monotonic()


class Waits:
    """Until when which host doesn't want to be asked."""

    def __init__(self, until: Mapping[str, dt.datetime], now: dt.datetime, settings: FeedSettings) -> None:
        self._until = {host: moment for host, moment in until.items() if moment > now}
        self._now = now
        self._settings = settings
        self._lock = threading.Lock()

    def of(self, host: str) -> dt.datetime | None:
        """Until when the host wants to be left alone, None where it doesn't."""
        with self._lock:
            return self._until.get(host)

    def all(self) -> dict[str, dt.datetime]:
        """Every host that is waited for."""
        with self._lock:
            return dict(self._until)

    def heed(self, host: str, status: int, retry_after: str | None) -> None:
        """Remember what a 429 or 503 asks for. Raises FeedError that says so; other answers are none of ours."""
        if status not in (TOO_MANY, UNAVAILABLE):
            return
        wait = self._asked_for(retry_after)
        if wait is None and status == TOO_MANY:
            wait = dt.timedelta(minutes=self._settings.default_wait_minutes)
        if wait is None:
            raise FeedError(f"{host} answered {status}")
        until = self._now + min(wait, dt.timedelta(days=self._settings.max_wait_days))
        with self._lock:
            self._until[host] = until
        raise FeedError(f"{host} answered {status}; left alone until {until:%Y-%m-%d %H:%M:%S}Z")

    def _asked_for(self, retry_after: str | None) -> dt.timedelta | None:
        text = (retry_after or "").strip()
        if text.isascii() and text.isdigit():
            return dt.timedelta(seconds=min(int(text[:12]), 10**9))
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (ValueError, IndexError):
            return None
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
        return max(moment - self._now, dt.timedelta())
