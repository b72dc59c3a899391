"""What nobody saw is unknown: no reading command says of it that it has no modified file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from program import Here, Program
from records import NOON, ROOT, Build, Package, open_store, record, start

from orchwatchd.models.run import RunEnd, RunStatus

STD = tuple(Package(f"std{n}") for n in range(6))
MAIN = Package("app/cmd")
PLAIN, WOVEN, UNSEEN = Package("app/plain"), Package("app/woven", spans=2), Package("app/unseen", spans=1)
BOTH = (MAIN, PLAIN, WOVEN, UNSEEN, *STD)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Run 1 knows all; runs 2 and 3 have a package that nobody saw compiled, 3 nothing else that is woven; 4 failed
    and 5 was cancelled before it could tell its packages.
    """
    seen = tuple(one for one in BOTH if one is not UNSEEN)
    programs = {"programs": ("app/cmd",)}
    with open_store(tmp_path) as store:
        record(store, Build(packages=seen, compiled=seen, **programs), 1)
        record(store, Build(packages=BOTH, **programs), 2)
        record(store, Build(packages=(MAIN, PLAIN, UNSEEN, *STD), **programs), 3)
        record(
            store,
            Build(packages=STD, failed=("app/cmd",), unreached=("app/last",), status=RunStatus.FAILED),
            4,
        )
        cancelled = Build(packages=STD[:2], status=RunStatus.CANCELLED)
        end = RunEnd(RunStatus.CANCELLED, "cancelled", NOON, None)
        store.finish(store.begin(start(cancelled, 5)), end, replace(cancelled.record(), graph_known=False))
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    return Here(project, tmp_path / "state", {}, monkeypatch, capsys)


def test_files_of_a_package_that_nobody_saw_are_unknown(program: Program) -> None:
    for run in ("2", "3"):
        said = program("files", run, "--package", "app/unseen")
        assert said.out == ""
        assert said.err == (
            f"whether run #{run} has a modified file in app/unseen is unknown: nobody saw it compiled\n"
        )


def test_files_of_a_package_that_is_known_are_not_called_unknown(program: Program) -> None:
    for run, package in (("2", "app/plain"), ("1", "app/other"), ("4", "app/cmd"), ("4", "app/last")):
        said = program("files", run, "--package", package).err
        assert said == f"run #{run} has no modified file in {package}\n"
    assert program("files", "2", "--package", "app/woven").err == ""


def test_a_run_that_does_not_tell_its_packages_does_not_tell_their_files(program: Program) -> None:
    why = "the run (cancelled) does not tell all its packages\n"
    said = program("files", "5", "--package", "app/woven").err
    assert said == f"whether run #5 has a modified file in app/woven is unknown: {why}"
    assert program("files", "5").err == f"whether run #5 has a modified file is unknown: {why}"


def test_a_run_with_unknown_packages_is_not_said_to_have_no_modified_file(program: Program) -> None:
    why = "is unknown: nobody saw its package app/unseen compiled\n"
    assert program("files", "3").err == f"whether run #3 has a modified file {why}"
    assert program("files", "2").err == f"whether run #2 has more modified files {why}"
    assert program("files", "1").err == ""


def test_a_file_that_an_unknown_package_could_have_is_unknown(program: Program) -> None:
    for run, name in (("2", "unseen/unseen.go"), ("3", f"{ROOT}/app/unseen/unseen.go")):
        said = program("source", run, name, code=4)
        assert said.err.startswith(
            f"orchwatchd: whether run #{run} has a modified file {name} is unknown: nobody saw its package app/unseen"
            " compiled\n"
        )
    said = program("source", "5", "woven/woven.go", code=4)
    assert "is unknown: the run (cancelled) does not tell all its packages" in said.err
    assert "type-check" not in said.err


def test_a_file_that_no_package_can_have_is_not_there(program: Program) -> None:
    assert (
        "this run has no modified file woven/none.go" in program("source", "1", "woven/none.go", code=4).err
    )
    said = program("source", "4", "cmd/cmd.go", code=4).err
    assert ("this run has no modified file" in said, "does not type-check" in said) == (True, True)


def test_the_history_of_a_package_that_nobody_saw_is_unknown(program: Program) -> None:
    said = program("history", "app/unseen")
    assert said.err == (
        "no run has recorded an injection in app/unseen\napp/unseen is unknown in #2, #3: nobody saw it compiled\n"
    )
    assert program("history", "app/plain").err == "no run has recorded an injection in app/plain\n"


def test_a_change_is_not_said_to_hold_in_runs_that_did_not_see_it(program: Program, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        record(store, Build(packages=BOTH, compiled=(UNSEEN,), programs=("app/cmd",)), 6)
        later = Package("app/unseen", version=2)
        record(store, Build(packages=(MAIN, later), programs=("app/cmd",)), 7)
    said = program("history", "app/unseen")
    assert said.err == "app/unseen is unknown in #7: nobody saw it compiled\n"
