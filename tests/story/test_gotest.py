"""Runs of `go test`: of their own kind, with test variants as packages of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Tools
from program import Program

pytestmark = pytest.mark.builds

VARIANT = "example.com/greeter/greet [example.com/greeter/greet.test]"
SHARED = '[build]\ncache = "shared"\n'
MARKING_TEST = """
package greet

import (
	"os"
	"testing"
)

func TestThatLeavesAMark(t *testing.T) {
	if err := os.WriteFile(os.Getenv("MARK"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
"""


def names(program: Program, run: str) -> set[str]:
    rows = program(
        "sql", f"SELECT package FROM v_run_package WHERE run = {run} AND package LIKE '%greeter%'"
    ).out
    return {line.strip() for line in rows.splitlines() if "greeter" in line}


def states(program: Program, run: str) -> set[str]:
    rows = program("sql", f"SELECT DISTINCT state FROM v_run_package WHERE run = {run}").out
    return set(rows.split()) - {"state"}


def test_test_runs_name_their_variants_count_apart_and_fail_with_their_tests(greeter: Program) -> None:
    """A variant is a package of its own, woven as itself; `@` counts builds, `--kind test` tests."""
    greeter("build", "--", "test", "./...")
    run = greeter.json("runs")[0]
    assert (run["kind"], run["status"], run["unknown_packages"]) == ("test", "ok", 0)
    found = names(greeter, str(run["id"]))
    assert {VARIANT, "example.com/greeter/greet", "example.com/greeter/greet.test"} <= found
    assert not any("?" in name for name in found)
    woven = {file["package"] for file in greeter.json("files", str(run["id"]))}
    assert {VARIANT, "example.com/greeter/greet"} <= woven
    assert greeter.json("show", "@")["run"]["id"] == 1
    assert greeter.json("show", "@", "--kind", "test")["run"]["id"] == run["id"]
    diff = greeter.json("diff", "1", str(run["id"]))
    assert diff["packages"]["added"] == diff["packages"]["removed"] == diff["injections"]["removed"] == []

    # And now one that fails: what was compiled is recorded all the same.
    test = greeter.project / "greet/greet_test.go"
    test.write_text(test.read_text().replace("hello, you", "good bye"))
    greeter("build", "--", "test", "./greet", code=1)
    run = greeter.json("runs")[0]
    assert (run["kind"], run["status"]) == ("test", "failed")
    messages = greeter.json("show", str(run["id"]))["messages"]
    assert any("TestHello" in message["text"] or "hello, you" in message["text"] for message in messages)
    assert VARIANT in names(greeter, str(run["id"]))
    assert greeter.json("show", "@ok")["run"]["id"] == 1


def test_variants_that_nobody_saw_compiled_are_named_and_filled_without_running_a_test(
    greeter: Program, tools: Tools, tmp_path: Path
) -> None:
    """Given the developer's own `go test` in a shared cache, then the next test run has unknown packages under their
    right names, and a baseline compiles them in a cache of its own, runs no test and leaves nothing behind.
    """
    mark = tmp_path / "mark"
    cache = shutil.copytree(greeter.state / "cache", tmp_path / "cache")
    env = {**greeter.env, "GOCACHE": str(cache), "MARK": str(mark)}
    (greeter.project / "greet/mark_test.go").write_text(MARKING_TEST)
    (greeter.project / "orchwatchd.toml").write_text(SHARED)
    subprocess.run(
        [tools.orchestrion, "go", "test", "./greet"],
        cwd=greeter.project,
        env=env,
        check=True,
        capture_output=True,
    )
    program = Program(greeter.project, tmp_path / "state", env)
    program("build", "--", "test", "./greet")
    run = program.json("runs")[0]
    assert run["unknown_packages"] == run["packages"] > 60
    assert VARIANT in names(program, str(run["id"]))

    mark.unlink()
    said = program("baseline", "--", "test", "./greet")
    assert "unknown, now 0" in said.out
    assert states(program, str(run["id"])) == {"plain", "woven"}
    assert not mark.exists(), "a baseline compiles and runs nothing"
    assert not (program.state / "baseline-cache").exists()
