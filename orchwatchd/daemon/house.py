"""When upkeep is due in the daemon, whatever is done to the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchwatchd.daemon.schedule import Schedule

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder

CLOCK_JUMP = 5.0


class House:
    """Owned by the loop. `enqueue` puts a job into its queue."""

    def __init__(self, recorder: Recorder, enqueue: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._schedule = Schedule(enqueue)
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

    def jobs(self) -> tuple[dict[str, Any], ...]:
        """When each job runs next."""
        return tuple({"job": job, "next": at} for job, at in sorted(self._schedule.next_times().items()))
