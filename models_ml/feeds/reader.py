"""Reading a list of feeds into landing.

Belongs here: the public function, the order of things, what is done with a feed that fails. Does not: a visit
(visit.py), the entries of a feed (entries.py), what is remembered (state.py).
"""

import contextlib
import datetime as dt
import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models_ml.arrays import Progress, in_order, silent
from models_ml.errors import InputError
from models_ml.feeds.courtesy import Waits
from models_ml.feeds.entries import Document, Entries, read_entries
from models_ml.feeds.landed import documents_file
from models_ml.feeds.report import FeedOutcome, FeedReport, Status
from models_ml.feeds.settings import FeedError, FeedSettings, LeftAloneError
from models_ml.feeds.state import FeedMemory, FeedState, load_memory, save_memory
from models_ml.feeds.visit import Visitor, address, host_of
from models_ml.landing.storage import StorageError

STATE_NAME: Final = "state.json"
_LOCK_NAME: Final = ".lock"


@dataclass(frozen=True)
class _Read:
    """What one feed gave. state: None where nothing is to be remembered."""

    outcome: FeedOutcome
    documents: tuple[Document, ...] = ()
    state: FeedState | None = None


def read_feeds(
    urls: Sequence[str],
    landing: Path,
    state_folder: Path,
    settings: FeedSettings | None = None,
    now: dt.datetime | None = None,
    progress: Progress = silent,
) -> FeedReport:
    """Ask each feed for what is new, and land it as one file of `documents`; none where nothing is new.

    urls: addresses of RSS or Atom feeds; one that comes twice is asked once.
    landing: the landing folder.  state_folder: where state.json is kept.
    now: the moment of the run, UTC; the clock's where none is given.
    What was read is remembered only once it has landed: killed in between, the same rows land once more.
    A feed that fails is reported and the others go on. Raises InputError where there is no address, StorageError where
    the disk refuses.
    """
    settings, now = settings or FeedSettings(), now or dt.datetime.now(dt.UTC)
    settings.user_agent  # noqa: B018 - raises where the contact can't be sent, before anything is asked
    feeds = list(dict.fromkeys(url.strip().partition("#")[0] for url in urls if url.strip()))
    if not feeds:
        raise InputError("feeds: no address is given; name one a line, or by --url")
    with _one_at_a_time(state_folder, progress), documents_file(landing, now) as file:
        memory = _remembered(state_folder / STATE_NAME, progress)
        waits = Waits(memory.waits, now, settings)
        run = _Run(Visitor(settings, waits), memory, settings, now)
        outcomes: dict[str, FeedOutcome] = {}
        for read in in_order(run.read, _hosts_in_turn(feeds), settings.hosts_at_once):
            file.add(read.documents)
            if read.state is not None:
                memory.feeds[read.outcome.url] = read.state
            outcomes[read.outcome.url] = read.outcome
            progress(f"{len(outcomes):,} of {len(feeds):,} feeds: {read.outcome.line()}")
        memory.waits = waits.all()
        landed = file.commit()
        save_memory(state_folder / STATE_NAME, memory)
    return FeedReport(tuple(outcomes[url] for url in feeds), landed)


@dataclass(frozen=True)
class _Run:
    """What the feeds of one run share. `memory` is read here, and written feed by feed by the one who asks."""

    visitor: Visitor
    memory: FeedMemory
    settings: FeedSettings
    now: dt.datetime

    def read(self, url: str) -> _Read:
        """One feed, whatever becomes of it."""
        try:
            return self._read(url, self.memory.feeds.get(url))
        except LeftAloneError as error:
            return _Read(FeedOutcome(url, Status.LEFT_ALONE, remark=str(error)))
        except FeedError as error:
            return _Read(FeedOutcome(url, Status.ERROR, remark=str(error)))

    def _read(self, url: str, known: FeedState | None) -> _Read:
        former = known or FeedState()
        visit = self.visitor.visit(url, former.validators)
        if visit.content is None:
            return _Read(FeedOutcome(url, Status.UNCHANGED))
        entries = read_entries(visit.content, url, visit.url, visit.content_type, self.now)
        hashes = {document.document_id: document.content_hash() for document in entries.documents}
        fresh = tuple(
            document
            for document in entries.documents
            if former.documents.get(document.document_id) != hashes[document.document_id]
        )
        state = former.after(visit.validators, hashes, self.settings.remembered_documents)
        return _Read(_outcome(url, known is None, entries, len(fresh)), fresh, state)


def _outcome(url: str, is_new: bool, entries: Entries, rows: int) -> FeedOutcome:
    status = Status.NEW if is_new else Status.READ if rows else Status.UNCHANGED
    is_empty = not entries.documents and not entries.counts
    remark = "; ".join(filter(None, ["no entries" if is_empty else "", entries.warning]))
    return FeedOutcome(url, status, rows, dict(sorted(entries.counts.items())), remark)


def _hosts_in_turn(feeds: Sequence[str]) -> list[str]:
    """The feeds so that those of one host stand apart: the first of each host, then the second of each, ..."""
    seen: Counter[str] = Counter()
    rounds: dict[str, int] = {}
    for url in feeds:
        host = _host_or_none(url)
        rounds[url] = seen[host]
        seen[host] += 1
    return sorted(feeds, key=lambda url: rounds[url])


def _host_or_none(url: str) -> str:
    try:
        return host_of(address(url))
    except FeedError:
        return ""


def _remembered(path: Path, progress: Progress) -> FeedMemory:
    memory = load_memory(path)
    if memory is None:
        progress(f"{path} can't be read: every document lands once more, and the warehouse counts it once")
        return FeedMemory()
    return memory


@contextlib.contextmanager
def _one_at_a_time(folder: Path, progress: Progress) -> Iterator[None]:
    """Two runs at once would each forget what the other remembers."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StorageError(f"{folder}: can't be written ({error.strerror or error}); see to the disk") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting: feeds are being read into this home already")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
