"""When upkeep is due; apscheduler's only home. A job's turn only puts it into the queue: the one loop does the
work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from orchwatchd.models.stored import JobTimes

SHORTEST = 1.0


class Schedule:
    """Enqueues each job at its interval. Last runs are the history's, so that a daemon that is restarted daily
    still does what is due daily: what is overdue runs at once.
    """

    def __init__(self, enqueue: Callable[[str], None]) -> None:
        self._enqueue = enqueue
        # Jobs only put a name into a queue, so they run in the scheduler's own thread. A wake-up that came late,
        # after a suspend, counts once (the defaults drop it after one second).
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self, intervals: Mapping[str, float], times: Callable[[str], JobTimes], now: datetime) -> None:
        """Schedules jobs by name, every so many seconds, the first time when their last start is that long ago."""
        for job, seconds in intervals.items():
            self._scheduler.add_job(
                self._enqueue,
                IntervalTrigger(seconds=max(SHORTEST, seconds), timezone=UTC),
                args=(job,),
                id=job,
                replace_existing=True,
                next_run_time=first_time(times(job), seconds, now),
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Ends the scheduler's thread."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def anew(self) -> Schedule:
        """A schedule that has not started: after a jump of the clock the old one sleeps on the old time."""
        return Schedule(self._enqueue)

    def next_times(self) -> dict[str, Any]:
        """When each job runs next, ISO 8601."""
        return {
            job.id: job.next_run_time.isoformat() for job in self._scheduler.get_jobs() if job.next_run_time
        }


def first_time(times: JobTimes, interval: float, now: datetime) -> datetime:
    """When a job first runs after a start: when it would have, at once if that has passed; a start that lies in
    the future (the clock was set back) counts as now.
    """
    if times.last_start is None or times.last_start > now:
        return now + timedelta(seconds=interval)
    return max(now, times.last_start + timedelta(seconds=interval))
