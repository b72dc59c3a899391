"""A build's process group: started in a session of its own, ended whole, whoever ignores TERM included."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from orchwatchd.models.run import RunProcess
from orchwatchd.process.identity import boot_id, identity_of, start_ticks
from orchwatchd.process.members import Member, has_mark, members_of, signal_members
from orchwatchd.process.output import OnLine, OutputReader
from orchwatchd.process.short import child_environment, not_startable

GRACE = 2.0
KILL_LIMIT = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a group was ended: `signalled` says that we sent a signal, `killed` that TERM was not enough.

    `survivors` outlived even KILL (stuck in the kernel) or were not ours to signal; normally there are none.
    """

    signalled: bool
    killed: bool
    survivors: tuple[int, ...]


class Group:
    """A running command with all that it started, made by `start_group`. `close()`, or `with`, ends it for certain."""

    def __init__(self, process: subprocess.Popen[bytes], reader: OutputReader, mark: str | None) -> None:
        self._process = process
        self._reader = reader
        self._mark = mark
        self._closed = False
        self.identity: RunProcess = identity_of(process.pid)
        self._handle = _handle(process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The leader's process number, which is the group's and the session's."""
        return self._process.pid

    def poll(self) -> int | None:
        """The leader's exit code (negative: its death by a signal), None while it runs. Its children may live on."""
        return self._process.poll()

    def wait(self, timeout: float) -> int | None:
        """Waits at most `timeout` seconds for the leader; its exit code, or None."""
        if self._handle is not None and self._process.poll() is None:
            select.select([self._handle], [], [], timeout)  # at once, where Popen.wait would look every 50 ms
            return self._process.poll()
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def members(self) -> tuple[Member, ...]:
        """Who of the group lives, those who left it but stayed in its session or carry its mark included."""
        self._process.poll()  # collects the leader, if it is dead
        return members_of(self.pid, mark=self._mark)

    def empty(self) -> bool:
        """Whether nothing of the group lives."""
        return not self.members()

    def terminate(self, grace: float = GRACE) -> Ended:
        """TERM to all; after `grace` seconds KILL; returns when the group is empty (at most 10 s after the KILL)."""
        return _end(self.members, self.pid, grace)

    def close(self) -> None:
        """Ends what lives of the group and stops reading; raises what the line callback raised."""
        if self._closed:
            return
        self._closed = True
        try:
            self.terminate()
        finally:
            self._reader.finish()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def output(self, stream: str) -> bytes:
        """What was printed on `stdout` or `stderr`; complete after `close()`."""
        return self._reader.kept(stream)


def start_group(
    argv: Sequence[str | Path],
    *,
    cwd: Path | str,
    env: Mapping[str, str],
    on_line: OnLine | None = None,
    nice: int = 0,
    umask: int | None = None,
    mark: str | None = None,
) -> Group:
    """Starts `argv` as leader of a new session and group; a reader's thread calls `on_line(stream, line)`.

    `env` is the whole environment (less what systemd meant for us). `nice` is added to our niceness. `umask` is that
    of the developer, who should be able to use what a build leaves in the project. `mark` (`NAME=value`) must stand in
    `env`: by it even a child that began a session of its own is found. Raises ProgramMissingError.
    """
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in argv],
            cwd=cwd,
            env=child_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            umask=-1 if umask is None else umask,
        )
    except OSError as error:
        raise not_startable(argv, cwd, error) from error
    _renice(process.pid, nice)
    if process.stdout is None or process.stderr is None:
        raise AssertionError("pipes were asked for")
    reader = OutputReader({"stdout": process.stdout, "stderr": process.stderr}, on_line)
    return Group(process, reader, mark)


def end_group(process: RunProcess, *, mark: str | None = None, grace: float = GRACE) -> Ended:
    """Ends what lives of a group that an earlier orchwatchd started; touches nothing of a later owner of its number.

    Only within the same boot. While a member of the group or its session lives, the kernel does not give its number
    away: so a process with the leader's number and another start time proves that the group is gone, and where no
    process has the number, members are ours if they started no earlier than the leader and carry `mark`. Others are
    only reported, as survivors: a daemon of somebody else may have begun, and left, such a session.
    """
    if process.boot_id is None or process.start_ticks is None or process.boot_id != boot_id():
        return Ended(signalled=False, killed=False, survivors=())
    ended = _end(lambda: _verified(process, mark), process.pgid, grace)
    if start_ticks(process.pgid) is not None:
        return ended
    doubtful = {member.pid for member in members_of(process.pgid)}
    return replace(ended, survivors=tuple(sorted(doubtful | set(ended.survivors))))


def _verified(process: RunProcess, mark: str | None) -> tuple[Member, ...]:
    found = members_of(process.pgid, mark=mark)
    leader = start_ticks(process.pgid)
    if leader == process.start_ticks:
        return found
    if leader is not None:
        # The number has a new owner: only who bears the mark is ours, and none of them is in this group.
        return tuple(member for member in found if mark and not member.inside and has_mark(member.pid, mark))
    first = process.start_ticks or 0
    return tuple(
        member
        for member in found
        if mark and (member.start is None or member.start >= first) and has_mark(member.pid, mark)
    )


def _end(members: Callable[[], tuple[Member, ...]], pgid: int, grace: float) -> Ended:
    living = members()
    if not living:
        return Ended(signalled=False, killed=False, survivors=())
    signal_members(pgid, living, signal.SIGTERM)
    living = _wait_until_empty(members, grace)
    if not living:
        return Ended(signalled=True, killed=False, survivors=())
    deadline = time.monotonic() + KILL_LIMIT
    while living and time.monotonic() < deadline:
        # Again and again: a member may have forked between our look and our signal.
        signal_members(pgid, living, signal.SIGKILL)
        living = _wait_until_empty(members, 0.2)
    return Ended(signalled=True, killed=True, survivors=tuple(member.pid for member in living))


def _wait_until_empty(members: Callable[[], tuple[Member, ...]], limit: float) -> tuple[Member, ...]:
    """Looks until nobody lives or `limit` seconds are over; returns who lives."""
    deadline = time.monotonic() + limit
    pause = _FIRST_PAUSE
    while living := members():
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return living


def _handle(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _renice(pgid: int, nice: int) -> None:
    """Lowers the priority of the group that has just begun; safe in threads, where `preexec_fn` is not."""
    if nice:
        with contextlib.suppress(OSError):
            wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + nice)
            os.setpriority(os.PRIO_PGRP, pgid, wanted)
