"""Owns what two runs are compared by: only the outputs that differ are read, equal action ids are counted.

An output that both runs have is the same by its action id, and nothing of it is looked at. Where neither run's outputs
were recorded, it is unknown on both sides and is handed over, so that the comparison is not called complete.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from orchwatchd.db.sets import Outputs, read_set
from orchwatchd.models.comparison import Common, PackageState, Side, SideInjection, SidePackage, SideProgram
from orchwatchd.models.injection import Attribution, Certainty, Injection, InjectionKind
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import RunId, RunStatus
from orchwatchd.models.tree import ImportKind
from orchwatchd.query.facts import plain_arguments

_STATES = {
    "failed": PackageState.FAILED,
    "unreached": PackageState.UNREACHED,
    "unresolved": PackageState.UNKNOWN,
}


def sides(connection: sqlite3.Connection, a: int, b: int) -> tuple[Side, Side, Common]:
    """Two runs as `compare.compare` takes them."""
    left, right = _members(connection, a), _members(connection, b)
    both = left & right
    unknown, common = _common(connection, both)
    packages = _packages(connection, (left ^ right) | unknown)
    return (
        _side(connection, a, {one: packages[one] for one in (left - right) | unknown}, other=b),
        _side(connection, b, {one: packages[one] for one in (right - left) | unknown}, other=a),
        common,
    )


def whole_sides(connection: sqlite3.Connection, a: int, b: int) -> tuple[Side, Side]:
    """Two runs with every package that they have, equal ones included: what can be narrowed."""
    return (
        _side(connection, a, _packages(connection, _members(connection, a)), other=b),
        _side(connection, b, _packages(connection, _members(connection, b)), other=a),
    )


def side(connection: sqlite3.Connection, run: int) -> Side:
    """One run whole, with every package that it has."""
    members = _members(connection, run)
    return _side(connection, run, _packages(connection, members))


def side_injections(
    connection: sqlite3.Connection, outputs: Iterable[int]
) -> Mapping[int, list[SideInjection]]:
    """The injections of outputs, an empty list for one without."""
    return _injections(connection, json.dumps(sorted(outputs)))


def attributed(connection: sqlite3.Connection, run: int) -> tuple[tuple[str, Attribution], ...]:
    """Who made each injection of a run, with its package; synthetic files, which no aspect makes, left out."""
    rows = connection.execute(
        """SELECT o.package, i.integration, i.aspect, i.certainty, i.candidates, i.also, i.unexplained
           FROM modified_file AS f JOIN v_output AS o ON o.output = f.output JOIN v_injection AS i ON i.file = f.id
           WHERE o.package IS NOT NULL AND NOT f.synthetic AND o.state = 'woven'
             AND f.output IN (SELECT value FROM json_each(?))
           ORDER BY o.package, f.id, i.ordinal""",
        (json.dumps(sorted(_members(connection, run))),),
    ).fetchall()
    return tuple((row[0], _attribution(row[1:])) for row in rows)


def _members(connection: sqlite3.Connection, run: int) -> Outputs:
    row = connection.execute("SELECT members FROM run WHERE id = ?", (run,)).fetchone()
    return read_set(connection, row[0]) if row[0] is not None else frozenset()


def _common(connection: sqlite3.Connection, both: Outputs) -> tuple[Outputs, Common]:
    """What both have: those that nobody recorded, and how much instrumentation there is in the rest."""
    wanted = json.dumps(sorted(both))
    unknown = connection.execute(
        "SELECT id FROM output WHERE state NOT IN ('plain', 'woven') AND id IN (SELECT value FROM json_each(?))",
        (wanted,),
    ).fetchall()
    packages, injections = connection.execute(
        """SELECT count(*), coalesce(sum(injections), 0) FROM output
           WHERE state = 'woven' AND injections > 0 AND id IN (SELECT value FROM json_each(?))""",
        (wanted,),
    ).fetchone()
    return frozenset(row[0] for row in unknown), Common(packages, injections)


def _packages(connection: sqlite3.Connection, outputs: Outputs) -> dict[int, SidePackage]:
    wanted = json.dumps(sorted(outputs))
    injections, imports = _injections(connection, wanted), _imports(connection, wanted)
    rows = connection.execute(
        """SELECT o.id, o.state, o.action, o.content, p.path, p.variant
           FROM output AS o LEFT JOIN package AS p ON p.id = o.package
           WHERE o.id IN (SELECT value FROM json_each(?))""",
        (wanted,),
    ).fetchall()
    found = {}
    for output, state, action, content, path, variant in rows:
        known = state in {"plain", "woven"}
        found[output] = SidePackage(
            name=PackageName(path, variant) if path is not None else PackageName(f"(unnamed {action})"),
            state=PackageState.KNOWN if known else PackageState.UNKNOWN,
            action=action,
            content=content,
            injections=tuple(injections[output]) if known else (),
            imports=tuple(imports[output]) if known else (),
        )
    return found


def _injections(connection: sqlite3.Connection, wanted: str) -> dict[int, list[SideInjection]]:
    found: dict[int, list[SideInjection]] = defaultdict(list)
    rows = connection.execute(
        """SELECT f.output, coalesce(f.original, f.path), f.original_certain, i.kind, i.declaration, i.text, i.code,
                  i.line, i.last_line, i.original_line, i.ordinal, i.shape, i.by_marks, i.integration,
                  i.aspect, i.certainty, i.candidates, i.also, i.unexplained
           FROM modified_file AS f JOIN v_injection AS i ON i.file = f.id
           WHERE f.output IN (SELECT value FROM json_each(?))
           ORDER BY f.output, f.original, f.path, i.ordinal""",
        (wanted,),
    ).fetchall()
    for row in rows:
        found[row[0]].append(
            SideInjection(row[1], _injection(row[3:13]), _attribution(row[13:]), certain=bool(row[2]))
        )
    return found


def _injection(row: tuple[Any, ...]) -> Injection:
    values = [InjectionKind(row[0]), *row[1:9], bool(row[9])]
    return Injection(*values)


@lru_cache(maxsize=1024)
def _attribution(row: tuple[Any, ...]) -> Attribution:
    integration, aspect, certainty, candidates, also, unexplained = row
    return Attribution(
        integration,
        aspect,
        Certainty(certainty),
        tuple(json.loads(candidates)),
        tuple(json.loads(also)),
        bool(unexplained),
    )


def _imports(connection: sqlite3.Connection, wanted: str) -> dict[int, list[tuple[ImportKind, str]]]:
    found: dict[int, list[tuple[ImportKind, str]]] = defaultdict(list)
    rows = connection.execute(
        """SELECT i.output, i.kind, n.path FROM output_import AS i
           JOIN name_set_package AS s ON s.name_set = i.added JOIN package AS n ON n.id = s.package
           WHERE i.output IN (SELECT value FROM json_each(?)) ORDER BY 1, 2, 3""",
        (wanted,),
    ).fetchall()
    for output, kind, path in rows:
        found[output].append((ImportKind(kind), path))
    return found


def _side(
    connection: sqlite3.Connection, run: int, packages: dict[int, SidePackage], *, other: int | None = None
) -> Side:
    status, kind, argv, graph_known = connection.execute(
        "SELECT status, kind, argv, graph_known FROM run WHERE id = ?", (run,)
    ).fetchone()
    without = [
        SidePackage(PackageName(path, variant), _STATES[state])
        for path, variant, state in connection.execute(
            """SELECT p.path, p.variant, s.state FROM run_package_state AS s JOIN package AS p ON p.id = s.package
               WHERE s.run = ?""",
            (run,),
        ).fetchall()
    ]
    return Side(
        run=RunId(run),
        status=RunStatus(status),
        kind=kind,
        arguments=plain_arguments(json.loads(argv)),
        packages=(*packages.values(), *without),
        programs=_programs(connection, run, packages, other),
        graph_known=bool(graph_known),
        members=member_paths(connection, run),
    )


def member_paths(connection: sqlite3.Connection, run: int) -> frozenset[str]:
    """The import paths of all packages that a run is made of."""
    rows = connection.execute(
        """SELECT p.path FROM output AS o JOIN package AS p ON p.id = o.package
           WHERE o.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(_members(connection, run))),),
    ).fetchall()
    return frozenset(path for (path,) in rows)


def _programs(
    connection: sqlite3.Connection, run: int, packages: dict[int, SidePackage], other: int | None
) -> tuple[SideProgram, ...]:
    rows = connection.execute(
        """SELECT p.path, p.variant, k.members, l.linked, k.complete,
                  (SELECT json_array(k.added, o.added, o.members) FROM run_link AS ol JOIN link AS o ON o.id = ol.link
                   WHERE ol.run = ? AND o.package = k.package AND o.complete AND NOT ol.failed)
           FROM run_link AS l JOIN link AS k ON k.id = l.link JOIN package AS p ON p.id = k.package
           WHERE l.run = ?""",
        (other, run),
    ).fetchall()
    return tuple(
        SideProgram(
            name=PackageName(path, variant),
            members=frozenset(packages[one].name for one in read_set(connection, members) if one in packages),
            linked=bool(linked),
            complete=bool(complete),
            injected_only=_injected_only(connection, *json.loads(pair)) if pair and complete else (),
        )
        for path, variant, members, linked, complete, pair in rows
    )


def _injected_only(
    connection: sqlite3.Connection, added: int | None, theirs: int | None, members: int
) -> tuple[str, ...]:
    """What injected code alone links into a program, and the other run's program does not have at all."""
    if added is None or added == theirs:
        return ()
    rows = connection.execute(
        """SELECT p.path FROM name_set_package AS s JOIN package AS p ON p.id = s.package WHERE s.name_set = ?
           EXCEPT SELECT p.path FROM output AS o JOIN package AS p ON p.id = o.package
           WHERE o.id IN (SELECT value FROM json_each(?)) ORDER BY 1""",
        (added, json.dumps(sorted(read_set(connection, members)))),
    ).fetchall()
    return tuple(path for (path,) in rows)
