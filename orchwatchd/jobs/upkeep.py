"""Keeping house: pruning trees and history, rotating logs, checking the database; each notes when it ran and how
it went.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.jobs.prune import apply_prune, mark_lost, survey
from orchwatchd.jobs.reserve import keep_reserve
from orchwatchd.jobs.retention import plan_prune
from orchwatchd.jobs.rotate import apply_rotate, location_problem, survey_logs
from orchwatchd.jobs.rotation import plan_rotate
from orchwatchd.models.event import Line
from orchwatchd.models.upkeep import PrunePlan, PruneReport, RotatePlan, RotateReport
from orchwatchd.orchlog.family import LogFamily

if TYPE_CHECKING:
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder


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
    """Removes what the policy does not keep: archives of trees, trees, rows of runs, cache files. With `dry_run`
    the same plan, and nothing is removed. Not to be called while a build runs: the one writer is busy with it
    then.
    """
    config = recorder.config
    use = survey(recorder.store, recorder.paths, private_cache=recorder.private_cache is not None)
    plan = plan_prune(use, config.keep, keep_logs=config.logs.keep_runs, now=datetime.now(UTC))
    if dry_run:
        return plan, None
    with _noted(recorder, "prune") as outcome:
        mark_lost(use, recorder.store)
        report = apply_prune(plan, recorder.store, recorder.paths)
        keep_reserve(recorder.paths)
        outcome.text = f"{len(report.done)} removals, {report.bytes} bytes freed"
        for sentence in (*plan.warnings, *report.held_back):
            if hooks is not None:
                hooks.tell(Line("warning", sentence))
        return plan, report


def rotate(
    recorder: Recorder, *, dry_run: bool = False, busy: bool = False
) -> tuple[RotatePlan, RotateReport | None]:
    """Rotates the log files that orchwatchd configures; with `busy` (a build runs) only what is past its size.

    A file that only the environment names is not ours to rotate, nor is one where others may write.
    """
    config = recorder.config
    family = LogFamily(recorder.log_file)
    if config.source_of("log.file") == "environment":
        return RotatePlan(warnings=("ORCHESTRION_LOG_FILE of the environment is not ours to rotate",)), None
    if problem := location_problem(Path(family.path), recorder.paths.logs):
        return RotatePlan(warnings=(problem,)), None
    needed = [entry for run in recorder.store.unfinished() for entry in run.logs]
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
