"""Owns reading what was kept of a run's log; `orchlog` finds lines in it."""

from __future__ import annotations

import json
import sqlite3

from orchwatchd.models.log import LogChunk, LogSkip, SkipReason
from orchwatchd.models.package import PackageName
from orchwatchd.models.rows import LogSummary


def chunks(connection: sqlite3.Connection, run: int, levels: int | None = None) -> tuple[LogChunk, ...]:
    """The kept lines of a run; with `levels` (a bit mask) only pieces that have a line of one of these."""
    from orchwatchd.db.blobs import decode

    rows = connection.execute(
        """SELECT stretches, levels, data FROM log_chunk WHERE run = ? AND (? IS NULL OR levels & ?) ORDER BY first""",
        (run, levels, levels),
    ).fetchall()
    return tuple(
        LogChunk(tuple((first, count) for first, count in json.loads(row[0])), row[1], decode(row[2], None))
        for row in rows
    )


def summary(connection: sqlite3.Connection, run: int) -> LogSummary | None:
    """What is known of a run's log as a whole; None where it was not indexed."""
    from orchwatchd.db.blobs import read_blob

    row = connection.execute(
        "SELECT lines, kept, bytes, seen, left_out, problems, facts FROM log_run WHERE run = ?", (run,)
    ).fetchone()
    if row is None:
        return None
    facts = {} if row[6] is None else json.loads(read_blob(connection, row[6]))
    return LogSummary(
        lines=row[0],
        kept=row[1],
        bytes=row[2],
        seen=json.loads(row[3]),
        left_out=json.loads(row[4]),
        problems=tuple(json.loads(row[5])),
        toolexec=tuple(facts.get("toolexec", ())),
        modules=tuple(facts.get("modules", ())),
    )


def skips(connection: sqlite3.Connection, run: int, package: str | None = None) -> tuple[LogSkip, ...]:
    """Which packages Orchestrion said it left alone in a run, and why."""
    rows = connection.execute(
        """SELECT package, reason, detail, line FROM log_skip WHERE run = ? AND (? IS NULL OR package = ?)
           ORDER BY line""",
        (run, package, package),
    ).fetchall()
    return tuple(LogSkip(PackageName.parse(row[0]), SkipReason(row[1]), row[2], row[3]) for row in rows)
