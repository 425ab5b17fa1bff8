"""Folders in memory, for tests that wait for the disk more than for anything else.

Belongs here: finding room. Does not: what is written.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


@contextmanager
def folder_in_memory(room_bytes: int) -> Iterator[Path]:
    """A folder that is gone afterwards: in memory where there is that much room, else among the temporary ones.

    What a killed process wrote is in the kernel's hands on either; only a machine that loses power tells them apart.
    """
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= room_bytes
    with tempfile.TemporaryDirectory(dir=MEMORY if has_room else None, prefix="monday_mix_") as folder:
        yield Path(folder)
