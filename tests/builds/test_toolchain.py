"""Every reason why a build cannot begin is one message with the next step, and no file of the project is changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from build_bench import Bench, _bench, _temp_folder  # noqa: F401 - fixtures
from conftest import Tools, copy_example
from hypothesis import given
from hypothesis import strategies as st
from program import Program

from orchwatchd import build
from orchwatchd.build.toolchain import go_order
from orchwatchd.config.model import Build
from orchwatchd.errors import UnfitError

PIN = "orchestrion pin"
INSTALL = "go install github.com/DataDog/orchestrion@v1.15.0"


@pytest.fixture(name="greeter")
def _greeter(bench: Bench) -> Bench:
    return bench


def edit(file: str, old: str, new: str) -> Callable[[Bench], Build]:
    def change(bench: Bench) -> Build:
        bench.edit(file, old, new)
        return Build()

    return change


def remove(*files: str) -> Callable[[Bench], Build]:
    def change(bench: Bench) -> Build:
        for file in files:
            (bench.folder / file).unlink()
        return Build()

    return change


def path_of(*programs: str) -> Callable[[Bench], Build]:
    """A PATH with nothing else on it."""

    def change(bench: Bench) -> Build:
        folder = bench.state / "bin"
        folder.mkdir(parents=True)
        for program in programs:
            found = shutil.which(program, path=bench.env["PATH"])
            assert found
            (folder / program).symlink_to(found)
        bench.env["PATH"] = str(folder)
        return Build()

    return change


def orchestrion_that_prints(text: str, code: int = 0) -> Callable[[Bench], Build]:
    """A program that is no (or another) Orchestrion: other versions cannot be had here."""

    def change(bench: Bench) -> Build:
        program = bench.state / "orchestrion"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
        program.chmod(0o755)
        return Build(orchestrion=str(program))

    return change


def configured(**settings: str) -> Callable[[Bench], Build]:
    return lambda _: Build(**settings)


REFUSALS = {
    "no Go": (path_of("orchestrion"), "Go is not on the PATH", "go.dev/dl"),
    "no Orchestrion": (path_of("go"), "Orchestrion is not on the PATH", INSTALL),
    "configured Go missing": (configured(go="/no/go"), "build.go: /no/go is no program", "[build]"),
    "configured Go misnamed": (configured(go="/bin/sh"), "not named go", "bin folder"),
    "configured Orchestrion missing": (
        configured(orchestrion="./gone"),
        "build.orchestrion: ./gone",
        "[build]",
    ),
    "no Orchestrion at all": (configured(orchestrion="/bin/true"), "is no Orchestrion that works", "anew"),
    "broken Orchestrion": (orchestrion_that_prints("boom", 3), "is no Orchestrion that works: boom", "anew"),
    "other version": (
        orchestrion_that_prints("orchestrion v1.14.0"),
        "go.mod requires Orchestrion v1.15.0, but .* is v1.14.0",
        INSTALL,
    ),
    "no requirement": (
        edit("go.mod", "require github.com/DataDog/orchestrion v1.15.0", ""),
        "go.mod does not require github.com/DataDog/orchestrion",
        PIN,
    ),
    "no tool file": (remove("orchestrion.tool.go", "orchestrion.yml"), "nothing would be woven", PIN),
    "orchestrion.yml without a Go file": (
        remove("orchestrion.tool.go"),
        "no orchestrion.tool.go, nor another Go file: Orchestrion refuses to build it",
        PIN,
    ),
    "no go.sum": (
        remove("go.sum"),
        "missing go.sum entry for module providing package github.com/DataDog/orchestrion",
        "go mod download github.com/DataDog/orchestrion",
    ),
    "broken go.mod": (
        edit("go.mod", "go 1.26.0", "go 1.26.0\nfoo bar\nbar"),
        r"go\.mod:4: unknown directive: foo",
        "mend",
    ),
    "newer Go wanted": (
        edit("go.mod", "go 1.26.0", "go 1.99.0"),
        "needs Go 1.99.0, but this is go1",
        "GOTOOLCHAIN=auto",
    ),
    "no go.mod": (remove("go.mod"), "no go.mod in", "-C DIR"),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("change", "message", "step"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_keeps_a_build_from_beginning(
    greeter: Bench, change: Callable[[Bench], Build], message: str, step: str
) -> None:
    settings = change(greeter)
    before = contents(greeter.folder)

    with pytest.raises(UnfitError, match=message) as refused:
        greeter.toolchain(settings)

    assert step in (refused.value.hint or "")
    assert refused.value.exit_code == 69
    assert contents(greeter.folder) == before


def test_orchestrion_yml_beside_any_go_file_is_enough(greeter: Bench) -> None:
    """Measured: Orchestrion v1.15.0 builds so, and refuses where only tests or ignored names are there."""
    settings = remove("orchestrion.tool.go")(greeter)
    for name in ("x_test.go", "_x.go"):
        (greeter.folder / name).write_text("package greeter\n")
    with pytest.raises(UnfitError, match="nor another Go file"):
        greeter.toolchain(settings)
    (greeter.folder / "doc.go").write_text("//go:build never\n\npackage greeter\n")
    assert greeter.toolchain(settings).verified


def test_doctor_calls_a_project_that_orchestrion_refuses_unfit(tools: Tools, tmp_path: Path) -> None:
    program = Program(copy_example("greeter", tmp_path / "project"), tmp_path / "state", tools.env)
    assert program("doctor").code == 0
    (program.project / "orchestrion.tool.go").unlink()
    said = program("doctor", code=69)
    assert "no orchestrion.tool.go" in said.out
    assert "orchestrion pin" in said.out


def test_what_fits_is_found_on_the_path(greeter: Bench, tools: Tools) -> None:
    before = contents(greeter.folder)
    found = greeter.toolchain()
    assert (found.go, found.orchestrion) == (tools.go, tools.orchestrion)
    assert found.go_version.startswith("go1.")
    assert (found.orchestrion_version, found.origin, found.verified) == ("v1.15.0", "PATH", True)
    assert found.disabled_level == "DISABLED"
    assert contents(greeter.folder) == before


def test_configured_programs_come_first(greeter: Bench, tools: Tools) -> None:
    greeter.env["PATH"] = "/usr/bin:/bin"
    found = greeter.toolchain(Build(go=str(tools.go), orchestrion=str(tools.orchestrion)))
    assert (found.go, found.orchestrion, found.origin) == (tools.go, tools.orchestrion, "configuration")


def test_a_log_level_of_the_environment_does_not_make_orchestrion_look_broken(greeter: Bench) -> None:
    """v1.15.0 refuses NONE even for `orchestrion version` (fact 19)."""
    greeter.env["ORCHESTRION_LOG_LEVEL"] = "NONE"
    assert greeter.toolchain().orchestrion_version == "v1.15.0"


def test_a_workspace_whose_go_work_is_broken_or_too_new(tools: Tools, tmp_path: Path) -> None:
    copy_example("greeter", tmp_path / "g")
    (tmp_path / "go.work").write_text("go 1.26.0\n\nuse ./g\n")
    made = Bench(tmp_path / "g", tmp_path / "state", tmp_path, dict(tools.env))
    assert made.toolchain().verified
    assert made.project.root == tmp_path.resolve()
    (tmp_path / "go.work").write_text("go 1.99.0\n\nuse ./g\n")
    with pytest.raises(UnfitError, match=r"1\.99"):
        made.toolchain()


@pytest.mark.builds
def test_a_replacement_by_a_folder_is_left_to_orchestrion_to_check(greeter: Bench) -> None:
    source = greeter.folder.parent / "orchestrion"
    source.mkdir()
    (source / "go.mod").write_text("module github.com/DataDog/orchestrion\n\ngo 1.26.0\n")
    (source / "main.go").write_text("package main\n\nfunc main() {}\n")
    greeter.edit(
        "go.mod", "go 1.26.0", "go 1.26.0\n\nreplace github.com/DataDog/orchestrion => ../orchestrion"
    )

    found = greeter.toolchain()
    assert not found.verified
    assert "Orchestrion itself checks" in found.notes[0]
    outcome = greeter.run(greeter.plan(toolchain=found))
    assert outcome.exit_code != 0
    assert b"diverted by a replace directive" in outcome.stderr


def test_the_projects_own_go_tool_comes_before_the_path(greeter: Bench, tools: Tools) -> None:
    """A stand-in for `go`: the real one would compile Orchestrion (a minute) before it names the program."""
    greeter.edit("go.mod", "go 1.26.0", "go 1.26.0\n\ntool github.com/DataDog/orchestrion")
    program = greeter.state / "tool/orchestrion"
    program.parent.mkdir(parents=True)
    program.symlink_to(tools.orchestrion)
    go = greeter.state / "bin/go"
    go.parent.mkdir()
    go.write_text(
        f'#!/bin/sh\nif [ "$1 $2" = "tool -n" ]; then echo {program}; else exec {tools.go} "$@"; fi\n'
    )
    go.chmod(0o755)
    found = greeter.toolchain(Build(go=str(go)))
    assert (found.orchestrion, found.origin) == (program, "go tool")


def test_a_cache_program_that_no_environment_can_undo_is_refused(greeter: Bench, tools: Tools) -> None:
    goenv = greeter.state / "goenv"
    goenv.parent.mkdir(parents=True)
    goenv.write_text("GOCACHEPROG=/bin/false\n")
    found = greeter.toolchain()
    build.check_cache_program(found, greeter.env, greeter.folder)
    with pytest.raises(UnfitError, match="GOCACHEPROG is set by `go env -w`") as refused:
        build.check_cache_program(found, {**greeter.env, "GOENV": str(goenv)}, greeter.folder)
    assert "go env -u GOCACHEPROG" in (refused.value.hint or "")


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40), st.integers(0, 20)), min_size=2))
def test_go_versions_are_ordered_by_their_numbers(versions: list[tuple[int, int, int]]) -> None:
    written = [f"go{major}.{minor}.{patch}" for major, minor, patch in versions]
    assert [go_order(text) for text in sorted(written, key=go_order)] == [
        go_order(f"{major}.{minor}.{patch}") for major, minor, patch in sorted(versions)
    ]


def test_go_versions_before_a_release_are_older_than_it() -> None:
    written = [
        "go1.26.8",
        "go1.27beta1",
        "go1.27rc1",
        "go1.27rc2",
        "1.27",
        "go1.27.1-X:custom",
        "devel go1.28-abc",
    ]
    assert sorted(written, key=go_order) == written
    assert go_order("1.27") == go_order("go1.27.0")
