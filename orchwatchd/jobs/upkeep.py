"""Keeping house: pruning trees and history, rotating logs, checking the database; each notes when it ran and how it
went.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.keeping import below_floor
from orchwatchd.jobs.prune import apply_prune, mark_lost, survey
from orchwatchd.jobs.reserve import keep_reserve, release_if_full
from orchwatchd.jobs.retention import plan_finish, plan_prune
from orchwatchd.jobs.rotate import apply_rotate, family_to_rotate, survey_logs
from orchwatchd.jobs.rotation import plan_rotate
from orchwatchd.models.event import Line
from orchwatchd.models.upkeep import PrunePlan, PruneReport, RotatePlan, RotateReport
from orchwatchd.orchlog.ranges import ranges_since

if TYPE_CHECKING:
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder

log = logging.getLogger(__name__)

LOOK_AT_DISK = 2.0
LOOK_AT_LOG = 30.0


class _Outcome:
    """The sentence that a job leaves behind."""

    text = "done"


@contextmanager
def _noted(recorder: Recorder, job: str) -> Iterator[_Outcome]:
    """Writes down that a job starts and how it ends, for `status` and for what is overdue at the next start."""
    recorder.store.job_started(job, datetime.now(UTC))
    outcome = _Outcome()
    try:
        yield outcome
    except Exception as error:
        recorder.store.job_finished(job, datetime.now(UTC), f"failed: {error}", ok=False)
        raise
    recorder.store.job_finished(job, datetime.now(UTC), outcome.text, ok=True)


def prune(
    recorder: Recorder, *, dry_run: bool = False, hooks: Hooks | None = None
) -> tuple[PrunePlan, PruneReport | None]:
    """Removes what the policy does not keep: archives of trees, trees, rows of runs, cache files. With `dry_run` the
    same plan, and nothing is removed. Not to be called while a build runs: the one writer is busy with it then.
    """
    config = recorder.config
    if not dry_run:
        release_if_full(recorder.paths)
    use = survey(recorder.store, recorder.paths, private_cache=recorder.private_cache is not None)
    # Days are the developer's: `keep_daily` means theirs.
    plan = plan_prune(use, config.keep, keep_logs=config.logs.keep_runs, now=datetime.now(UTC).astimezone())
    if dry_run:
        return plan, None
    with _noted(recorder, "prune") as outcome:
        mark_lost(use, recorder.store)
        report = apply_prune(plan, recorder.store, recorder.paths, caches=recorder.caches())
        keep_reserve(recorder.paths)
        outcome.text = f"{len(report.done)} removals, {report.bytes} bytes freed"
        for sentence in (*plan.warnings, *report.held_back):
            if hooks is not None:
                hooks.tell(Line("warning", sentence))
        return plan, report


def finish_removals(recorder: Recorder) -> None:
    """Ends what a crash cut off: half-removed trees go, and nothing else. Called at the start."""
    use = survey(recorder.store, recorder.paths, private_cache=False)
    plan = plan_finish(use)
    if plan.actions:
        apply_prune(plan, recorder.store, recorder.paths, caches=recorder.caches())


def disk_is_low(recorder: Recorder) -> bool:
    """Whether less is free where trees lie than `min_free` leaves."""
    disk = shutil.disk_usage(recorder.paths.work)
    return below_floor(disk.free, disk.total, recorder.config.keep)


def after_run(recorder: Recorder) -> None:
    """What follows every run: limits that it may have passed are kept."""
    prune(recorder)
    rotate(recorder)


class BuildRoom:
    """Looks after the disk while a build runs: a disk that runs low, a log that outgrows its size. `low` is called
    with a sentence when less is free than `min_free` leaves; the build is then to be cancelled.
    """

    def __init__(self, recorder: Recorder, low: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._low = low
        self._disk_at = self._log_at = 0.0

    def look(self) -> None:
        """To be called often; looks every few seconds."""
        now = time.monotonic()
        if now >= self._disk_at:
            self._disk_at = now + LOOK_AT_DISK
            if disk_is_low(self._recorder):
                self._low("cancelled: less room is left on the disk than keep.trees.min_free")
        if now >= self._log_at:
            self._log_at = now + LOOK_AT_LOG
            try:
                rotate(self._recorder, busy=True)
            except (OrchwatchdError, OSError) as error:
                log.warning("the log was not rotated during the build: %s", error)


def rotate(
    recorder: Recorder, *, dry_run: bool = False, busy: bool = False
) -> tuple[RotatePlan, RotateReport | None]:
    """Rotates the log files that orchwatchd configures; with `busy` (a build runs) only what is past its size.

    Raises ConfigurationError for a configured file in a place where others may write.
    """
    config = recorder.config
    source = config.source_of("log.file")
    if recorder.log_family is None:
        return RotatePlan(warnings=("Orchestrion logs to stderr: there is no file to rotate",)), None
    family = family_to_rotate(recorder.log_file, source, recorder.paths.logs)
    if family is None:
        return RotatePlan(
            warnings=("the log file that ORCHESTRION_LOG_FILE names is not ours to rotate",)
        ), None
    needed = [entry for run in recorder.store.unfinished() for entry in ranges_since(family, run.logs)]
    files, problems = survey_logs(family, needed)
    plan = plan_rotate(files, family, config.rotate, now=datetime.now(UTC), busy=busy)
    if dry_run:
        return plan, None
    if busy:
        return plan, apply_rotate(plan, family)
    with _noted(recorder, "rotate") as outcome:
        report = apply_rotate(plan, family)
        outcome.text = f"{len(report.done)} steps" + (f"; {'; '.join(problems)}" if problems else "")
        return plan, report


def check(recorder: Recorder) -> tuple[str, ...]:
    """Checks the whole database; gives what is wrong, one sentence each."""
    with _noted(recorder, "check") as outcome:
        problems = recorder.store.check()
        outcome.text = "; ".join(problems) or "the database is whole"
        return problems
