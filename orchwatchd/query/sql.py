"""Owns read-only SQL from users: what it may do, for how long, and how many rows it gives."""

from __future__ import annotations

import sqlite3
import time

from orchwatchd.errors import UsageError
from orchwatchd.models.rows import Answer

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
# Between two looks at the clock: some microseconds' work.
_STEPS = 5_000


def ask(connection: sqlite3.Connection, query: str, *, rows: int = 1_000, seconds: float = 5.0) -> Answer:
    """Runs one read-only statement; gives at most `rows` rows.

    Raises UsageError for anything that is no reading statement, for SQL that does not parse, and past `seconds`.
    """
    end = time.monotonic() + seconds
    connection.set_authorizer(_authorize)
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        cursor = connection.execute(query)
        columns = tuple(one[0] for one in cursor.description or ())
        found = cursor.fetchmany(rows + 1)
        cursor.close()
    except (sqlite3.DatabaseError, sqlite3.Warning, sqlite3.ProgrammingError) as error:
        raise _refusal(error, seconds) from error
    finally:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
    return Answer(columns, tuple(found[:rows]), len(found) > rows)


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _source: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second == "load_extension" else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in _PRAGMAS else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _refusal(error: Exception, seconds: float) -> UsageError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT:
        return UsageError(
            f"the query took longer than {seconds:g} s", hint="limit it to some runs: WHERE run = …"
        )
    if code == sqlite3.SQLITE_AUTH:
        return UsageError("only reading statements are allowed", hint="SELECT, WITH, or PRAGMA table_info(…)")
    return UsageError(
        f"SQL: {error}", hint="docs/schema.md describes tables and views; `v_run` is a good start"
    )
