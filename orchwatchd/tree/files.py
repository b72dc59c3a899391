"""Reading files of a tree that someone else made: a pipe or a link in a file's place, or a file without end, does not
hold the reader up.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 64 << 20
"""Bytes: a source or an import configuration is far smaller, and is read whole."""


def read_regular(path: Path | str, *, largest: int = LARGEST) -> bytes:
    """The content of a regular file. Raises OSError for anything else, and for more than `largest` bytes."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        if facts.st_size > largest:
            raise OSError(errno.EFBIG, f"it has {facts.st_size} bytes", str(path))
        return file.read(largest)
