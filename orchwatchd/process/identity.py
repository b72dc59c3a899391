"""Telling a process from a later one with the same number: boot id and start time."""

from __future__ import annotations

import sys
import zlib
from functools import lru_cache
from pathlib import Path

from orchwatchd.models.run import RunProcess
from orchwatchd.process.short import ProgramMissingError, ProgramTimeoutError, run_short

_PROC = Path("/proc")
HAS_PROC = sys.platform.startswith("linux") and (_PROC / "self/stat").exists()


@lru_cache(maxsize=1)
def boot_id() -> str | None:
    """A text that differs after each boot, None where the system tells none."""
    if HAS_PROC:
        try:
            return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
    return _ask("sysctl", "-n", "kern.boottime")


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot (no /proc: a hash of what `ps` prints); None if gone."""
    if HAS_PROC:
        fields = stat_fields(pid)
        return fields.start if fields else None
    shown = _ask("ps", "-o", "lstart=", "-p", str(pid))
    return zlib.crc32(shown.encode()) if shown else None


def identity_of(pid: int) -> RunProcess:
    """The leader of a process group, exact over reuse of its number."""
    return RunProcess(pid, start_ticks(pid), boot_id())


class StatFields:
    """The fields of `/proc/<pid>/stat` that groups need."""

    __slots__ = ("group", "pid", "session", "start", "state")

    def __init__(self, pid: int, line: str) -> None:
        # The command's name stands in brackets and may hold brackets and spaces: what follows the last one counts.
        fields = line[line.rindex(")") + 2 :].split()
        self.pid = pid
        self.state = fields[0]
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.start = int(fields[19])


def stat_fields(pid: int) -> StatFields | None:
    """Reads `/proc/<pid>/stat`; None if the process is gone."""
    try:
        with (_PROC / str(pid) / "stat").open(encoding="utf-8", errors="replace") as file:
            return StatFields(pid, file.read())
    except (OSError, ValueError, IndexError):
        return None


def _ask(*argv: str) -> str | None:
    try:
        done = run_short(argv, timeout=5)
    except (ProgramMissingError, ProgramTimeoutError):
        return None
    return done.stdout.strip() or None
