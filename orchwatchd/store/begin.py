"""Owns how the start of a run is written."""

from __future__ import annotations

import json

from orchwatchd.db.connection import Connection
from orchwatchd.db.times import to_text
from orchwatchd.models.run import RunId, RunStart
from orchwatchd.store import bytes as stored

# How far back a document of the same kind is looked for, to be a delta against: near enough to cost nothing.
_RECENT = 200


def insert_run(connection: Connection, start: RunStart) -> RunId:
    """Makes the row of a run with status `running`; the caller holds the transaction."""
    return RunId(
        connection.insert(
            """INSERT INTO run (status, kind, trigger, started_at, argv, cache, go_version, orchestrion_version,
               git_commit, git_branch, git_dirty, input_digest, work_parent, work_state)
               VALUES ('running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'none')""",
            (
                start.kind,
                json.dumps(start.trigger),
                to_text(start.started_at),
                json.dumps(start.argv),
                start.cache,
                start.go_version,
                start.orchestrion_version,
                start.git.commit,
                start.git.branch,
                start.git.dirty,
                start.input_digest,
                start.work_parent,
            ),
        )
    )


def put_document(connection: Connection, run: RunId, kind: str, text: str) -> None:
    """Keeps a document of a run, as a delta to the last one of its kind; the caller holds the transaction."""
    before = connection.one(
        "SELECT blob FROM run_document WHERE kind = ? AND run < ? AND run > ? ORDER BY run DESC LIMIT 1",
        (kind, run, run - _RECENT),
    )
    blob = stored.put(connection, text.encode(), before[0] if before else None)
    connection.execute(
        "INSERT OR REPLACE INTO run_document (run, kind, blob) VALUES (?, ?, ?)", (run, kind, blob)
    )
