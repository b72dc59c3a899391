"""Owns the reader's face: one open history, and every question that commands ask of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from orchwatchd.db.failures import explained
from orchwatchd.db.reading import open_reading
from orchwatchd.db.times import from_text
from orchwatchd.models.rows import (
    Answer,
    ChangeRow,
    FileRow,
    ImportRow,
    InjectionRow,
    JobRow,
    PackageRow,
    ProgramRow,
    RunDetails,
    RunRow,
    Sizes,
    SourceRow,
    StageRow,
)
from orchwatchd.models.run import CompilerMessage
from orchwatchd.query import changes, contents, naming, runs, sql


class History:
    """A history open for reading. `exists` is False where nothing was recorded yet: every list is empty then.

    Runs are given by id; `resolve` turns what a user typed into one. Every method may raise DatabaseError.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, *, exists: bool) -> None:
        self._connection = connection
        self.path = path
        self.exists = exists

    @classmethod
    def open(cls, path: Path) -> History:
        """Opens the history at `path`, or an empty one where there is none.

        Raises DatabaseError when it is newer or older than this program, damaged, or cannot be read.
        """
        connection, exists = open_reading(path)
        return cls(connection, path, exists=exists)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The read-only connection, for other reading parts."""
        return self._connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside the block is of one moment, whatever the daemon writes meanwhile."""
        with explained(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.rollback()

    def resolve(self, name: str, kind: str | None = "build") -> int:
        """The run that a user means (`@`, `@-1`, `@ok`, `41`, `#41`, pin, commit); NotFoundError lists what is near."""
        with explained(self.path):
            return naming.resolve(self._connection, name, kind)

    def runs(
        self,
        *,
        limit: int | None = None,
        kinds: tuple[str, ...] = (),
        statuses: tuple[str, ...] = (),
        before: int | None = None,
    ) -> tuple[RunRow, ...]:
        """Runs, newest first."""
        with explained(self.path):
            return runs.list_runs(
                self._connection, limit=limit, kinds=kinds, statuses=statuses, before=before
            )

    def run(self, run: int) -> RunRow:
        """One run of the list."""
        with explained(self.path):
            return runs.one_run(self._connection, run)

    def show(self, run: int) -> RunDetails:
        """One run in detail."""
        with explained(self.path):
            return runs.details(self._connection, run)

    def packages(self, run: int) -> tuple[PackageRow, ...]:
        """Every package of a run with its state."""
        with explained(self.path):
            return runs.packages(self._connection, run)

    def programs(self, run: int) -> tuple[ProgramRow, ...]:
        """The programs of a run."""
        with explained(self.path):
            return runs.programs(self._connection, run)

    def messages(self, run: int) -> tuple[CompilerMessage, ...]:
        """The compiler's messages of a run."""
        with explained(self.path):
            return runs.messages(self._connection, run)

    def document(self, run: int, kind: str) -> str | None:
        """A document that was in force during a run."""
        with explained(self.path):
            return runs.document(self._connection, run, kind)

    def output(self, run: int) -> tuple[bytes, bytes]:
        """What a run's build wrote: stdout, stderr."""
        with explained(self.path):
            return runs.output(self._connection, run)

    def files(self, run: int, *, package: str | None = None) -> tuple[FileRow, ...]:
        """The modified files of a run, carried ones included."""
        with explained(self.path):
            return contents.files(self._connection, run, package=package)

    def stages(self, run: int) -> tuple[StageRow, ...]:
        """The stage directories of a run's trees."""
        with explained(self.path):
            return contents.stages(self._connection, run)

    def imports(self, run: int) -> tuple[ImportRow, ...]:
        """What was added to import configurations, links and sources."""
        with explained(self.path):
            return contents.imports(self._connection, run)

    def injections(self, file: int) -> tuple[InjectionRow, ...]:
        """The injections of a stored file (FileRow.id)."""
        with explained(self.path):
            return contents.injections(self._connection, file)

    def source(self, run: int, name: str, *, root: Path | None = None) -> SourceRow:
        """A modified file of a run by `original`, `path`, a path below `root`, or a unique tail (NotFoundError)."""
        with explained(self.path):
            rows = contents.files(self._connection, run)
            return contents.source(self._connection, contents.find_file(rows, name, root=root))

    def changes(
        self, what: str, *, root: Path | None = None, limit: int | None = None
    ) -> tuple[ChangeRow, ...]:
        """The changes of a package, file or integration, newest first (NotFoundError lists what comes near)."""
        with explained(self.path):
            return changes.changes(self._connection, what, root=root, limit=limit)

    def sql(self, query: str, *, rows: int = 1_000, seconds: float = 5.0) -> Answer:
        """Runs a user's read-only SQL (UsageError for what is none, or takes too long)."""
        with explained(self.path):
            return sql.ask(self._connection, query, rows=rows, seconds=seconds)

    def jobs(self) -> tuple[JobRow, ...]:
        """The scheduled jobs with their last runs."""
        with explained(self.path):
            rows = self._connection.execute(
                "SELECT job, last_start, last_ok, outcome FROM job_run ORDER BY job"
            ).fetchall()
        return tuple(
            JobRow(job, from_text(start) if start else None, from_text(ok) if ok else None, outcome)
            for job, start, ok, outcome in rows
        )

    def sizes(self) -> Sizes:
        """What the database takes on disk."""
        with explained(self.path):
            pages, free, size = (
                self._connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        log = self.path.with_name(self.path.name + "-wal")
        if not self.exists:
            return Sizes(0, 0, 0)
        return Sizes(
            self.path.stat().st_size, (pages - free) * size, log.stat().st_size if log.exists() else 0
        )
