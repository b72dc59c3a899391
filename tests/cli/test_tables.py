"""What lists look like on terminals of several widths, and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from pathlib import Path

import pytest
from program import Program
from records import Build, Package, open_store, record
from rich.cells import cell_len

PACKAGES = tuple(
    Package(
        f"example.com/organisation/service/internal/handlers{n}", spans=n, imports=("log/slog", "context")
    )
    for n in range(1, 6)
)
LISTS = ("runs", "files", "stages", "imports", "sql", "show", "status")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    with open_store(tmp_path) as store:
        record(store, Build(packages=PACKAGES, compiled=PACKAGES[:3], nested=PACKAGES[3:]), 1)
        record(store, Build(packages=PACKAGES), 2)
        store.pin(1, "first")
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    env = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}}
    return Program(project, tmp_path / "state", {**env, "NO_COLOR": "1", "TERM": "xterm"})


def words(name: str) -> tuple[str, ...]:
    return {
        "sql": ("sql", "SELECT * FROM v_run"),
        "show": ("show", "1", "--slowest", "3"),
        "runs": ("runs",),
        "status": ("status",),
    }.get(name, (name, "1"))


def on_terminal(program: Program, words: tuple[str, ...], width: int) -> list[str]:
    lead, follow = pty.openpty()
    termios.tcsetwinsize(follow, (24, width))
    subprocess.run(program.argv(*words), env=program.env, stdout=follow, check=True)
    os.close(follow)
    seen = b""
    with os.fdopen(lead, "rb", buffering=0) as stream:
        while True:
            try:
                part = stream.read(65536)
            except OSError:  # how Linux says that the other side is closed
                break
            seen += part
    text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
    return text.replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("name", LISTS)
def test_a_terminal_shows_what_fits_and_names_what_does_not(program: Program, name: str, width: int) -> None:
    lines = on_terminal(program, words(name), width)
    assert max(map(cell_len, lines)) <= width
    if name in {"show", "status"}:
        return
    piped = program(*words(name)).out.splitlines()
    last = next((n for n, line in enumerate(lines) if "left out: " in line), len(lines))
    left_out = re.sub(r"^.*left out: |; a wider.*", "", " ".join(" ".join(lines[last:]).split())).split(", ")
    headings = re.split(r"  +", lines[0].strip()) + (left_out if last < len(lines) else [])
    assert sorted(headings) == sorted(re.split(r"  +", piped[0].strip()))


def test_a_list_of_runs_keeps_what_matters_most(program: Program) -> None:
    for width, kept in ((80, "unknown"), (60, "took"), (40, "injections")):
        lines = on_terminal(program, words("runs"), width)
        assert kept in lines[0]
        assert [line.split()[0] for line in lines[1:3]] == ["#2", "#1"]
        assert "--json shows them" in " ".join(lines)


@pytest.mark.parametrize("name", LISTS)
def test_a_pipe_gets_a_line_a_row(program: Program, name: str) -> None:
    rows = {"runs": 2, "files": 5, "stages": 5, "imports": 5, "sql": 2}
    lines = program(*words(name)).out.splitlines()
    assert not any(line.endswith(" ") for line in lines)
    if name in rows:
        assert len(lines) == 1 + rows[name]
        assert "left out" not in lines[-1]


def test_source_on_a_terminal_is_not_cut(program: Program) -> None:
    """A long line goes on in the next one of the terminal, as with any program that prints it."""
    words = ("source", "1", "handlers1.go")
    piped = program(*words).out.splitlines()
    assert max(map(len, piped)) > 60
    assert on_terminal(program, words, 60) == piped
