"""A project as it is edited over months: packages of recorded runs, scaled, with build ids that follow the sources.

What a build compiles is decided as the Go command decides it: an action id is made of a package's own text, its
dependencies' outputs and the configuration, and what was compiled once is in the cache.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from benchmarks.edits import Edit, Editable, editable
from benchmarks.sample import Base
from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.record import FileRecord, OutputRecord, ProgramRecord, RunRecord
from orchwatchd.models.tree import Stage, StageKind, StageStatus

_CONFIGURATIONS = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """One package: its record of the cold run, its stage there, and the own packages that it imports."""

    name: PackageName
    output: OutputRecord
    stage: Stage
    own: bool
    imports: tuple[str, ...]
    files: tuple[Editable | None, ...]


@dataclass(slots=True)
class World:
    """The packages, the state of their sources, and what was compiled so far. `programs` are (package, members)."""

    units: dict[str, Unit]
    programs: dict[str, tuple[str, ...]]
    roots: tuple[str, ...]
    link_stages: Mapping[str, Stage]
    versions: tuple[int, int]
    dependencies: tuple[tuple[PackageName, tuple[PackageName, ...]], ...] = ()
    edits: dict[str, Edit] = field(default_factory=dict)
    configuration: int = 0
    upgrades: int = 0
    compiled: set[str] = field(default_factory=set)
    _plain: dict[tuple[int, int], dict[str, BuildId]] = field(default_factory=dict)

    def own(self) -> list[str]:
        """The packages that a person edits, mains last."""
        return [path for path, unit in self.units.items() if unit.own]

    def woven(self) -> list[str]:
        """Own packages with modified files that can be edited, mains last."""
        return [
            path
            for path in self.own()
            if any(file is not None and file.anchors for file in self.units[path].files)
        ]

    def ids(self) -> dict[str, BuildId]:
        """The build ids of all packages in the present state."""
        key = (self.configuration, self.upgrades)
        if key not in self._plain:
            self._plain[key] = {
                path: BuildId(_id("a", key, path), _id("c", path))
                for path, u in self.units.items()
                if not u.own
            }
        found = dict(self._plain[key])
        for path in self.own():
            self._identify(path, key, found)
        return found

    def _identify(self, path: str, key: tuple[int, int], found: dict[str, BuildId]) -> BuildId:
        if path not in found:
            deps = [self._identify(one, key, found).content for one in self.units[path].imports]
            text = (path, self.edits.get(path, Edit()), deps)
            found[path] = BuildId(_id("a", key, text), _id("c", text))
        return found[path]

    def build(self, failing: str | None = None) -> RunRecord:
        """What one build's index would be now. `failing` is a package that does not compile."""
        ids = self.ids()
        without = self._without(failing)
        present = {path: build for path, build in ids.items() if path not in without}
        todo = [path for path, build in present.items() if build.action not in self.compiled]
        self.compiled.update(present[path].action for path in todo)
        named = {path: (self.units[path].name, build) for path, build in present.items()}
        return RunRecord(
            stages=(*self._stages(todo, present, failing), *self._links(todo, linked=failing is None)),
            outputs=tuple(self._output(path, present[path]) for path in todo),
            members=tuple(named.values()),
            programs=tuple(self._program(path, named, linked=failing is None) for path in self.programs),
            failed=(self.units[failing].name,) if failing else (),
            unreached=tuple(self.units[path].name for path in sorted(without - {failing})),
            dependencies=self.dependencies,
            weave_version=self.versions[0],
            attribution_version=self.versions[1],
        )

    def _without(self, failing: str | None) -> set[str]:
        """The package that fails and all that need it."""
        gone = {failing} if failing else set()
        for _ in range(len(self.units) if failing else 0):
            more = {path for path in self.own() if gone & set(self.units[path].imports)} - gone
            if not more:
                break
            gone |= more
        return {path for path in gone if path}

    def _stages(self, todo: list[str], ids: Mapping[str, BuildId], failing: str | None) -> list[Stage]:
        stages = [replace(self.units[path].stage, build_id=ids[path]) for path in todo]
        if failing:
            stage = self.units[failing].stage
            stages.append(replace(stage, build_id=None, status=StageStatus.FAILED, attempt=True, woven=False))
        return stages

    def _links(self, todo: list[str], *, linked: bool) -> list[Stage]:
        """Stages in which a program is linked whose own package came from the cache (fact 3)."""
        return [self.link_stages[path] for path in self.programs if linked and path not in todo]

    def _output(self, path: str, build: BuildId) -> OutputRecord:
        unit = self.units[path]
        files = tuple(
            self._file(path, file, record) for file, record in zip(unit.files, unit.output.files, strict=True)
        )
        woven = bool(files) and not self._left_out(path)
        return replace(
            unit.output,
            action=build.action,
            content=build.content,
            woven=woven,
            files=files if woven else (),
            imports=unit.output.imports if woven or not files else (),
        )

    def _left_out(self, path: str) -> bool:
        """Whether an integration that the present configuration lacks had woven the package."""
        return self.configuration > 0 and _number("left out", path) % _CONFIGURATIONS == self.configuration

    def _file(self, path: str, file: Editable | None, record: FileRecord) -> FileRecord:
        return record if file is None else file.at(self.edits.get(path, Edit()))

    def _program(
        self, path: str, named: Mapping[str, tuple[PackageName, BuildId]], *, linked: bool
    ) -> ProgramRecord:
        if not linked:
            return ProgramRecord(PackageName(path), None, (), (), linked=False, complete=False)
        members = tuple(named[one] for one in self.programs[path])
        action = _id("link", path, [build.content for _, build in members])
        return ProgramRecord(PackageName(path), action, members, self.roots, linked=True, complete=True)

    def reconfigure(self) -> None:
        """Another of three configurations: two of them lack an integration (fact 16: all ids change)."""
        self.configuration = (self.configuration + 1) % _CONFIGURATIONS

    def upgrade(self) -> None:
        """Another version of Orchestrion or Go: all ids are new for good."""
        self.upgrades += 1


def make_world(base: Base, *, packages: int | None = None, files: int | None = None) -> World:
    """The recorded project with about that many packages and modified files (None: as recorded)."""
    stages = {str(one.package): one for one in base.cold.stages if StageKind.COMPILE in one.kinds}
    outputs = [one for one in base.cold.outputs if str(one.package) in stages]
    outputs.sort(key=lambda one: (not _own(base, one), not one.files, str(one.package)))
    copies = _copies(outputs, packages or len(outputs))
    units = _units(base, copies, stages, files)
    programs = {}
    for program in base.cold.programs:
        known = {str(name) for name, _ in program.members}
        programs[program.package.path] = tuple(path for path in units if path.partition("/copy")[0] in known)
    links = {str(one.package): one for one in base.warm.stages if StageKind.LINK in one.kinds}
    link = next(iter(links.values()), next(iter(stages.values())))
    return World(
        units,
        programs,
        base.cold.programs[0].added if base.cold.programs else (),
        {path: links.get(path, replace(link, package=PackageName(path))) for path in programs},
        (base.cold.weave_version, base.cold.attribution_version),
        _dependencies(base, units),
    )


def _dependencies(
    base: Base, units: Mapping[str, Unit]
) -> tuple[tuple[PackageName, tuple[PackageName, ...]], ...]:
    """Which package imports which, of the root build: of the copies as of what they are copies of."""
    recorded = {str(package): needed for package, needed in base.cold.dependencies}
    found = []
    for path, unit in units.items():
        origin, copy, number = path.partition("/copy")
        if origin in recorded:
            named = (PackageName(one.path + copy + number, one.variant) for one in recorded[origin])
            found.append((unit.name, tuple(one for one in named if str(one) in units)))
    return tuple(found)


def _own(base: Base, output: OutputRecord) -> bool:
    """Whether a person edits the package: the module's own, and woven modules of a service's usual size, which stand
    for the rest of the service (the sample has four packages of its own).
    """
    if output.package is None:
        return False
    if output.package.path.startswith(base.module + "/"):
        return True
    sizes = [len(file.data) for file in output.files if not file.synthetic]
    return bool(sizes) and "." in output.package.path.partition("/")[0] and max(sizes) < 20_000


def _copies(outputs: list[OutputRecord], count: int) -> list[tuple[OutputRecord, str]]:
    """The outputs in turn until there are enough, each with the ending of its package's path."""
    return [
        (outputs[n % len(outputs)], f"/copy{n // len(outputs)}" if n >= len(outputs) else "")
        for n in range(count)
    ]


def _units(
    base: Base, copies: list[tuple[OutputRecord, str]], stages: Mapping[str, Stage], files: int | None
) -> dict[str, Unit]:
    woven = sum(bool(output.files) for output, _ in copies)
    left = files if files is not None else sum(len(output.files) for output, _ in copies)
    own = {str(output.package) for output, _ in copies if _own(base, output)}
    mains = {program.package.path for program in base.cold.programs}
    units: dict[str, Unit] = {}
    for output, ending in copies:
        path = str(output.package)
        share = 0
        if output.files:
            share, woven = -(-left // woven), woven - 1
            left -= share
        is_own = path in own
        records = _file_copies(output.files, share, ending)
        direct = set(base.imports.get(path, ())) & own
        # Which of the others' packages import each other, the sample does not tell: every program needs them.
        imports = (own - mains if path in mains else direct) - {path}
        name = PackageName(path + ending)
        units[path + ending] = Unit(
            name,
            replace(output, package=name, files=records, woven=bool(records)),
            replace(stages[path], package=name, status=StageStatus.COMPILED, woven=bool(records)),
            is_own,
            tuple(sorted(one + ending for one in imports)) if is_own else (),
            tuple(editable(record) if is_own else None for record in records),
        )
    known = set(units)
    return {
        path: replace(unit, imports=tuple(one for one in unit.imports if one in known))
        for path, unit in units.items()
    }


def _file_copies(records: tuple[FileRecord, ...], count: int, ending: str) -> tuple[FileRecord, ...]:
    return tuple(
        _file_copy(
            records[n % len(records)],
            f"{ending.replace('/', '_')}_{n // len(records)}" if n >= len(records) else ending,
        )
        for n in range(count if records else 0)
    )


def _file_copy(record: FileRecord, ending: str) -> FileRecord:
    if not ending:
        return record
    mark = f"\n// {ending}\n".encode()
    original, data = record.original_data, record.data
    return replace(
        record,
        path=f"{record.path.removesuffix('.go')}{ending.replace('/', '_')}.go",
        original=None if record.original is None else f"{record.original.removesuffix('.go')}{ending}.go",
        original_data=None if original is None else original + mark,
        data=data + mark,
    )


def _id(*parts: object) -> str:
    """A half of a build id: 20 characters."""
    digest = hashlib.sha256(repr(parts).encode()).digest()[:15]
    return base64.urlsafe_b64encode(digest).decode()


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4])
