"""With the developer's own cache: what his own builds compiled is unknown, and a baseline fills it in."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import RawBuild, Tools
from program import Program, processes_with, stop, wait_until

pytestmark = pytest.mark.builds

SHARED = '[build]\ncache = "shared"\n'
IDLE = SHARED + '\n[baseline]\nwhen = "idle"\n\n[watch]\nrest = "50ms"\n'


@pytest.fixture
def shared(greeter: Program, tmp_path: Path) -> Program:
    """A history that begins today, and a developer's cache that already holds the whole project."""
    (greeter.project / "orchwatchd.toml").write_text(SHARED)
    cache = shutil.copytree(greeter.state / "cache", tmp_path / "cache")
    return Program(greeter.project, tmp_path / "state", {**greeter.env, "GOCACHE": str(cache)})


def own_build(program: Program, tools: Tools) -> None:
    """A build that orchwatchd never sees."""
    subprocess.run(
        [tools.orchestrion, "go", "build", "-o", "/dev/null", "./..."],
        cwd=program.project,
        env=program.env,
        check=True,
        capture_output=True,
    )


def edit(program: Program, text: str) -> None:
    with (program.project / "greet/greet.go").open("a") as file:
        file.write(text)


def run_of(program: Program, number: int) -> dict[str, Any]:
    return next(run for run in program.json("runs") if run["id"] == number)


def cold_build_runs(program: Program) -> bool:
    """Whether a baseline has come as far as compiling."""
    return len(list(program.state.glob("work/*/go-build*/b*/_pkg_.a"))) > 5


def no_trace(program: Program) -> bool:
    return not (program.state / "baseline-cache").exists() and not list(program.state.glob("baseline-cache*"))


def test_own_builds_in_between_are_unknown_until_the_baseline(shared: Program, tools: Tools) -> None:
    edit(shared, "\nfunc Twice(s string) string { return s + s }\n")
    own_build(shared, tools)
    shared("build")
    (run,) = shared.json("runs")
    assert run["compiled"] == 0
    assert run["unknown_packages"] == run["packages"] > 60
    assert run["injections"] == 0, "unknown is not counted as anything"

    said = shared("baseline")
    assert "now 0" in said.out
    cold = run_of(shared, 2)
    assert (cold["kind"], cold["status"], cold["compiled"]) == ("baseline", "ok", run["packages"])
    filled = run_of(shared, 1)
    assert filled["unknown_packages"] == 0
    assert filled["injections"] == cold["injections"] > 0
    assert no_trace(shared)
    assert shared.json("show", "@")["run"]["id"] == 1, "a baseline is no build of the developer's"

    assert "nothing to do" in shared("baseline").out
    assert len(shared.json("runs")) == 2

    # Ctrl-C in the midst of another one: what it compiled until then is recorded, its cache is gone.
    edit(shared, "\nfunc Thrice(s string) string { return s + s + s }\n")
    own_build(shared, tools)
    shared("build")
    unknown = run_of(shared, 3)["unknown_packages"]
    assert 0 < unknown < 10, "only what depends on the edit"
    shutil.rmtree(shared.state / "work", ignore_errors=True)
    output = shared.state.parent / "out"
    cancelled = shared.start("baseline", output=output)
    wait_until(lambda: cold_build_runs(shared), "a few compiled packages")
    cancelled.send_signal(signal.SIGINT)
    assert cancelled.wait(30) == 130
    assert run_of(shared, 4)["status"] == "cancelled"
    assert run_of(shared, 3)["unknown_packages"] <= unknown
    assert no_trace(shared)
    assert not processes_with(str(shared.state / "baseline-cache"))


def test_the_daemon_fills_in_when_idle_and_gives_way_to_a_change(
    shared: Program, greeter_cold: RawBuild, tmp_path: Path
) -> None:
    (shared.project / "orchwatchd.toml").write_text(IDLE)
    daemon = shared.start("watch", output=tmp_path / "out")
    try:
        wait_until(lambda: cold_build_runs(shared), "a baseline that compiles", 120)
        assert shared.json("status")["state"] == "building"
        edit(shared, "\nfunc Twice(s string) string { return s + s }\n")
        wait_until(lambda: len(shared.json("runs")) > 2, "the build of the change", 120)
        first, second, third = sorted(shared.json("runs"), key=lambda run: run["id"])[:3]
        assert [run["kind"] for run in (first, second, third)] == ["build", "baseline", "build"]
        assert second["status"] == "cancelled"
        assert "inputs changed" in second["reason"]
        wait_until(
            lambda: run_of(shared, 3)["unknown_packages"] == 0, "a baseline that is left in peace", 240
        )
        wait_until(lambda: shared.json("status")["state"] == "idle", "the end of the work")
        assert no_trace(shared)
        runs = len(shared.json("runs"))
        shared("build")
        wait_until(lambda: shared.json("status")["state"] == "idle", "the end of the work")
        assert len(shared.json("runs")) == runs + 1, "with nothing unknown there is no further baseline"
        adopted = shared.json("index", str(greeter_cold.work))
        assert run_of(shared, adopted["run"])["kind"] == "index", "the daemon adopts trees as well"
        assert shared("index", "nowhere", code=4).err.count("not there") == 1
    finally:
        assert stop(daemon) == 0
