"""Owns the list of migrations, and the check that a database and this program belong together."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from orchwatchd import __version__
from orchwatchd.errors import DatabaseError

MIGRATION_SET = "orchwatchd"
# STRICT tables came with 3.37, `UPDATE … FROM` with 3.33, RETURNING with 3.35.
_LEAST_SQLITE = (3, 37, 0)
_WROTE = "written_by"
# sqlite-utils' table, which other programs have, too.
_MIGRATIONS = "_sqlite_migrations"


@cache
def migrations() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """All migrations in the order in which they are applied: name and SQL statements."""
    return tuple((path.stem, tuple(_statements(path.read_text("utf-8")))) for path in _files())


def migration_names() -> tuple[str, ...]:
    """The names of all migrations that this program knows."""
    return tuple(path.stem for path in _files())


def require_sqlite() -> None:
    """Raises DatabaseError where Python is linked to an SQLite that is too old."""
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        raise DatabaseError(
            f"this Python has SQLite {sqlite3.sqlite_version}; the history needs {'.'.join(map(str, _LEAST_SQLITE))}",
            hint="run orchwatchd with a Python that is linked to a newer SQLite",
        )


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the migrations that a database has, () for an empty one."""
    tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_MIGRATIONS,)).fetchone()
    if tables is None:
        return ()
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY rowid", (MIGRATION_SET,)
    ).fetchall()
    return tuple(row[0] for row in rows)


def require_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raises DatabaseError for a database of another program: it has tables, and none of our migrations. An empty one
    is a history that begins; so is one that was left before its first migration.
    """
    if applied(connection):
        return
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ? LIMIT 1",
        (_MIGRATIONS,),
    ).fetchone()
    if found is not None:
        raise DatabaseError(
            f"{path} is no history of orchwatchd: it has {found[0]}, and nothing of ours; nothing was changed",
            hint=f"move it away (mv {path} {path}.other), or give another --state folder",
        )


def require_not_newer(connection: sqlite3.Connection, names: tuple[str, ...]) -> None:
    """Raises DatabaseError, naming the program that must run, when the database has migrations that we do not know."""
    unknown = [name for name in names if name not in migration_names()]
    if not unknown:
        return
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_WROTE,)).fetchone()
    writer = f"orchwatchd {row[0]}" if row else "a newer orchwatchd"
    raise DatabaseError(
        f"the history was written by {writer} (it has {unknown[-1]}); this is orchwatchd {__version__}",
        hint=f"run {writer} or newer on this project, or give this one another --state folder",
    )


def require_current(connection: sqlite3.Connection) -> None:
    """Raises DatabaseError when a reader cannot use this database: newer than the program, or not yet migrated."""
    names = applied(connection)
    require_not_newer(connection, names)
    missing = [name for name in migration_names() if name not in names]
    if missing:
        raise DatabaseError(
            f"the history was written by an older orchwatchd (it lacks {missing[0]})",
            hint="run `orchwatchd build`, or start `orchwatchd watch`, with this version: that migrates it",
        )


def _files() -> list[Path]:
    return sorted((Path(__file__).parent / "schema").glob("*.sql"))


def _statements(script: str) -> list[str]:
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return statements
