"""Owns what SQLite's errors mean to a user: each becomes a DatabaseError with the next step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchwatchd.errors import DatabaseError

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turns what SQLite raises inside the block into DatabaseError. Bugs (bad SQL, broken constraints) pass through."""
    try:
        yield
    except sqlite3.Error as error:
        failure = _meaning(error, path)
        if failure is None:
            raise
        raise failure from error


def _meaning(error: sqlite3.Error, path: Path | str) -> DatabaseError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return DatabaseError(
            f"the history {path} is damaged: {error}",
            hint=f"keep it aside (mv {path} {path}.damaged) and start anew, or put back a copy; nothing was changed",
        )
    if code in _BUSY:
        return DatabaseError(
            f"the history {path} is locked by another program",
            hint="close what has it open for writing (a database browser, a copy that is running) and try again",
        )
    if code == sqlite3.SQLITE_FULL:
        return DatabaseError(
            f"the disk is full: the history {path} could not be written; nothing of this change was kept",
            hint="free some room, or run `orchwatchd prune`",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}:
        return DatabaseError(
            f"the history {path} cannot be used: {error}",
            hint="look at the rights of the file and its folder and at the disk, or give another --state folder",
        )
    return None
