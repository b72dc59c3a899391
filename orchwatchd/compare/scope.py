"""Of which packages may be said that they came or went: only of those that both runs had to have
(`proof.md` rule 5).
"""

from __future__ import annotations

from orchwatchd.models.comparison import PackageState, Side, SideProgram
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import RunStatus

_CUT = frozenset({RunStatus.RUNNING, RunStatus.UNKNOWN, RunStatus.CANCELLED, RunStatus.INTERRUPTED})


class Scope:
    """The programs that both runs linked with all their members known; failing these, runs that asked for
    the same.
    """

    def __init__(self, a: Side, b: Side) -> None:
        left, right = _linked(a), _linked(b)
        self._programs = [(left[name], right[name]) for name in left.keys() & right.keys()]
        self._whole = (
            a.status is b.status is RunStatus.OK
            and (a.kind, a.arguments) == (b.kind, b.arguments)
            and a.graph_known
            and b.graph_known
            and bool(a.programs) == bool(b.programs)  # a link that was skipped may have left no trace
            and all(program.linked and program.complete for program in (*a.programs, *b.programs))
        )

    def left(self, package: PackageName) -> bool:
        """Whether a package that only `a` has is gone from `b`."""
        return self._whole or any(
            package in a.members and package not in b.members for a, b in self._programs
        )

    def came(self, package: PackageName) -> bool:
        """Whether a package that only `b` has is new there."""
        return self._whole or any(
            package in b.members and package not in a.members for a, b in self._programs
        )


def _linked(side: Side) -> dict[PackageName, SideProgram]:
    return {program.name: program for program in side.programs if program.linked and program.complete}


def incompleteness(side: Side) -> tuple[str, ...]:
    """What this side could not tell, one sentence each with its number."""
    run = f"#{side.run}"
    told: list[str] = []
    if side.status in _CUT:
        told.append(f"{run} has status {side.status}: it may lack what it did not come to")
    if not side.graph_known:
        told.append(f"{run} has no complete action graph: packages that it had may be missing here")
    states = [package.state for package in side.packages]
    for state, says in (
        (PackageState.UNKNOWN, "unknown: no run that was recorded compiled them"),
        (PackageState.FAILED, "without output: they failed to compile"),
        (PackageState.UNREACHED, "without output: the build did not reach them"),
    ):
        if count := states.count(state):
            told.append(
                f"{count} package{'s' * (count != 1)} of {run} {'are' if count != 1 else 'is'} {says}"
            )
    unlinked = sum(1 for program in side.programs if not program.linked)
    if unlinked:
        told.append(
            f"{unlinked} program{'s' * (unlinked != 1)} of {run} {'were' if unlinked != 1 else 'was'} not linked"
        )
    if side.status is RunStatus.FAILED and not told:
        told.append(f"{run} failed, and does not tell what it did not come to")
    open_programs = sum(1 for program in side.programs if program.linked and not program.complete)
    if open_programs:
        told.append(
            f"{run} has {open_programs} program{'s' * (open_programs != 1)} whose packages are not all known"
        )
    return tuple(told)
