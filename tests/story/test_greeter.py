"""A working day on the greeter: cold, warm, edits, errors, kills; each run says what is true of it."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from conftest import Tools, copy_example
from program import Program, processes_with, stop, wait_until

pytestmark = pytest.mark.builds

SPAN = "\n// Twice is traced.\n//\n//greeter:span\nfunc Twice(s string) string { return s + s }\n"


def edit(program: Program, name: str, old: str, new: str) -> None:
    path = program.project / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def newest(program: Program) -> dict:
    return program.json("runs")[0]


def test_a_cold_run_and_a_warm_one_are_made_of_the_same(greeter: Program) -> None:
    greeter("build")
    warm, cold = greeter.json("runs")
    assert cold["compiled"] > 60
    assert warm["compiled"] == 0
    for field in ("packages", "instrumented_packages", "modified_files", "injections", "status"):
        assert warm[field] == cold[field], field
    assert warm["unknown_packages"] == cold["unknown_packages"] == 0
    assert greeter.json("files", "@") == greeter.json("files", "@-1")
    assert all(file["recorded_in"] == 1 for file in greeter.json("files", "@"))


def test_a_comment_compiles_its_package_anew_and_the_run_is_made_of_no_package_twice(
    greeter: Program,
) -> None:
    """The package's content stays, so the programs are not compiled again, and their links keep their action ids."""
    before = newest(greeter)
    edit(greeter, "greet/greet.go", "// Hello greets", "// Twice as long a comment.\n\n// Hello greets")
    path = greeter.project / "greet/greet.go"
    path.write_text(path.read_text() + "\n// the end\n")
    greeter("build")
    path.write_text(path.read_text() + "// now really\n")
    greeter("build")
    after = newest(greeter)
    assert after["compiled"] >= 1
    for field in ("packages", "instrumented_packages", "modified_files", "injections", "unknown_packages"):
        assert after[field] == before[field], field
    found = greeter.json("diff")
    assert not any(found["injections"][how] for how in ("added", "removed", "changed"))
    assert not any(
        found["packages"][how] for how in ("added", "removed", "changed", "unknown", "out_of_scope")
    )


def test_an_added_span_is_one_injection_more(greeter: Program) -> None:
    before = newest(greeter)
    edit(greeter, "greet/greet.go", "// Hello greets", SPAN.lstrip("\n") + "\n// Hello greets")
    said = greeter("build")
    after = newest(greeter)
    assert after["injections"] == before["injections"] + 1
    assert "+1" in said.out
    assert 0 < after["compiled"] < 10


def test_a_failing_build_names_file_line_and_message_and_that_nothing_was_woven(greeter: Program) -> None:
    """Fact 29: Orchestrion type-checks first, so an undefined name leaves no woven file."""
    edit(greeter, "greet/greet.go", 'return "hello, " + name', 'return "hello, " + nam')
    said = greeter("build", code=1)
    shown = greeter.json("show", "@")
    (message,) = [found for found in shown["messages"] if "nam" in found["text"]]
    assert message["file"].endswith("greet/greet.go")
    assert (message["line"], newest(greeter)["status"]) == (16, "failed")
    assert "greet.go:16" in said.out + said.err
    refused = greeter("source", "@", "greet/greet.go", code=4)
    assert "no modified file" in refused.err or "none was written" in refused.err


def test_an_error_in_injected_code_shows_the_woven_file(greeter: Program) -> None:
    edit(greeter, "orchestrion.yml", 'trace.Enter({{ printf "%q" $function.Name }})', "trace.Enter(1)")
    greeter("build", code=1)
    shown = greeter.json("show", "@")
    message = next(found for found in shown["messages"] if "generated" in found["file"])
    assert "Enter(1)" in (message["code"] or "")
    assert message["declaration"]
    assert (message["integration"], message["certainty"]) == ("example.com/greeter", "exact")
    assert message["aspect"].endswith("entry")
    assert newest(greeter)["status"] == "failed"


def test_back_to_green_after_a_failure_knows_everything(greeter: Program) -> None:
    """Fact 15: what a failed build compiled is in the cache and is not compiled again."""
    edit(greeter, "trace/trace.go", '"enter"', '"entered"')
    edit(greeter, "cmd/greeter/main.go", "greet.Banner()", "greet.Baner()")
    greeter("build", code=1)
    edit(greeter, "cmd/greeter/main.go", "greet.Baner()", "greet.Banner()")
    greeter("build")
    run = newest(greeter)
    assert (run["status"], run["unknown_packages"]) == ("ok", 0)


def test_orchestrion_killed_from_outside_is_not_ok(tools: Tools, tmp_path: Path) -> None:
    """Orchestrion exits 0 when it is killed by a signal: exit 0 is no proof."""
    program = Program(copy_example("greeter", tmp_path / "project"), tmp_path / "state", tools.env)
    building = program.start("build", output=tmp_path / "out")
    trees = tmp_path / "state/work"
    wait_until(lambda: len(list(trees.glob("*/go-build*/b*/_pkg_.a"))) > 5, "a few compiled packages")
    for line in processes_with(str(tmp_path / "state")):
        number, _, command = line.partition(": ")
        if (
            "orchestrion" in command
            and "'go'" not in command
            and "toolexec" not in command
            and "x00go\\x00build" in command
        ):
            os.kill(int(number), signal.SIGTERM)
    assert building.wait(30) == 1
    assert newest(program)["status"] in ("failed", "cancelled", "interrupted")
    wait_until(lambda: not processes_with(str(tmp_path / "state")), "the end of every process of the build")

    program("build")
    run = newest(program)
    assert (run["status"], run["unknown_packages"]) == ("ok", 0)
    assert run["compiled"] < run["packages"]


def test_daemon_killed_in_mid_build_is_made_good_at_its_next_start(tools: Tools, tmp_path: Path) -> None:
    program = Program(copy_example("greeter", tmp_path / "project"), tmp_path / "state", tools.env)
    daemon = program.start("watch", output=tmp_path / "out")
    trees = tmp_path / "state/work"
    wait_until(lambda: len(list(trees.glob("*/go-build*/b*/_pkg_.a"))) > 5, "a few compiled packages")
    assert newest(program)["status"] == "running"
    daemon.kill()
    daemon.wait()
    assert newest(program)["status"] == program.json("status")["last_run"]["status"] == "interrupted"
    orphans = set(processes_with(str(tmp_path / "state")))
    assert orphans, "the build died with its daemon: this test shows nothing"

    again = program.start("watch", output=tmp_path / "out")
    try:
        wait_until(
            lambda: len(runs := program.json("runs")) > 1 and runs[0]["status"] == "ok", "an ok run", 120
        )
    finally:
        assert stop(again) == 0
    ok, dead = program.json("runs")[:2]
    assert dead["status"] == "interrupted"
    assert ok["unknown_packages"] == 0
    assert ok["compiled"] < ok["packages"]
    assert not processes_with(str(tmp_path / "state"))


def test_a_library_without_commands_has_the_same_files_cold_and_warm(tools: Tools, tmp_path: Path) -> None:
    """Rule 4 of the proof: what child builds wove is compiled for the run, and no part of it."""
    project = copy_example("greeter", tmp_path / "project")
    shutil.rmtree(project / "cmd")
    program = Program(project, tmp_path / "state", tools.env)
    program("build")
    program("build")
    assert program.json("files", "@") == program.json("files", "@-1")
    assert [file["package"] for file in program.json("files", "@")] == ["example.com/greeter/greet"]
