"""Programs that watch a project and build it: started, asked for their cost, told apart by what they start."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Starts:
    """A script that stands for the build and writes down when it was started (nanoseconds, one a line)."""

    script: Path
    log: Path

    @classmethod
    def make(cls, folder: Path, real: str | None = None) -> Starts:
        """`real` is what a start with the word `go` goes on with; all other words are always for it."""
        name = "orchestrion" if real else "build"
        script, log = folder / name, folder / f"{name}.starts"
        note = f"date +%s%N >>{log}"
        lines = [f'[ "$1" = go ] && {note}', f'exec {real} "$@"'] if real else [note]
        script.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        script.chmod(0o755)
        log.touch()
        return cls(script, log)

    def seen(self) -> list[int]:
        return [int(line) for line in self.log.read_text().split()]

    def next(self, known: int, seconds: float) -> int | None:
        """The first start after `known` ones, None where none comes in time."""
        found = wait_for(lambda: self.seen()[known:], seconds)
        return found[0] if found else None


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    """Waits until `condition` holds or the time is over; gives its last answer."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return value


@contextmanager
def running(
    argv: list[str], folder: Path, env: dict[str, str], output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own, ended with all that it started when the block ends."""
    with output.open("ab") as file:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
                break


@dataclass(frozen=True, slots=True)
class Load:
    """What a process used so far: seconds of CPU, times that one of its threads woke up; and its memory now, bytes."""

    cpu: float
    wakes: int
    memory: int


def load_of(pid: int) -> Load:
    """Reads /proc. Raises OSError where the process is gone."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    wakes = 0
    for task in (folder / "task").iterdir():
        with suppress(OSError):
            wakes += _number(task / "status", "voluntary_ctxt_switches")
    return Load(
        (int(fields[11]) + int(fields[12])) / TICKS, wakes, _number(folder / "status", "VmRSS") * 1024
    )


def _number(file: Path, key: str) -> int:
    rows = (line.partition(":") for line in file.read_text().splitlines())
    return next((int(value.split()[0]) for name, _, value in rows if name == key), 0)
