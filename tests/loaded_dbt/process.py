"""The process that has loaded dbt: forks for each call, and never runs dbt itself.

Belongs here: what is loaded before a call, how a fork becomes the command, who is told its exit status. Does not: what
is asked of dbt. Each fork begins with dbt's globals as importing it left them.

It has one thread, so a fork lacks nothing: DuckDB, which starts one when it is loaded, is left to the forks (50 ms).
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.project import Configuration, PackageConfig, Project, ProjectFlags
from dbt.parser.manifest import extended_mashumuro_decoder
from dbt_common.clients.jinja import template_cache

from dagster_project import dbt_command
from dagster_project.dbt_manifest import ensure_parsed, fill
from tests.loaded_dbt.call import LENGTH, STATUS

# What a `build` loads once it has begun.
LATER = (
    "_strptime",
    "babel.dates",
    "daff",
    "dbt.parser.sql",
    "dbt.task.build",
    "google.protobuf.descriptor_pb2",
    "multiprocessing.pool",
    "sqlparse.cli",
)


@dataclass(frozen=True)
class Call:
    """What a fork is to do, and whose streams it has."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]

    def run(self) -> int:
        """Become the command, from its beginning to its exit status."""
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.argv = ["monday-mix-dbt", *self.arguments]
        return dbt_command.main()


@dataclass(frozen=True)
class Running:
    """A fork, who waits for it, and what is readable when it has ended."""

    process: int
    line: socket.socket
    ended: int


@dataclass
class Forks:
    """Calls that are waited for.  session: at its end when nobody is left who could call."""

    listening: socket.socket
    session: BinaryIO
    running: dict[int, Running] = field(default_factory=dict)
    sources: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> Call | None:
        """In each fork its call; in this process None, at the end of the session."""
        for source in (self.listening, self.session):
            self.sources.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.sources.select():
                if key.fileobj is self.session:
                    self._kill_all()
                    return None
                if key.fileobj is self.listening:
                    call = self._begin()
                    if call is not None:
                        return call
                elif key.data in self.running.values():  # else what was read before it said so
                    self._go_on(key.data, key.fd)

    def _begin(self) -> Call | None:
        line, _ = self.listening.accept()
        call = _received(line)
        assert threading.active_count() == 1
        process = os.fork()
        if process:
            for stream in call.streams:
                os.close(stream)
            fork = self.running[process] = Running(process, line, os.pidfd_open(process))
            for source in (fork.line, fork.ended):
                self.sources.register(source, selectors.EVENT_READ, fork)
            return None
        for source in (line, self.listening, self.sources, *(fork.line for fork in self.running.values())):
            source.close()
        for fork in self.running.values():
            os.close(fork.ended)
        return call

    def _go_on(self, fork: Running, readable: int) -> None:
        """Pass on a signal, or kill a fork whose caller was killed; tell the caller how it ended."""
        if readable == fork.ended:
            _, status = os.waitpid(fork.process, 0)
            with contextlib.suppress(BrokenPipeError):
                fork.line.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
            self._forget(fork)
            return
        number = fork.line.recv(1)
        os.kill(fork.process, number[0] if number else signal.SIGKILL)
        if not number:
            os.waitpid(fork.process, 0)
            self._forget(fork)

    def _forget(self, fork: Running) -> None:
        for source in (fork.line, fork.ended):
            self.sources.unregister(source)
        fork.line.close()
        os.close(fork.ended)
        del self.running[fork.process]

    def _kill_all(self) -> None:
        for process in self.running:
            os.kill(process, signal.SIGKILL)


def load() -> None:
    """Read what a call reads later, and let dbt write the code it writes for itself."""
    for name in LATER:
        importlib.import_module(name)
    manifest = Manifest.from_msgpack(
        ensure_parsed().read_bytes(), decoder=lambda data: fill(extended_mashumuro_decoder(data), {})
    )
    for macro in manifest.macros.values():
        template_cache.get_node_template(macro)  # kept by what the macro says
    for shape in (Configuration, PackageConfig, Project, ProjectFlags):
        shape.json_schema()
    gc.freeze()  # what is never looked through isn't written to, and not copied in forks


def _received(line: socket.socket) -> Call:
    head, streams, _, _ = socket.recv_fds(line, LENGTH.size, 3)
    (length,) = LENGTH.unpack(head)
    with line.makefile("rb") as told:
        return Call(**json.loads(told.read(length)), streams=streams)


def main() -> int:
    """Serve the calls that come to the socket whose number is given."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    load()
    listening = socket.socket(fileno=int(sys.argv[1]))
    folder = Path(listening.getsockname()).parent
    call = Forks(listening, sys.stdin.buffer).serve()
    if call is not None:
        return call.run()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
