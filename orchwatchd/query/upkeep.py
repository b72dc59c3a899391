"""Owns reading what upkeep shows: scheduled jobs, the size of the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orchwatchd.db.times import from_text
from orchwatchd.models.rows import JobRow, Sizes


def jobs(connection: sqlite3.Connection) -> tuple[JobRow, ...]:
    """The scheduled jobs with their last runs, by name."""
    rows = connection.execute("SELECT job, last_start, last_ok, outcome FROM job_run ORDER BY job").fetchall()
    return tuple(
        JobRow(job, from_text(start) if start else None, from_text(ok) if ok else None, outcome)
        for job, start, ok, outcome in rows
    )


def sizes(connection: sqlite3.Connection, path: Path | None) -> Sizes:
    """What the database at `path` takes, in bytes; nothing where there is none."""
    if path is None:
        return Sizes(0, 0, 0)
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    log = path.with_name(path.name + "-wal")
    return Sizes(path.stat().st_size, (pages - free) * size, log.stat().st_size if log.exists() else 0)
