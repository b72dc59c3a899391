"""Generates histories through the real store: builds of a simulated project, made of recorded real runs, by a seed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from benchmarks.edits import Edit
from benchmarks.sample import Base
from benchmarks.world import World
from orchwatchd.aspects.document import from_json, to_json
from orchwatchd.models.aspect import ResolvedConfiguration
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.run import CompilerMessage, GitState, RunEnd, RunStart, RunStatus
from orchwatchd.store import Store

# What a developer's runs are, in per mille: a guess that is kept on the side of more change.
MIX = {
    "nothing": 340,
    "edit": 420,
    "instrumentation": 40,
    "back": 60,
    "failure": 85,
    "cancelled": 15,
    "several": 35,
    "configuration": 4,
    "upgrade": 1,
}
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(slots=True)
class Generator:
    """Adds runs to a store. The same base, world and seed give the same history. `commits` are seconds of each run's
    `begin` and `finish` (wall), `made` counts the runs by kind.
    """

    store: Store
    base: Base
    world: World
    seed: int = 1
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    made: Counter[str] = field(default_factory=Counter)
    commits: list[float] = field(default_factory=list)
    _dice: random.Random = field(init=False)
    _edits: int = 0
    _before: list[dict[str, Edit]] = field(default_factory=list)
    _configurations: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def first(self) -> int:
        """The first, cold run."""
        return self.run("cold")

    def add(self, count: int) -> None:
        """Adds that many runs of the mix."""
        for kind in self._dice.choices(list(self.mix), weights=list(self.mix.values()), k=count):
            self.run(kind)

    def run(self, kind: str) -> int:
        """Adds one run of a kind; gives its id."""
        change: Callable[[], str | None] | None = getattr(self, f"_{kind}", None)
        failing = change() if change else None
        record = self.world.build(failing)
        status = RunStatus.FAILED if failing else RunStatus.OK
        if kind == "cancelled":
            status, record = (
                RunStatus.CANCELLED,
                replace(record, programs=(), members=record.members[: len(record.members) // 2]),
            )
        number = sum(self.made.values())
        self.made[kind] += 1
        start, end = self._start(kind, number), self._end(status, failing, number)
        began = time.perf_counter()
        run = self.store.begin(start)
        self.store.finish(run, end, record, IndexedLog())
        self.commits.append(time.perf_counter() - began)
        return run

    def _edit(self) -> None:
        """An edit that moves lines, more often than not of a package that is woven."""
        self._change(self._pick(), name=False)

    def _instrumentation(self) -> None:
        """A function with an injection is renamed."""
        named = [p for p in self.world.woven() if any(f and f.renamed for f in self.world.units[p].files)]
        self._change(self._dice.choice(named or self.world.own()), name=True)

    def _back(self) -> None:
        """A state of before, as by undo or by `git checkout`."""
        if self._before:
            self.world.edits = dict(self._dice.choice(self._before[-20:]))

    def _several(self) -> None:
        for path in self._dice.sample(self.world.own(), k=min(3, len(self.world.own()))):
            self._change(path, name=False)

    def _failure(self) -> str:
        path = self._pick()
        self._change(path, name=False)
        return path

    def _configuration(self) -> None:
        self.world.reconfigure()

    def _upgrade(self) -> None:
        self.world.upgrade()

    def _pick(self) -> str:
        woven, own = self.world.woven(), self.world.own()
        return self._dice.choice(woven if woven and self._dice.random() < 0.6 else own)

    def _change(self, path: str, *, name: bool) -> None:
        self._edits += 1
        self._before = [*self._before[-20:], dict(self.world.edits)]
        before = self.world.edits.get(path, Edit())
        self.world.edits[path] = Edit(before.body, self._edits) if name else Edit(self._edits, before.name)

    def _start(self, kind: str, number: int) -> RunStart:
        at = _BEGIN + timedelta(minutes=12 * number)
        manifest = self._manifest()
        commit = sha256(f"commit {number // 20}".encode()).hexdigest()[:40]
        documents = replace(self.base.documents, manifest=manifest, configuration=self._settings())
        return RunStart(
            kind="build",
            trigger=("internal/store/store.go",) if kind != "nothing" else (),
            started_at=at,
            argv=(
                "orchestrion",
                "go",
                "build",
                "-work",
                f"-debug-actiongraph=/state/builds/run-{number}/graph.json",
                "./...",
            ),
            work_parent=f"/home/dev/.cache/orchwatchd/shop/work/run-{number}",
            go_version=self.base.go_version,
            orchestrion_version=f"{self.base.orchestrion_version}+{self.world.upgrades}",
            cache="private",
            git=GitState(commit, "main", dirty=bool(number % 20)),
            documents=documents,
            input_digest=sha256(manifest.encode()).hexdigest(),
        )

    def _manifest(self) -> str:
        """The recorded list of inputs, with the lines of edited packages changed."""
        lines = (self.base.documents.manifest or "").splitlines()
        sources = [at for at, line in enumerate(lines) if line.endswith(".go")] or range(len(lines))
        for path, edit in self.world.edits.items():
            if sources:
                at = sources[int(sha256(path.encode()).hexdigest()[:6], 16) % len(sources)]
                lines[at] = f"{sha256(repr((path, edit)).encode()).hexdigest()}{lines[at][64:]}"
        return "\n".join(lines) + "\n"

    def _settings(self) -> str | None:
        """Orchestrion's configuration in force: the recorded one, or that without one of its integrations."""
        text, number = self.base.documents.configuration, self.world.configuration
        if text is None or not number:
            return text
        if number not in self._configurations:
            self._configurations[number] = _without_integration(from_json(text), number)
        return self._configurations[number]

    def _end(self, status: RunStatus, failing: str | None, number: int) -> RunEnd:
        ended = _BEGIN + timedelta(minutes=12 * number, seconds=self._dice.uniform(2, 90))
        work = f"/home/dev/.cache/orchwatchd/shop/work/run-{number}/go-build{self._dice.randrange(10**10)}"
        if status is RunStatus.OK:
            return RunEnd(status, None, ended, 0, work_tree=work)
        message = CompilerMessage(f"{failing}/x.go", 1 + number % 90, 2, f"undefined: name{number}", failing)
        return RunEnd(
            status,
            "the Go command failed (exit code 1)" if failing else "cancelled on request",
            ended,
            1,
            messages=(message,) if failing else (),
            work_tree=work,
            stderr=f"# {failing}\n{failing}/x.go:{1 + number % 90}:2: undefined: name{number}\n".encode()
            if failing
            else b"",
        )


def _without_integration(configuration: ResolvedConfiguration, number: int) -> str:
    """A configuration that lacks the integration of that number."""
    packages = [one.package for one in configuration.integrations]
    left_out = packages[number % len(packages)] if packages else ""
    return to_json(
        replace(
            configuration,
            aspects=tuple(one for one in configuration.aspects if one.key.package != left_out),
            integrations=tuple(one for one in configuration.integrations if one.package != left_out),
        )
    )
