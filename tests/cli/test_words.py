"""What the program says of the words that it is given: its help, and what it makes of wrong ones."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner
from program import Program
from records import Build, Package, open_store, record

from orchwatchd.cli.main import COMMANDS, cli

LIB = Package("app/lib", spans=2, lines=40)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    with open_store(tmp_path) as store:
        record(store, Build(packages=(LIB,), compiled=(LIB,)), 1)
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    return Program(project, tmp_path / "state", dict(os.environ))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_text_for_people(command: str) -> None:
    said = CliRunner().invoke(cli, [command, "--help"]).output
    assert said.startswith("Usage:")
    assert "\\" not in said
    assert "\b" not in said


def test_the_example_of_sql_is_one_line_that_works(program: Program) -> None:
    said = program("sql", "--help").out
    (example,) = [line for line in said.splitlines() if 'orchwatchd sql "' in line]
    assert program("sql", example.split('"')[1]).out.splitlines()[0].split() == ["id", "status", "injections"]


def test_packages_without_a_command_are_answered_with_the_command(program: Program) -> None:
    said = program("build", "./cmd/...", "./lib", "-race", code=2).err.splitlines()
    assert said == [
        "orchwatchd: `go ./cmd/...` is no command that orchwatchd records",
        "  it records build, test, install; the command is given whole: `orchwatchd build -- build ./cmd/... ./lib`",
    ]
    assert "`go vet`" in program("build", "--", "vet", "./...", code=2).err
    assert "given whole" not in program("build", "--", "vet", "./...", code=2).err


def test_wrong_go_arguments_never_reach_a_daemon(program: Program) -> None:
    """A daemon that takes requests and answers none: the refusal is ours, in the same words as without one."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(program.state / "socket"))
        daemon.listen()
        assert program("build", "./...", code=2).err.startswith("orchwatchd: `go ./...` is no command")
        daemon.setblocking(False)
        with pytest.raises(BlockingIOError):
            daemon.accept()


def test_a_line_that_a_file_does_not_have(program: Program) -> None:
    count = len(program("source", "1", "lib.go").out.splitlines())
    for line in (0, count + 1, 9999):
        said = program("source", "1", f"lib.go:{line}", code=2).err
        assert f"has {count} lines, no line {line}" in said
    assert program("source", "1", f"lib.go:{count}").out.startswith(f"{count:>5} ")
