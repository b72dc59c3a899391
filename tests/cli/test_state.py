"""State folders that cannot be made or used, and what lies in the history's place: which folder and why, exit code 74."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from program import Program

WRITING = ("build", "watch", "rotate", "prune", "prune --dry-run", "index .", "baseline")


def at(project: Path, state: Path) -> Program:
    project.mkdir(exist_ok=True)
    (project / "go.mod").write_text("module app\n")
    return Program(project, state, dict(os.environ))


@pytest.mark.parametrize("words", WRITING)
def test_a_state_folder_that_cannot_be_made_is_told_with_path_and_reason(tmp_path: Path, words: str) -> None:
    done = at(tmp_path / "project", Path("/proc/x"))(*words.split(), code=74)
    assert "the folder /proc/x cannot be made: No such file or directory" in done.err
    assert "--state" in done.err


def test_a_device_in_the_place_of_the_state_folder(tmp_path: Path) -> None:
    program = at(tmp_path / "project", Path("/dev/null"))
    for command in ("build", "watch"):
        assert "/dev/null/logs cannot be made: Not a directory" in program(command, code=74).err
    assert program("runs").out == ""


def test_a_name_that_no_file_system_takes(tmp_path: Path) -> None:
    program = at(tmp_path / "project", tmp_path / ("x" * 300))
    for command in ("build", "watch", "runs", "status"):
        assert "File name too long" in program(command, code=74).err
