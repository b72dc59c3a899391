"""Owns reading runs: the list, one run in detail, its documents and output."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from orchwatchd.db.sets import read_set
from orchwatchd.db.times import from_text
from orchwatchd.models.rows import PackageRow, ProgramRow, RunDetails, RunRow
from orchwatchd.models.run import CompilerMessage, LogRange, RunStatus
from orchwatchd.query.running import REASON, ended_unrecorded

_RUN = """
    SELECT id, status, reason, kind, trigger, started_at, duration, packages, compiled, unknown_packages,
           instrumented_packages, modified_files, injections, orchestrion_version, go_version, git_commit, git_branch,
           git_dirty, ended_at, work_state, cache
    FROM v_run
"""


def list_runs(
    connection: sqlite3.Connection,
    *,
    limit: int | None = None,
    kinds: tuple[str, ...] = (),
    statuses: tuple[str, ...] = (),
    before: int | None = None,
) -> tuple[RunRow, ...]:
    """Runs, newest first; `before` continues a list below that id."""
    where, values = ["1"], list[Any]()
    ended = ended_unrecorded(connection)
    if kinds:
        where.append(f"kind IN ({','.join('?' * len(kinds))})")
        values.extend(kinds)
    if statuses:
        over = "id IN (SELECT value FROM json_each(?))"
        where.append(f"CASE WHEN {over} THEN ? ELSE status END IN ({','.join('?' * len(statuses))})")
        values += (json.dumps(sorted(ended)), RunStatus.INTERRUPTED.value, *statuses)
    if before is not None:
        where.append("id < ?")
        values.append(before)
    rows = connection.execute(
        f"{_RUN} WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",
        (*values, -1 if limit is None else limit),
    ).fetchall()
    pins = _pins(connection)
    return tuple(_run(row, pins, ended) for row in rows)


def one_run(connection: sqlite3.Connection, run: int) -> RunRow:
    """One run; LookupError where there is none (names are resolved before)."""
    row = connection.execute(f"{_RUN} WHERE id = ?", (run,)).fetchone()
    if row is None:
        raise LookupError(run)
    return _run(row, _pins(connection), ended_unrecorded(connection))


def details(connection: sqlite3.Connection, run: int) -> RunDetails:
    """Everything about one run but its lists of packages, files and stages."""
    row = connection.execute(
        """SELECT argv, exit_code, signal, inputs_moved, input_digest, work_parent, work_tree, graph_known, problems
           FROM run WHERE id = ?""",
        (run,),
    ).fetchone()
    states = _states(connection, run)
    return RunDetails(
        run=one_run(connection, run),
        argv=tuple(json.loads(row[0])),
        exit_code=row[1],
        signal=row[2],
        inputs_moved=bool(row[3]),
        input_digest=row[4],
        work_parent=row[5],
        work_tree=row[6],
        graph_known=None if row[7] is None else bool(row[7]),
        programs=programs(connection, run),
        failed=tuple(name for name, state in states if state == "failed"),
        unreached=tuple(name for name, state in states if state == "unreached"),
        unresolved=tuple(name for name, state in states if state == "unresolved"),
        messages=messages(connection, run),
        logs=log_ranges(connection, run),
        documents=tuple(
            row[0]
            for row in connection.execute("SELECT kind FROM run_document WHERE run = ? ORDER BY kind", (run,))
        ),
        problems=tuple(json.loads(row[8])),
    )


def programs(connection: sqlite3.Connection, run: int) -> tuple[ProgramRow, ...]:
    """The programs of a run, by name."""
    rows = connection.execute(
        """SELECT package, action, linked, failed, complete, packages, unknown_packages, instrumented_packages,
                  modified_files, injections FROM v_program WHERE run = ? ORDER BY package""",
        (run,),
    ).fetchall()
    return tuple(
        ProgramRow(row[0], row[1], bool(row[2]), bool(row[3]), bool(row[4]), *row[5:]) for row in rows
    )


def packages(connection: sqlite3.Connection, run: int) -> tuple[PackageRow, ...]:
    """Every package of a run with what is known of it, by name."""
    members = connection.execute("SELECT members FROM run WHERE id = ?", (run,)).fetchone()
    found: list[PackageRow] = []
    if members and members[0] is not None:
        wanted = json.dumps(sorted(read_set(connection, members[0])))
        rows = connection.execute(
            """SELECT package, CASE state WHEN 'attempt' THEN 'unknown' ELSE state END, recorded_in, action, content,
                      modified_files, injections
               FROM v_output WHERE output IN (SELECT value FROM json_each(?))""",
            (wanted,),
        ).fetchall()
        found = [_package(row) for row in rows]
    found += [PackageRow(name, state, None, None, None, 0, 0) for name, state in _states(connection, run)]
    return tuple(sorted(found, key=lambda row: (row.package or "", row.action or "")))


def messages(connection: sqlite3.Connection, run: int) -> tuple[CompilerMessage, ...]:
    """The compiler's messages of a run, in the order in which they came."""
    rows = connection.execute(
        """SELECT file, line, "column", text, package, declaration, code, integration, aspect, certainty
           FROM compiler_message WHERE run = ? ORDER BY ordinal""",
        (run,),
    ).fetchall()
    return tuple(CompilerMessage(*row) for row in rows)


def log_ranges(connection: sqlite3.Connection, run: int) -> tuple[LogRange, ...]:
    """Where the log lines of a run stand."""
    rows = connection.execute(
        'SELECT file, inode, start, "end", head FROM log_range WHERE run = ? ORDER BY ordinal', (run,)
    ).fetchall()
    return tuple(LogRange(*row) for row in rows)


def document(connection: sqlite3.Connection, run: int, kind: str) -> str | None:
    """A document that was in force during a run (`models.run.Documents`), None where there was none."""
    from orchwatchd.db.blobs import read_blob

    row = connection.execute(
        "SELECT blob FROM run_document WHERE run = ? AND kind = ?", (run, kind)
    ).fetchone()
    return read_blob(connection, row[0]).decode() if row else None


def output(connection: sqlite3.Connection, run: int) -> tuple[bytes, bytes]:
    """What a run's build wrote: stdout and stderr."""
    from orchwatchd.db.blobs import read_blob

    row = connection.execute("SELECT stdout, stderr FROM run WHERE id = ?", (run,)).fetchone()
    out, err = (b"" if blob is None else read_blob(connection, blob) for blob in row)
    return out, err


def _states(connection: sqlite3.Connection, run: int) -> list[tuple[str, str]]:
    return connection.execute(
        """SELECT CASE WHEN p.variant = '' THEN p.path ELSE p.path || ' [' || p.variant || ']' END, s.state
           FROM run_package_state AS s JOIN package AS p ON p.id = s.package WHERE s.run = ? ORDER BY 1""",
        (run,),
    ).fetchall()


def _pins(connection: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    pins: dict[int, tuple[str, ...]] = {}
    for run, name in connection.execute("SELECT run, name FROM pin ORDER BY run, name").fetchall():
        pins[run] = (*pins.get(run, ()), name)
    return pins


def _run(row: tuple[Any, ...], pins: dict[int, tuple[str, ...]], ended: frozenset[int]) -> RunRow:
    values = list(row)
    if row[0] in ended:
        values[1:3] = RunStatus.INTERRUPTED.value, REASON
    values[4] = tuple(json.loads(row[4]))
    values[5] = from_text(row[5])
    values[17] = None if row[17] is None else bool(row[17])
    values[18] = None if row[18] is None else from_text(row[18])
    values.insert(19, pins.get(row[0], ()))
    return RunRow(*values)


def _package(row: tuple[Any, ...]) -> PackageRow:
    """An attempt's record says nothing of a finished output: as a member it is unknown."""
    if row[1] in {"woven", "plain"}:
        return PackageRow(*row)
    return PackageRow(row[0], row[1], None, row[3], row[4], 0, 0)
