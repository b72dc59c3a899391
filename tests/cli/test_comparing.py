"""`diff`, `history`, `why`, `integrations` as commands: what they print, for whom, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from program import COMMAND, Finished, Here, Program
from records import ROOT, Build, Package, open_store, record

from orchwatchd.models.run import Documents, RunStatus

STD = tuple(Package(f"std{n}") for n in range(6))
MAIN = Package("app/cmd")
CLEAN = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}


def lib(version: int, spans: int) -> Package:
    return Package("app/lib", version=version, spans=spans)


def build(package: Package, *, compiled: bool = True, **rest: object) -> Build:
    manifest = f"{package.version:064}  lib/lib.go\n{0:064}  go.mod\n"
    modules = json.dumps([{"path": "app", "version": None, "main": True}])
    return Build(
        packages=(MAIN, package, *STD),
        compiled=(MAIN, package, *STD) if compiled else (),
        programs=("app/cmd",),
        documents=Documents(manifest=manifest, modules=modules, command='{"packages": ["./..."]}'),
        **rest,
    )


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Four runs: one span, the same again, two spans, and one that nobody recorded."""
    with open_store(tmp_path) as store:
        record(store, build(lib(1, 1)), 1)
        record(store, build(lib(1, 1), compiled=False), 2)
        record(store, build(lib(2, 2)), 3)
        record(store, build(lib(3, 2), compiled=False), 4)
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    return Here(project, tmp_path / "state", CLEAN, monkeypatch, capsys)


def test_exit_codes_of_diff(program: Program) -> None:
    """0 equal, 1 different, 5 where nothing differs but a side is not known whole; without the option always 0."""
    assert program("diff", "1", "2", "--exit-code").code == 0
    assert program("diff", "2", "3", "--exit-code", code=1).code == 1
    assert program("diff", "3", "4", "--exit-code", code=5).code == 5
    assert program("diff", "2", "3").code == 0
    assert program("diff", "2", "3", "--exit-code", "--json", code=1).json["to"] == 3


def test_both_ways_of_naming_two_runs(program: Program) -> None:
    pairs = {
        (): (3, 4),
        ("1",): (1, 4),
        ("1..3",): (1, 3),
        ("1..",): (1, 4),
        ("#2", "@-1"): (2, 3),
    }
    for words, (a, b) in pairs.items():
        found = program.json("diff", *words)
        assert (found["from"], found["to"]) == (a, b), words
    assert "A..B" in program("diff", "1..2", "3", code=2).err
    assert "near it" in program("diff", "1", "77", code=4).err


def test_unknown_is_said_and_never_a_difference(program: Program) -> None:
    said = program("diff")
    assert "1 package of #4 is unknown" in said.out
    assert "app/lib" in said.out
    assert "no difference was seen in what both runs can tell" in said.out
    found = program.json("diff")
    assert (found["complete"], found["packages"]["unknown"]) == (False, ["app/lib"])
    why = program.json("why", "app/lib")
    assert (why["state"], why["instrumented"], why["reasons"][0]["code"]) == ("unknown", None, "unknown")


def test_causes_come_before_effects(program: Program) -> None:
    out = program("diff", "1", "3").out
    order = [out.index(word) for word in ("causes", "lib/lib.go  changed", "packages", "injections", "files")]
    assert order == sorted(order)
    assert "+ F1: statements" in out


def test_a_module_that_came_or_went_is_added_or_removed(program: Program, tmp_path: Path) -> None:
    def modules(*rows: tuple[str, str | None]) -> str:
        return json.dumps(
            [{"path": path, "version": version, "main": version is None} for path, version in rows]
        )

    run = build(lib(2, 2))
    with open_store(tmp_path) as store:
        for number, text in (
            (5, modules(("example.com/greeter", None), ("example.com/dep", "v1.0.0"))),
            (6, modules(("example.com/hello", None), ("example.com/new", "v2.0.0"))),
        ):
            record(store, replace(run, documents=replace(run.documents, modules=text)), number)
    lines = [
        line.split(maxsplit=2)[1:]
        for line in program("diff", "5", "6").out.splitlines()
        if "  module " in line
    ]
    assert lines == [
        ["example.com/dep", "removed (v1.0.0)"],
        ["example.com/greeter", "removed"],
        ["example.com/hello", "added"],
        ["example.com/new", "added (v2.0.0)"],
    ]


def test_short_forms(program: Program) -> None:
    assert program("diff", "1", "3", "--name-only").out == f"{ROOT}/app/lib/lib.go\n"
    assert program("diff", "1", "2", "--name-only").out == ""
    assert "+1 -0 ~0" in program("diff", "1", "3", "--stat").out
    assert "span 1 := trace()" in program("diff", "1", "3", "--patch").out
    assert "span 1 := trace()" not in program("diff", "1", "3").out


def test_filters_narrow_and_refuse_what_is_not_there(program: Program) -> None:
    assert len(program.json("diff", "1", "3", "--package", "app/lib")["injections"]["added"]) == 1
    assert program.json("diff", "1", "3", "--package", "app/...")["injections"]["unchanged"] == 1
    none = program.json("diff", "1", "3", "--package", "std1")
    assert (none["injections"]["added"], none["injections"]["unchanged"]) == ([], 0)
    assert (
        len(program.json("diff", "1", "3", "--integration", "example.com/trace")["injections"]["added"]) == 1
    )
    assert program("diff", "1", "3", "--integration", "trace", "--exit-code", code=1).out
    assert "app/lib" in program("diff", "--package", "app/lbi", code=4).err
    assert "example.com/trace" in program("diff", "1", "3", "--integration", "none", code=4).err
    # What is unknown outside of the filter says nothing about what is inside.
    assert program("diff", "3", "4", "--package", "std1", "--exit-code").code == 0
    assert program("diff", "3", "4", "--package", "app/lib", "--exit-code", code=5).code == 5


def test_history_is_one_line_a_change(program: Program) -> None:
    lines = program("history", "app/lib").out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["#3", "#1"]
    assert lines[2] == "app/lib: first seen instrumented in #1, last changed in #3; 2 injections since then"
    assert len(lines) == 3
    assert "first seen instrumented" not in program("history", "app/lib", "-n", "1").out
    assert "span 1 := trace()" in program("history", "app/lib", "-p").out
    assert [row["run"] for row in program.json("history", "example.com/trace")] == [3, 1]
    assert program("history", "std1").out == ""
    assert "near it" in program("history", "app/lbi", code=4).err


def test_history_says_what_pruned_runs_may_have_had(program: Program, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, build(lib(2, 2)), 5)
        store.forget_runs([1, 2], cached=lambda _: True)
    said = program("history", "app/lib").out.splitlines()
    assert "first seen, here or earlier  app/lib" in said[0]
    assert said[-1] == (
        "app/lib: first seen instrumented in #3 or earlier (older runs were pruned),"
        " last changed in #3 or earlier; 2 injections since then"
    )
    assert program.json("history", "app/lib")[0]["or_earlier"] is True
    with open_store(tmp_path) as store:
        record(store, build(Package("app/new")), 6)
        record(store, build(Package("app/new", version=2, spans=1)), 7)
    assert program("history", "app/new").out.splitlines()[-1] == (
        "app/new: first seen instrumented in #7 (of the kept runs; older ones were pruned), last changed in #7;"
        " 1 injection since then"
    )


def test_history_says_whether_it_is_of_a_package_or_by_an_integration(
    program: Program, tmp_path: Path
) -> None:
    with open_store(tmp_path) as store:
        own = Package("example.com/trace")
        run = build(lib(2, 2))
        record(store, replace(run, packages=(*run.packages, own), compiled=(own,)), 5)
    said = program("history", "example.com/trace")
    assert said.err.splitlines()[0] == (
        "example.com/trace is a package without recorded injections, and an integration: shown is what the"
        " integration wove"
    )
    assert said.out.splitlines()[-1] == (
        "app/lib: first seen instrumented by example.com/trace in #1, last changed in #3; 2 injections since then"
    )
    with open_store(tmp_path) as store:
        own = Package("example.com/trace", spans=1)
        record(store, replace(run, packages=(*run.packages, own), compiled=(own,)), 6)
        more = build(lib(4, 3))
        record(store, replace(more, packages=(*more.packages, own)), 7)
    assert "without recorded injections" not in program("history", "example.com/trace", "-n", "1").err
    said = program("history", "example.com/trace")
    assert said.err.splitlines()[0] == (
        "example.com/trace is a package and an integration: shown are the package's own injections, and what the"
        " integration wove elsewhere"
    )
    assert [row["package"] for row in program.json("history", "example.com/trace")] == [
        "app/lib",
        "example.com/trace",
        "app/lib",
        "app/lib",
    ]


def test_why_a_package_was_compiled(program: Program) -> None:
    compiled = program.json("why", "app/lib", "3")["compiled"]
    assert (compiled["against"], [one["code"] for one in compiled["reasons"]]) == (2, ["own-files"])
    assert "its own files changed: lib/lib.go" in program("why", "app/lib", "3").out
    assert program.json("why", "app/lib", "1")["compiled"]["reasons"][0]["code"] == "first"
    assert program.json("why", "app/lib", "2")["compiled"]["reasons"][0]["code"] == "not-compiled"
    assert program.json("why", "std1", "3")["compiled"]["reasons"][0]["code"] == "same-inputs"
    nothing = program.json("why", "app/nothing", "3")
    # A record made by hand has no action graph: the run may have more packages than it names.
    assert (nothing["state"], nothing["reasons"][0]["code"]) in {
        ("absent", "not-in-build"),
        ("unknown", "unknown"),
    }


def test_why_a_run_was(program: Program) -> None:
    why = program.json("why", "--run", "3")
    assert (why["against"], why["new_actions"], why["outputs_changed"], why["key_changed"]) == (
        2,
        1,
        1,
        False,
    )
    assert "#3 against #2: " in program("why", "@-1").out
    assert "give a package" in program("why", code=2).err
    assert "give a package" in program("why", "app/lib", "--run", "3", code=2).err


def test_integrations_of_a_run_without_a_configuration_are_unknown(program: Program) -> None:
    said = program("integrations")
    assert (said.out, "unknown" in said.err) == ("", True)


def test_colour_only_on_a_terminal_and_never_with_no_color(program: Program) -> None:
    def on_terminal(extra: dict[str, str]) -> bytes:
        lead, follow = pty.openpty()
        argv = [
            *COMMAND,
            "-C",
            str(program.project),
            "--state",
            str(program.state),
            "diff",
            "1",
            "3",
            "--patch",
        ]
        subprocess.run(argv, env={**CLEAN, "TERM": "xterm-256color", **extra}, stdout=follow, check=True)
        os.close(follow)
        with os.fdopen(lead, "rb", buffering=0) as stream:
            return stream.read(100_000)

    assert b"\x1b[32m" in on_terminal({})
    assert b"\x1b[32m" not in on_terminal({"NO_COLOR": "1"})
    assert "\x1b" not in program("diff", "1", "3", "--patch").out


def test_a_reader_that_goes_away_is_no_failure(program: Program) -> None:
    words = " ".join(program.argv("diff", "1", "3", "--patch"))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{words} | head -1"],
        env=CLEAN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("#1 ok build")


def test_runs_of_two_kinds_are_named_so(program: Program, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, build(lib(2, 2), kind="test", status=RunStatus.OK), 5)
    said: Finished = program("diff", "3", "5")
    assert "these are runs of two kinds (build, test)" in said.out
    assert ("kind", "build", "test") in {
        (cause["kind"], cause["from"], cause["to"]) for cause in program.json("diff", "3", "5")["causes"]
    }
