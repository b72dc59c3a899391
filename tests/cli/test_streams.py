"""What the program does when the streams that it is given are closed, full, gone, or hold few characters."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from program import Program
from records import Build, Package, open_store, record

LIB = Package("app/lib", spans=1)
ODD = Package("app/größe", spans=1)
BUILD = Build(packages=(LIB, ODD), compiled=(LIB, ODD))
SOURCE = "app/lib/lib.go"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Two runs that are equal."""
    with open_store(tmp_path) as store:
        record(store, BUILD, 1)
        record(store, Build(packages=(LIB, ODD)), 2)
        store.pin(1, "first")
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))}
    return Program(project, tmp_path / "state", {**env, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path / "home")})


def shell(program: Program, words: str, streams: str, **extra: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program with its streams redirected as a shell does."""
    line = " ".join(program.argv()) + f" {words} {streams}"
    env = {**program.env, **extra}
    return subprocess.run(["bash", "-c", line], env=env, capture_output=True, check=False, timeout=60)


COMMANDS = (
    "runs",
    "runs --json",
    "show 1",
    f"source 1 {SOURCE}",
    "diff 1 2 --exit-code",
    "status",
    "--help",
    "sql 'SELECT 1' --csv",
    f"source 1 {SOURCE} --annotate",
)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_closed_output_is_an_output_that_nobody_reads(program: Program, words: str) -> None:
    done = shell(program, words, ">&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    for streams in ("2>&-", "<&-", "<&- >&- 2>&-"):
        assert shell(program, words, streams).returncode == 0


def test_exit_codes_and_messages_do_not_depend_on_closed_streams(program: Program) -> None:
    for words, code in (("show 77", 4), ("nonsense", 2), ("diff 1..2 3", 2)):
        told = shell(program, words, "")
        assert told.returncode == code
        assert shell(program, words, ">&-").returncode == code
        assert shell(program, words, ">&-").stderr == told.stderr
        assert shell(program, words, ">&- 2>&-").returncode == code
        assert shell(program, words, "2>/dev/full").returncode == code


def test_a_closed_output_is_not_taken_by_the_history(program: Program) -> None:
    """The history's file must not get the number of standard output, where a child process would write into it."""
    before = (program.state / "history.db").read_bytes()
    assert shell(program, "pin 2 second", "<&- >&- 2>&-").returncode == 0
    assert b"second" in shell(program, "runs --json", "").stdout
    assert (program.state / "history.db").read_bytes()[:16] == before[:16]


@pytest.mark.parametrize("words", COMMANDS)
def test_an_output_on_a_full_disk_is_told_in_one_line(program: Program, words: str) -> None:
    done = shell(program, words, ">/dev/full")
    assert done.stderr == b"orchwatchd: the output could not be written: No space left on device\n"
    assert done.returncode == 1
    assert not list(program.state.parent.rglob("crash-*"))


def test_an_output_that_cannot_be_written_at_all_is_told_in_one_line(program: Program) -> None:
    done = shell(program, "runs", "1</dev/null")
    assert done.stderr == b"orchwatchd: the output could not be written: Bad file descriptor\n"
    assert done.returncode == 1


def test_messages_that_cannot_be_written_change_nothing(program: Program) -> None:
    done = shell(program, "integrations 1", "2>/dev/full")
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("words", ["runs --json", f"source 1 {SOURCE}", "--help"])
def test_a_reader_that_goes_away_is_no_failure(program: Program, words: str) -> None:
    done = shell(program, words, "2>&1 | true; exit ${PIPESTATUS[0]}")
    assert done.returncode == 0


NARROW = (
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
)


@pytest.mark.parametrize("env", NARROW)
@pytest.mark.parametrize("words", ["runs", "show 1", "files 1", f"source 1 {SOURCE} --annotate"])
def test_what_an_encoding_cannot_hold_is_replaced(program: Program, words: str, env: dict[str, str]) -> None:
    done = shell(program, words, "", **env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


@pytest.mark.parametrize("env", NARROW)
def test_json_is_the_same_in_every_encoding(program: Program, env: dict[str, str]) -> None:
    wide, narrow = shell(program, "files 1 --json", ""), shell(program, "files 1 --json", "", **env)
    assert json.loads(narrow.stdout.decode(env.get("PYTHONIOENCODING", "ascii"))) == json.loads(wide.stdout)
    assert "größe".encode() in wide.stdout


@pytest.mark.parametrize("env", NARROW[1:])
def test_source_keeps_its_bytes_in_a_pipe(program: Program, env: dict[str, str]) -> None:
    wide = shell(program, "source 1 app/größe/größe.go", "")
    assert "größe".encode() in wide.stdout
    assert shell(program, "source 1 app/größe/größe.go", "", **env).stdout == wide.stdout


def test_bytes_that_are_no_text_go_out_as_they_came_in(tmp_path: Path) -> None:
    """A file's name is bytes, and `diff --name-only` may be another program's input."""
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "go.mod").write_text("module app\n")
    program = Program(folder, tmp_path / "state", {**os.environ, "LC_ALL": "C.UTF-8"})
    done = subprocess.run(program.argv("status"), env=program.env, capture_output=True, check=True)
    assert os.fsencode(folder) in done.stdout
    assert json.loads(program("status", "--json").out)["project"] == str(folder)
