"""Owns reading what is known of scheduled jobs."""

from __future__ import annotations

import sqlite3

from orchwatchd.db.times import from_text
from orchwatchd.models.rows import JobRow


def jobs(connection: sqlite3.Connection) -> tuple[JobRow, ...]:
    """The scheduled jobs with their last runs, by name."""
    rows = connection.execute("SELECT job, last_start, last_ok, outcome FROM job_run ORDER BY job").fetchall()
    return tuple(
        JobRow(job, from_text(start) if start else None, from_text(ok) if ok else None, outcome)
        for job, start, ok, outcome in rows
    )
