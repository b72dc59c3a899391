"""The daemon: what it takes when nothing happens, and how long after a save a build starts, beside other watchers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import ROOT, Bench, program, say
from benchmarks.report import Row, ms
from benchmarks.timing import Figure
from benchmarks.watching import Load, Starts, load_of, running, wait_for

_CPU_GOAL, _MEMORY_GOAL = 0.005, 80 * 2**20
_MEDIAN_GOAL, _LATE_GOAL = 0.150, 0.300
_SLEEPER = "import time\nwhile True: time.sleep(1)"
_PEERS = {
    "air": ["go", "install", "github.com/air-verse/air@latest"],
    "wgo": ["go", "install", "github.com/bokwoon95/wgo@latest"],
    "reflex": ["go", "install", "github.com/cespare/reflex@latest"],
    "watchexec": ["cargo", "install", "--locked", "--root", "{place}", "watchexec-cli"],
}


def idle(bench: Bench) -> list[Row]:
    """The daemon on the greeter, built once and then left alone."""
    folder = bench.fresh("idle")
    project = folder / "project"
    shutil.copytree(ROOT / "examples/greeter", project)
    ask = _Asking(bench, project, folder / "state", None)
    with running(ask.argv("watch"), project, bench.env, folder / "output") as process:
        if not ask.until_idle():
            return [Row("the idle daemon", "it never came to rest", goal=_CPU_GOAL)]
        with subprocess.Popen([sys.executable, "-c", _SLEEPER]) as sleeper:
            before, after = _rest(bench.sizes.idle, process.pid, sleeper.pid)
            sleeper.kill()
    return _idle_rows(before, after, bench.sizes.idle)


def _rest(seconds: float, *pids: int) -> tuple[list[Load], list[Load]]:
    """What processes have used before and after a while in which nobody asks them for anything."""
    time.sleep(min(5.0, seconds))
    before = [load_of(pid) for pid in pids]
    time.sleep(seconds)
    return before, [load_of(pid) for pid in pids]


def _idle_rows(before: list[Load], after: list[Load], seconds: float) -> list[Row]:
    name = "the idle daemon (greeter)"
    share, bare = ((now.cpu - then.cpu) / seconds for then, now in zip(before, after, strict=True))
    wakes = (after[0].wakes - before[0].wakes) / seconds
    more = after[0].memory - _bare_python()
    return [
        Row(
            f"{name}: CPU",
            f"{share:.2%} of a core, {wakes:.1f} wake-ups a second",
            f"a Python that only sleeps, a second at a time: {bare:.2%}",
            value=share,
            goal=_CPU_GOAL,
            goal_text="≤ 0.5 % of a core",
            raw={"cpu": share, "bare": bare, "wakes": wakes},
        ),
        Row(
            f"{name}: memory",
            f"{after[0].memory / 2**20:.0f} MiB",
            f"bare Python: {_bare_python() / 2**20:.0f} MiB",
            value=more,
            goal=_MEMORY_GOAL,
            goal_text="≤ 80 MiB more",
            raw={"memory": after[0].memory},
        ),
    ]


def _bare_python() -> int:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = wait_for(lambda: (one := load_of(process.pid).memory) > 4 * 2**20 and one, 5)
        time.sleep(0.2)
        found = load_of(process.pid).memory or found
        process.communicate(b"\n")
    return int(found)


@dataclass(frozen=True, slots=True)
class _Asking:
    """The program on one project, asked for its state."""

    bench: Bench
    project: Path
    state: Path
    settings: Path | None

    def argv(self, *words: str) -> list[str]:
        more = ["--config", str(self.settings)] if self.settings else []
        return [*program(), *more, "--state", str(self.state), *words]

    def status(self) -> dict[str, Any]:
        argv = self.argv("status", "--json")
        done = subprocess.run(argv, cwd=self.project, env=self.bench.env, capture_output=True, check=False)
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return found

    def until_idle(self, seconds: float = 180) -> bool:
        """Waits until nothing is built and nothing waits; asked twice a second at most."""

        def rests() -> bool:
            found = self.status()
            if found.get("state") == "idle" and not found.get("pending_changes") and found.get("last_run"):
                return True
            time.sleep(0.4)
            return False

        return wait_for(rests, seconds)


def saves(bench: Bench) -> list[Row]:
    """A project with many folders that are no inputs; each watcher in turn with its default settings."""
    folder = bench.fresh("saves")
    project = folder / "project"
    shutil.copytree(ROOT / "examples/greeter", project)
    _fill(project / "data", bench.sizes.folders)
    say(f"made {bench.sizes.folders} folders with ten files each")
    measured = {"orchwatchd": _ours(bench, folder, project)}
    for name, install in _PEERS.items():
        peer = _installed(bench, name, install)
        measured[name] = _peer(bench, folder, project, name, peer) if peer else None
    return _save_rows(bench, measured)


def _fill(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"{number // 100:03}" / f"{number % 100:02}"
        place.mkdir(parents=True)
        for file in range(10):
            (place / f"{file}.txt").write_text(f"{number} {file}\n")


def _ours(bench: Bench, folder: Path, project: Path) -> dict[str, Any]:
    real = shutil.which("orchestrion", path=bench.env["PATH"])
    starts = Starts.make(folder, real)
    settings = folder / "orchwatchd.toml"
    settings.write_text(f'[build]\norchestrion = "{starts.script}"\n')
    ask = _Asking(bench, project, folder / "state", settings)
    return _measure(bench, project, ask.argv("watch"), starts, folder / "orchwatchd.output", ask.until_idle)


def _peer(bench: Bench, folder: Path, project: Path, name: str, peer: Path) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    starts = Starts.make(place)
    build = str(starts.script)
    argv = {
        "air": [str(peer), "--build.cmd", build, "--build.bin", shutil.which("true") or "true"],
        "wgo": [str(peer), "-file", r"\.go$", build],
        "reflex": [str(peer), "-r", r"\.go$", "--", build],
        "watchexec": [str(peer), "-e", "go", "--", build],
    }[name]
    found = _measure(bench, project, argv, starts, place / "output", lambda: time.sleep(2.5) is None)
    shutil.rmtree(project / "tmp", ignore_errors=True)
    return found


def _measure(
    bench: Bench, project: Path, argv: list[str], starts: Starts, output: Path, settle: Callable[[], bool]
) -> dict[str, Any]:
    """Start-up, saves, then rest, of one watcher."""
    source = project / "greet/greet.go"
    text = source.read_text()
    began = time.time_ns()
    with running(argv, project, bench.env, output) as process:
        first = starts.next(0, 60)
        # Some wait for the first change.
        settle()
        waits: list[float | None] = []
        for number in range(bench.sizes.saves):
            known = len(starts.seen())
            source.write_text(f"{text}\n// Save {number} of {argv[0]}.\n")
            saved = time.time_ns()
            started = starts.next(known, 20)
            waits.append(None if started is None else (started - saved) / 1e9)
            settle()
        (before,), (after,) = _rest(bench.sizes.idle, process.pid)
    source.write_text(text)
    return {
        "start-up": None if first is None else (first - began) / 1e9,
        "waits": waits,
        "cpu": (after.cpu - before.cpu) / bench.sizes.idle,
        "wakes": (after.wakes - before.wakes) / bench.sizes.idle,
        "memory": after.memory,
    }


def _installed(bench: Bench, name: str, install: list[str]) -> Path | None:
    """Installs a peer into the bench's own folder; None where it cannot be had."""
    place = bench.folder / "tools"
    installed = place / "bin" / name
    if not installed.exists() and shutil.which(install[0], path=bench.env["PATH"]):
        argv = [word.format(place=place) for word in install]
        say(" ".join(argv))
        env = {**bench.env, "GOBIN": str(place / "bin"), "GOFLAGS": "", "CGO_ENABLED": "0"}
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(argv, env=env, cwd=bench.folder, capture_output=True, check=False, timeout=1800)
    return installed if installed.exists() else None


def _save_rows(bench: Bench, measured: dict[str, dict[str, Any] | None]) -> list[Row]:
    rows = []
    for name, found in measured.items():
        title = f"save to build start, {name}, {bench.sizes.folders:,} folders"
        if found is None:
            rows.append(Row(title, "could not be had here"))
            continue
        waits = sorted(one for one in found["waits"] if one is not None)
        if not waits:
            rows.append(Row(title, "no build came", raw=found))
            continue
        middle, late = Figure.of(waits).median, waits[min(len(waits) - 1, round(0.95 * (len(waits) - 1)))]
        ours = name == "orchwatchd"
        lost = len(found["waits"]) - len(waits)
        shown = f"p50 {ms(middle)}, p95 {ms(late)}" + (f", {lost} saves without a build" if lost else "")
        start = "waits for a change" if found["start-up"] is None else f"start-up {ms(found['start-up'])}"
        cost = f"{start}, {found['memory'] / 2**20:.0f} MiB, {found['cpu']:.2%} idle CPU"
        rows.append(
            Row(
                title,
                shown,
                cost,
                value=max(middle / _MEDIAN_GOAL, late / _LATE_GOAL) if ours else None,
                goal=1.0 if ours else None,
                goal_text=f"p50 ≤ {ms(_MEDIAN_GOAL)}, p95 ≤ {ms(_LATE_GOAL)}" if ours else "–",
                raw=found,
            )
        )
    return rows
