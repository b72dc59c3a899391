"""Owns reading what a run is made of: modified files with their bytes and injections, stages, added imports."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from orchwatchd.db.sets import read_set
from orchwatchd.errors import NotFoundError
from orchwatchd.models.rows import FileRow, ImportRow, InjectionRow, SourceRow, StageRow

# The columns of v_injection that `injection_row` takes.
INJECTION = """i.ordinal, i.kind, i.declaration, i.text, i.code, i.line, i.last_line, i.original_line, i.integration,
    i.aspect, i.certainty, i.candidates, i.also, i.unexplained, i.shape, i.by_marks"""
_FILE = """
    SELECT f.id, o.package, f.path, f.original, f.original_certain, f.nested, f.synthetic, f.recorded_run,
           i.injections, f.generated, o.state, f.output
    FROM modified_file AS f
    JOIN v_output AS o ON o.output = f.output
    JOIN injection_set AS i ON i.id = f.injection_set
    WHERE f.output IN (SELECT value FROM json_each(?))
"""


def files(connection: sqlite3.Connection, run: int, *, package: str | None = None) -> tuple[FileRow, ...]:
    """The modified files of a run, carried ones included, by package and path.

    `member` is False for those of packages that were compiled for the run and are not part of it.
    """
    members, others = _outputs(connection, run)
    rows = connection.execute(_FILE, (json.dumps(sorted(members | others)),)).fetchall()
    found = [_file(row, members) for row in rows if row[10] == "woven" or row[11] not in members]
    if package is not None:
        found = [
            row
            for row in found
            if row.package is not None and package in (row.package, row.package.split(" [")[0])
        ]
    return tuple(sorted(found, key=lambda row: (row.package or "", row.original or "", row.path)))


def stages(connection: sqlite3.Connection, run: int) -> tuple[StageRow, ...]:
    """Every stage directory of a run's trees, in the order in which they were found."""
    rows = connection.execute(
        """SELECT path, nested, package, kinds, build_id, status, wall, cpu, files, bytes, woven, attempt
           FROM v_stage WHERE run = ?""",
        (run,),
    ).fetchall()
    return tuple(_stage(row) for row in rows)


def imports(connection: sqlite3.Connection, run: int) -> tuple[ImportRow, ...]:
    """What was added to import configurations, links and sources of a run's packages, carried ones included."""
    members, _ = _outputs(connection, run)
    rows = connection.execute(
        """SELECT o.package, i.kind, i.added FROM output_import AS i JOIN v_output AS o ON o.output = i.output
           WHERE o.state IN ('plain', 'woven') AND i.output IN (SELECT value FROM json_each(?))
           UNION ALL
           SELECT p.path, 'importcfg.link', k.added FROM run_link AS l JOIN link AS k ON k.id = l.link
           JOIN package AS p ON p.id = k.package WHERE l.run = ? AND k.added IS NOT NULL""",
        (json.dumps(sorted(members)), run),
    ).fetchall()
    names: dict[int, tuple[str, ...]] = {}
    for added in {row[2] for row in rows}:
        paths = connection.execute(
            "SELECT p.path FROM name_set_package AS s JOIN package AS p ON p.id = s.package"
            " WHERE s.name_set = ? ORDER BY 1",
            (added,),
        ).fetchall()
        names[added] = tuple(path for (path,) in paths)
    found = {ImportRow(package, kind, names[added]) for package, kind, added in rows}
    return tuple(sorted(found, key=lambda row: (row.package or "", row.kind, row.added)))


def injections(connection: sqlite3.Connection, file: int) -> tuple[InjectionRow, ...]:
    """The injections of a stored file, in the order in which they stand."""
    rows = connection.execute(
        f"SELECT {INJECTION} FROM v_injection AS i WHERE i.file = ? ORDER BY i.ordinal",
        (file,),
    ).fetchall()
    return tuple(injection_row(row) for row in rows)


def injection_row(row: tuple[Any, ...]) -> InjectionRow:
    """A row of v_injection without its file."""
    values = [
        *row[:11],
        *(tuple(json.loads(one)) for one in row[11:13]),
        bool(row[13]),
        row[14],
        bool(row[15]),
    ]
    return InjectionRow(*values)


def source(connection: sqlite3.Connection, file: FileRow) -> SourceRow:
    """A file's bytes as they were compiled, the original's and its injections; checked by hash (DatabaseError)."""
    from orchwatchd.db.blobs import read_blob

    blob, original = connection.execute(
        "SELECT blob, original_blob FROM modified_file WHERE id = ?", (file.id,)
    ).fetchone()
    return SourceRow(
        file,
        read_blob(connection, blob),
        None if original is None else read_blob(connection, original),
        injections(connection, file.id),
    )


def find(connection: sqlite3.Connection, run: int, name: str, *, root: Path | None = None) -> FileRow:
    """The one modified file of a run that `name` means, as `find_file` does; where something of the run was not seen,
    the NotFoundError does not say that there is none.
    """
    from orchwatchd.query.unseen import why_unknown

    rows = files(connection, run)
    try:
        return find_file(rows, name, root=root)
    except NoSuchFileError as error:
        reason = why_unknown(connection, run)
        if reason is None:
            raise
        raise NotFoundError(
            f"whether run #{run} has a modified file {name} is unknown: {reason}", hint=error.hint
        ) from error


class NoSuchFileError(NotFoundError):
    """No modified file fits a name, as far as the files of the run are known."""


def find_file(rows: tuple[FileRow, ...], name: str, *, root: Path | None = None) -> FileRow:
    """The one file that `name` means: `original` or `path` as printed, a path below `root`, or a tail that is unique.

    Raises NotFoundError, which lists the files that fit, or those that come near.
    """
    below = str((root / name).absolute()) if root is not None else None
    for fits in (
        [row for row in rows if name in {row.original, row.path}],
        [row for row in rows if below is not None and row.original == below],
        [row for row in rows if _is_tail(name, row.original or row.path) or _is_tail(name, row.path)],
    ):
        members = [row for row in fits if row.member] or fits
        if len(members) == 1:
            return members[0]
        if members:
            raise NotFoundError(f"{len(members)} files of this run fit {name}", hint=_listed(members))
    raise _no_file(rows, name)


def _file(row: tuple[Any, ...], members: frozenset[int]) -> FileRow:
    flags = (bool(one) for one in row[4:7])
    values = [*row[:4], *flags, *row[7:9], row[11] in members, row[10] == "attempt", row[9]]
    return FileRow(*values)


def _stage(row: tuple[Any, ...]) -> StageRow:
    values = list(row)
    values[1], values[10], values[11] = bool(row[1]), bool(row[10]), bool(row[11])
    values[3] = tuple(filter(None, row[3].split(",")))
    return StageRow(*values)


def _no_file(rows: tuple[FileRow, ...], name: str) -> NoSuchFileError:
    from difflib import get_close_matches

    if not rows:
        return NoSuchFileError(
            f"this run has no modified file, so not {name} either", hint="`orchwatchd show` says more"
        )
    tails = {(row.original or row.path).rpartition("/")[2]: row for row in rows}
    near = [tails[tail] for tail in get_close_matches(name.rpartition("/")[2], tails, n=4, cutoff=0.6)]
    hint = _listed(near) if near else "`orchwatchd files` lists its modified files"
    return NoSuchFileError(f"this run has no modified file {name}", hint=hint)


def _listed(rows: list[FileRow]) -> str:
    return "which one? " + ", ".join(
        f"{row.original or row.path} ({row.package}: {row.path})" for row in rows[:8]
    )


def _is_tail(name: str, path: str) -> bool:
    return path == name or path.endswith("/" + name.lstrip("/"))


def _outputs(connection: sqlite3.Connection, run: int) -> tuple[frozenset[int], frozenset[int]]:
    """The outputs that a run is made of, and those that are shown with it and are no part of it."""
    row = connection.execute("SELECT members, companions FROM run WHERE id = ?", (run,)).fetchone()
    members = read_set(connection, row[0]) if row[0] is not None else frozenset()
    others = read_set(connection, row[1]) if row[1] is not None else frozenset()
    attempts = connection.execute("SELECT output FROM run_attempt WHERE run = ?", (run,)).fetchall()
    return members, (others | {one for (one,) in attempts}) - members
