"""Rotates Orchestrion's log files while anyone may append to them: nothing is lost, nothing torn, any kill is made
good.

Orchestrion's processes open the file to append, never open it anew, and end. So a file is renamed, nobody can
open it by its old name then, and it is compressed only when nobody holds it for writing any more.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import os
import shutil
import signal
import stat
import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from orchwatchd.errors import ConfigurationError
from orchwatchd.jobs.deletion import RefusedError
from orchwatchd.models.run import LogRange
from orchwatchd.models.upkeep import LogFile, LogPhase, RotateAction, RotatePlan, RotateReport, RotateStep
from orchwatchd.orchlog.family import LogFamily, name_problem
from orchwatchd.orchlog.index import in_time
from orchwatchd.orchlog.lines import parse_line

_QUIET = 600.0
"""Seconds without a write after which a file counts as left, where the system cannot tell who holds it."""


class _HeldError(Exception):
    """A process still writes to a file; the message names it."""


def survey_logs(
    family: LogFamily, needed: Iterable[LogRange] = ()
) -> tuple[tuple[LogFile, ...], tuple[str, ...]]:
    """The files of a log, and sentences about what looks like one and is left alone: links, other users' files.

    `needed` are the ranges of runs that are not indexed yet.
    """
    inodes = {item.inode for item in needed}
    files, problems = [], []
    try:
        names = sorted(path.name for path in family.folder.iterdir())
    except FileNotFoundError:
        return (), ()
    for name in names:
        pid, rotated = family.live_pid(name), family.rotated(name)
        if pid is None and rotated is None:
            continue
        try:
            info = (family.folder / name).lstat()
        except FileNotFoundError:
            continue
        if problem := _file_problem(info):
            problems.append(f"{family.folder / name} is left alone: {problem}")
        elif rotated is None:
            since = _first_time(family.folder / name, info)
            files.append(
                LogFile(
                    name,
                    LogPhase.LIVE,
                    info.st_ino,
                    info.st_size,
                    since,
                    pid=pid or None,
                    needed=info.st_ino in inodes,
                )
            )
        else:
            phase = LogPhase.COMPRESSED if rotated.compressed else LogPhase.RENAMED
            files.append(
                LogFile(
                    name,
                    LogPhase.PARTIAL if rotated.partial else phase,
                    rotated.inode or 0,
                    info.st_size,
                    rotated.time,
                    rotated.stamp,
                    rotated.pid,
                    merged=rotated.inode is None,
                    needed=rotated.inode in inodes,
                )
            )
    return tuple(files), tuple(problems)


def apply_rotate(plan: RotatePlan, family: LogFamily) -> RotateReport:
    """Does what the plan says. A file that is still written to waits for the next time and is reported."""
    done: list[RotateAction] = []
    held: list[str] = []
    waiting: set[str] = set()
    for action in plan.actions:
        if waiting.intersection(action.names):
            continue
        try:
            _act(action, family.folder)
        except (_HeldError, RefusedError, OSError) as error:
            held.append(str(error))
            waiting.update((*action.names, action.to))
        else:
            done.append(action)
    return RotateReport(tuple(done), tuple(held))


def has_writer(path: Path) -> bool:
    """Whether any process has the file open for writing.

    Linux tells by a lease: one to read is refused exactly then. Elsewhere, and where the file system has no leases
    (NFS), a file counts as held until nobody wrote to it for ten minutes: its writers live for one build.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = _lease(fd)
        if found is not None:
            return found
        return time.time() - os.fstat(fd).st_mtime < _QUIET
    finally:
        os.close(fd)


def family_to_rotate(file: str | None, source: str, logs: Path) -> LogFamily | None:
    """The log that upkeep rotates: `file` as planned for the build (absolute, None for stderr), if it may.

    `source` is `Config.source_of("log.file")`: a file that only the environment names is someone else's and is
    never rotated (None). Raises ConfigurationError for a configured file in a place where rotating is unsafe.
    """
    if file is None or source == "environment":
        return None
    if problem := location_problem(Path(file), logs):
        raise ConfigurationError(
            f"log.file: {problem}", hint="choose a folder of your own, or leave the key out"
        )
    return LogFamily(file)


def location_problem(path: Path, logs: Path) -> str | None:
    """Why a configured log file may not be rotated where it is: one sentence, or None.

    Below `logs`, the state folder's own, it may. Elsewhere folder and file must be this user's and writable by
    nobody else, for whoever can write there could have us rename and remove other files.
    """
    if problem := name_problem(str(path)):
        return problem
    if path.parent == logs:
        return None
    folder = path.parent
    while not os.path.lexists(folder):
        folder = folder.parent  # Orchestrion makes what is missing, writable by its user alone
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder} belongs to another user, or others may write to it: a log there cannot be rotated safely"
    family = LogFamily(str(path))
    names = (
        [item for item in folder.iterdir() if family.live_pid(item.name) is not None]
        if folder == path.parent
        else []
    )
    for item in names:
        if problem := _file_problem(item.lstat()):
            return f"{item}: {problem}"
    return None


def _act(action: RotateAction, folder: Path) -> None:
    paths = [folder / name for name in action.names]
    if action.step is RotateStep.RENAME:
        _require_own(paths[0])
        if os.path.lexists(folder / action.to):
            raise RefusedError(f"{folder / action.to} exists")
        paths[0].rename(folder / action.to)
        _sync_folder(folder)
        return
    if action.step is RotateStep.DISCARD:
        _unlink(paths)
        return
    for path in paths:
        if path.suffix != ".gz" and path.exists() and has_writer(path):
            raise _HeldError(f"{path} waits: a process still writes to it")
    if action.step is RotateStep.REMOVE:
        _unlink(paths)
    else:
        _compress(paths, folder / action.to)


def _compress(paths: Collection[Path], target: Path) -> None:
    """Compresses files into one, durably, then removes them. A target that is there is one that a crash left: it is
    whole, because it got its name when it was, but it is made again all the same.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    sizes = [path.stat().st_size for path in paths]
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            if len(paths) == 1:
                with next(iter(paths)).open("rb") as source:
                    shutil.copyfileobj(source, packed, 1 << 20)
            else:
                for line in in_time(_lines(path) for path in paths):
                    packed.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if sizes != [path.stat().st_size for path in paths]:
        part.unlink()
        raise _HeldError(f"{target.with_suffix('')} waits: it grew while it was compressed")
    part.rename(target)
    _sync_folder(target.parent)
    _unlink(paths)


def _lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _unlink(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        _sync_folder(folder)


def _lease(fd: int) -> bool | None:
    """Whether a file has writers, by asking for a lease; None where there are none to be had."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        # Whoever opens the file while we have the lease has us told by a signal: by one that is ignored by default,
        # not by SIGIO, which would end the process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _require_own(path: Path) -> None:
    if problem := _file_problem(path.lstat()):
        raise RefusedError(f"{path} is left alone: {problem}")


def _file_problem(info: os.stat_result) -> str | None:
    if not stat.S_ISREG(info.st_mode):
        return "it is no regular file"
    if info.st_nlink > 1:
        return "it has another name elsewhere"
    if info.st_uid != os.geteuid():
        return "it belongs to another user"
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write to it"
    return None


def _first_time(path: Path, info: os.stat_result) -> datetime:
    """When the oldest line was written; for a file that does not tell, when it was last written to."""
    try:
        with path.open("rb") as file:
            text = parse_line(file.readline(1 << 16).rstrip(b"\n")).time
        found = datetime.fromisoformat(text) if text else None
    except (OSError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        found = datetime.fromtimestamp(info.st_mtime, UTC)
    return found


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
