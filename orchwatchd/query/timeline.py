"""Owns which output of one package each run has, run after run, from the few rows of sets that name the package."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Held:
    """The output of the package that runs with one set of members have. `woven` is False for a plain one, `meaning`
    the hash of its instrumentation.
    """

    output: int
    woven: bool
    meaning: bytes | None


class Timeline:
    """All indexed runs in their order, each with what it has of one package."""

    def __init__(self, connection: sqlite3.Connection, package: int) -> None:
        self._outputs = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                "SELECT id, state, meaning FROM output WHERE package = ?", (package,)
            ).fetchall()
        }
        self._rows: dict[int, dict[int, bool]] = {}
        # Sets of links and companions, two in three, belong to no run by themselves.
        for member_set, output, present in connection.execute(
            """SELECT m.member_set, m.output, m.present FROM output AS o JOIN member AS m ON m.output = o.id
               WHERE o.package = ? AND (m.member_set IN (SELECT members FROM run) OR m.member_set IN
               (SELECT s.base FROM run AS r JOIN member_set AS s ON s.id = r.members))""",
            (package,),
        ).fetchall():
            self._rows.setdefault(member_set, {})[output] = bool(present)
        # Both are answered by an index alone: the rows of thousands of runs are long.
        self._runs = sorted(
            connection.execute("SELECT id, members FROM run WHERE members IS NOT NULL").fetchall()
        )
        self._bases = dict(
            connection.execute(
                "SELECT id, base FROM member_set WHERE base IS NOT NULL AND id IN (SELECT members FROM run)"
            ).fetchall()
        )
        self._single = {
            output: Held(output, state == "woven", meaning) if state in {"plain", "woven"} else True
            for output, (state, meaning) in self._outputs.items()
        }

    def __iter__(self) -> Iterator[tuple[int, Held | None]]:
        """Runs with what they hold; None where a run lacks the package. Runs that cannot tell are left out."""
        return iter(self._steps)

    @cached_property
    def _steps(self) -> list[tuple[int, Held | None]]:
        known: dict[int, Held | bool] = {}
        found: list[tuple[int, Held | None]] = []
        for run, members in self._runs:
            held = known.get(members)
            if held is None:
                # A set without rows of its own on the package has what its base has.
                decisive = members if members in self._rows else self._bases.get(members, members)
                held = known.get(decisive)
                held = self._held(decisive) if held is None else held
                known[members] = known[decisive] = held
            if held is not True:
                found.append((run, held or None))
        return found

    def untold(self) -> tuple[int, ...]:
        """Runs that have the package and cannot tell what it is: nobody saw it compiled."""
        told = {run for run, _ in self}
        return tuple(run for run, _ in self._runs if run not in told)

    def changing(self) -> set[int]:
        """The woven outputs with which the instrumentation differs from what the package was before."""
        found: set[int] = set()
        last: Held | None = None
        for _, held in self._steps:
            if held is None or held is last:
                continue
            if held.woven and (last is None or held.meaning != last.meaning):
                found.add(held.output)
            last = held
        return found

    def _held(self, members: int) -> Held | bool:
        """What a set of members has of the package: False for nothing, True where it cannot be told."""
        rows = self._rows.get(members, {})
        base = self._rows.get(self._bases.get(members, 0))
        present = [output for output, there in ({**base, **rows} if base else rows).items() if there]
        if not present:
            return False
        first, *others = present
        if not others:
            return self._single[first]
        found = [self._outputs[output] for output in present]
        # Variants that nothing tells apart: together they prove something only where they are equal.
        if len({meaning for _, meaning in found}) > 1 or any(s not in {"plain", "woven"} for s, _ in found):
            return True
        return self._single[min(present)]
