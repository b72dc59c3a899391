"""The daemon's one loop: starts, takes what is next until a signal ends it, and stops in order."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from orchwatchd.daemon.current import Current
from orchwatchd.daemon.house import House
from orchwatchd.daemon.queue import PATIENT, ChangedInputs, Upkeep, Work, WorkQueue
from orchwatchd.daemon.request import Request
from orchwatchd.daemon.server import Server
from orchwatchd.daemon.standing import Standing
from orchwatchd.daemon.watching import WatchedSources, relative_files
from orchwatchd.daemon.worker import OK, Worker, with_hint
from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.preparation import Preparation
from orchwatchd.jobs.recover import recover
from orchwatchd.jobs.upkeep import finish_removals
from orchwatchd.models.event import Event, Line
from orchwatchd.models.rows import to_jsonable
from orchwatchd.models.status import DaemonReport, DaemonState

if TYPE_CHECKING:
    from orchwatchd.config.model import Config
    from orchwatchd.jobs.recorder import Recorder

log = logging.getLogger(__name__)

TICK = 5.0
STOP_SECONDS = 30.0
BUG, UNFIT = 3, 69


class Daemon:
    """Runs until a signal ends it. `reload` reads the configuration anew (SIGHUP); `show` prints events for
    people.
    """

    def __init__(
        self, recorder: Recorder, *, show: Callable[[Event], None], reload: Callable[[], Config]
    ) -> None:
        self._recorder = recorder
        self._show = show
        self._reload = reload
        self._stopping = threading.Event()
        self._reloading = threading.Event()
        self._queue = WorkQueue()
        self._current = Current(self._stopping)
        self._standing = Standing(recorder.project.root)
        self._server = Server(recorder.paths.socket, self._receive)
        self._watching = self._watch(recorder)
        self._house = self._keep_a_house()
        self._worker = Worker(
            recorder,
            self._watching,
            queue=self._queue,
            standing=self._standing,
            current=self._current,
            show=show,
            beat=self._beat,
        )

    def run(self) -> int:
        """Starts, works, and ends in order. Returns the exit code: 0, or 69 when watching is impossible.

        Raises UnfitError when Go or Orchestrion does not fit at the start; later that is said, and waited for a
        change.
        """
        self._recorder.preparation.toolchain()
        self._catch_signals()
        self._server.start()
        for run in recover(self._recorder):
            note = Line("note", f"#{run} was interrupted; what it had compiled is recorded")
            self._worker.report(run, note)
        finish_removals(self._recorder)
        self._watching.start()
        self._house.start()
        self._standing.enter(DaemonState.IDLE)
        self._standing.ready()
        self._show(Line("note", f"watching {self._recorder.project.root} (Ctrl-C ends it)"))
        try:
            return self._work()
        finally:
            self._end()

    def report(self) -> DaemonReport:
        """What the daemon is doing, for `status`."""
        health = self._watching.health()
        state = self._standing.state
        if state is DaemonState.IDLE and self._watching.settling:
            state = DaemonState.SETTLING
        return DaemonReport(
            state=state,
            pid=os.getpid(),
            project=str(self._recorder.project.root),
            degraded=health.degraded,
            waiting=health.waiting,
            problem=self._standing.problem,
            pending_changes=self._watching.pending(),
            inputs=self._watching.counters(),
            jobs=self._house.jobs(),
        )

    def _work(self) -> int:
        while not self._stopping.is_set():
            if self._reloading.is_set():
                self._reloading.clear()
                self._read_configuration()
            work = self._queue.take(TICK)
            if self._stopping.is_set():
                break
            self._beat()
            self._house.look_around()
            if failed := self._watching.failed:
                self._show(Line("warning", f"watching has ended: {failed}"))
                return UNFIT
            self._do(work)
            self._standing.enter(DaemonState.IDLE)
        return OK

    def _do(self, work: Work | None) -> None:
        """One piece of work; its failure is told, and the loop goes on."""
        try:
            self._worker.do(work)
        except OrchwatchdError as error:
            self._standing.problem = error.message
            self._show(Line("warning", with_hint(error)))
        except Exception as error:
            # A fault of ours in one piece of work must not end the recording of all that follow.
            log.exception("a piece of work failed: %s", work)
            problem = f"a bug: {type(error).__name__}: {error} (the daemon's log has its trace)"
            self._standing.problem = problem
            self._show(Line("warning", problem))
            if isinstance(work, Request):
                work.answer(BUG, {"error": problem})

    def _receive(self, request: Request) -> None:
        """In a connection's thread: questions about the daemon are answered at once, work is queued."""
        if request.command == "status":
            request.answer(OK, to_jsonable(self.report()))
            return
        self._queue.put(request)
        if request.command not in PATIENT:
            self._current.give_way(f"`{request.command}` was asked for")
        threading.Thread(target=self._current.stop_with, args=(request,), name="hangup", daemon=True).start()

    def _watch(self, recorder: Recorder) -> WatchedSources:
        root = recorder.project.root
        return WatchedSources(
            recorder,
            on_change=lambda change: self._note_change(relative_files(change, root)),
            on_cancel=lambda why: self._current.stop(f"cancelled: {why}"),
            on_message=lambda text: self._show(Line("warning", text)),
        )

    def _note_change(self, files: tuple[str, ...]) -> None:
        self._queue.put(ChangedInputs(files))
        self._current.give_way("inputs changed")

    def _read_configuration(self) -> None:
        """Takes the new configuration whole, or keeps the old one and says why."""
        self._standing.reloading()
        old = self._recorder
        try:
            config = self._reload()
            preparation = Preparation(old.project, config, old.env)
            recorder = replace(old, config=config, preparation=preparation)
            watching = self._watch(recorder)
        except OrchwatchdError as error:
            self._show(Line("warning", f"the configuration is kept as it was: {error.message}"))
        else:
            self._watching.stop()
            self._recorder, self._watching = recorder, watching
            self._worker.use(recorder, watching)
            self._watching.start()
            self._house.stop()
            self._house = self._keep_a_house()
            self._house.start()
            self._show(Line("note", "the configuration was read again"))
        self._standing.ready()

    def _keep_a_house(self) -> House:
        return House(self._recorder, lambda job: self._queue.put(Upkeep(job)))

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
        self._current.stop(f"orchwatchd was stopped by {signal.Signals(number).name}")
        self._queue.wake()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reloading.set()
        self._queue.wake()

    def _beat(self) -> None:
        """A sign of life to systemd: only while what makes the daemon useful lives."""
        if self._server.alive and not self._watching.failed:
            self._standing.alive()

    def _end(self) -> None:
        """Stop order: no more changes, no more requests; the build has ended by then."""
        self._standing.stopping(STOP_SECONDS)
        self._house.stop()
        self._watching.stop()
        self._server.stop()
