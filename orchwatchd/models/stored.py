"""What the store tells besides runs: what we left behind, job times, what removal removed, what to derive again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchwatchd.models.package import PackageName
from orchwatchd.models.record import AttributedInjection
from orchwatchd.models.run import LogRange, RunId, RunProcess


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that began and was not finished. `process` is None when we died before it was written down."""

    id: RunId
    kind: str
    started_at: datetime
    work_parent: str
    cache: str
    process: RunProcess | None
    logs: tuple[LogRange, ...] = ()


@dataclass(frozen=True, slots=True)
class JobTimes:
    """When a scheduled job last started and last succeeded, and what its last end said."""

    last_start: datetime | None
    last_ok: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a removal removed: runs, outputs, blobs, and the bytes of the blobs as they were kept."""

    runs: int
    outputs: int
    blobs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FileToDerive:
    """A stored modified file whose injections are to be derived again; `configuration` is that of the run that
    recorded it.
    """

    package: PackageName | None
    path: str
    original: str | None
    original_data: bytes | None
    data: bytes
    synthetic: bool
    configuration: str | None
    original_certain: bool = True


Derive = Callable[[FileToDerive], tuple[AttributedInjection, ...]]
