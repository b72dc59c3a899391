"""Owns how sets of outputs are written, and how their counters stay true when an output becomes known later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchwatchd.db.connection import Connection
from orchwatchd.db.sets import Outputs, apply_rows, plan_set, read_set, set_hash

_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """What one output adds to the counters of every set that it is in."""

    unknown: int
    instrumented: int
    files: int
    injections: int


def tally(state: str, files: int, injections: int) -> Tally:
    """The counters of an output in a state. An attempt proves nothing: as a member, such an output is unknown."""
    if state == "woven":
        return Tally(0, 1, files, injections)
    return Tally(int(state != "plain"), 0, 0, 0)


class MemberSets:
    """Writes sets of outputs for one run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[int, Outputs] = {}

    def outputs(self, member_set: int) -> Outputs:
        """The outputs of a stored set."""
        known = self._read.get(member_set)
        if known is None:
            known = self._read[member_set] = read_set(self._connection.raw, member_set)
        return known

    def put(self, outputs: Outputs, bases: Iterable[int]) -> int:
        """The id of the set with exactly these outputs. `bases` are whole sets that it may be like, best first."""
        digest = set_hash(outputs)
        row = self._connection.one("SELECT id FROM member_set WHERE hash = ?", (digest,))
        if row:
            return int(row[0])
        plan = plan_set(
            outputs, {base: self.outputs(base) for base in list(dict.fromkeys(bases))[:_CANDIDATES]}
        )
        counts = self._connection.must(
            """SELECT count(*), coalesce(sum(state NOT IN ('plain', 'woven')), 0), coalesce(sum(state = 'woven'), 0),
                      coalesce(sum(modified_files) FILTER (WHERE state = 'woven'), 0),
                      coalesce(sum(injections) FILTER (WHERE state = 'woven'), 0)
               FROM output WHERE id IN (SELECT value FROM json_each(?))""",
            (json.dumps(sorted(outputs)),),
        )
        identity = self._connection.insert(
            "INSERT INTO member_set (hash, base, packages, unknown_packages, instrumented_packages, modified_files,"
            " injections) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (digest, plan.base, *counts),
        )
        self._connection.many(
            "INSERT INTO member (member_set, output, present) VALUES (?, ?, ?)",
            ((identity, output, present) for output, present in plan.rows),
        )
        self._read[identity] = apply_rows(self.outputs(plan.base) if plan.base else frozenset(), plan.rows)
        return identity

    def recent_bases(self, run: int) -> list[int]:
        """Whole sets that the latest runs before `run` are kept against, newest first."""
        rows = self._connection.all(
            """SELECT coalesce(s.base, s.id) FROM run AS r JOIN member_set AS s ON s.id = r.members
               WHERE r.id < ? ORDER BY r.id DESC LIMIT 12""",
            (run,),
        )
        return list(dict.fromkeys(int(row[0]) for row in rows))

    def link_bases(self, package: int) -> list[int]:
        """Whole sets that the latest links of a program are kept against, newest first."""
        rows = self._connection.all(
            """SELECT coalesce(s.base, s.id) FROM link AS k JOIN member_set AS s ON s.id = k.members
               WHERE k.package = ? ORDER BY k.id DESC LIMIT 6""",
            (package,),
        )
        return list(dict.fromkeys(int(row[0]) for row in rows))

    def whole(self, member_set: int) -> int:
        """The whole set that a set is kept against: itself, or its base."""
        row = self._connection.must("SELECT coalesce(base, id) FROM member_set WHERE id = ?", (member_set,))
        return int(row[0])


def correct_counters(connection: Connection, changes: Mapping[int, tuple[Tally, Tally]]) -> None:
    """Brings the counters of all sets up to date: `changes` are outputs with what they counted before and count now."""
    rows = [
        (
            output,
            new.unknown - old.unknown,
            new.instrumented - old.instrumented,
            new.files - old.files,
            new.injections - old.injections,
        )
        for output, (old, new) in changes.items()
        if old != new
    ]
    if not rows:
        return
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS change"
        " (output INTEGER PRIMARY KEY, u INTEGER, p INTEGER, f INTEGER, i INTEGER)"
    )
    connection.execute("DELETE FROM temp.change")
    connection.many("INSERT INTO temp.change VALUES (?, ?, ?, ?, ?)", rows)
    # The planner would read every set for an UPDATE … FROM; the sets that are hit are few.
    totals = connection.all(
        """
        WITH hit (member_set, output) AS (
            SELECT m.member_set, m.output FROM temp.change AS c
            JOIN member AS m ON m.output = c.output AND m.present = 1
            UNION ALL
            SELECT s.id, m.output FROM temp.change AS c
            JOIN member AS m ON m.output = c.output AND m.present = 1
            JOIN member_set AS s ON s.base = m.member_set
            WHERE NOT EXISTS (SELECT 1 FROM member AS d WHERE d.member_set = s.id AND d.output = m.output)
        )
        SELECT sum(c.u), sum(c.p), sum(c.f), sum(c.i), h.member_set
        FROM hit AS h JOIN temp.change AS c ON c.output = h.output GROUP BY h.member_set
        """
    )
    connection.many(
        """UPDATE member_set SET unknown_packages = unknown_packages + ?,
           instrumented_packages = instrumented_packages + ?, modified_files = modified_files + ?,
           injections = injections + ? WHERE id = ?""",
        totals,
    )
    connection.execute("DELETE FROM temp.change")
