"""What upkeep weighs and decides: space in use, what goes and what stays, each with its reason; log files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from orchwatchd.models.run import RunId, RunStatus, WorkState


@dataclass(frozen=True, slots=True)
class RunUse:
    """What one run takes. Bytes of trees are bytes on disk, folders included; of rows an estimate.

    `indexed` says that its record is committed. `tree_bytes` is what its work tree takes now, `heavy_bytes` what
    thinning would free of it. `row_bytes` is what forgetting the run frees in the database, `log_bytes` the part
    of it that its log lines take.
    """

    run: RunId
    kind: str
    status: RunStatus
    started_at: datetime
    pins: tuple[str, ...] = ()
    work: WorkState = WorkState.NONE
    indexed: bool = True
    work_parent: str = ""
    tree_bytes: int | None = None
    heavy_bytes: int = 0
    row_bytes: int = 0
    log_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DiskUse:
    """A file system: its size and what is free for this user, in bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything that a prune weighs. `cache_bytes` is None where the private cache is not used."""

    runs: tuple[RunUse, ...]
    disk: DiskUse
    database_bytes: int = 0
    cache_bytes: int | None = None
    trash_bytes: int = 0
    lost: tuple[RunId, ...] = ()
    problems: tuple[str, ...] = ()


class PruneStep(StrEnum):
    """What is removed: leftovers of an interrupted removal, archives of a tree, a tree, a run's log lines, a run's
    rows, files of the private Go cache.
    """

    TRASH = "trash"
    THIN = "thin"
    TREE = "tree"
    LOG = "log"
    ROWS = "rows"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class PruneAction:
    """One removal, the bytes that it frees, and why."""

    step: PruneStep
    run: RunId | None
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class PruneKeep:
    """One thing that stays (`tree`, `thin tree`, `history`, `cache`), its bytes, and every reason for it."""

    what: str
    run: RunId | None
    bytes: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A limit that cannot be reached: `over` bytes stay too many (or too few free), and why."""

    limit: str
    over: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a prune would do, in the order in which it does it."""

    actions: tuple[PruneAction, ...] = ()
    keeps: tuple[PruneKeep, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """What all actions free."""
        return sum(action.bytes for action in self.actions)


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a prune did: the actions that were done with the bytes that they freed; sentences about what was left."""

    done: tuple[PruneAction, ...] = ()
    held_back: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """What was freed."""
        return sum(action.bytes for action in self.done)


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A file of the Go cache: its name with the folder (`1a/1a91…-d`), its bytes on disk, when it was last used."""

    name: str
    bytes: int
    used_ns: int


@dataclass(frozen=True, slots=True)
class ForeignTree:
    """A folder that others' builds left. `busy` names a process that has it open; `keep_reason` says why it stays
    even when asked to remove it, None if it may go.
    """

    path: Path
    bytes: int
    changed_at: datetime
    keep_reason: str | None


class LogPhase(StrEnum):
    """How far a log file is on its way: being written, renamed, half compressed, compressed."""

    LIVE = "live"
    RENAMED = "renamed"
    PARTIAL = "partial"
    COMPRESSED = "compressed"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log family. `stamp` is that of a rotated name, empty for a live file; `since` when its oldest
    line was written; `needed` that a run not yet indexed has lines in it.
    """

    name: str
    phase: LogPhase
    inode: int
    bytes: int
    since: datetime
    stamp: str = ""
    pid: int | None = None
    merged: bool = False
    needed: bool = False


class RotateStep(StrEnum):
    """What happens to a log file, or to all of one stamp together (`merge`)."""

    RENAME = "rename"
    COMPRESS = "compress"
    MERGE = "merge"
    DISCARD = "discard"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class RotateAction:
    """One step: from `names` to `to` (empty for removals), the bytes of the files, and why."""

    step: RotateStep
    names: tuple[str, ...]
    to: str
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class RotatePlan:
    """What a rotation would do, in order; `keeps` are (name, reason)."""

    actions: tuple[RotateAction, ...] = ()
    keeps: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RotateReport:
    """What a rotation did, and sentences about what waits or was left alone."""

    done: tuple[RotateAction, ...] = ()
    held_back: tuple[str, ...] = ()
