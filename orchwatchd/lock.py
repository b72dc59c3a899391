"""One writer a project: the lock on its state folder, and who holds it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from orchwatchd.errors import BusyError, DatabaseError

_NAME = "lock"
# What file systems answer that cannot lock a folder (NFS: its byte ranges want a file open for writing).
_NO_FOLDER_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EISDIR}
_AT_ONCE, _LOOK = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB
# A look at the lock takes it for a blink, shared: a writer that comes just then waits for this many blinks at most.
_BLINKS, _BLINK = 500, 0.001


@dataclass(frozen=True, slots=True)
class Holder:
    """Who says that they hold the lock; for people only, the lock itself is the kernel's."""

    pid: int
    purpose: str


class StateLock:
    """The lock on a state folder, held until `release()` or the end of the process. Made by `acquire`.

    It is a flock on the folder itself, not on a file in it: a lock file that is removed would let a second holder in.
    """

    def __init__(self, state: Path, descriptor: int) -> None:
        self._state = state
        self._descriptor: int | None = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def intact(self) -> bool:
        """Whether the locked folder (or file) still is the one at its path: False after it was removed or replaced."""
        if self._descriptor is None:
            return False
        ours = os.fstat(self._descriptor)
        for path in (self._state, self._state / _NAME):
            with contextlib.suppress(OSError):
                there = path.stat()
                if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                    return True
        return False

    def release(self) -> None:
        """Gives the lock back; harmless a second time. The file that names the holder stays, and names nobody."""
        if self._descriptor is None:
            return
        if self.intact():
            with contextlib.suppress(OSError):
                _write_holder(self._state, None)
        os.close(self._descriptor)
        self._descriptor = None


def acquire(state: Path, purpose: str) -> StateLock:
    """Locks the state folder (made 0700 if missing) at once or raises BusyError, which names the holder; DatabaseError
    where the folder cannot be made or opened.

    `purpose` is the command (`watch`, `build`), told to whoever finds the lock taken.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _lock(state, _AT_ONCE)
        for _ in range(_BLINKS):
            if descriptor is not None or not is_free(state):
                break
            time.sleep(_BLINK)
            descriptor = _lock(state, _AT_ONCE)
    except OSError as error:
        raise DatabaseError(
            f"the state folder {state} cannot be used: {error.strerror}",
            hint="look at its rights and at the disk, or choose another one by --state DIR",
        ) from error
    if descriptor is None:
        raise _busy(state)
    with contextlib.suppress(OSError):  # a full disk must not keep the program from clearing it
        _write_holder(state, Holder(os.getpid(), purpose))
    return StateLock(state, descriptor)


def is_free(state: Path) -> bool:
    """Whether it is certain that nobody holds the lock; False where that cannot be seen. Keeps no writer out."""
    try:
        descriptor = _lock(state, _LOOK)
    except OSError:
        return False
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _lock(state: Path, mode: int) -> int | None:
    """A descriptor that holds the lock, or None if somebody else does."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, mode)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        if error.errno not in _NO_FOLDER_LOCKS:
            raise
        return _lock_file(state / _NAME, mode)
    if _same(descriptor, state):
        return descriptor
    os.close(descriptor)  # replaced between open and lock
    return _lock(state, mode)


def _lock_file(path: Path, mode: int) -> int | None:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if mode == _AT_ONCE else 0)
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, mode)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _same(descriptor, path):
            return descriptor
        os.close(descriptor)


def _same(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat(follow_symlinks=True)
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _write_holder(state: Path, who: Holder | None) -> None:
    """Writes in place: where the folder cannot be locked, this very file is what is locked."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(state / _NAME, flags, 0o600)
    try:
        text = json.dumps({"pid": who.pid, "purpose": who.purpose}) + "\n" if who else ""
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _read_holder(state: Path) -> Holder | None:
    try:
        data = json.loads((state / _NAME).read_text(encoding="utf-8"))
        return Holder(int(data["pid"]), str(data["purpose"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _busy(state: Path) -> BusyError:
    who = _read_holder(state)
    if who is None:
        return BusyError(f"another orchwatchd holds {state}", hint="see `orchwatchd status`")
    return BusyError(
        f"another orchwatchd (`{who.purpose}`, process {who.pid}) holds this project",
        hint=f"see `orchwatchd status`, or end it with `kill {who.pid}`",
    )
