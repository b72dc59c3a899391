"""Owns the writer's connection: how it is opened, its settings, its transactions. There is one writer a project."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchwatchd import __version__
from orchwatchd.db import versions
from orchwatchd.db.failures import explained

if TYPE_CHECKING:
    import sqlite_utils

# Only the writer checkpoints; a WAL beyond this is cut back after a checkpoint.
_JOURNAL_LIMIT = 16 * 1024 * 1024
_BUSY_MS = 5_000


class Connection:
    """The writer's connection. It belongs to the thread that opened it."""

    def __init__(self, driver: sqlite3.Connection, path: Path) -> None:
        import sqlite_utils

        self._driver = driver
        self._database = sqlite_utils.Database(driver, execute_plugins=False)
        self.path = path

    @property
    def raw(self) -> sqlite3.Connection:
        """The driver's connection, for reading functions that the read side shares."""
        return self._driver

    @property
    def database(self) -> sqlite_utils.Database:
        """The connection as sqlite-utils has it, for migrations."""
        return self._database

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement inside the open transaction. A write outside of `immediate` is a bug."""
        return self.raw.execute(sql, parameters)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs one statement for each row, inside the open transaction."""
        self.raw.executemany(sql, rows)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows at once: a half-read cursor would hold back the checkpoint."""
        return self.raw.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        cursor = self.raw.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        cursor.close()
        return row

    def must(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The one row that has to be there; LookupError where it is not."""
        row = self.one(sql, parameters)
        if row is None:
            raise LookupError(sql)
        return row

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs an INSERT and gives the new row's id."""
        return int(self.raw.execute(sql, parameters).lastrowid or 0)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """One transaction that holds the write lock from its start, so that what it read is still true when it writes.

        sqlite-utils' own `atomic` begins deferred: read, then write, fails at once if another program wrote in between.
        Raises DatabaseError when the database is locked, full or damaged; nothing is kept then.
        """
        with explained(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.rollback()
                raise
            try:
                self._database.commit()
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.rollback()
                raise

    def checkpoint(self) -> None:
        """Moves the WAL into the database and empties it, as far as readers allow."""
        with explained(self.path):
            self.all("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Closes; SQLite then checkpoints if nobody else has the database open."""
        self._database.close()


def connect(path: Path) -> Connection:
    """Opens the history for writing; makes the file (0600) and its folder (0700) where missing, and migrates it.

    Raises DatabaseError when the database is newer than this program, damaged, another program's, locked, or
    cannot be written.
    """
    versions.require_sqlite()
    with explained(path):
        _create(path)
        driver = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None)
        try:
            connection = Connection(driver, path)
            versions.require_ours(driver, path)
            _settle(driver)
            versions.require_not_newer(driver, versions.applied(driver))
            _migrate(connection)
        except BaseException:
            driver.close()
            raise
    return connection


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        failure = sqlite3.OperationalError(str(error))
        failure.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise failure from error


def _settle(driver: sqlite3.Connection) -> None:
    for setting in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"journal_size_limit = {_JOURNAL_LIMIT}",
        "mmap_size = 0",
        "trusted_schema = OFF",
    ):
        driver.execute(f"PRAGMA {setting}").fetchall()


def _migrate(connection: Connection) -> None:
    from sqlite_utils import Migrations

    database = connection.database

    pending = Migrations(versions.MIGRATION_SET)
    for name, statements in versions.migrations():

        def apply(target: sqlite_utils.Database, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                target.execute(statement)

        pending(name=name)(apply)
    wrote = connection.raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    if wrote and not pending.pending(database):
        current = connection.one("SELECT value FROM meta WHERE key = 'written_by'")
        if current == (__version__,):
            return
    with connection.immediate():
        pending.apply(database)
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('written_by', ?)", (__version__,)
        )
