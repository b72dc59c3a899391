"""A greeter with a private cache, planned and built as orchwatchd does it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import Tools, copy_example

from orchwatchd import build
from orchwatchd.build import messages
from orchwatchd.config.model import Build
from orchwatchd.models.build import BuildCommand, BuildOutcome, LogSetting, Toolchain
from orchwatchd.models.run import CompilerMessage, RunProcess
from orchwatchd.project import Project, find_project


@dataclass
class Bench:
    """A project, its toolchain, and a state folder to build in. `temp` stands for the machine's temporary folder."""

    folder: Path
    state: Path
    temp: Path
    env: dict[str, str]
    count: int = 0
    lines: list[tuple[str, str]] = field(default_factory=list)
    process: RunProcess | None = None

    @property
    def project(self) -> Project:
        return find_project(self.folder, self.env)

    def toolchain(self, settings: Build | None = None) -> Toolchain:
        return build.find_toolchain(self.project, settings or Build(), self.env)

    def plan(
        self,
        arguments: Sequence[str] = (),
        *,
        settings: Build | None = None,
        log: LogSetting | None = None,
        cache: str = "cache",
        toolchain: Toolchain | None = None,
    ) -> BuildCommand:
        self.count += 1
        return build.plan_command(
            self.project,
            toolchain or self.toolchain(settings),
            settings or Build(),
            log or LogSetting(str(self.state / "logs/orchestrion.jsonl"), "WARN"),
            env=self.env,
            work_parent=self.state / f"work/run-{self.count}",
            graph=self.state / f"builds/{self.count}.json",
            cache=self.state / cache,
            arguments=arguments,
        )

    def run(
        self,
        command: BuildCommand,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[int, int], None] = lambda *_: None,
        time_limit: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> BuildOutcome:
        def started(process: RunProcess) -> None:
            self.process = process

        more = {"clock": clock} if clock else {}
        return build.run_build(
            command,
            cancel=cancel or threading.Event(),
            on_started=started,
            on_line=lambda stream, text: self.lines.append((stream, text)),
            progress=progress,
            time_limit=time_limit,
            **more,
        )

    def messages(self, command: BuildCommand, outcome: BuildOutcome) -> tuple[CompilerMessage, ...]:
        return messages.parse(
            outcome.stderr.decode(),
            outcome.stdout.decode(),
            folder=command.folder,
            root=self.project.root,
            lookup=build.lookup_in(outcome.work_tree) if outcome.work_tree else None,
        )

    def edit(self, file: str, old: str, new: str) -> Callable[[], None]:
        """Replaces text in a file of the project; gives what puts it back."""
        path = self.folder / file
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
        return lambda: path.write_text(before) and None


def wait_for(condition: Callable[[], object]) -> None:
    """Waits until `condition` holds; fails after 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.01)


def make_bench(tools: Tools, base: Path) -> Bench:
    temp = base / "temp"
    temp.mkdir()
    env = {**tools.env, "TMPDIR": str(temp)}
    return Bench(copy_example("greeter", base / "greeter"), base / "state", temp, env)


@pytest.fixture(name="temp_folder")
def _temp_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def use(folder: Path) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))

    return use


@pytest.fixture(name="bench")
def _bench(tools: Tools, tmp_path: Path, temp_folder: Callable[[Path], None]) -> Bench:
    """A greeter of the test's own, never built."""
    made = make_bench(tools, tmp_path)
    temp_folder(made.temp)
    return made


@pytest.fixture(scope="module", name="built")
def _built(
    tools: Tools, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, BuildOutcome, list[tuple[int, int]]]]:
    """A greeter built once from cold; tests may edit it if they put everything back."""
    made = make_bench(tools, tmp_path_factory.mktemp("built"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(made.temp))
        seen: list[tuple[int, int]] = []
        outcome = made.run(made.plan(), progress=lambda done, total: seen.append((done, total)))
        yield made, outcome, seen
