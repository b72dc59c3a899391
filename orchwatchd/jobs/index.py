"""Turns what a work tree told into a run's record: outputs by action id, modified files with originals and
injections, members, programs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchwatchd import weave
from orchwatchd.jobs.originals import Original, Snapshot, Versions, find_original
from orchwatchd.models.injection import Attribution, Injection, InjectionKind
from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName
from orchwatchd.models.record import (
    AttributedInjection,
    FileRecord,
    OutputRecord,
    ProgramRecord,
    RunRecord,
)
from orchwatchd.models.tree import ImportKind, Program, Stage, TreeReading, WovenFile

_QUOTED = re.compile(r"""["`]([^"`]+)["`]""")

Attribute = Callable[[PackageName | None, FileRecord, Sequence[Injection]], Sequence[Attribution]]
"""Who made the injections of a file (whose record is still without them), one answer for each."""


def _no_versions(_path: str) -> Sequence[bytes]:
    return ()


def _unattributed(
    _package: PackageName | None, _file: FileRecord, injections: Sequence[Injection]
) -> Sequence[Attribution]:
    return [Attribution()] * len(injections)


def index_reading(
    reading: TreeReading,
    *,
    original_versions: Versions = _no_versions,
    snapshot: Snapshot | None = None,
    attribute: Attribute | None = None,
    names: Mapping[str, PackageName] | None = None,
) -> RunRecord:
    """The record of the run whose tree `reading` is.

    `original_versions(path)` yields stored texts of a source, newest first; `snapshot` is what the project's
    sources were before the build, by absolute path (None: an adopted tree); `attribute` says who made
    injections (None: nobody is named); `names` are packages by action id that another source knows (the DEBUG
    log, an earlier run), used where the tree names none or no variant.
    """
    naming = _Naming(names or {})
    stages = tuple(
        replace(stage, package=naming.of(stage.package, _action(stage))) for stage in reading.stages
    )
    outputs = _outputs(
        reading, stages, _Files(reading, original_versions, snapshot, attribute or _unattributed)
    )
    weave.release()
    return RunRecord(
        stages=stages,
        outputs=outputs,
        members=_members(reading, stages, naming),
        programs=tuple(_program(program, naming) for program in reading.programs),
        failed=_unique([package.package for package in reading.packages if package.failed]),
        unreached=_unreached(reading),
        graph_known=reading.has_graph,
        dependencies=tuple(sorted((one.package, one.dependencies) for one in reading.packages)),
        problems=reading.problems,
    )


@dataclass(frozen=True, slots=True)
class _Naming:
    """Fills in what the tree could not name."""

    known: Mapping[str, PackageName]

    def of(self, package: PackageName | None, action: str | None) -> PackageName | None:
        """`package`, or what is known of `action` where that says more."""
        other = self.known.get(action) if action else None
        if other is None or (package is not None and package.variant != UNKNOWN_VARIANT):
            return package
        return other if package is None or other.path == package.path else package

    def member(self, package: PackageName, build_id: BuildId) -> PackageName:
        """The name of a member."""
        return self.of(package, build_id.action) or package


@dataclass(frozen=True, slots=True)
class _Files:
    """Makes the records of modified files."""

    reading: TreeReading
    versions: Versions
    snapshot: Snapshot | None
    attribute: Attribute

    def of(self, stage: Stage) -> tuple[tuple[FileRecord, ...], set[str]]:
        """The modified files of a stage, and the imports that were added to them."""
        records, imports = [], set()
        for file in self.reading.woven:
            if file.stage == stage.path:
                original = find_original(file, self.versions, self.snapshot)
                injections = weave.find_injections(original.data, file.data, synthetic=file.synthetic)
                records.append(self._record(stage, file, original, injections))
                imports.update(_added_imports(file, original, injections))
        return tuple(records), imports

    def _record(
        self, stage: Stage, file: WovenFile, original: Original, injections: tuple[Injection, ...]
    ) -> FileRecord:
        bare = FileRecord(
            path=file.path,
            stage=file.stage,
            nested=stage.nested,
            synthetic=file.synthetic,
            original=file.original,
            original_data=original.data,
            original_certain=original.certain,
            data=file.data,
            injections=(),
            generated=file.generated,
        )
        makers = self.attribute(stage.package, bare, injections)
        pairs = zip(injections, makers, strict=True)
        return replace(bare, injections=tuple(AttributedInjection(*pair) for pair in pairs))


def _added_imports(file: WovenFile, original: Original, injections: Sequence[Injection]) -> set[str]:
    """The packages that only the woven file imports. Without an original only imports under a mark are
    known to be injected.
    """
    marked = {
        found[1]
        for injection in injections
        if injection.kind is InjectionKind.IMPORT and (found := _QUOTED.search(injection.text))
    }
    if original.data is not None and any(path.encode() in original.data for path in marked):
        # The user may import the same package under another name: it is then no added one.
        return set(weave.added_imports(original.data, file.data))
    return marked


def _action(stage: Stage) -> str | None:
    return stage.build_id.action if stage.build_id else None


def _outputs(reading: TreeReading, stages: Sequence[Stage], files: _Files) -> tuple[OutputRecord, ...]:
    """One record for each action id that any stage of any tree has; woven or not is judged over all of them
    (rule 2).
    """
    # A failed compile leaves no archive, but the action graph has its action id (fact 11).
    actions = {package.stage: package.action for package in reading.packages if package.stage}
    same: dict[str, list[Stage]] = defaultdict(list)
    for stage in stages:
        action = _action(stage) or (
            actions.get(stage.path) if stage.attempt and stage.woven and not stage.nested else None
        )
        if action:
            same[action].append(stage)
    imports: dict[str, set[tuple[ImportKind, str]]] = defaultdict(set)
    for change in reading.imports:
        if change.kind is not ImportKind.IMPORTCFG_LINK:
            imports[change.stage].update((change.kind, added) for added in change.added)
    return tuple(_output(action, group, imports, files) for action, group in sorted(same.items()))


def _output(
    action: str, group: list[Stage], imports: Mapping[str, set[tuple[ImportKind, str]]], files: _Files
) -> OutputRecord:
    finished = [stage for stage in group if stage.build_id and stage.build_id.content]
    woven = sorted((stage for stage in group if stage.woven), key=lambda stage: stage.attempt)
    records, sources = files.of(woven[0]) if woven else ((), set())
    added = {entry for stage in group for entry in imports.get(stage.path, ())}
    added.update((ImportKind.SOURCE, path) for path in sources)
    return OutputRecord(
        action=action,
        content=finished[0].build_id.content if finished and finished[0].build_id else None,
        package=_best_name(group),
        woven=bool(woven),
        finished=bool(finished),
        files=records,
        imports=tuple(sorted(added)),
    )


def _best_name(group: Sequence[Stage]) -> PackageName | None:
    named = [stage.package for stage in group if stage.package is not None]
    certain = [package for package in named if package.variant != UNKNOWN_VARIANT]
    # Import configurations leave variants out, so a name with one says more.
    return max(certain or named, key=lambda package: package.variant != "", default=None)


def _members(
    reading: TreeReading, stages: Sequence[Stage], naming: _Naming
) -> tuple[tuple[PackageName, BuildId], ...]:
    """The packages that the run is made of: the action graph's and all programs' (rule 4)."""
    found: set[tuple[PackageName, BuildId]] = set()
    for package in reading.packages:
        if package.build_id is not None:
            found.add((naming.member(package.package, package.build_id), package.build_id))
    if not reading.go_ended:
        # The graph of a killed build has no ids, and an adopted tree may have none at all: what its root
        # compiled is known.
        found.update(
            (stage.package, stage.build_id)
            for stage in stages
            if not stage.nested and stage.package and stage.build_id and stage.build_id.content
        )
    for program in reading.programs:
        found.update(
            (naming.member(member.package, member.build_id), member.build_id) for member in program.members
        )
    return tuple(sorted(found, key=lambda entry: (entry[0], str(entry[1]))))


def _program(program: Program, naming: _Naming) -> ProgramRecord:
    members = tuple(
        (naming.member(member.package, member.build_id), member.build_id) for member in program.members
    )
    before = program.original_members
    paths = {member.package.path for member in program.members} | {
        package.path for package in program.unresolved
    }
    return ProgramRecord(
        package=program.package,
        action=program.action,
        members=members,
        added=tuple(sorted(paths.difference(before))) if before is not None else (),
        linked=program.linked,
        complete=program.linked and bool(members) and not program.unresolved,
        failed=program.failed,
        unresolved=program.unresolved,
    )


def _unreached(reading: TreeReading) -> tuple[PackageName, ...]:
    if not reading.go_ended:
        return ()  # of a killed build nobody knows which packages the cache would have served
    return _unique(
        [
            package.package
            for package in reading.packages
            if package.build_id is None and package.needed and not package.failed
        ]
    )


def _unique(packages: Sequence[PackageName]) -> tuple[PackageName, ...]:
    return tuple(sorted(set(packages)))
