"""Owns the reader's face: one open history, and every question that commands ask of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchwatchd.db.failures import explained
from orchwatchd.db.reading import open_reading

if TYPE_CHECKING:
    from orchwatchd.models.comparison import Common, RunFacts, Side, SidePackage
    from orchwatchd.models.injection import Attribution
    from orchwatchd.models.log import LogChunk, LogSkip
    from orchwatchd.models.rows import (
        Answer,
        ChangeRow,
        Changes,
        FileRow,
        ImportRow,
        InjectionRow,
        JobRow,
        LogSummary,
        PackageRow,
        ProgramRow,
        RunDetails,
        RunRow,
        SourceRow,
        StageRow,
    )
    from orchwatchd.models.run import CompilerMessage
    from orchwatchd.models.why import ChildBuild, Pair, Waited

# Each question imports what it needs when it is asked: a command asks one or two of them.


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

    @property
    def project(self) -> str | None:
        """The real path of the project whose history this is; None where no writer has put it down."""
        with explained(self.path):
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'project'").fetchone()
        return row[0] if row else None

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
        from orchwatchd.query import naming

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
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.list_runs(
                self._connection, limit=limit, kinds=kinds, statuses=statuses, before=before
            )

    def run(self, run: int) -> RunRow:
        """One run of the list."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.one_run(self._connection, run)

    def show(self, run: int) -> RunDetails:
        """One run in detail."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.details(self._connection, run)

    def packages(self, run: int) -> tuple[PackageRow, ...]:
        """Every package of a run with its state."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.packages(self._connection, run)

    def programs(self, run: int) -> tuple[ProgramRow, ...]:
        """The programs of a run."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.programs(self._connection, run)

    def messages(self, run: int) -> tuple[CompilerMessage, ...]:
        """The compiler's messages of a run."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.messages(self._connection, run)

    def document(self, run: int, kind: str) -> str | None:
        """A document that was in force during a run."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.document(self._connection, run, kind)

    def output(self, run: int) -> tuple[bytes, bytes]:
        """What a run's build wrote: stdout, stderr."""
        from orchwatchd.query import runs

        with explained(self.path):
            return runs.output(self._connection, run)

    def files(self, run: int, *, package: str | None = None) -> tuple[FileRow, ...]:
        """The modified files of a run, carried ones included."""
        from orchwatchd.query import contents

        with explained(self.path):
            return contents.files(self._connection, run, package=package)

    def why_unknown(self, run: int, package: str | None = None) -> str | None:
        """Why it is not known which modified files a run, or a package of it, has; None where it is."""
        from orchwatchd.query import unseen

        with explained(self.path):
            return unseen.why_unknown(self._connection, run, package)

    def stages(self, run: int) -> tuple[StageRow, ...]:
        """The stage directories of a run's trees."""
        from orchwatchd.query import contents

        with explained(self.path):
            return contents.stages(self._connection, run)

    def imports(self, run: int) -> tuple[ImportRow, ...]:
        """What was added to import configurations, links and sources."""
        from orchwatchd.query import contents

        with explained(self.path):
            return contents.imports(self._connection, run)

    def injections(self, file: int) -> tuple[InjectionRow, ...]:
        """The injections of a stored file (FileRow.id)."""
        from orchwatchd.query import contents

        with explained(self.path):
            return contents.injections(self._connection, file)

    def source(self, run: int, name: str, *, root: Path | None = None) -> SourceRow:
        """A modified file of a run by `original`, `path`, a path below `root`, or a unique tail (NotFoundError)."""
        from orchwatchd.query import contents

        with explained(self.path):
            return contents.source(self._connection, contents.find(self._connection, run, name, root=root))

    def changes(
        self, what: str, *, root: Path | None = None, limit: int | None = None
    ) -> tuple[ChangeRow, ...]:
        """The changes of a package, file or integration, newest first (NotFoundError lists what comes near)."""
        return self.changes_of(what, root=root, limit=limit).rows

    def changes_of(self, what: str, *, root: Path | None = None, limit: int | None = None) -> Changes:
        """`changes`, with what `what` names and what of it nobody saw."""
        from orchwatchd.query import changes

        with explained(self.path):
            return changes.changes(self._connection, what, root=root, limit=limit)

    def sides(self, a: int, b: int) -> tuple[Side, Side, Common]:
        """Two runs as `compare.compare` takes them: what differs, and how much is equal."""
        from orchwatchd.query import sides

        with explained(self.path):
            return sides.sides(self._connection, a, b)

    def whole_sides(self, a: int, b: int) -> tuple[Side, Side]:
        """Two runs whole, for `compare.narrow`."""
        from orchwatchd.query import sides

        with explained(self.path):
            return sides.whole_sides(self._connection, a, b)

    def side(self, run: int) -> Side:
        """One run whole, with the injections of every package."""
        from orchwatchd.query import sides

        with explained(self.path):
            return sides.side(self._connection, run)

    def facts(self, run: int) -> RunFacts:
        """What was in force during a run, as `compare.causes` takes it."""
        from orchwatchd.query import facts

        with explained(self.path):
            return facts.facts(self._connection, run)

    def run_before(self, run: int, package: str | None = None) -> int | None:
        """The run to hold a run against: the last before it that knows its packages, of its kind if there is one."""
        from orchwatchd.query import rebuilds

        with explained(self.path):
            return rebuilds.run_before(self._connection, run, package)

    def pairs(self, a: int, b: int) -> tuple[Pair, ...]:
        """The packages that two runs have, with what of them is the same."""
        from orchwatchd.query import rebuilds

        with explained(self.path):
            return rebuilds.pairs(self._connection, a, b)

    def dependencies(self, run: int) -> dict[str, tuple[str, ...]] | None:
        """Who imports whom in a run's action graph; None where it was not kept."""
        from orchwatchd.query import rebuilds

        with explained(self.path):
            return rebuilds.dependencies(self._connection, run)

    def was_compiled(self, run: int, package: str) -> bool | None:
        """Whether a run compiled a package; None where its trees do not tell."""
        from orchwatchd.query import rebuilds

        with explained(self.path):
            return rebuilds.was_compiled(self._connection, run, package)

    def costs(self, run: int) -> tuple[float | None, tuple[Waited, ...], tuple[ChildBuild, ...]]:
        """What a run's root build computed (seconds), the stages that waited, and the child builds beside it."""
        from orchwatchd.query import rebuilds

        with explained(self.path):
            connection = self._connection
            return (
                rebuilds.cpu_seconds(connection, run),
                rebuilds.waited(connection, run),
                rebuilds.child_builds(connection, run),
            )

    def package_side(self, run: int, package: str) -> tuple[SidePackage, ...]:
        """One package of a run with its injections and imports (several where variants have one name)."""
        return tuple(one for one in self.side(run).packages if str(one.name) == package)

    def attributed(self, run: int) -> tuple[tuple[str, Attribution], ...]:
        """Who made each injection of a run, with its package; synthetic files left out."""
        from orchwatchd.query import sides

        with explained(self.path):
            return sides.attributed(self._connection, run)

    def log_chunks(self, run: int, levels: int | None = None) -> tuple[LogChunk, ...]:
        """The kept log lines of a run, for `orchlog.search.select`."""
        from orchwatchd.query import logs

        with explained(self.path):
            return logs.chunks(self._connection, run, levels)

    def log_summary(self, run: int) -> LogSummary | None:
        """What is known of a run's log as a whole."""
        from orchwatchd.query import logs

        with explained(self.path):
            return logs.summary(self._connection, run)

    def log_skips(self, run: int, package: str | None = None) -> tuple[LogSkip, ...]:
        """Which packages Orchestrion said it left alone, and why."""
        from orchwatchd.query import logs

        with explained(self.path):
            return logs.skips(self._connection, run, package)

    def sql(self, query: str, *, rows: int = 1_000, seconds: float = 5.0) -> Answer:
        """Runs a user's read-only SQL (UsageError for what is none, or takes too long)."""
        from orchwatchd.query import sql

        with explained(self.path):
            return sql.ask(self._connection, query, rows=rows, seconds=seconds)

    def jobs(self) -> tuple[JobRow, ...]:
        """The scheduled jobs with their last runs."""
        from orchwatchd.query import upkeep

        with explained(self.path):
            return upkeep.jobs(self._connection)
