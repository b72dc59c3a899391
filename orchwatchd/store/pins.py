"""Owns pins: runs that are kept, some of them under a name."""

from __future__ import annotations

import re

from orchwatchd.db.connection import Connection
from orchwatchd.errors import NotFoundError, UsageError
from orchwatchd.models.run import RunId

# What names a run in another way cannot name a pin: numbers, `@…`, ranges; blanks and slashes only confuse.
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][\w.+-]*")


def pin(connection: Connection, run: RunId, name: str) -> None:
    """Pins a run; the caller holds the transaction. See Store.pin."""
    if name and (not _NAME.fullmatch(name) or name.isdigit()):
        raise UsageError(
            f"{name!r} cannot name a pin",
            hint="use letters, digits, `.`, `_`, `-`, `+`, and not a number alone",
        )
    require_run(connection, run)
    holder = connection.one("SELECT run FROM pin WHERE name = ? AND name <> ''", (name,))
    if holder and holder[0] != run:
        raise UsageError(
            f"run {holder[0]} is pinned as {name!r}", hint=f"`orchwatchd unpin {name}` frees the name"
        )
    connection.execute("INSERT OR IGNORE INTO pin (run, name) VALUES (?, ?)", (run, name))


def unpin(connection: Connection, run: RunId, name: str | None) -> int:
    """Takes one pin or all from a run; the caller holds the transaction."""
    require_run(connection, run)
    return connection.execute(
        "DELETE FROM pin WHERE run = ? AND (? IS NULL OR name = ?)", (run, name, name)
    ).rowcount


def require_run(connection: Connection, run: RunId) -> None:
    """Raises NotFoundError where there is no such run."""
    if connection.one("SELECT 1 FROM run WHERE id = ?", (run,)) is None:
        raise NotFoundError(f"there is no run {run}", hint="`orchwatchd runs` lists what there is")
