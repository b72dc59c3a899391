"""Which files belong to one log: the live file, one a process where `$PID` asks for it, and the rotated ones.

Rotated names sort by time, are never changed again, and carry the inode under which a run's lines were noted:
`<stem>-<UTC time>[-p<pid>]-i<inode><suffix>`, then `….gz`; a family merged into one file is
`<stem>-<UTC time><suffix>.gz`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_PID = re.compile(r"\$PID\b|\$\{PID\}")
_STAMP = r"(?P<stamp>\d{8}T\d{6}\.\d{6}Z)"
_STAMP_FORMAT = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class RotatedName:
    """What a rotated file's name tells. `pid` is None outside `$PID` families, `inode` for merged files."""

    stamp: str
    pid: int | None
    inode: int | None
    compressed: bool
    partial: bool

    @property
    def time(self) -> datetime:
        """When it was rotated."""
        return datetime.strptime(self.stamp, _STAMP_FORMAT).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogFamily:
    """One configured log: `path` as configured, absolute, with `$PID` or `${PID}` in its last part or without."""

    path: str

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(self.path).parent

    @property
    def per_process(self) -> bool:
        """Whether each process writes a file of its own."""
        return _PID.search(self.path) is not None

    @property
    def name(self) -> str:
        """The last part of the path, as configured."""
        return Path(self.path).name

    def live_pid(self, name: str) -> int | None:
        """The process that wrote a live file, 0 for a log without `$PID`; None if the name is no live file's."""
        if not self.per_process:
            return 0 if name == self.name else None
        before, after = self._around()
        found = re.fullmatch(rf"{re.escape(before)}(\d+){re.escape(after)}", name)
        return int(found[1]) if found else None

    def rotated(self, name: str) -> RotatedName | None:
        """What a rotated file's name tells, or None if it is no rotated file of this family."""
        stem, suffix = self._stem()
        found = re.fullmatch(
            rf"{re.escape(stem)}-{_STAMP}(?:-p(?P<pid>\d+))?(?:-i(?P<inode>\d+))?{re.escape(suffix)}"
            r"(?P<gz>\.gz)?(?P<part>\.part)?",
            name,
        )
        if found is None or not (found["inode"] or found["gz"]):
            return None
        pid, inode = found["pid"], found["inode"]
        return RotatedName(
            found["stamp"],
            int(pid) if pid else None,
            int(inode) if inode else None,
            bool(found["gz"]),
            bool(found["part"]),
        )

    def rotated_name(self, at: datetime, inode: int, pid: int = 0) -> str:
        """The name that a live file gets: never changed again, but for `.gz`."""
        stem, suffix = self._stem()
        process = f"-p{pid}" if pid else ""
        return f"{stem}-{at.astimezone(UTC).strftime(_STAMP_FORMAT)}{process}-i{inode}{suffix}"

    def merged_name(self, stamp: str) -> str:
        """The name of the one file that the files of a `$PID` family become which were rotated at `stamp`."""
        stem, suffix = self._stem()
        return f"{stem}-{stamp}{suffix}.gz"

    def _around(self) -> tuple[str, str]:
        before, after = _PID.split(self.name, maxsplit=1)
        return before, after

    def _stem(self) -> tuple[str, str]:
        """The parts before and after the stamp; a file a process (`a-$PID.jsonl`) gives `a` and `.jsonl`."""
        if self.per_process:
            before, after = self._around()
            rest = Path("x" + after)  # a name of its own, so that ".jsonl" counts as a suffix
            return (before + rest.stem[1:]).strip("-._") or "log", rest.suffix
        return Path(self.name).stem, Path(self.name).suffix


def name_problem(path: str) -> str | None:
    """Why a configured path cannot be a log's: one sentence, or None if it can.

    Orchestrion expands `$PID` and rewrites every other `${name}` to `$name`; a folder that differs by process
    cannot be listed, and a second `$PID` says nothing more.
    """
    folder, name = os.path.split(path)
    if "$" in folder:
        return f'"{path}": only the last part may hold $PID'
    rest = _PID.sub("", name)
    if "$" in rest:
        return f'"{path}": Orchestrion knows no other variable than $PID'
    if len(_PID.findall(name)) > 1:
        return f'"{path}": $PID stands twice'
    return None if rest.strip() else f'"{path}": a name of $PID alone cannot be told from other files'
