"""A run: one build that was recorded, what it was asked to do and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

RunId = NewType("RunId", int)


class RunStatus(StrEnum):
    """How a run ended; `unknown` is an adopted tree that cannot tell."""

    OK = "ok"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    UNKNOWN = "unknown"


class WorkState(StrEnum):
    """What is left of a run's work tree."""

    KEPT = "kept"
    THIN = "thin"
    PRUNED = "pruned"
    LOST = "lost"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CompilerMessage:
    """One message of the compiler. For `<generated>` `code` shows the injected code, `declaration` where it was
    put, and `integration`, `aspect` and `certainty` who made it, as for injections.
    """

    file: str
    line: int
    column: int | None
    text: str
    package: str | None
    declaration: str | None = None
    code: str | None = None
    integration: str | None = None
    aspect: str | None = None
    certainty: str | None = None


@dataclass(frozen=True, slots=True)
class LogRange:
    """The bytes of one log file that were appended during a run; the inode tells a rotated file from its
    successor. `head` is a digest of the file's first bytes (`orchlog.ranges`): it tells a file from a later one
    that got the same inode.
    """

    file: str
    inode: int
    start: int
    end: int
    head: str = ""


@dataclass(frozen=True, slots=True)
class Documents:
    """What was in force during a run, each a text kept once by its hash (None: there was none).

    `modules` is JSON of `go list -m` (path, version, replace), `environment` JSON of allow-listed names,
    `configuration` JSON of Orchestrion's resolved configuration, `manifest` one line a project source (`sha256
    path`), `command` JSON of argv and flags.
    """

    gomod: str | None = None
    gosum: str | None = None
    gowork: str | None = None
    modules: str | None = None
    environment: str | None = None
    configuration: str | None = None
    manifest: str | None = None
    command: str | None = None

    def items(self) -> tuple[tuple[str, str], ...]:
        """The documents that exist, as (kind, text)."""
        kinds = ("gomod", "gosum", "gowork", "modules", "environment", "configuration", "manifest", "command")
        return tuple((kind, text) for kind in kinds if (text := getattr(self, kind)) is not None)


@dataclass(frozen=True, slots=True)
class GitState:
    """Where the project's repository stood. `dirty` is None when Git could not tell; all are None outside a
    repository.
    """

    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run before its build starts; enough to find its processes, its tree and its log lines
    after our own death (`logs` marks where each log file ended then).
    """

    kind: str
    trigger: tuple[str, ...]
    started_at: datetime
    argv: tuple[str, ...]
    work_parent: str
    go_version: str | None
    orchestrion_version: str | None
    cache: str
    git: GitState = field(default_factory=GitState)
    documents: Documents = field(default_factory=Documents)
    input_digest: str | None = None
    logs: tuple[LogRange, ...] = ()


@dataclass(frozen=True, slots=True)
class RunProcess:
    """The leader of a build's process group, exact over reuse of its number: boot id and start time in clock
    ticks.
    """

    pgid: int
    start_ticks: int | None
    boot_id: str | None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a build ended. `reason` is one sentence for every status but ok. `timed` is False for an adopted tree: how
    long its build took is not known.
    """

    status: RunStatus
    reason: str | None
    ended_at: datetime
    exit_code: int | None
    signal: int | None = None
    messages: tuple[CompilerMessage, ...] = ()
    logs: tuple[LogRange, ...] = ()
    work_tree: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    inputs_moved: bool = False
    timed: bool = True
