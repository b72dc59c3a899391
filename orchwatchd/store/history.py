"""Owns the store's operations: each is one transaction; a run's index is one, too."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from orchwatchd.db.blobs import read_blob
from orchwatchd.db.connection import Connection, connect
from orchwatchd.db.times import from_text, to_text
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.record import RunRecord
from orchwatchd.models.run import LogRange, RunEnd, RunId, RunProcess, RunStart, WorkState
from orchwatchd.models.stored import Derive, Forgotten, JobTimes, UnfinishedRun
from orchwatchd.models.upkeep import RunUse
from orchwatchd.store import begin, check, contents, derive, forget, logs, pins, uses
from orchwatchd.store.finish import Finish, write_log_ranges


class Store:
    """The write side of one project's history. One instance a project, used by the thread that opened it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Store:
        """Opens the history; makes it (file 0600, folder 0700) or migrates it where needed.

        Raises DatabaseError when it is newer than this program, damaged, locked, or cannot be written.
        """
        store = cls(connect(path))
        if store._meta("history_id") is None:
            store.new_history_id()
        return store

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
    def connection(self) -> Connection:
        """The writer's connection, for other parts of the write side that own tables of their own."""
        return self._connection

    @property
    def history_id(self) -> str:
        """What a private cache must carry to belong to this history."""
        return str(self._connection.must("SELECT value FROM meta WHERE key = 'history_id'")[0])

    def new_history_id(self) -> str:
        """Retires every cache that belonged to this history, as after a tree that was lost before it was indexed."""
        fresh = secrets.token_hex(16)
        with self._connection.immediate():
            self._connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('history_id', ?)", (fresh,)
            )
        return fresh

    @property
    def project(self) -> str | None:
        """The real path of the project whose history this is; None where no writer has put it down."""
        return self._meta("project")

    def set_project(self, root: str) -> None:
        """Puts down whose history this is."""
        with self._connection.immediate():
            self._connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('project', ?)", (root,)
            )

    def next_run(self) -> RunId:
        """The id that the next `begin` gives, never given before: the run's folder bears it and is made first."""
        row = self._connection.one("SELECT seq FROM sqlite_sequence WHERE name = 'run'")
        return RunId((row[0] if row else 0) + 1)

    def begin(self, start: RunStart) -> RunId:
        """Writes down that a run starts, before it does: status `running`, until `finish`."""
        with self._connection.immediate():
            run = begin.insert_run(self._connection, start)
            for kind, text in start.documents.items():
                begin.put_document(self._connection, run, kind, text)
            write_log_ranges(self._connection, run, start.logs)
        return run

    def started(self, run: RunId, process: RunProcess) -> None:
        """Writes down the process group of a run, so that it can be ended after our own death."""
        with self._connection.immediate():
            self._connection.execute(
                "UPDATE run SET pgid = ?, start_ticks = ?, boot_id = ? WHERE id = ?",
                (process.pgid, process.start_ticks, process.boot_id, run),
            )

    def finish(self, run: RunId, end: RunEnd, record: RunRecord, log: IndexedLog | None = None) -> None:
        """Writes a run's end, its whole index and its log lines in one transaction.

        Raises ValueError when the run is not running, DatabaseError when nothing could be kept.
        """
        with self._connection.immediate():
            if self._connection.one("SELECT status FROM run WHERE id = ?", (run,)) != ("running",):
                raise ValueError(f"run {run} is not running")
            Finish(self._connection, run, record).write(end)
            if log is not None:
                logs.write_log(self._connection, run, log)

    def adopt(self, start: RunStart, end: RunEnd, record: RunRecord, log: IndexedLog | None = None) -> RunId:
        """Writes a run that someone else's build made, start, end and index in one transaction: it never runs here."""
        with self._connection.immediate():
            run = begin.insert_run(self._connection, start)
            for kind, text in start.documents.items():
                begin.put_document(self._connection, run, kind, text)
            Finish(self._connection, run, record).write(end)
            if log is not None:
                logs.write_log(self._connection, run, log)
        return run

    def recorded_twins(self, members: Iterable[tuple[PackageName, BuildId]]) -> dict[str, BuildId]:
        """Recorded outputs of the same package and content id for members whose action id nobody recorded, by that."""
        return contents.recorded_twins(self._connection, members)

    def unfinished(self) -> tuple[UnfinishedRun, ...]:
        """Runs that began and were never finished, oldest first: we died, or they are running now."""
        rows = self._connection.all(
            """SELECT id, kind, started_at, work_parent, cache, pgid, start_ticks, boot_id
               FROM run WHERE status = 'running' ORDER BY id"""
        )
        return tuple(
            UnfinishedRun(
                id=RunId(row[0]),
                kind=row[1],
                started_at=from_text(row[2]),
                work_parent=row[3],
                cache=row[4],
                process=RunProcess(row[5], row[6], row[7]) if row[5] is not None else None,
                logs=self._log_ranges(RunId(row[0])),
            )
            for row in rows
        )

    def original_versions(self, path: str) -> Iterator[bytes]:
        """The stored texts of an original by its absolute path, newest first, each once."""
        rows = self._connection.all(
            """SELECT original_blob FROM modified_file WHERE original = ? AND original_blob IS NOT NULL
               GROUP BY original_blob ORDER BY max(id) DESC""",
            (path,),
        )
        for (blob,) in rows:
            yield read_blob(self._connection.raw, blob)

    def pin(self, run: RunId, name: str = "") -> None:
        """Keeps a run from removal, under a name if one is given.

        Raises UsageError for a name that would mean something else or that another run has, NotFoundError for the run.
        """
        with self._connection.immediate():
            pins.pin(self._connection, run, name)

    def unpin(self, run: RunId, name: str | None = None) -> int:
        """Takes a pin (None: all pins) from a run; gives how many there were."""
        with self._connection.immediate():
            return pins.unpin(self._connection, run, name)

    def set_work_state(self, run: RunId, state: WorkState, size: int | None = None) -> None:
        """Writes down what is left of a run's work tree and its bytes on disk (None: not measured)."""
        with self._connection.immediate():
            self._connection.execute(
                "UPDATE run SET work_state = ?, work_bytes = ? WHERE id = ?", (str(state), size, run)
            )

    def drop_logs(self, runs: Collection[RunId]) -> None:
        """Forgets the log lines of runs; how many there were stays."""
        with self._connection.immediate():
            logs.drop_lines(self._connection, runs)

    def run_uses(self) -> tuple[RunUse, ...]:
        """What each run takes, oldest first."""
        return uses.run_uses(self._connection)

    def database_bytes(self) -> int:
        """What the database takes, free pages left out."""
        return uses.database_bytes(self._connection)

    def job_started(self, job: str, at: datetime) -> None:
        """Writes down that a scheduled job starts."""
        with self._connection.immediate():
            self._connection.execute(
                """INSERT INTO job_run (job, last_start) VALUES (?, ?)
                   ON CONFLICT (job) DO UPDATE SET last_start = excluded.last_start""",
                (job, to_text(at)),
            )

    def job_finished(self, job: str, at: datetime, outcome: str, *, ok: bool) -> None:
        """Writes down how a scheduled job ended; `outcome` is one sentence."""
        with self._connection.immediate():
            self._connection.execute(
                """INSERT INTO job_run (job, last_ok, outcome) VALUES (?, ?, ?)
                   ON CONFLICT (job) DO UPDATE
                   SET last_ok = coalesce(excluded.last_ok, last_ok), outcome = excluded.outcome""",
                (job, to_text(at) if ok else None, outcome),
            )

    def job_times(self, job: str) -> JobTimes:
        """When a job last started and last succeeded, and its last outcome."""
        row = self._connection.one("SELECT last_start, last_ok, outcome FROM job_run WHERE job = ?", (job,))
        start, ok, outcome = row or (None, None, None)
        return JobTimes(from_text(start) if start else None, from_text(ok) if ok else None, outcome)

    def forget_runs(self, runs: Collection[RunId], *, cached: Callable[[str], bool]) -> Forgotten:
        """Removes runs, and every output that no kept run points at and whose archive is not `cached` (by action id).

        Pinned and running runs are refused with ValueError: whoever plans removal leaves them out.
        """
        with self._connection.immediate():
            gone = forget.forget(self._connection, runs, cached)
        self._connection.checkpoint()
        return gone

    def rederive(self, weave_version: int, attribution_version: int, derive_file: Derive) -> int:
        """Derives injections again from the stored bytes where other code derived them; gives the number of files."""
        return derive.rederive(self._connection, (weave_version, attribution_version), derive_file)

    def check(self) -> tuple[str, ...]:
        """What is wrong with the database, one sentence each: SQLite's own check, every blob, every counter."""
        return check.problems(self._connection)

    def checkpoint(self) -> None:
        """Moves the write-ahead log into the database file."""
        self._connection.checkpoint()

    def _log_ranges(self, run: RunId) -> tuple[LogRange, ...]:
        rows = self._connection.all(
            'SELECT file, inode, start, "end", head FROM log_range WHERE run = ? ORDER BY ordinal', (run,)
        )
        return tuple(LogRange(*row) for row in rows)

    def _meta(self, key: str) -> str | None:
        row = self._connection.one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None
