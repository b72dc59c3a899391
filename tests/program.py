"""Runs orchwatchd as a user does: whole processes, real builds, a state folder of the test's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchwatchd.cli.main import entry

COMMAND = (sys.executable, "-m", "orchwatchd")


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """orchwatchd for one project and one state folder."""

    project: Path
    state: Path
    env: dict[str, str]

    def argv(self, *words: str) -> list[str]:
        return [*COMMAND, "-C", str(self.project), "--state", str(self.state), *words]

    def __call__(self, *words: str, timeout: float = 600, code: int | None = 0) -> Finished:
        """Runs one command to its end; `code` is the exit code that is wanted, None for any."""
        done = subprocess.run(
            self.argv(*words), env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert code is None or done.returncode == code, (
            f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str) -> Any:
        """The JSON that a reading command prints."""
        return self(*words, "--json").json

    def start(self, *words: str, output: Path) -> subprocess.Popen[bytes]:
        """Starts a command that goes on, its output in a file; the caller ends it."""
        with output.open("ab") as file:
            return subprocess.Popen(
                self.argv(*words),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )


@dataclass(frozen=True)
class Here(Program):
    """The program in this process: its real entry, without the start of an interpreter each time."""

    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def __call__(self, *words: str, timeout: float = 60, code: int | None = 0) -> Finished:
        self.patch.setattr(sys, "argv", self.argv(*words)[len(COMMAND) - 1 :])
        self.captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            entry()
        said = self.captured.readouterr()
        assert code is None or ended.value.code == code, (
            f"{words}: exit {ended.value.code}\n{said.out}\n{said.err}"
        )
        return Finished(int(ended.value.code or 0), said.out, said.err)


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Waits for a condition with a deadline; the message names what never came."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return value


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, seconds: float = 15) -> int:
    """Sends a signal and waits for the end; a process that does not end is a failure of the test."""
    process.send_signal(number)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def processes_with(text: str) -> list[str]:
    """The command lines of live processes that name `text` in their arguments, environment or working folder."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in seen:
            found.append(f"{folder.name}: {(folder / 'cmdline').read_bytes()[:200]!r}")
    return found
