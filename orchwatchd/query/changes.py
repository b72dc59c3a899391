"""Owns the history of one package, file or integration: one row a change, not a run."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.compare.history import Step, step
from orchwatchd.db.times import from_text
from orchwatchd.errors import NotFoundError
from orchwatchd.models.comparison import SideInjection
from orchwatchd.models.rows import ChangeRow, InjectionRow
from orchwatchd.query import sides
from orchwatchd.query.facts import plain_arguments


def changes(
    connection: sqlite3.Connection, what: str, *, root: Path | None = None, limit: int | None = None
) -> tuple[ChangeRow, ...]:
    """The changes of what `what` names, newest first: a package (all its variants), an original file, an integration.

    A run in which the package has no recorded output says nothing and changes nothing, nor does a run that does not
    have the package, unless it links the programs that had it (`gone`).
    Raises NotFoundError, which lists what comes near.
    """
    subject = _subject(connection, what, root)
    found: list[ChangeRow] = []
    runs = _runs(connection)
    for package in subject.packages:
        found += _package(connection, package, subject, runs)
    found.sort(key=lambda row: (row.run, row.package), reverse=True)
    return tuple(found if limit is None else found[:limit])


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is asked for: packages by row id, and what of them counts."""

    packages: tuple[int, ...]
    original: str | None = None
    integration: str | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    id: int
    started_at: str
    git_commit: str | None
    status: str
    kind: str
    members: int
    base: int | None


def _subject(connection: sqlite3.Connection, what: str, root: Path | None) -> _Subject:
    path, _, variant = what.partition(" [")
    rows = connection.execute(
        "SELECT id FROM package WHERE path = ? AND (? = '' OR variant = ?) AND id IN (SELECT package FROM output)",
        (path, variant, variant.removesuffix("]")),
    ).fetchall()
    if rows:
        return _Subject(tuple(row[0] for row in rows))
    names = {what} | ({str((root / what).absolute())} if root is not None else set())
    originals = connection.execute(
        "SELECT DISTINCT f.original, o.package FROM modified_file AS f JOIN output AS o ON o.id = f.output"
        " WHERE f.original IS NOT NULL AND o.package IS NOT NULL"
    ).fetchall()
    fits = [row for row in originals if row[0] in names] or [
        row for row in originals if row[0].endswith("/" + what)
    ]
    if len({row[0] for row in fits}) > 1:
        raise NotFoundError(
            f"several recorded files fit {what}",
            hint="which one? " + ", ".join(sorted({row[0] for row in fits})[:8]),
        )
    if fits:
        return _Subject(tuple(sorted({row[1] for row in fits})), original=fits[0][0])
    return _integration(connection, what, [row[0] for row in originals])


def _integration(connection: sqlite3.Connection, what: str, originals: list[str]) -> _Subject:
    known = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT integration FROM attribution WHERE integration IS NOT NULL"
        )
    ]
    fits = [name for name in known if name == what] or [name for name in known if name.endswith("/" + what)]
    if len(fits) == 1:
        rows = connection.execute(
            """SELECT DISTINCT o.package FROM attribution AS a JOIN injection AS i ON i.attribution = a.id
               JOIN modified_file AS f ON f.injection_set = i.injection_set JOIN output AS o ON o.id = f.output
               WHERE a.integration = ? AND o.package IS NOT NULL""",
            (fits[0],),
        ).fetchall()
        return _Subject(tuple(row[0] for row in rows), integration=fits[0])
    from difflib import get_close_matches

    packages = [row[0] for row in connection.execute("SELECT DISTINCT path FROM package")]
    near = fits or get_close_matches(what, [*packages, *originals, *known], n=5, cutoff=0.6)
    near = near or [name for name in [*packages, *originals] if what in name][:5]
    raise NotFoundError(
        f"the history has no package, modified file or integration {what}",
        hint=f"near it: {', '.join(near)}"
        if near
        else "`orchwatchd files` lists modified files and their packages",
    )


def _package(
    connection: sqlite3.Connection, package: int, subject: _Subject, runs: list[_Run]
) -> list[ChangeRow]:
    outputs = {
        row[0]: row
        for row in connection.execute(
            "SELECT id, state, meaning FROM output WHERE package = ?", (package,)
        ).fetchall()
    }
    name = _name(connection, package)
    presence = _Presence(connection, package)
    found: list[ChangeRow] = []
    last: _Seen | None = None
    for run in runs:
        present = presence.of(run)
        if not present:
            if last is not None and last.injections and _same_scope(connection, last.run, run):
                found.append(_row(run, name, "gone", Step(removed=last.injections), ()))
                last = _Seen(run, (), None, gone=True)
            continue
        output = outputs[min(present)]
        # Variants that nothing tells apart: together they prove something only where they are equal.
        alike = {outputs[one][2] for one in present}
        if len(alike) > 1 or any(outputs[one][1] not in {"plain", "woven"} for one in present):
            continue
        if last is not None and not last.gone and last.meaning == output[2]:
            last = _Seen(run, last.injections, last.meaning)
            continue
        now = _injections(connection, output[0], subject) if output[1] == "woven" else ()
        before = last.injections if last is not None else ()
        had = _Members(connection, last.run if last is not None else None)
        if difference := step(before, now, had=had, has=_Members(connection, run)):
            word = "first" if not found else "again" if last is not None and last.gone else "changed"
            found.append(_row(run, name, word, difference, now))
        last = _Seen(run, now, output[2], gone=last is not None and last.gone and not now)
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last run that could tell had: the injections, and the hash of what they mean."""

    run: _Run
    injections: tuple[SideInjection, ...]
    meaning: bytes | None
    gone: bool = False


def _row(run: _Run, name: str, change: str, difference: Step, now: tuple[SideInjection, ...]) -> ChangeRow:
    return ChangeRow(
        run=run.id,
        started_at=from_text(run.started_at),
        git_commit=run.git_commit,
        package=name,
        change=change,
        added=tuple(map(_shown, difference.added)),
        removed=tuple(map(_shown, difference.removed)),
        changed=tuple((_shown(before), _shown(after)) for before, after in difference.changed),
        injections=len(now),
    )


def _shown(one: SideInjection) -> InjectionRow:
    injection, by = one.injection, one.attribution
    return InjectionRow(
        injection.ordinal,
        injection.kind.value,
        injection.declaration,
        injection.text,
        injection.code,
        injection.line,
        injection.last_line,
        injection.original_line,
        by.integration,
        by.aspect,
        by.certainty.value,
        by.candidates,
        by.also,
        by.unexplained,
        injection.shape,
        injection.by_marks,
        one.file,
    )


def _injections(connection: sqlite3.Connection, output: int, subject: _Subject) -> tuple[SideInjection, ...]:
    """The injections of an output that the question is about."""
    found = sides.side_injections(connection, [output])[output]
    return tuple(
        one
        for one in found
        if (subject.original is None or one.file == subject.original)
        and (subject.integration is None or one.attribution.integration == subject.integration)
    )


def _runs(connection: sqlite3.Connection) -> list[_Run]:
    rows = connection.execute(
        """SELECT r.id, r.started_at, r.git_commit, r.status, r.kind, r.members, s.base
           FROM run AS r JOIN member_set AS s ON s.id = r.members ORDER BY r.id"""
    ).fetchall()
    return [_Run(*row) for row in rows]


class _Members:
    """Whether a run is, or may be, made of a package; read only when asked. No run is made of nothing."""

    def __init__(self, connection: sqlite3.Connection, run: _Run | None) -> None:
        self._connection, self._run = connection, run
        self._paths: frozenset[str] | None = None

    def __call__(self, path: str) -> bool:
        if self._run is None:
            return False
        if self._paths is None:
            self._paths = sides.member_paths(self._connection, self._run.id)
        return self._run.status != "ok" or path in self._paths


class _Presence:
    """Which of one package's outputs each run has, from the few rows of sets that name the package at all."""

    def __init__(self, connection: sqlite3.Connection, package: int) -> None:
        self._rows: dict[int, dict[int, bool]] = {}
        for member_set, output, present in connection.execute(
            """SELECT m.member_set, m.output, m.present FROM output AS o JOIN member AS m ON m.output = o.id
               WHERE o.package = ?""",
            (package,),
        ).fetchall():
            self._rows.setdefault(member_set, {})[output] = bool(present)
        self._known: dict[int, frozenset[int]] = {}

    def of(self, run: _Run) -> frozenset[int]:
        """The package's outputs in a run."""
        # A set without rows of its own on the package has what its base has.
        decisive = run.members if run.members in self._rows or run.base is None else run.base
        known = self._known.get(decisive)
        if known is None:
            rows = {**self._rows.get(run.base or 0, {}), **self._rows.get(decisive, {})}
            known = self._known[decisive] = frozenset(output for output, present in rows.items() if present)
        return known


def _same_scope(connection: sqlite3.Connection, before: _Run, now: _Run) -> bool:
    """Whether a run that lacks a package is proof that it is gone (`proof.md`, rule 5): every program of the run before
    is there again, complete and not failed; without programs, both are ok and were started with equal arguments.
    """
    programs = [
        {
            row[0]: bool(row[1])
            for row in connection.execute(
                """SELECT k.package, k.complete AND NOT l.failed FROM run_link AS l JOIN link AS k ON k.id = l.link
               WHERE l.run = ?""",
                (run.id,),
            ).fetchall()
        }
        for run in (before, now)
    ]
    if programs[0]:
        return all(programs[0].values()) and all(programs[1].get(program, False) for program in programs[0])
    if now.status != "ok" or before.status != "ok" or programs[1]:
        return False
    asked = {
        plain_arguments(json.loads(row[0]))
        for row in connection.execute(
            "SELECT argv FROM run WHERE id IN (?, ?)", (before.id, now.id)
        ).fetchall()
    }
    return len(asked) == 1 and before.kind == now.kind


def _name(connection: sqlite3.Connection, package: int) -> str:
    path, variant = connection.execute(
        "SELECT path, variant FROM package WHERE id = ?", (package,)
    ).fetchone()
    return f"{path} [{variant}]" if variant else path
