"""Adopts a work tree that someone else's build left: records what it tells, and admits what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build import build_folder, lookup_in
from orchwatchd.build.messages import parse
from orchwatchd.jobs.adoptee import Adoptee
from orchwatchd.jobs.finding import Finding, check_finding, find_tree, may_be_of, read_graph_of, read_lines
from orchwatchd.jobs.places import find_places, module_paths, named_root, same_folder
from orchwatchd.jobs.testimony import ended_at, go_version_of, started_at, status_of
from orchwatchd.models.event import Line, Progress
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.package import BuildId
from orchwatchd.models.run import CompilerMessage, Documents, RunEnd, RunId, RunStart, RunStatus
from orchwatchd.orchlog.index import index_lines
from orchwatchd.orchlog.lines import parse_line
from orchwatchd.tree import read_tree
from orchwatchd.tree.actiongraph import ActionGraph

if TYPE_CHECKING:
    from orchwatchd.jobs.places import Places
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder

KIND = "index"


@dataclass(frozen=True, slots=True)
class Adopted:
    """The run that was made of it. `joined` counts packages known only by path and content id, `elsewhere` names the
    folders that it was built in where these are others than this project's.
    """

    run: RunId
    status: RunStatus
    reason: str | None
    joined: int
    elsewhere: tuple[str, ...]
    problems: tuple[str, ...]


def adopt(recorder: Recorder, found: Finding, hooks: Hooks) -> Adopted:
    """Records the tree as a run of kind `index`. The tree is read, never changed, and is nobody's to remove.

    Raises NotFoundError for what is not there, UsageError for what is no work tree of this project, or a graph of
    another build.
    """
    tree = find_tree(found.tree, ours=recorder.paths.work)
    graph = read_graph_of(found.graph) if found.graph else None
    lines = read_lines(found.log) if found.log else []
    hooks.tell(Progress("indexing", 0, 0))
    reading = read_tree(tree, found.graph)
    modules = module_paths(recorder.project)
    root = named_root(tree)
    check_finding(tree, reading, graph, root, modules)
    places = find_places(reading, modules)
    own = [line for line in lines if may_be_of(line, root or (graph.root if graph else None))]
    adoptee = Adoptee(recorder, tree, reading, places, moved=root is None or not same_folder(root, tree))
    record, joined = adoptee.record(own)
    problems = (*record.problems, *_marks(places, joined, lines, own))
    status, reason = status_of(reading, graph)
    now = datetime.now(UTC)
    run = recorder.store.adopt(
        _start(tree, graph, own, now, adoptee.documents()),
        RunEnd(
            status=status,
            reason=reason,
            ended_at=ended_at(graph) or now,
            exit_code=None,
            messages=_messages(recorder, tree, found.output) if status is not RunStatus.OK else (),
            stderr=found.output.encode("utf-8", "surrogateescape"),
            timed=False,
        ),
        replace(record, problems=problems),
        _index_log(recorder, own) if found.log else None,
    )
    for problem in problems:
        hooks.tell(Line("warning", problem))
    return Adopted(run, status, reason, len(joined), places.elsewhere, problems)


def _marks(
    places: Places, joined: Mapping[str, BuildId], lines: Sequence[bytes], own: Sequence[bytes]
) -> list[str]:
    """What a reader of the run must know of how it came about, one sentence each."""
    told = []
    if places.elsewhere:
        told.append(
            f"It was built in another folder ({', '.join(places.elsewhere)}):"
            " there action ids are others, and today's sources may be, too."
        )
    if joined:
        told.append(
            f"{len(joined)} packages are known by path and content id alone: another action compiled the same there."
        )
    if len(own) != len(lines):
        told.append(
            f"{len(lines) - len(own)} lines of the log are of other builds;"
            " lines that name no work tree may be of these, too."
        )
    return told


def _start(
    tree: Path,
    graph: ActionGraph | None,
    lines: Sequence[bytes],
    now: datetime,
    documents: Documents,
) -> RunStart:
    """What is known of the build's start. `work_parent` is the tree: nothing of ours is there, and nothing goes."""
    versions = {version for line in lines if (version := parse_line(line).orchestrion)}
    return RunStart(
        kind=KIND,
        trigger=("adopted",),
        started_at=started_at(graph) or now,
        argv=(),
        work_parent=str(tree),
        go_version=go_version_of(tree),
        orchestrion_version=versions.pop() if len(versions) == 1 else None,
        cache="unknown",
        documents=documents,
    )


def _messages(recorder: Recorder, tree: Path, output: str) -> tuple[CompilerMessage, ...]:
    return parse(
        output,
        folder=build_folder(recorder.project),
        root=recorder.project.root,
        lookup=lookup_in(tree),
    )


def _index_log(recorder: Recorder, lines: Sequence[bytes]) -> IndexedLog:
    limits = recorder.config.logs
    return index_lines(lines, max_lines=limits.max_lines, level=limits.level)
