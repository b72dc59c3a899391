"""Owns which woven packages are shown with a run as compiled for it, though they are no part of it.

A library module links no program, so that what its child builds compiled is in no member set (`proof.md`, rule 4). A
warm build compiles nothing and yet stands on the same weaving. The relation therefore hangs on the outputs: a woven
output carries, as its companions, the woven packages that child builds of its run compiled outside of that run's
members; every run that has this very output shows them. When a package is compiled anew and its child builds find
everything in the cache, its output takes over the companions of the one before it, provided that both add the same
packages to their import configuration and that the two runs share an output (hence flags, versions, configuration: all
are in every action id). Which of several woven packages of one run needed a child build is not known: each carries all.
"""

from __future__ import annotations

import json

from orchwatchd.db.connection import Connection
from orchwatchd.db.sets import Outputs as Members
from orchwatchd.models.record import OutputRecord, RunRecord
from orchwatchd.models.run import RunId
from orchwatchd.models.tree import StageKind
from orchwatchd.store.members import MemberSets


class Companions:
    """Finds and keeps the companions of one run."""

    def __init__(self, connection: Connection, sets: MemberSets, run: RunId) -> None:
        self._connection = connection
        self._sets = sets
        self._run = run

    def write(
        self, record: RunRecord, recorded: list[tuple[OutputRecord, int]], members: Members
    ) -> int | None:
        """Keeps what this run's outputs carry; gives the set of companions of the run, None for none."""
        in_root = {
            stage.build_id.action
            for stage in record.stages
            if stage.build_id and not stage.nested and not stage.attempt and StageKind.COMPILE in stage.kinds
        }
        woven = {identity: output for output, identity in recorded if output.finished and output.woven}
        outside = {identity: output for identity, output in woven.items() if identity not in members}
        nested = frozenset(identity for identity, output in outside.items() if output.action not in in_root)
        self._carry([identity for identity in woven if identity not in nested], nested, members)
        everything = (frozenset(outside) | self._carried(members)) - members
        return self._sets.put(everything, ()) if everything else None

    def _carry(self, outputs: list[int], nested: Members, members: Members) -> None:
        previous = self._previous(members)
        kept = self._kept(previous) if previous else {}
        for output in outputs:
            row = self._connection.one("SELECT recorded_run FROM output WHERE id = ?", (output,))
            if row != (self._run,):
                continue
            carried = nested | (self._inherited(output, kept) if kept else frozenset())
            if carried:
                self._connection.execute(
                    "UPDATE output SET companions = ? WHERE id = ?", (self._sets.put(carried, ()), output)
                )

    def _previous(self, members: Members) -> Members:
        """The members of the run of the same kind before this one, if the two have an output in common."""
        row = self._connection.one(
            """SELECT members FROM run WHERE id < ? AND members IS NOT NULL
               AND kind = (SELECT kind FROM run WHERE id = ?) ORDER BY id DESC LIMIT 1""",
            (self._run, self._run),
        )
        before = self._sets.outputs(row[0]) if row else frozenset()
        return before if before & members else frozenset()

    def _kept(self, previous: Members) -> dict[int, list[tuple[int, int]]]:
        """By package, the outputs of the run before that carry companions, and their set."""
        found: dict[int, list[tuple[int, int]]] = {}
        for output, package, companions in self._connection.all(
            """SELECT id, package, companions FROM output WHERE companions IS NOT NULL AND package IS NOT NULL
               AND id IN (SELECT value FROM json_each(?))""",
            (json.dumps(sorted(previous)),),
        ):
            found.setdefault(package, []).append((output, companions))
        return found

    def _inherited(self, output: int, kept: dict[int, list[tuple[int, int]]]) -> Members:
        package = self._connection.must("SELECT package FROM output WHERE id = ?", (output,))[0]
        carried: Members = frozenset()
        for before, companions in kept.get(package, ()):
            if before != output and self._added(before) == self._added(output):
                carried |= self._sets.outputs(companions)
        return carried

    def _added(self, output: int) -> int | None:
        row = self._connection.one(
            "SELECT added FROM output_import WHERE output = ? AND kind = 'importcfg'", (output,)
        )
        return row[0] if row else None

    def _carried(self, members: Members) -> Members:
        rows = self._connection.all(
            """SELECT DISTINCT companions FROM output WHERE companions IS NOT NULL AND state = 'woven'
               AND id IN (SELECT value FROM json_each(?))""",
            (json.dumps(sorted(members)),),
        )
        return frozenset().union(*(self._sets.outputs(row[0]) for row in rows))
