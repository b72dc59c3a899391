"""Owns which of the runs that are marked `running` do not run any more: nobody holds the lock under which runs end."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orchwatchd.db.reading import open_reading
from orchwatchd.lock import is_free

REASON = "it ended without saying how; its tree is indexed by the next build"
_RUNNING = "SELECT id FROM run WHERE status = 'running'"


def ended_unrecorded(connection: sqlite3.Connection) -> frozenset[int]:
    """Runs whose writer died before it could write their end; costs one look at an index where none is `running`.

    A writer holds the project's lock from before a run's beginning until after its end is written. So a run that is
    `running` before the lock was seen free and after it has no writer. The second look needs a connection of its own:
    the first may be in a transaction, which shows the moment at which it began.
    """
    rows = connection.execute(_RUNNING).fetchall()
    database = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    if not rows or not database or not is_free(Path(database).parent):
        return frozenset()
    now, _ = open_reading(Path(database))
    try:
        still = {row[0] for row in now.execute(_RUNNING).fetchall()}
    finally:
        now.close()
    return frozenset(run for (run,) in rows if run in still)
