"""Does one piece of work after the other: a build, a baseline, what a client asked for, a job of the schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from orchwatchd.daemon.queue import ChangedInputs, Upkeep, Work, WorkQueue
from orchwatchd.daemon.request import Request
from orchwatchd.daemon.watching import OneBuild
from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.baseline import unknown_of_last
from orchwatchd.jobs.record import Hooks, record
from orchwatchd.jobs.recover import recover
from orchwatchd.jobs.report import summarise
from orchwatchd.jobs.requests import Done, carry_out
from orchwatchd.jobs.upkeep import BuildRoom, after_run, check, disk_is_low, prune, rotate
from orchwatchd.models.event import Event, Line, Progress
from orchwatchd.models.request import BuildRequest
from orchwatchd.models.status import DaemonState
from orchwatchd.render.summary import summary_lines

if TYPE_CHECKING:
    from orchwatchd.daemon.current import Current
    from orchwatchd.daemon.standing import Standing
    from orchwatchd.daemon.watching import WatchedSources
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.run import RunId

log = logging.getLogger(__name__)

OK, FAILED = 0, 1
JOBS: Mapping[str, Callable[[Recorder], object]] = {
    "prune": prune,
    "rotate": rotate,
    "check": check,
    "recover": recover,
    "after run": after_run,
}


class Worker:
    """The loop's hands. `show` prints events for people, `beat` is called while work takes its time; what work brings
    about is put into `queue`.
    """

    def __init__(
        self,
        recorder: Recorder,
        watching: WatchedSources,
        *,
        queue: WorkQueue,
        standing: Standing,
        current: Current,
        show: Callable[[Event], None],
        beat: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._watching = watching
        self._queue = queue
        self._standing = standing
        self._current = current
        self._show = show
        self._beat = beat
        self._tried: frozenset[str] = frozenset()
        self._handlers: Mapping[str, Callable[[Request], Done]] = {
            "build": self._serve_build,
            "baseline": self._serve_baseline,
        }

    def use(self, recorder: Recorder, watching: WatchedSources) -> None:
        """Works by another configuration from now on."""
        self._recorder, self._watching = recorder, watching

    def do(self, work: Work | None) -> None:
        """Does one piece of work. Raises what goes wrong outside of a build, a request and a job."""
        match work:
            case ChangedInputs(files):
                self._build(BuildRequest(trigger=files), None)
            case Request():
                self._serve(work)
            case Upkeep("baseline"):
                self._fill_when_idle()
            case Upkeep(job):
                self._keep_house(job)

    def report(self, run: RunId, *events: Event, tell: Callable[[Event], None] | None = None) -> None:
        """Tells how a run ended, after `events`."""
        tell = tell or self._show
        for event in events:
            tell(event)
        found = summarise(self._recorder.paths.database, run)
        for line in summary_lines(found):
            tell(Line("result", line))

    def _build(self, request: BuildRequest, asker: Request | None) -> int:
        """One build, recorded and told of. Returns the exit code for whoever asked."""
        tell = self._teller(asker)
        self._current.begin(asker)
        watching = OneBuild(self._watching)
        try:
            recover(self._recorder)
            if disk_is_low(self._recorder):
                self._keep_house("prune")
            self._standing.enter(DaemonState.BUILDING)
            done = record(self._recorder, request, self._hooks(tell), watching)
        except OrchwatchdError as error:
            self._standing.problem = error.message
            self._queue.put(Upkeep("recover"))
            self._show(Line("warning", with_hint(error)))
            if asker is not None:
                raise  # the answer says it
            return error.exit_code
        except Exception:
            self._queue.put(Upkeep("recover"))  # a run whose end could not be written must not stay `running`
            raise
        finally:
            watching.close()
            self._current.end()
        self._standing.problem = None
        self.report(done.run, tell=tell)
        self._queue.put(Upkeep("after run"))
        if self._recorder.config.baseline.when == "idle":
            self._queue.put(Upkeep("baseline"))
        return OK if done.status == "ok" else FAILED

    def _hooks(self, tell: Callable[[Event], None]) -> Hooks:
        """How the daemon takes part in a build: its signs of life, the disk, and who may cancel it."""
        current = self._current
        room = BuildRoom(self._recorder, current.stop)

        def tick() -> None:
            self._beat()
            room.look()

        return Hooks(tell=tell, cancel=current.cancel, tick=tick, why_cancelled=lambda: current.why)

    def _teller(self, asker: Request | None) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            if isinstance(event, Progress) and event.phase == "indexing":
                self._standing.enter(DaemonState.INDEXING)
            self._show(event)
            if asker is not None:
                asker.tell(event)

        return tell

    def _serve(self, request: Request) -> None:
        """Does what a client asked for, and answers."""
        if request.cancelled.is_set():
            return
        serve = self._handlers.get(request.command, self._serve_job)
        try:
            done = serve(request)
        except OrchwatchdError as error:
            request.answer(error.exit_code, {"error": with_hint(error)})
        else:
            request.answer(done.exit_code, done.result)

    def _serve_build(self, request: Request) -> Done:
        arguments = tuple(str(word) for word in request.arguments.get("arguments", ()))
        return Done(self._build(BuildRequest(arguments=arguments, trigger=("requested",)), request))

    def _serve_job(self, request: Request) -> Done:
        self._standing.enter(DaemonState.UPKEEP)
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
        if self._current.gave_way:
            self._queue.put(Upkeep("baseline"))
        else:
            self._tried = unknown
            log.info("baseline: %s", done.result)

    def _fill(self, asker: Request | None, words: Mapping[str, Any]) -> Done:
        """One baseline; a change or another request cancels it."""
        self._current.begin(asker, gives_way=True)
        if self._queue.pressing:
            self._current.give_way("there was other work")
        self._standing.enter(DaemonState.BUILDING)
        try:
            return carry_out(self._recorder, "baseline", words, self._hooks(self._teller(asker)))
        finally:
            self._current.end()
            self._queue.put(Upkeep("recover"))
            self._queue.put(Upkeep("after run"))

    def _keep_house(self, job: str) -> None:
        """A job of the schedule; what goes wrong is told and noted, and the daemon goes on."""
        self._standing.enter(DaemonState.UPKEEP)
        try:
            JOBS[job](self._recorder)
        except OrchwatchdError as error:
            self._show(Line("warning", f"{job}: {error.message}"))


def with_hint(error: OrchwatchdError) -> str:
    """An error as people are told it: the sentence, and the next step below it."""
    return error.message + (f"\n  {error.hint}" if error.hint else "")
