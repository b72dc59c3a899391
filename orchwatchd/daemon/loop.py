"""The daemon's one loop: takes what is next, builds, records, keeps house; nothing else writes while it does."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from orchwatchd.daemon.house import House
from orchwatchd.daemon.queue import PATIENT, ChangedInputs, Upkeep, Work, WorkQueue
from orchwatchd.daemon.request import Request
from orchwatchd.daemon.server import Server
from orchwatchd.daemon.watching import OneBuild, WatchedSources, relative_files
from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.baseline import unknown_of_last
from orchwatchd.jobs.preparation import Preparation
from orchwatchd.jobs.record import Hooks, record
from orchwatchd.jobs.recorder import Recorder
from orchwatchd.jobs.recover import recover
from orchwatchd.jobs.report import summarise
from orchwatchd.jobs.requests import Done, carry_out
from orchwatchd.jobs.upkeep import BuildRoom, after_run, check, disk_is_low, finish_removals, prune, rotate
from orchwatchd.models.event import Event, Line, Progress
from orchwatchd.models.request import BuildRequest
from orchwatchd.models.rows import to_jsonable
from orchwatchd.models.status import DaemonReport, DaemonState
from orchwatchd.render.summary import summary_lines
from orchwatchd.service import Notifier

if TYPE_CHECKING:
    from orchwatchd.config.model import Config
    from orchwatchd.models.run import RunId

log = logging.getLogger(__name__)

TICK = 5.0
STOP_SECONDS = 30.0
OK, FAILED, BUG, UNFIT = 0, 1, 3, 69
HUNG_UP = "cancelled by who asked for it"
JOBS: Mapping[str, Callable[[Recorder], object]] = {
    "prune": prune,
    "rotate": rotate,
    "check": check,
    "recover": recover,
    "after run": after_run,
}


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
        self._queue = WorkQueue()
        self._notifier = Notifier()
        self._server = Server(recorder.paths.socket, self._receive)
        self._watching = self._watch()
        self._house = self._keep_a_house()
        self._state = DaemonState.STARTING
        self._problem: str | None = None
        self._stopping = threading.Event()
        self._reloading = threading.Event()
        self._cancel = threading.Event()
        self._why: str | None = None
        self._request: Request | None = None
        self._gives_way = self._gave_way = False
        self._tried: frozenset[str] = frozenset()
        self._handlers: Mapping[str, Callable[[Request], Done]] = {
            "build": self._serve_build,
            "baseline": self._serve_baseline,
        }

    def run(self) -> int:
        """Starts, works, and ends in order. Returns the exit code: 0, or 69 when watching is impossible.

        Raises UnfitError when Go or Orchestrion does not fit at the start; later that is said, and waited for a
        change.
        """
        self._recorder.preparation.toolchain()
        self._catch_signals()
        self._server.start()
        for run in recover(self._recorder):
            self._report(run, Line("note", f"#{run} was interrupted; what it had compiled is recorded"))
        finish_removals(self._recorder)
        self._watching.start()
        self._house.start()
        self._enter(DaemonState.IDLE)
        self._notifier.ready(self._status_text())
        self._show(Line("note", f"watching {self._recorder.project.root} (Ctrl-C ends it)"))
        try:
            return self._work()
        finally:
            self._end()

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
            failed = self._watching.health().failed
            if failed:
                self._show(Line("warning", f"watching has ended: {failed}"))
                return UNFIT
            try:
                self._do(work)
            except OrchwatchdError as error:
                self._problem = error.message
                self._show(Line("warning", error.message + (f"\n  {error.hint}" if error.hint else "")))
            except Exception as error:
                # A fault of ours in one piece of work must not end the recording of all that follow.
                log.exception("a piece of work failed: %s", work)
                self._problem = f"a bug: {type(error).__name__}: {error} (the daemon's log has its trace)"
                self._show(Line("warning", self._problem))
                if isinstance(work, Request):
                    work.answer(BUG, {"error": self._problem})
            self._enter(DaemonState.IDLE)
        return OK

    def _do(self, work: Work | None) -> None:
        match work:
            case ChangedInputs(files):
                self._build(BuildRequest(trigger=files), None)
            case Request():
                self._serve(work)
            case Upkeep("baseline"):
                self._fill_when_idle()
            case Upkeep(job):
                self._keep_house(job)

    def _build(self, request: BuildRequest, asker: Request | None) -> int:
        """One build, recorded and told of. Returns the exit code for whoever asked."""
        tell = self._teller(asker)
        self._take_cancelling(asker)
        watching = OneBuild(self._watching)
        try:
            recover(self._recorder)
            if disk_is_low(self._recorder):
                self._keep_house("prune")
            self._enter(DaemonState.BUILDING)
            done = record(self._recorder, request, self._hooks(tell), watching)
        except OrchwatchdError as error:
            self._problem = error.message
            tell(Line("warning", error.message + (f"\n  {error.hint}" if error.hint else "")))
            self._queue.put(Upkeep("recover"))
            return error.exit_code
        except Exception:
            self._queue.put(Upkeep("recover"))  # a run whose end could not be written must not stay `running`
            raise
        finally:
            watching.close()
            self._request = None
        self._problem = None
        self._report(done.run, tell=tell)
        self._queue.put(Upkeep("after run"))
        if self._recorder.config.baseline.when == "idle":
            self._queue.put(Upkeep("baseline"))
        return OK if done.status == "ok" else FAILED

    def _hooks(self, tell: Callable[[Event], None]) -> Hooks:
        """How the daemon takes part in a build: its signs of life, the disk, and who may cancel it."""
        room = BuildRoom(self._recorder, self._stop_build)

        def tick() -> None:
            self._beat()
            room.look()

        return Hooks(tell=tell, cancel=self._cancel, tick=tick, why_cancelled=lambda: self._why)

    def _report(self, run: RunId, *events: Event, tell: Callable[[Event], None] | None = None) -> None:
        tell = tell or self._show
        for event in events:
            tell(event)
        found = summarise(self._recorder.paths.database, run)
        for line in summary_lines(found):
            tell(Line("result", line))

    def _serve(self, request: Request) -> None:
        """Does what a client asked for, and answers."""
        if request.cancelled.is_set():
            return
        serve = self._handlers.get(request.command, self._serve_job)
        try:
            done = serve(request)
        except OrchwatchdError as error:
            request.answer(
                error.exit_code, {"error": error.message + (f"\n  {error.hint}" if error.hint else "")}
            )
        else:
            request.answer(done.exit_code, done.result)

    def _serve_build(self, request: Request) -> Done:
        arguments = tuple(str(word) for word in request.arguments.get("arguments", ()))
        return Done(self._build(BuildRequest(arguments=arguments, trigger=("requested",)), request))

    def _serve_job(self, request: Request) -> Done:
        self._enter(DaemonState.UPKEEP)
        hooks = Hooks(tell=self._teller(request), cancel=request.cancelled, tick=self._beat)
        return carry_out(self._recorder, request.command, request.arguments, hooks)

    def _serve_baseline(self, request: Request) -> Done:
        return self._fill(request, request.arguments)

    def _fill_when_idle(self) -> None:
        """A baseline that nobody asked for: only where it can fill what an earlier one did not already try."""
        try:
            unknown = unknown_of_last(self._recorder)
            if not unknown - self._tried or self._watching.settling or self._watching.pending():
                return
            if self._queue.pressing:
                self._queue.put(Upkeep("baseline"))
                return
            done = self._fill(None, {})
        except OrchwatchdError as error:
            self._show(Line("warning", f"baseline: {error.message}"))
            return
        if self._gave_way:
            self._queue.put(Upkeep("baseline"))
        else:
            self._tried = unknown
            log.info("baseline: %s", done.result)

    def _fill(self, asker: Request | None, words: Mapping[str, Any]) -> Done:
        """One baseline; a change or another request cancels it (`_give_way`)."""
        self._take_cancelling(asker)
        self._gives_way, self._gave_way = True, False
        if self._queue.pressing:
            self._give_way("there was other work")
        self._enter(DaemonState.BUILDING)
        try:
            return carry_out(self._recorder, "baseline", words, self._hooks(self._teller(asker)))
        finally:
            self._gives_way = False
            self._request = None
            self._queue.put(Upkeep("recover"))
            self._queue.put(Upkeep("after run"))

    def _give_way(self, to: str) -> None:
        if self._gives_way:
            self._gave_way = True
            self._stop_build(f"cancelled: {to}")

    def _keep_house(self, job: str) -> None:
        """A job of the schedule; what goes wrong is told and noted, and the daemon goes on."""
        self._enter(DaemonState.UPKEEP)
        try:
            JOBS[job](self._recorder)
        except OrchwatchdError as error:
            self._show(Line("warning", f"{job}: {error.message}"))

    def _receive(self, request: Request) -> None:
        """In a connection's thread: questions about the daemon are answered at once, work is queued."""
        if request.command == "status":
            request.answer(OK, to_jsonable(self.report()))
            return
        self._queue.put(request)
        if request.command not in PATIENT:
            self._give_way(f"`{request.command}` was asked for")
        threading.Thread(target=self._cancel_with, args=(request,), name="hangup", daemon=True).start()

    def _cancel_with(self, request: Request) -> None:
        request.cancelled.wait()
        if self._request is request:
            self._stop_build(HUNG_UP)

    def report(self) -> DaemonReport:
        """What the daemon is doing, for `status`."""
        health = self._watching.health()
        state = self._state
        if state is DaemonState.IDLE and self._watching.settling:
            state = DaemonState.SETTLING
        return DaemonReport(
            state=state,
            pid=os.getpid(),
            project=str(self._recorder.project.root),
            degraded=health.degraded,
            waiting=health.waiting,
            problem=self._problem,
            pending_changes=self._watching.pending(),
            inputs=self._watching.counters(),
            jobs=self._house.jobs(),
        )

    def _watch(self) -> WatchedSources:
        root = self._recorder.project.root
        return WatchedSources(
            self._recorder,
            on_change=lambda change: self._note_change(relative_files(change, root)),
            on_cancel=lambda why: self._stop_build(f"cancelled: {why}"),
            on_message=lambda text: self._show(Line("warning", text)),
        )

    def _note_change(self, files: tuple[str, ...]) -> None:
        self._queue.put(ChangedInputs(files))
        self._give_way("inputs changed")

    def _teller(self, asker: Request | None) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            if isinstance(event, Progress) and event.phase == "indexing":
                self._enter(DaemonState.INDEXING)
            self._show(event)
            if asker is not None:
                asker.tell(event)

        return tell

    def _take_cancelling(self, asker: Request | None) -> None:
        """From here on the work that begins can be cancelled; who wanted that a moment ago is heard, too."""
        self._request = asker
        self._cancel, self._why = threading.Event(), None
        if self._stopping.is_set():
            self._stop_build("orchwatchd was stopped")
        elif asker is not None and asker.cancelled.is_set():
            self._stop_build(HUNG_UP)

    def _stop_build(self, why: str) -> None:
        self._why = why
        self._cancel.set()

    def _read_configuration(self) -> None:
        """Takes the new configuration whole, or keeps the old one and says why."""
        self._notifier.reloading()
        old = self._recorder
        try:
            config = self._reload()
            preparation = Preparation(old.project, config, old.env)
            self._recorder = replace(old, config=config, preparation=preparation)
            watching = self._watch()
        except OrchwatchdError as error:
            self._recorder = old
            self._show(Line("warning", f"the configuration is kept as it was: {error.message}"))
        else:
            self._watching.stop()
            self._watching = watching
            self._watching.start()
            self._house.stop()
            self._house = self._keep_a_house()
            self._house.start()
            self._show(Line("note", "the configuration was read again"))
        self._notifier.ready(self._status_text())

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
        self._stop_build(f"orchwatchd was stopped by {signal.Signals(number).name}")
        self._queue.wake()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reloading.set()
        self._queue.wake()

    def _enter(self, state: DaemonState) -> None:
        if self._state is not state:
            self._state = state
            self._notifier.status(self._status_text())

    def _status_text(self) -> str:
        return f"{self._state}: {self._recorder.project.root}" + (
            f" ({self._problem})" if self._problem else ""
        )

    def _beat(self) -> None:
        """A sign of life to systemd: only while what makes the daemon useful lives."""
        if self._server.alive and not self._watching.health().failed:
            self._notifier.alive()

    def _keep_a_house(self) -> House:
        return House(self._recorder, lambda job: self._queue.put(Upkeep(job)))

    def _end(self) -> None:
        """Stop order: no more changes, no more requests; the build has ended by then."""
        self._enter(DaemonState.STOPPING)
        self._notifier.stopping(STOP_SECONDS)
        self._house.stop()
        self._watching.stop()
        self._server.stop()
