"""Owns the history of one package, file or integration: one row a change, not a run."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.compare.history import Step, step
from orchwatchd.db.times import from_text
from orchwatchd.errors import NotFoundError
from orchwatchd.models.comparison import SideInjection
from orchwatchd.models.rows import ChangeRow, Changes, InjectionRow
from orchwatchd.query import sides
from orchwatchd.query.facts import plain_arguments
from orchwatchd.query.timeline import Held, Timeline


def changes(
    connection: sqlite3.Connection, what: str, *, root: Path | None = None, limit: int | None = None
) -> Changes:
    """The changes of what `what` names, newest first: a package (all its variants), an original file, an integration.
    A name that is a package and an integration means both: the package's own injections, and what the integration
    wove into others.

    A run in which the package has no recorded output says nothing and changes nothing, nor does a run that does not
    have the package, unless it links the programs that had it (`gone`).
    Raises NotFoundError, which lists what comes near.
    """
    found: list[ChangeRow] = []
    unknown: dict[str, tuple[int, ...]] = {}
    meanings: dict[str, str] = {}
    with_rows: set[str] = set()
    for subject in _subjects(connection, what, root):
        kind, name = subject.meaning(what)
        meanings[kind] = name
        for package in subject.packages:
            timeline = Timeline(connection, package)
            if rows := _package(connection, package, subject, timeline):
                found += rows
                with_rows.add(kind)
            if runs := _unseen(connection, package, timeline):
                unknown[_name(connection, package)] = runs
    found.sort(key=lambda row: (row.run, row.package), reverse=True)
    return Changes(
        tuple(found if limit is None else found[:limit]),
        meanings,
        frozenset(with_rows),
        dict(sorted(unknown.items())),
    )


def _unseen(connection: sqlite3.Connection, package: int, timeline: Timeline) -> tuple[int, ...]:
    """The runs that have a package and in which nobody saw it compiled."""
    unresolved = connection.execute(
        "SELECT run FROM run_package_state WHERE package = ? AND state = 'unresolved'", (package,)
    ).fetchall()
    return tuple(sorted({*timeline.untold(), *(run for (run,) in unresolved)}))


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is asked for: packages by row id, and what of them counts."""

    packages: tuple[int, ...]
    original: str | None = None
    integration: str | None = None

    def meaning(self, what: str) -> tuple[str, str]:
        """What `what` is, and its whole name."""
        if self.integration is not None:
            return "integration", self.integration
        return ("package", what) if self.original is None else ("file", self.original)


def _subjects(connection: sqlite3.Connection, what: str, root: Path | None) -> tuple[_Subject, ...]:
    path, _, variant = what.partition(" [")
    rows = connection.execute(
        """SELECT id FROM package WHERE path = ? AND (? = '' OR variant = ?)
           AND (id IN (SELECT package FROM output) OR id IN (SELECT package FROM run_package_state))""",
        (path, variant, variant.removesuffix("]")),
    ).fetchall()
    if rows:
        package = _Subject(tuple(row[0] for row in rows))
        woven = _woven_by(connection, what)
        if not woven:
            return (package,)
        others = tuple(one for one in woven if one not in package.packages)
        return package, _Subject(others, integration=what)
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
        return (_Subject(tuple(sorted({row[1] for row in fits})), original=fits[0][0]),)
    return (_integration(connection, what, [row[0] for row in originals]),)


def _woven_by(connection: sqlite3.Connection, integration: str) -> tuple[int, ...]:
    """The packages with injections of an integration, none for what is no integration."""
    rows = connection.execute(
        """SELECT DISTINCT o.package FROM attribution AS a JOIN injection AS i ON i.attribution = a.id
           JOIN modified_file AS f ON f.injection_set = i.injection_set JOIN output AS o ON o.id = f.output
           WHERE a.integration = ? AND o.package IS NOT NULL""",
        (integration,),
    ).fetchall()
    return tuple(row[0] for row in rows)


def _integration(connection: sqlite3.Connection, what: str, originals: list[str]) -> _Subject:
    known = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT integration FROM attribution WHERE integration IS NOT NULL"
        )
    ]
    fits = [name for name in known if name == what] or [name for name in known if name.endswith("/" + what)]
    if len(fits) == 1:
        return _Subject(_woven_by(connection, fits[0]), integration=fits[0])
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
    connection: sqlite3.Connection, package: int, subject: _Subject, timeline: Timeline
) -> list[ChangeRow]:
    injections = _Injections(connection, subject, timeline.changing())
    found: list[_Change] = []
    last: _Seen | None = None
    absent = 0
    for run, held in timeline:
        if held is None:
            if last is not None and last.injections and _same_scope(connection, last.run, run):
                found.append(_Change(run, "gone", Step(removed=last.injections), 0, last.run))
                last = _Seen(run, (), None, gone=True)
            absent = run
        elif last is not None and not last.gone and last.meaning == held.meaning:
            last.run = run
        else:
            now = injections.of(held)
            before = last.injections if last is not None else ()
            had = _Members(connection, last.run if last is not None else None)
            if difference := step(before, now, had=had, has=_Members(connection, run)):
                word = "first" if not found else "again" if last is not None and last.gone else "changed"
                otherwise = last.run if last is not None else 0
                if absent > otherwise and _same_scope(connection, run, absent):
                    otherwise = absent
                found.append(_Change(run, word, difference, len(now), otherwise))
            last = _Seen(run, now, held.meaning, gone=last is not None and last.gone and not now)
    return _rows(connection, _name(connection, package), found)


@dataclass(slots=True)
class _Seen:
    """What the last run that could tell had: the injections, and the hash of what they mean."""

    run: int
    injections: tuple[SideInjection, ...]
    meaning: bytes | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """What differs in a run, with the number of injections that it has. `otherwise` is the last run that had it
    otherwise, 0 where none is kept.
    """

    run: int
    word: str
    difference: Step
    injections: int
    otherwise: int


class _Injections:
    """The injections of a package's outputs that the question is about, read all at once."""

    def __init__(self, connection: sqlite3.Connection, subject: _Subject, outputs: set[int]) -> None:
        self._connection, self._subject = connection, subject
        self._found = dict(sides.side_injections(connection, outputs)) if outputs else {}

    def of(self, held: Held) -> tuple[SideInjection, ...]:
        """Those of one output."""
        if not held.woven:
            return ()
        if held.output not in self._found:
            self._found[held.output] = sides.side_injections(self._connection, [held.output])[held.output]
        wanted = self._subject
        return tuple(
            one
            for one in self._found[held.output]
            if (wanted.original is None or one.file == wanted.original)
            and (wanted.integration is None or one.attribution.integration == wanted.integration)
        )


def _rows(connection: sqlite3.Connection, package: str, changes: list[_Change]) -> list[ChangeRow]:
    facts = {
        row[0]: row
        for row in connection.execute(
            "SELECT id, started_at, git_commit FROM run WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([one.run for one in changes]),),
        ).fetchall()
    }
    kept = [row[0] for row in connection.execute("SELECT id FROM run ORDER BY id").fetchall()]
    return [
        ChangeRow(
            run=one.run,
            started_at=from_text(facts[one.run][1]),
            git_commit=facts[one.run][2],
            package=package,
            change=one.word,
            added=tuple(map(_shown, one.difference.added)),
            removed=tuple(map(_shown, one.difference.removed)),
            changed=tuple((_shown(before), _shown(after)) for before, after in one.difference.changed),
            injections=one.injections,
            pruned_before=bisect_left(kept, one.run) < one.run - 1,
            or_earlier=bisect_left(kept, one.run) - bisect_right(kept, one.otherwise)
            < one.run - one.otherwise - 1,
        )
        for one in changes
    ]


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


class _Members:
    """Whether a run is, or may be, made of a package; read only when asked. No run is made of nothing."""

    def __init__(self, connection: sqlite3.Connection, run: int | None) -> None:
        self._connection, self._run = connection, run
        self._paths: frozenset[str] | None = None

    def __call__(self, path: str) -> bool:
        if self._run is None:
            return False
        if self._paths is None:
            self._paths = sides.member_paths(self._connection, self._run)
        return path in self._paths or _status_and_kind(self._connection, self._run)[0] != "ok"


def _same_scope(connection: sqlite3.Connection, before: int, now: int) -> bool:
    """Whether a run that lacks a package is proof that it is gone (`proof.md`, rule 5): every program of the run before
    is there again, complete and not failed; without programs, both are ok and were started with equal arguments.
    """
    programs = [
        {
            row[0]: bool(row[1])
            for row in connection.execute(
                """SELECT k.package, k.complete AND NOT l.failed FROM run_link AS l JOIN link AS k ON k.id = l.link
               WHERE l.run = ?""",
                (run,),
            ).fetchall()
        }
        for run in (before, now)
    ]
    if programs[0]:
        return all(programs[0].values()) and all(programs[1].get(program, False) for program in programs[0])
    (status, kind), (status_now, kind_now) = (_status_and_kind(connection, run) for run in (before, now))
    if status != "ok" or status_now != "ok" or programs[1]:
        return False
    asked = {
        plain_arguments(json.loads(row[0]))
        for row in connection.execute("SELECT argv FROM run WHERE id IN (?, ?)", (before, now)).fetchall()
    }
    return len(asked) == 1 and kind == kind_now


def _status_and_kind(connection: sqlite3.Connection, run: int) -> tuple[str, str]:
    status, kind = connection.execute("SELECT status, kind FROM run WHERE id = ?", (run,)).fetchone()
    return status, kind


def _name(connection: sqlite3.Connection, package: int) -> str:
    path, variant = connection.execute(
        "SELECT path, variant FROM package WHERE id = ?", (package,)
    ).fetchone()
    return f"{path} [{variant}]" if variant else path
