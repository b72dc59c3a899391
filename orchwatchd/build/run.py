"""Running a planned build to its end, whatever that end is; afterwards nothing of it lives and nothing is left but
its work tree.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchwatchd.build.command import mark_of
from orchwatchd.build.log import split_log_lines
from orchwatchd.build.progress import ProgressCounter
from orchwatchd.build.temp import make_temp, noted_temp, remove_temp
from orchwatchd.models.build import BuildCommand, BuildOutcome, Stop
from orchwatchd.models.run import RunProcess
from orchwatchd.process import Ended, Group, end_group, start_group

_LOOK = 0.5
_TICK = 0.05
_WORK = re.compile(rb"^WORK=(.+?)\r?$", re.MULTILINE)


def run_build(
    command: BuildCommand,
    *,
    cancel: threading.Event,
    on_started: Callable[[RunProcess], None] = lambda _: None,
    on_line: Callable[[str, str], None] = lambda *_: None,
    progress: Callable[[int, int], None] = lambda *_: None,
    tick: Callable[[], None] = lambda: None,
    nice: int = 0,
    umask: int | None = None,
    time_limit: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> BuildOutcome:
    """Runs the build; returns when its whole process group is gone.

    `on_started` gets the group's identity before anything is waited for; `on_line(stream, text)` each line as
    it comes, from another thread; `progress(done, total)` when it changes, looked at twice a second as `tick`
    is called. `cancel` and `time_limit` (seconds) end it by TERM, after 2 s by KILL. If a callback raises, the
    group is ended and the exception goes on. Raises ProgramMissingError where Orchestrion cannot be started.
    """
    command.work_parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command.graph.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_temp(command.temp, command.work_parent)
    started_at, start = datetime.now(UTC), clock()
    try:
        group = start_group(
            command.argv,
            cwd=command.folder,
            env=command.env,
            on_line=lambda stream, line: on_line(stream, line.decode("utf-8", "replace")),
            nice=nice,
            umask=umask,
            mark=command.mark,
        )
        with group:
            on_started(group.identity)
            counter = ProgressCounter(command.work_parent, command.graph)
            deadline = start + time_limit if time_limit else None
            stop = _wait(
                group, counter, cancel=cancel, progress=progress, tick=tick, clock=clock, deadline=deadline
            )
            ended_at, duration = datetime.now(UTC), clock() - start
            orphans = len(group.members()) if stop is None else 0
            ended = group.terminate()
            exit_code = group.wait(1)
    finally:
        remove_temp(command.work_parent)
    rest, lines = split_log_lines(group.output("stderr").decode("utf-8", "replace"), started_at)
    return BuildOutcome(
        exit_code=exit_code,
        stop=stop,
        orphans=orphans,
        survivors=ended.survivors,
        process=group.identity,
        started_at=started_at,
        ended_at=ended_at,
        duration=duration,
        work_tree=find_work_tree(command.work_parent, group.output("stderr")),
        graph_written=command.graph.is_file() and command.graph.stat().st_size > 0,
        stdout=group.output("stdout"),
        stderr=rest.encode(),
        log_lines=lines,
        notes=command.notes,
    )


def _wait(
    group: Group,
    counter: ProgressCounter,
    *,
    cancel: threading.Event,
    progress: Callable[[int, int], None],
    tick: Callable[[], None],
    clock: Callable[[], float],
    deadline: float | None,
) -> Stop | None:
    """Waits for Orchestrion's end, or for a reason to end it; that reason."""
    look_at = clock()
    while group.wait(_TICK) is None:
        if cancel.is_set():
            return Stop.CANCELLED
        now = clock()
        if deadline is not None and now >= deadline:
            return Stop.TIME_LIMIT
        if now >= look_at:
            look_at = now + _LOOK
            tick()
            progress(*counter.look())
    return None


def find_work_tree(work_parent: Path, stderr: bytes = b"") -> Path | None:
    """The root work tree below a run's own folder: what `WORK=` names, else the one that is there (None: none was
    made).

    So it is known even after our own death before the first line was read.
    """
    for found in _WORK.finditer(stderr):
        named = Path(found[1].decode("utf-8", "surrogateescape"))
        if named.parent == work_parent and named.is_dir():
            return named
    trees = [path for path in work_parent.glob("go-build*") if path.is_dir() and not path.is_symlink()]
    return min(trees, key=lambda path: (path.stat().st_ctime_ns, path.name), default=None)


def end_interrupted(process: RunProcess | None, work_parent: Path) -> Ended | None:
    """After our own death: ends what lives of a run's processes and removes its `TMPDIR`.

    Returns None where the run had not begun its processes.
    """
    ended = end_group(process, mark=mark_of(noted_temp(work_parent))) if process is not None else None
    remove_temp(work_parent)
    return ended
