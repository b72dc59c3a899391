"""Owns how Orchestrion's log lines of a run are written."""

from __future__ import annotations

import json
from collections.abc import Collection

from orchwatchd.db import blobs
from orchwatchd.db.connection import Connection
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.run import RunId
from orchwatchd.store import bytes as stored

_TABLES = ("log_chunk", "log_note", "log_skip", "log_run")


def write_log(connection: Connection, run: RunId, log: IndexedLog) -> None:
    """Keeps a run's log lines, in place of those that were kept before; the caller holds the transaction."""
    forget_logs(connection, [run])
    facts = {"toolexec": log.toolexec, "modules": log.modules}
    blob = stored.put(connection, json.dumps(facts).encode()) if any(facts.values()) else None
    connection.execute(
        """INSERT INTO log_run (run, lines, kept, bytes, seen, left_out, problems, facts)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            run,
            log.counts.lines,
            log.counts.kept,
            log.counts.bytes,
            json.dumps(dict(log.counts.seen)),
            json.dumps(dict(log.counts.left_out)),
            json.dumps(log.problems),
            blob,
        ),
    )
    connection.many(
        "INSERT INTO log_chunk (run, first, stretches, levels, data) VALUES (?, ?, ?, ?, ?)",
        (
            (run, one.first, json.dumps(one.stretches), one.levels, blobs.compress_log(one.data))
            for one in log.chunks
        ),
    )
    connection.many(
        """INSERT INTO log_note (run, line, level, time, package, phase, message, subject, detail, pid,
           orchestrion, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (
                run,
                one.number,
                one.level,
                one.time,
                str(one.package) if one.package else None,
                one.phase,
                one.message,
                one.subject,
                one.detail,
                one.pid,
                one.orchestrion,
                one.raw,
            )
            for one in log.notes
        ),
    )
    connection.many(
        "INSERT OR REPLACE INTO log_skip (run, line, package, reason, detail) VALUES (?, ?, ?, ?, ?)",
        ((run, one.line, str(one.package), str(one.reason), one.detail) for one in log.skips),
    )


def drop_lines(connection: Connection, runs: Collection[RunId]) -> None:
    """Forgets the lines of runs; how many there were, and what they said of skipped packages, stays."""
    wanted = json.dumps(sorted(runs))
    for table in ("log_chunk", "log_note"):
        connection.execute(f"DELETE FROM {table} WHERE run IN (SELECT value FROM json_each(?))", (wanted,))
    connection.execute("UPDATE log_run SET kept = 0 WHERE run IN (SELECT value FROM json_each(?))", (wanted,))


def forget_logs(connection: Connection, runs: Collection[RunId]) -> None:
    """Forgets all that is known of the logs of runs."""
    wanted = json.dumps(sorted(runs))
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE run IN (SELECT value FROM json_each(?))", (wanted,))
