"""A file that does nothing but take room beside the history: on a full disk it is given up, so that a prune can
start.

SQLite cannot even be opened where not a page is free, and no tree may be removed before the history says so.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from orchwatchd.config.paths import Paths

SIZE = 16 * 1024 * 1024
"""How many bytes are held back: enough for the history's log of changes during the largest prune."""

_SHARE = 100
_FULL = 1024 * 1024


def keep_reserve(paths: Paths) -> bool:
    """Makes the reserve where it is missing and the disk has plenty free; True if it is there. Never fails."""
    path, size = _place(paths), _size(paths)
    if path.exists():
        return True
    if shutil.disk_usage(paths.state).free < 4 * size:
        return False
    part = path.with_suffix(".part")
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _fill(fd, size)
        finally:
            os.close(fd)
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        return False
    return True


def release_if_full(paths: Paths) -> bool:
    """Gives the reserve up if the history's disk is all but full; True if it did. To be called before the history
    is opened for writing; `keep_reserve` makes it again after a prune.
    """
    with suppress(OSError):
        if shutil.disk_usage(paths.state).free < min(_FULL, _size(paths)):
            _place(paths).unlink()
            return True
    return False


def _place(paths: Paths) -> Path:
    return paths.state / "reserve"


def _size(paths: Paths) -> int:
    """16 MB, or on a small disk its hundredth."""
    return min(SIZE, shutil.disk_usage(paths.state).total // _SHARE)


def _fill(fd: int, size: int) -> None:
    """Takes the room for certain: a file of zeros alone may take none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    for _ in range(0, size, 65536):
        os.write(fd, os.urandom(65536))
