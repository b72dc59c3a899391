"""Makes good what our own death cut off: ends the processes of runs that never finished, and records what they
left.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.aspects.document import from_json
from orchwatchd.build import end_interrupted, find_work_tree
from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.baseline import remove_leftovers
from orchwatchd.jobs.indexing import Index, Left, index_run
from orchwatchd.jobs.record import forget_files
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.record import RunRecord
from orchwatchd.models.run import RunEnd, RunId, RunStatus
from orchwatchd.models.tree import TreeReading
from orchwatchd.orchlog.ranges import ranges_since
from orchwatchd.query import History

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.stored import UnfinishedRun


log = logging.getLogger(__name__)


def recover(recorder: Recorder) -> tuple[RunId, ...]:
    """Ends and records every run that was never finished; whoever calls holds the state lock, so none of them is
    live.

    What a dead build compiled is in the cache and will not be compiled again (fact 15): it is recorded now,
    before the next build. Where its tree is gone, the private cache is retired, for it may serve packages that
    nobody saw. Returns the runs, now `interrupted`.
    """
    made_good = []
    remove_leftovers(recorder.paths)
    for run in recorder.store.unfinished():
        end_interrupted(run.process, Path(run.work_parent))
        _record(recorder, run)
        made_good.append(run.id)
    return tuple(made_good)


def _record(recorder: Recorder, run: UnfinishedRun) -> None:
    parent = Path(run.work_parent)
    tree = find_work_tree(parent)
    if tree is None and run.process is not None:
        recorder.store.new_history_id()
    folder, family = recorder.files_of(run.id), recorder.log_family
    logs = ranges_since(family, run.logs) if family else ()
    left = Left(tree, _bytes(folder / "stdout"), _bytes(folder / "stderr"), logs=logs)
    index = _index(recorder, run, left)
    end = RunEnd(
        status=RunStatus.INTERRUPTED,
        reason="how it ended was not recorded: orchwatchd ended, or failed, before it could be",
        ended_at=_last_sign(tree or folder),
        exit_code=None,
        messages=index.messages,
        logs=logs,
        work_tree=str(tree) if tree else None,
        stdout=left.stdout,
        stderr=left.stderr,
    )
    recorder.store.finish(run.id, end, index.record, index.log)
    forget_files(recorder, run.id)


def _index(recorder: Recorder, run: UnfinishedRun, left: Left) -> Index:
    """The index of a dead run. One that cannot be made must not hold up every build to come: the run then says so,
    and the cache is retired, for what the tree held stays unknown.
    """
    try:
        configuration = _configuration(recorder, run.id)
        return index_run(recorder, run.id, left, before=None, configuration=configuration)
    except OrchwatchdError:
        raise
    except Exception as error:
        log.exception("run %s could not be indexed", run.id)
        recorder.store.new_history_id()
        problem = f"what this run left could not be indexed: {type(error).__name__}: {error}"
        return Index(TreeReading(), RunRecord(graph_known=False, problems=(problem,)), (), IndexedLog())


def _configuration(recorder: Recorder, run: RunId) -> ResolvedConfiguration | None:
    """The configuration that was in force when the dead run began."""
    with History.open(recorder.paths.database) as history:
        text = history.document(run, "configuration")
    return None if text is None else from_json(text)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _last_sign(folder: Path) -> datetime:
    """When the dead build last changed its tree, as far as the folder tells; now where it tells nothing."""
    try:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)
