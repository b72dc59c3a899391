"""Owns what tells why a run compiled something: the packages that two runs have, stages, waiting, child builds."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict

from orchwatchd.db.dependencies import read_dependencies
from orchwatchd.db.sets import Outputs, read_set
from orchwatchd.models.why import ChildBuild, Pair, Waited
from orchwatchd.query import runs

_WAITED = 1.0  # seconds of wall time beyond the CPU time that are worth a line
_BUSY = 0.2  # of the wall time: a stage that computed more was slowed down by others, or by the machine
_MOST = 8


def run_before(connection: sqlite3.Connection, run: int, package: str | None = None) -> int | None:
    """The run to hold a run against: the last one before it of its kind that knows its packages (and has `package`),
    else the last of any kind; None where there is none.
    """
    rows = connection.execute(
        """SELECT b.id, b.members FROM run AS r JOIN run AS b ON b.id < r.id AND b.members IS NOT NULL
           WHERE r.id = ? ORDER BY b.kind = r.kind DESC, b.id DESC""",
        (run,),
    ).fetchall()
    if package is None:
        return next((before for before, members in rows if read_set(connection, members)), None)
    path, _, variant = package.partition(" [")
    outputs = {
        row[0]
        for row in connection.execute(
            "SELECT o.id FROM output AS o JOIN package AS p ON p.id = o.package WHERE p.path = ? AND p.variant = ?",
            (path, variant.removesuffix("]")),
        )
    }
    return next((before for before, members in rows if outputs & read_set(connection, members)), None)


def pairs(connection: sqlite3.Connection, a: int, b: int) -> tuple[Pair, ...]:
    """The packages that two runs have, by name. One that stands twice in a run (variants that nothing could name) is
    left out.
    """
    left, right = _outputs(connection, a), _outputs(connection, b)
    names = left.keys() & right.keys()
    texts = _texts(connection, [found[name][0] for found in (left, right) for name in names])
    found = []
    for name in sorted(names):
        before, after = left[name], right[name]
        ends = (before[3], after[3])
        comparable = all(state in {"plain", "woven"} for state in ends) and "woven" in ends
        same = before[0] == after[0] or texts.get(before[0]) == texts.get(after[0])
        found.append(Pair(name, (before[1], after[1]), (before[2], after[2]), same if comparable else None))
    return tuple(found)


def dependencies(connection: sqlite3.Connection, run: int) -> dict[str, tuple[str, ...]] | None:
    """Who imports whom in a run's action graph, by its sources before weaving; None where it was not kept."""
    text = runs.document(connection, run, "dependencies")
    return None if text is None else dict(read_dependencies(text))


def was_compiled(connection: sqlite3.Connection, run: int, package: str) -> bool | None:
    """Whether a run's trees show that it compiled a package; None where a stage of it does not tell."""
    statuses = {
        row[0]
        for row in connection.execute(
            "SELECT status FROM v_stage WHERE run = ? AND package = ? AND kinds LIKE '%compile%'",
            (run, package),
        )
    }
    return True if statuses & {"compiled", "failed"} else None if None in statuses else False


def waited(connection: sqlite3.Connection, run: int) -> tuple[Waited, ...]:
    """The stages of a run's root tree that took longer than they computed, the longest wait first."""
    rows = connection.execute(
        """SELECT coalesce(package, path), wall, cpu FROM v_stage
           WHERE run = ? AND wall - cpu >= ? AND cpu <= wall * ? ORDER BY wall - cpu DESC LIMIT ?""",
        (run, _WAITED, _BUSY, _MOST),
    ).fetchall()
    imports: dict[str, set[str]] = defaultdict(set)
    for package, path in connection.execute(
        """SELECT package, "import" FROM v_import WHERE run = ? AND kind IN ('source', 'importcfg')
           AND package IN (SELECT value FROM json_each(?))""",
        (run, json.dumps([row[0] for row in rows])),
    ):
        imports[package].add(path)
    return tuple(Waited(name, wall, cpu, tuple(sorted(imports[name]))) for name, wall, cpu in rows)


def cpu_seconds(connection: sqlite3.Connection, run: int) -> float | None:
    """What the commands of a run's root build computed, in seconds; None where no action graph tells."""
    row = connection.execute("SELECT sum(cpu) FROM stage WHERE run = ?", (run,)).fetchone()
    return None if row[0] is None else float(row[0])


def child_builds(connection: sqlite3.Connection, run: int) -> tuple[ChildBuild, ...]:
    """The nested work trees of a run with what was compiled in each."""
    trees: dict[str, list[str | None]] = defaultdict(list)
    for path, status in connection.execute(
        "SELECT path, status FROM stage WHERE run = ? AND nested AND kinds LIKE '%compile%'", (run,)
    ):
        trees[path.rpartition("/")[0]].append(status)
    return tuple(
        ChildBuild(path, len(found), sum(status == "compiled" for status in found))
        for path, found in sorted(trees.items())
    )


def _outputs(connection: sqlite3.Connection, run: int) -> dict[str, tuple[int, str | None, str | None, str]]:
    members = connection.execute("SELECT members FROM run WHERE id = ?", (run,)).fetchone()
    wanted: Outputs = read_set(connection, members[0]) if members and members[0] is not None else frozenset()
    rows = connection.execute(
        """SELECT package, output, action, content, state FROM v_output
           WHERE package IS NOT NULL AND output IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(wanted)),),
    ).fetchall()
    found: dict[str, tuple[int, str | None, str | None, str]] = {}
    twice = set()
    for package, *rest in rows:
        if package in found:
            twice.add(package)
        found[package] = (rest[0], rest[1], rest[2], rest[3])
    return {package: row for package, row in found.items() if package not in twice}


def _texts(connection: sqlite3.Connection, outputs: list[int]) -> dict[int, frozenset[tuple[str, int]]]:
    """The woven texts of outputs, each as (file's name, its blob): equal blobs are equal texts."""
    texts: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for output, path, blob in connection.execute(
        "SELECT output, path, blob FROM modified_file WHERE output IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(set(outputs))),),
    ):
        texts[output].add((path.rpartition("/")[2], blob))
    return {output: frozenset(found) for output, found in texts.items()}
