"""What building needs and gives: the toolchain, a planned command, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from orchwatchd.models.run import RunProcess


@dataclass(frozen=True, slots=True)
class GoModule:
    """What a `go.mod` says. `requires` maps paths to versions, `replaces` paths to (path, version); a folder has no
    version.
    """

    file: Path
    path: str
    go: str | None
    requires: Mapping[str, str]
    replaces: Mapping[str, tuple[str, str | None]]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The Go and Orchestrion that fit the project. `origin` is `configuration`, `go tool` or `PATH`.

    `verified` is False where a `replace` by a folder leaves the version open: Orchestrion then checks for itself.
    """

    go: Path
    go_version: str
    orchestrion: Path
    orchestrion_version: str
    origin: str
    verified: bool = True
    disabled_level: str = "DISABLED"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogSetting:
    """Orchestrion's log for one build: `file` is absolute and may hold `$PID`, None for lines on stderr; `level`
    None: its default.
    """

    file: str | None
    level: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A build that is fully decided: nothing but this says what will run.

    `folder` is where it runs, `work_parent` its `GOTMPDIR` (0700, the run's own), `temp` its `TMPDIR`, `graph` the
    action graph's file. `mark` stands in the environment of every process that it starts.
    """

    argv: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    kind: str
    packages: tuple[str, ...]
    work_parent: Path
    temp: Path
    graph: Path
    mark: str
    log: LogSetting
    notes: tuple[str, ...] = ()


class Stop(StrEnum):
    """Why we ended a build before its time."""

    CANCELLED = "cancelled"
    TIME_LIMIT = "time limit"


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """How a build ended, as its process told. Whether it is a success, only `status_of` says (fact 11, exit 0
    proves nothing).

    `exit_code` is Orchestrion's (negative: it died by that signal), `stop` our own reason to end it, `orphans` how
    many processes still lived when Orchestrion was gone; they were ended. `graph_written`: the Go command came as
    far as its action graph. `log_lines` are Orchestrion's, found on stderr; `stderr` is without them.
    """

    exit_code: int | None
    stop: Stop | None
    orphans: int
    survivors: tuple[int, ...]
    process: RunProcess | None
    started_at: datetime
    ended_at: datetime
    duration: float
    work_tree: Path | None
    graph_written: bool
    stdout: bytes = b""
    stderr: bytes = b""
    log_lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
