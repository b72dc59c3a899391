"""Hand-made run records for tests of what is stored and read: small programs in the terms of a build."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchwatchd.models.injection import Attribution, Certainty, Injection, InjectionKind
from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.record import AttributedInjection, FileRecord, OutputRecord, ProgramRecord, RunRecord
from orchwatchd.models.run import Documents, GitState, RunEnd, RunStart, RunStatus
from orchwatchd.models.tree import ImportKind, Stage, StageKind, StageStatus
from orchwatchd.store import Store

NOON = datetime(2026, 11, 23, 12, 0, 0, 123000, UTC)
ROOT = "/home/dev/service"


def ident(text: str) -> str:
    """20 characters like those of a build id's half."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Package:
    """One package as a build sees it: `version` stands for its sources, `spans` for the injections in them."""

    path: str
    version: int = 1
    spans: int = 0
    imports: tuple[str, ...] = ()
    variant: str = ""
    lines: int = 40

    @property
    def name(self) -> PackageName:
        return PackageName(self.path, self.variant)

    @property
    def build(self) -> BuildId:
        key = f"{self.path} {self.variant} {self.version} {self.spans} {self.imports} {self.lines}"
        return BuildId(ident("a" + key), ident("c" + key))

    @property
    def original(self) -> str:
        return f"{ROOT}/{self.path}/{self.path.rpartition('/')[2]}.go"

    def sources(self) -> tuple[bytes, bytes]:
        body = [f"line {n} of {self.path} {ident(f'{self.path}{n}')}" for n in range(self.lines)]
        body[0] = f"package p // version {self.version}"
        woven = [f"span {n} := trace()" for n in range(self.spans)] + body
        return "\n".join(body).encode(), "\n".join(woven).encode()

    def injections(self) -> tuple[AttributedInjection, ...]:
        who = Attribution("example.com/trace", f"span{self.path}", Certainty.EXACT)
        return tuple(
            AttributedInjection(
                Injection(
                    InjectionKind.STATEMENTS,
                    f"F{n}",
                    f"span {n} := trace()",
                    f"span {n} := trace()",
                    n + 1,
                    n + 1,
                    2,
                    n,
                ),
                who,
            )
            for n in range(self.spans)
        )

    def file(self, stage: str = "b002", *, nested: bool = False) -> FileRecord:
        original, woven = self.sources()
        return FileRecord(
            path=f"{stage}/orchestrion/src/{self.path}/x.go",
            stage=stage,
            nested=nested,
            synthetic=False,
            original=self.original,
            original_data=original,
            original_certain=True,
            data=woven,
            injections=self.injections(),
        )

    def output(self, stage: str = "b002", *, nested: bool = False, finished: bool = True) -> OutputRecord:
        return OutputRecord(
            action=self.build.action,
            content=self.build.content if finished else None,
            package=self.name,
            woven=self.spans > 0,
            finished=finished,
            files=(self.file(stage, nested=nested),) if self.spans else (),
            imports=tuple((ImportKind.IMPORTCFG, path) for path in self.imports),
        )

    def stage(self, path: str = "b002", *, nested: bool = False, finished: bool = True) -> Stage:
        return Stage(
            path=path,
            nested=nested,
            package=self.name,
            kinds=(StageKind.COMPILE,),
            build_id=self.build if finished else self.build._replace(content=None),
            status=StageStatus.COMPILED if finished else StageStatus.FAILED,
            wall=0.5,
            cpu=0.25,
            files=4,
            bytes=1000,
            woven=self.spans > 0,
            attempt=not finished,
        )


@dataclass(frozen=True)
class Build:
    """One build: `packages` are in it, `compiled` of them in its root tree, `nested` in a child build's tree."""

    packages: tuple[Package, ...] = ()
    compiled: tuple[Package, ...] = ()
    nested: tuple[Package, ...] = ()
    attempts: tuple[Package, ...] = ()
    programs: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    status: RunStatus = RunStatus.OK
    kind: str = "build"
    git: GitState = field(default_factory=GitState)
    documents: Documents = field(default_factory=Documents)

    def record(self) -> RunRecord:
        done = [(one, f"b{n:03}", False) for n, one in enumerate(self.compiled)]
        done += [(one, f"__tmp__/go-build7/b{n:03}", True) for n, one in enumerate(self.nested)]
        tried = [(one, f"b9{n:02}") for n, one in enumerate(self.attempts)]
        return RunRecord(
            stages=(
                *(one.stage(stage, nested=nested) for one, stage, nested in done),
                *(one.stage(stage, finished=False) for one, stage in tried),
            ),
            outputs=(
                *(one.output(stage, nested=nested) for one, stage, nested in done),
                *(one.output(stage, finished=False) for one, stage in tried),
            ),
            members=tuple((one.name, one.build) for one in self.packages),
            programs=tuple(self.program(name) for name in self.programs),
            failed=tuple(PackageName(path) for path in self.failed),
            unreached=tuple(PackageName(path) for path in self.unreached),
            weave_version=1,
            attribution_version=1,
        )

    def program(self, name: str) -> ProgramRecord:
        key = " ".join(one.build.action for one in self.packages)
        return ProgramRecord(
            package=PackageName(name),
            action=ident(f"link {name} {key}"),
            members=tuple((one.name, one.build) for one in self.packages),
            added=("example.com/trace", "log"),
            linked=True,
            complete=True,
        )


def start(build: Build, number: int = 0) -> RunStart:
    return RunStart(
        kind=build.kind,
        trigger=("a.go",),
        started_at=NOON + timedelta(minutes=number),
        argv=("orchestrion", "go", "build", "-work", "./..."),
        work_parent=f"/state/work/run-{number}",
        go_version="go1.26.8",
        orchestrion_version="v1.15.0",
        cache="private",
        git=build.git,
        documents=build.documents,
    )


def record(store: Store, build: Build, number: int = 0) -> int:
    """Records a build through the store, as a run that took ten seconds; gives its id."""
    begun = start(build, number)
    run = store.begin(begun)
    reason = None if build.status is RunStatus.OK else f"it {build.status}"
    end = RunEnd(build.status, reason, begun.started_at + timedelta(seconds=10), 0 if reason is None else 1)
    store.finish(run, end, build.record())
    return run


def count(store: Store, table: str) -> int:
    """How many rows a table has."""
    return int(store.connection.must(f"SELECT count(*) FROM {table}")[0])


def open_store(folder: Path) -> Store:
    return Store.open(folder / "state" / "history.db")
