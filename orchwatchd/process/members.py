"""Who still lives of a process group, of its session, and of those who left both but carry the run's mark."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.process.identity import HAS_PROC, stat_fields
from orchwatchd.process.short import ProgramMissingError, ProgramTimeoutError, run_short

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Member:
    """A living process: `start` in clock ticks since boot (None without /proc), `inside` the group itself or not."""

    pid: int
    start: int | None
    inside: bool


def members_of(pgid: int, *, mark: str | None = None) -> tuple[Member, ...]:
    """The living processes of the group `pgid`, of the session that its leader began, and whoever has the `mark`.

    `mark` is `NAME=value` as it stands in the environment of all that a run started. The dead that wait for their
    parent (zombies) do not count: nobody may ever collect them where the system has no init.
    """
    if not HAS_PROC:
        return _members_by_ps(pgid)
    found = []
    for name in os.listdir(_PROC):  # noqa: PTH208 - a scan of all processes: paths would double its time
        if name.isdigit() and (fields := stat_fields(int(name))) and fields.state not in "ZX":
            inside = fields.group == pgid
            if inside or fields.session == pgid or (mark and has_mark(fields.pid, mark)):
                found.append(Member(fields.pid, fields.start, inside))
    return tuple(found)


def has_mark(pid: int, mark: str) -> bool:
    """Whether the process began with `mark` (`NAME=value`) in its environment; False if that is not ours to read."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(mark) in environment.split(b"\0")


def signal_members(pgid: int, members: tuple[Member, ...], number: signal.Signals) -> None:
    """Sends a signal to the group in one step, then to each member outside it, exact over reuse of its number."""
    if any(member.inside for member in members):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pgid, number)
    for member in members:
        if not member.inside:
            _signal_one(member, number)


def _signal_one(member: Member, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        if not hasattr(os, "pidfd_open"):
            os.kill(member.pid, number)
            return
        handle = os.pidfd_open(member.pid)
        try:
            fields = stat_fields(member.pid)
            if fields is not None and fields.start == member.start:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def _members_by_ps(pgid: int) -> tuple[Member, ...]:
    """Without /proc: `ps` knows the group; who left it is not found there."""
    try:
        return parse_ps(run_short(("ps", "-A", "-o", "pid=,pgid=,state="), timeout=5).stdout, pgid)
    except (ProgramMissingError, ProgramTimeoutError):
        pass
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return ()
    except PermissionError:
        pass
    return (Member(pgid, None, inside=True),)  # somebody lives there, that is all that can be known


def parse_ps(listing: str, pgid: int) -> tuple[Member, ...]:
    """The living processes of a group in what `ps -A -o pid=,pgid=,state=` prints."""
    rows = (line.split() for line in listing.splitlines())
    return tuple(
        Member(int(row[0]), None, inside=True)
        for row in rows
        if len(row) == 3 and int(row[1]) == pgid and not row[2].startswith("Z")
    )
