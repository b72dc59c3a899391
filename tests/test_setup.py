"""`scripts/setup` as a person meets it: quick when all is there, one sentence when something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BASICS = (
    "bash",
    "cat",
    "cmp",
    "dirname",
    "env",
    "find",
    "flock",
    "grep",
    "head",
    "ln",
    "mkdir",
    "mv",
    "rm",
    "sed",
)


def _run(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "scripts/setup"],
        cwd=checkout,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nothing was set up."""
    (tmp_path / "checkout/scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/setup", tmp_path / "checkout/scripts/setup")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "checkout/pyproject.toml")
    return tmp_path / "checkout"


@pytest.fixture
def basics(tmp_path: Path) -> Path:
    """A folder for the PATH that has a shell's everyday programs, and neither Git nor Python nor Go."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASICS:
        if program := shutil.which(name):
            (folder / name).symlink_to(program)
    return folder


def test_the_second_time_is_quick_and_silent():
    """`make test` has run it once; with everything there it asks no registry and no Go."""
    before = time.monotonic()
    done = _run(ROOT, os.environ["PATH"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - before < 2


def test_git_missing_is_one_sentence_with_the_apt_line(checkout, basics):
    done = _run(checkout, str(basics))
    assert (done.returncode, done.stderr) == (1, "setup: git is missing: apt-get install git\n")
    assert not (checkout / ".venv").exists()


def test_python_missing_is_one_sentence_with_the_apt_line(checkout, basics):
    (basics / "git").symlink_to(shutil.which("git"))
    done = _run(checkout, str(basics))
    assert done.returncode == 1
    assert done.stderr == (
        "setup: Python 3.11 or newer with venv is missing: apt-get install python3 python3-venv\n"
    )


def test_a_python_that_is_too_old_does_not_count(checkout, basics):
    (basics / "git").symlink_to(shutil.which("git"))
    old = basics / "python3"
    old.write_text("#!/bin/bash\nexit 1\n")
    old.chmod(0o755)
    assert "Python 3.11 or newer" in _run(checkout, str(basics)).stderr


def test_tools_that_the_tests_expect_are_where_setup_puts_them():
    assert os.access(ROOT / ".tools/go/bin/go", os.X_OK)
    assert os.access(ROOT / ".tools/bin/orchestrion", os.X_OK)
    assert not list((ROOT / ".tools").glob("*.new"))
