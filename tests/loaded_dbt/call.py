"""What stands in the place of `monday-mix-dbt`: hands the call to the process that has loaded dbt, ends as it ended.

Belongs here: what a call consists of, signals on their way, the status. Does not: anything that takes time to load; it
is started without site-packages, as a file: 25 ms.
"""

import json
import os
import signal
import socket
import struct
import sys

LENGTH = struct.Struct("!Q")  # of what follows: JSON of arguments, folder and environment
STATUS = struct.Struct("!i")  # as `os.waitstatus_to_exitcode` gives it: negative for a signal
PASSED_ON = (signal.SIGINT, signal.SIGTERM)  # a byte each
NOBODY_THERE = 70  # EX_SOFTWARE: no status of dbt's


def main(address: str, arguments: list[str]) -> int:
    """The exit status; of a call that a signal ended, that signal ends this process."""
    call = json.dumps({"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        socket.send_fds(line, [LENGTH.pack(len(call))], [0, 1, 2])
        line.sendall(call)
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: line.sendall(bytes([number])))
        told = line.recv(STATUS.size)
    if not told:
        print("the process that had loaded dbt is gone", file=sys.stderr)
        return NOBODY_THERE
    (status,) = STATUS.unpack(told)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
