"""Owns the readers' connection: read-only, beside a live writer, and an empty history where there is none yet."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from orchwatchd.db import versions
from orchwatchd.db.failures import explained

_BUSY_S = 5.0


def open_reading(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Opens the history for reading, an empty one where there is none; tells whether there is one.

    Raises DatabaseError when the database is newer or older than this program, damaged, another program's, or cannot
    be read.
    """
    versions.require_sqlite()
    with explained(path):
        if path.exists():
            connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=_BUSY_S, isolation_level=None
            )
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                versions.require_ours(connection, path)
                if versions.applied(connection):
                    versions.require_current(connection)
                    return connection, True
            except BaseException:
                connection.close()
                raise
            connection.close()
        return _empty(), False


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for _, statements in versions.migrations():
        for statement in statements:
            connection.execute(statement)
    connection.execute("PRAGMA query_only = ON")
    return connection
