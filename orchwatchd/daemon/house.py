"""What the daemon looks after besides building: the schedule of upkeep, room on the disk, a log that grows during
a build.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchwatchd.daemon.schedule import Schedule
from orchwatchd.jobs.upkeep import disk_is_low, rotate

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder

LOOK_AT_DISK = 2.0
LOOK_AT_LOG = 30.0
CLOCK_JUMP = 5.0


class House:
    """Owned by the loop. `enqueue` puts a job into its queue; `low` is called when the disk runs low during a
    build.
    """

    def __init__(
        self, recorder: Recorder, enqueue: Callable[[str], None], low: Callable[[str], None]
    ) -> None:
        self._recorder = recorder
        self._low = low
        self._schedule = Schedule(enqueue)
        self._disk_at = self._log_at = 0.0
        self._clock_gap = time.time() - time.monotonic()

    def start(self) -> None:
        """Schedules upkeep; what is overdue is enqueued at once."""
        every = self._recorder.config.schedule
        intervals = {"prune": every.prune, "rotate": every.rotate, "check": every.check}
        self._schedule.start(intervals, self._recorder.store.job_times, datetime.now(UTC))

    def stop(self) -> None:
        """Ends the schedule."""
        self._schedule.stop()

    def look_around(self) -> None:
        """Between pieces of work: a clock that was set makes the schedule count anew."""
        gap = time.time() - time.monotonic()
        if abs(gap - self._clock_gap) > CLOCK_JUMP:
            self._clock_gap = gap
            self._schedule.stop()
            self._schedule = self._schedule.anew()
            self.start()

    def look_around_during_build(self) -> None:
        """While a build runs: whether the disk runs low, and whether the log has outgrown its size."""
        now = time.monotonic()
        if now >= self._disk_at:
            self._disk_at = now + LOOK_AT_DISK
            if disk_is_low(self._recorder):
                self._low("cancelled: less room is left on the disk than keep.trees.min_free")
        if now >= self._log_at:
            self._log_at = now + LOOK_AT_LOG
            rotate(self._recorder, busy=True)

    def jobs(self) -> tuple[dict[str, Any], ...]:
        """When each job runs next."""
        return tuple({"job": job, "next": at} for job, at in sorted(self._schedule.next_times().items()))
