"""What a work tree and its action graph tell of a build that nobody watched: how it ended, when, and with which Go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.models.run import RunStatus
from orchwatchd.tree.actiongraph import ActionGraph
from orchwatchd.tree.archive import read_go_version

if TYPE_CHECKING:
    from orchwatchd.models.tree import TreeReading


def status_of(reading: TreeReading, graph: ActionGraph | None) -> tuple[RunStatus, str | None]:
    """How the build ended, as far as its action graph proves it; the reason for every status but ok."""
    if graph is None:
        return RunStatus.UNKNOWN, "without its action graph a tree does not tell how its build ended"
    if not reading.go_ended:
        return RunStatus.UNKNOWN, "nothing proves that the Go command came to its end"
    failed = sum(1 for package in reading.packages if package.failed)
    failed += sum(1 for program in reading.programs if program.failed)
    if failed:
        return RunStatus.FAILED, f"{failed} packages or programs failed"
    if graph.tests:
        return (
            RunStatus.UNKNOWN,
            "everything was compiled; an action graph does not tell whether tests passed",
        )
    if any(package.needed and package.build_id is None for package in reading.packages):
        return RunStatus.UNKNOWN, "the action graph does not show that everything was compiled"
    if not all(program.linked for program in reading.programs):
        return RunStatus.UNKNOWN, "the action graph does not show that everything was linked"
    if any("install" in action.mode for action in graph.actions):
        return (
            RunStatus.UNKNOWN,
            "everything was compiled and linked; nothing tells whether it could be installed",
        )
    return RunStatus.OK, None


def started_at(graph: ActionGraph | None) -> datetime | None:
    """When the first action began, as far as the graph tells."""
    starts = [action.start for action in graph.actions if action.start is not None] if graph else []
    return datetime.fromtimestamp(min(starts), UTC) if starts else None


def ended_at(graph: ActionGraph | None) -> datetime | None:
    """When the last action was done, as far as the graph tells."""
    done = [action.done for action in graph.actions if action.id == 0 and action.done] if graph else []
    return datetime.fromtimestamp(done[0], UTC) if done else None


def go_version_of(tree: Path) -> str | None:
    """The Go version that archives of the root tree name, where they agree."""
    found = {version for path in tree.glob("b*/_pkg_.a") if (version := read_go_version(path))}
    return found.pop() if len(found) == 1 else None


def first_written(tree: Path) -> int | None:
    """When the build wrote its first import configuration, in nanoseconds."""
    times = []
    for path in tree.glob("b*/importcfg*"):
        try:
            times.append(path.lstat().st_mtime_ns)
        except OSError:
            continue
    return min(times, default=None)
