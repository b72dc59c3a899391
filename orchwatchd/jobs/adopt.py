"""Adopts a work tree that someone else's build left: records what it tells, and admits what it does not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build import build_folder, lookup_in
from orchwatchd.build.messages import parse
from orchwatchd.compare.attribution import ATTRIBUTION_VERSION
from orchwatchd.errors import UnfitError
from orchwatchd.jobs.finding import Finding, check_finding, find_tree, may_be_of, read_graph_of, read_lines
from orchwatchd.jobs.index import Attribute, index_reading
from orchwatchd.jobs.indexing import attributor
from orchwatchd.jobs.places import find_places, module_paths, named_root, same_folder
from orchwatchd.jobs.variants import logged_names
from orchwatchd.models.event import Line, Progress
from orchwatchd.models.injection import Certainty
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.package import BuildId
from orchwatchd.models.record import OutputRecord, RunRecord
from orchwatchd.models.run import CompilerMessage, Documents, RunEnd, RunId, RunStart, RunStatus
from orchwatchd.orchlog.index import index_lines
from orchwatchd.orchlog.lines import parse_line
from orchwatchd.tree import read_tree
from orchwatchd.tree.actiongraph import ActionGraph
from orchwatchd.tree.archive import read_go_version
from orchwatchd.weave import WEAVE_VERSION

if TYPE_CHECKING:
    from orchwatchd.jobs.places import Places
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.injection import Attribution, Injection
    from orchwatchd.models.package import PackageName
    from orchwatchd.models.record import FileRecord
    from orchwatchd.models.tree import TreeReading

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
    work = _Work(recorder, tree, reading, places, moved=root is None or not same_folder(root, tree))
    record, joined = work.record(own)
    problems = (*record.problems, *_marks(places, joined, lines, own))
    status, reason = status_of(reading, graph)
    now = datetime.now(UTC)
    run = recorder.store.adopt(
        _start(tree, graph, own, now, work.documents()),
        RunEnd(
            status=status,
            reason=reason,
            ended_at=_ended(graph) or now,
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


@dataclass(slots=True)
class _Work:
    """One tree on its way into a record."""

    recorder: Recorder
    tree: Path
    reading: TreeReading
    places: Places
    moved: bool
    configuration: ResolvedConfiguration | None = None
    proven: bool = False

    def record(self, lines: Sequence[bytes]) -> tuple[RunRecord, dict[str, BuildId]]:
        """The record, and the members in it that stand for others of equal content, by the others' action ids."""
        self._find_configuration()
        reading, before = self._with_originals_here()
        store = self.recorder.store
        record = index_reading(
            reading,
            original_versions=lambda path: () if path in before else store.original_versions(path),
            attribute=self._attribute(),
            names=logged_names(lines),
        )
        record = replace(
            record,
            outputs=tuple(_renamed(output, before) for output in record.outputs),
            weave_version=WEAVE_VERSION,
            attribution_version=ATTRIBUTION_VERSION,
        )
        return join_contents(record, store.recorded_twins(_members(record)))

    def documents(self) -> Documents:
        """What is known to have been in force."""
        if self.configuration is None or not self.proven:
            return Documents()
        from orchwatchd.aspects.document import to_json

        return Documents(configuration=to_json(self.configuration))

    def _with_originals_here(self) -> tuple[TreeReading, dict[str, str]]:
        """The reading with files of the project named where they lie here, which is where their text may be found;
        and the names that they had there.

        A source here may be of another version than the one that was compiled there, older or newer: without its time
        it counts as uncertain (`jobs.originals`), and so do stored versions of it. So does a source of the project
        beside a tree that was moved, as then its files' times say nothing.
        """
        before: dict[str, str] = {}
        woven = []
        mine = tuple(f"{folder}{os.sep}" for folder in self.recorder.project.modules)
        for file in self.reading.woven:
            here = self.places.originals.get(file.original or "")
            if here is not None and file.original is not None:
                before[here] = file.original
                woven.append(replace(file, original=here, mtime_ns=0))
            elif self.moved and (file.original or "").startswith(mine):
                woven.append(replace(file, mtime_ns=0))
            else:
                woven.append(file)
        return replace(self.reading, woven=tuple(woven)), before

    def _find_configuration(self) -> None:
        """Orchestrion's configuration as it is now; proven to be the one in force where the tree lies where it was
        built, from this folder, and nothing that the configuration is made of was touched since.
        """
        try:
            self.configuration = self.recorder.preparation.configuration()
        except UnfitError:
            return
        began = _began(self.tree)
        if self.moved or not self.places.here or began is None or not self.configuration.complete:
            return
        folders = {*self.recorder.project.modules, self.recorder.project.root}
        files = {folder / name for folder in folders for name in ("go.mod", "go.sum", "go.work")}
        files.update(Path(file.path) for file in self.configuration.files)
        folders.update(file.parent for file in files)
        self.proven = all(_older(path, began) for path in (*files, *folders))

    def _attribute(self) -> Attribute | None:
        """Who made injections: today's configuration names nobody for certain where it is not proven to have been in
        force.
        """
        if self.configuration is None:
            return None
        exact = attributor(self.configuration)
        if self.proven:
            return exact

        def cautious(
            package: PackageName | None, file: FileRecord, injections: Sequence[Injection]
        ) -> Sequence[Attribution]:
            return [_cautious(one) for one in exact(package, file, injections)]

        return cautious


def join_contents(record: RunRecord, twins: Mapping[str, BuildId]) -> tuple[RunRecord, dict[str, BuildId]]:
    """Puts recorded outputs of equal content in the place of members that nobody knows by their action id. Pure.

    What the tree itself shows for certain of an output stays: only unknown members, and those whose originals are not
    certain, are joined.
    """
    certain = {
        output.action
        for output in record.outputs
        if output.finished and all(file.original_certain for file in output.files)
    }
    joined = {action: twin for action, twin in twins.items() if action not in certain}

    def swap(
        members: tuple[tuple[PackageName, BuildId], ...],
    ) -> tuple[tuple[PackageName, BuildId], ...]:
        return tuple((package, joined.get(build.action, build)) for package, build in members)

    return replace(
        record,
        outputs=tuple(output for output in record.outputs if output.action not in joined),
        members=swap(record.members),
        programs=tuple(replace(program, members=swap(program.members)) for program in record.programs),
    ), joined


def _members(record: RunRecord) -> set[tuple[PackageName, BuildId]]:
    return {*record.members, *(member for program in record.programs for member in program.members)}


def _renamed(output: OutputRecord, before: Mapping[str, str]) -> OutputRecord:
    """An output whose files name their originals as they were where it was built."""
    files = tuple(
        replace(file, original=before.get(file.original or "", file.original)) for file in output.files
    )
    return replace(output, files=files)


def _cautious(one: Attribution) -> Attribution:
    certainty = Certainty.LIKELY if one.certainty is Certainty.EXACT else one.certainty
    return replace(one, certainty=certainty, unexplained=False)


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
        started_at=_started(graph) or now,
        argv=(),
        work_parent=str(tree),
        go_version=_go_version(tree),
        orchestrion_version=versions.pop() if len(versions) == 1 else None,
        cache="unknown",
        documents=documents,
    )


def _started(graph: ActionGraph | None) -> datetime | None:
    starts = [action.start for action in graph.actions if action.start is not None] if graph else []
    return datetime.fromtimestamp(min(starts), UTC) if starts else None


def _ended(graph: ActionGraph | None) -> datetime | None:
    done = [action.done for action in graph.actions if action.id == 0 and action.done] if graph else []
    return datetime.fromtimestamp(done[0], UTC) if done else None


def _go_version(tree: Path) -> str | None:
    """The Go version that archives of the root tree name, where they agree."""
    found = {version for path in tree.glob("b*/_pkg_.a") if (version := read_go_version(path))}
    return found.pop() if len(found) == 1 else None


def _began(tree: Path) -> int | None:
    """When the build wrote its first import configuration, in nanoseconds."""
    times = []
    for path in tree.glob("b*/importcfg*"):
        try:
            times.append(path.lstat().st_mtime_ns)
        except OSError:
            continue
    return min(times, default=None)


def _older(path: Path, moment: int) -> bool:
    """Whether nothing touched a file since, which may never have been there."""
    try:
        facts = path.stat()
    except OSError:
        return not os.path.lexists(path)
    return max(facts.st_mtime_ns, facts.st_ctime_ns) < moment


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
