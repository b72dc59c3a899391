"""Records one build: what was there before it, the build, what its trees hold, all of it one run in the history."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build import (
    ensure_cache,
    git_state,
    plan_command,
    plan_log,
    recorded_arguments,
    run_build,
    status_of,
)
from orchwatchd.jobs.indexing import Left, index_run
from orchwatchd.jobs.sources import Sources, SourceView, manifest
from orchwatchd.jobs.variants import Names, names_of_tests
from orchwatchd.models.event import Event, Line, Progress
from orchwatchd.models.request import BuildRequest, Recorded
from orchwatchd.models.run import RunEnd, RunId, RunStart, RunStatus
from orchwatchd.orchlog.ranges import mark, ranges_since

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.build import BuildCommand, BuildOutcome
    from orchwatchd.models.run import RunProcess

log = logging.getLogger(__name__)

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """How whoever asked for a build takes part in it: hears of it, cancels it, and is called while it runs."""

    tell: Tell = lambda _: None
    cancel: threading.Event | None = None
    tick: Callable[[], None] = lambda: None
    why_cancelled: Callable[[], str | None] = lambda: None
    started: Callable[[RunId], None] = lambda _: None


def record(recorder: Recorder, request: BuildRequest, hooks: Hooks, view: SourceView) -> Recorded:
    """Builds and records; returns when the run is in the history, however the build ended.

    `view` tells what the inputs hold before and whether they moved. Raises UnfitError, UsageError or
    ConfigurationError before anything ran and without a run; DatabaseError when the history could not be written: the
    run is then made good by `recover` before the next build.
    """
    sources = view.before()
    run, command, start = _begin(recorder, request, sources)
    hooks.tell(Line("note", f"#{run} building"))
    for note in command.notes:
        hooks.tell(Line("warning", note))
    outcome = _build(recorder, run, command, hooks)
    moved = view.after(cancelled=outcome.stop is not None)
    hooks.tell(Progress("indexing", 0, 0))
    family = recorder.log_family
    logs = ranges_since(family, start.logs) if family else ()
    left = Left(outcome.work_tree, outcome.stdout, outcome.stderr, outcome.log_lines, logs)
    configuration = recorder.preparation.configuration()
    names = _names_of_tests(recorder, command, start, moved=moved) if command.kind == "test" else {}
    index = index_run(
        recorder, run, left, before=sources.snapshot.files, configuration=configuration, names=names
    )
    status, reason = status_of(outcome, index.reading.go_ended)
    if status is RunStatus.CANCELLED:
        reason = hooks.why_cancelled() or reason
    end = RunEnd(
        status=status,
        reason=reason,
        ended_at=outcome.ended_at,
        exit_code=outcome.exit_code,
        messages=index.messages if status is not RunStatus.OK else (),
        logs=logs,
        work_tree=str(outcome.work_tree) if outcome.work_tree else None,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        inputs_moved=moved,
    )
    recorder.store.finish(run, end, index.record, index.log)
    forget_files(recorder, run)
    return Recorded(run, status, reason, moved)


def _names_of_tests(recorder: Recorder, command: BuildCommand, start: RunStart, *, moved: bool) -> Names:
    return names_of_tests(command, recorder.preparation.toolchain().go, start.started_at, moved=moved)


def _begin(
    recorder: Recorder, request: BuildRequest, sources: Sources
) -> tuple[RunId, BuildCommand, RunStart]:
    """Decides the command and writes down that the run starts."""
    command = plan(recorder, request, recorder.store.next_run())
    family = recorder.log_family
    start = RunStart(
        kind=request.kind or command.kind,
        trigger=request.trigger,
        started_at=datetime.now(UTC),
        argv=recorded_arguments(command.argv),
        work_parent=str(command.work_parent),
        go_version=recorder.preparation.toolchain().go_version,
        orchestrion_version=recorder.preparation.toolchain().orchestrion_version,
        cache="thrown away" if request.kind == "baseline" else recorder.config.build.cache,
        git=git_state(recorder.project.root, recorder.env),
        documents=recorder.preparation.documents(command, manifest(sources)),
        input_digest=sources.snapshot.digest,
        logs=mark(family) if family else (),
    )
    return recorder.store.begin(start), command, start


def plan(recorder: Recorder, request: BuildRequest, run: RunId) -> BuildCommand:
    """The command of a build, decided in full. Raises UnfitError, UsageError, ConfigurationError."""
    config, toolchain = recorder.config, recorder.preparation.toolchain()
    cache = recorder.private_cache
    if cache is not None:
        recorder.preparation.check_cache_program()
        ensure_cache(cache, recorder.store.history_id)
    return plan_command(
        recorder.project,
        toolchain,
        config.build,
        plan_log(
            recorder.log_file, config.log.level, root=recorder.project.root, disabled=toolchain.disabled_level
        ),
        env=recorder.env,
        work_parent=recorder.work_of(run),
        graph=recorder.files_of(run) / "graph.json",
        cache=cache,
        arguments=request.arguments,
    )


def _build(recorder: Recorder, run: RunId, command: BuildCommand, hooks: Hooks) -> BuildOutcome:
    """Runs the build; what it prints is kept in files as it comes, so that it survives our own death."""
    folder = recorder.files_of(run)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_log_folder(command)
    with (
        (folder / "stdout").open("wb", buffering=0) as out,
        (folder / "stderr").open("wb", buffering=0) as err,
    ):

        def on_line(stream: str, text: str) -> None:
            # A full disk must not end the build: what it prints is kept in memory, too.
            with suppress(OSError):
                (out if stream == "stdout" else err).write(text.encode("utf-8", "surrogateescape") + b"\n")
            if not text.startswith("WORK="):
                hooks.tell(Line(stream, text))

        def on_progress(done: int, total: int) -> None:
            hooks.tell(Progress("building", done, total))

        def on_started(process: RunProcess) -> None:
            recorder.store.started(run, process)
            hooks.started(run)

        return run_build(
            command,
            cancel=hooks.cancel or threading.Event(),
            on_started=on_started,
            on_line=on_line,
            progress=on_progress,
            tick=hooks.tick,
            nice=recorder.config.build.nice,
            time_limit=recorder.config.build.time_limit,
        )


def make_log_folder(command: BuildCommand) -> None:
    """Makes the log's folder 0700 before Orchestrion makes it 0755 (fact 18)."""
    if command.log.file:
        folder = Path(command.log.file).parent
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def forget_files(recorder: Recorder, run: RunId) -> None:
    """Removes a run's action graph and output, once they are in the history."""
    shutil.rmtree(recorder.files_of(run), ignore_errors=True)
