"""What the daemon is doing, as `status` tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class DaemonState(StrEnum):
    """What the daemon is at."""

    STOPPED = "stopped"
    STARTING = "starting"
    IDLE = "idle"
    SETTLING = "settling"
    BUILDING = "building"
    INDEXING = "indexing"
    UPKEEP = "upkeep"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class DaemonReport:
    """What a running daemon says of itself. `degraded` holds one sentence a reason; `job` rows are of its
    schedule.
    """

    state: DaemonState
    pid: int
    project: str
    degraded: tuple[str, ...] = ()
    waiting: str | None = None
    problem: str | None = None
    pending_changes: tuple[str, ...] = ()
    inputs: dict[str, int] = field(default_factory=dict)
    jobs: tuple[dict[str, Any], ...] = ()
