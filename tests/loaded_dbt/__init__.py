"""dbt's command, loaded once for all calls a test session makes: each call is a fork of a process that has read dbt.

Belongs here: who is pointed at it, when that process starts and ends. Does not: the process (process.py), what stands
in the place of the command (call.py), what dbt does (dagster_project/dbt_command.py, run as it is in each fork). Runs
in processes of their own start dbt as a user's do: who holds what when one of them is killed is what they are for.

Reading dbt, and the code it writes for itself, took 4 of the 12 seconds of CPU of a small Monday's two calls.
"""

import os
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from dagster_project import dbt_manifest
from dagster_project.home import REPOSITORY

REAL = dbt_manifest.DBT  # as it was before any session pointed at another
PROCESS = f"{__name__}.process"
CALL = Path(__file__).with_name("call.py")
WAITING_CALLS = 16


class LoadedDbt(os.PathLike[str]):
    """The path of a command that does as `monday-mix-dbt`; what is behind it starts when the path is first asked for.

    It ends when `end` is called, or when this process is no more.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __fspath__(self) -> str:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="loaded_dbt_"))
            self._start(self._folder / "socket")
            command = [sys.executable, "-IS", str(CALL), str(self._folder / "socket")]
            self._command.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
            self._command.chmod(0o700)
        return str(self._command)

    __str__ = __fspath__

    @property
    def _command(self) -> Path:
        assert self._folder is not None
        return self._folder / "monday-mix-dbt"

    def _start(self, address: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(address))
            listening.listen(WAITING_CALLS)  # from here on calls wait, while the process still loads
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROCESS, str(listening.fileno())],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,  # closed when this process ends, however it does
                pass_fds=[listening.fileno()],
                start_new_session=True,  # Ctrl-C is for the calls, which pass it on
            )

    def end(self) -> None:
        """End the process, and the calls it is in."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()  # it removes the folder too
        self._folder = self._process = None
