"""The watcher: one thread that keeps the picture of the inputs and says when to build."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar, cast

from orchwatchd.models.watching import BuiltInputs, Cause, ChangeSet, Snapshot, WatchHealth
from orchwatchd.watch.calls import Calls
from orchwatchd.watch.gate import Gate
from orchwatchd.watch.ledger import Ledger
from orchwatchd.watch.lookout import Find, Lookout
from orchwatchd.watch.model import Model, identity
from orchwatchd.watch.policy import Act, Policy, State
from orchwatchd.watch.report import health_of
from orchwatchd.watch.settings import Baseline, WatchSettings
from orchwatchd.watch.settle import Settle

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_GATE_TICK = 0.05
_MOST_FAULTS = 10


class Watcher:
    """Watches the inputs and says when to build.

    `find` gives the inputs; it is called at the start and whenever they may have become others, with the inputs known
    so far (None at first), and must not raise for a broken project. `on_change` is called when a build is to start,
    and not again before `note_build_finished`; `on_cancel`, with the reason, when the running build is to be cancelled;
    `on_message` with sentences for the user. All are called in the watcher's thread and must be quick; what they
    raise is caught and counted.
    """

    def __init__(
        self,
        find: Find,
        on_change: Callable[[ChangeSet], None],
        *,
        settings: WatchSettings | None = None,
        baseline: Baseline | None = None,
        on_cancel: Callable[[str], None] = lambda _: None,
        on_message: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings or WatchSettings()
        self._find = find
        self._on_change = on_change
        self._on_cancel = on_cancel
        self._on_message = on_message
        self._baseline = baseline
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._calls = Calls(self._wake.set)
        self._settle = Settle(self.settings.rest, self.settings.longest_wait)
        self._gate = Gate(self.settings.git_lock_limit)
        self._policy = Policy(cancel=self.settings.cancel, gap=self.settings.gap, retry=self.settings.retry)
        self._ledger = Ledger()
        self._lookout: Lookout | None = None
        self._due: Cause | None = None
        self._waiting: str | None = None
        self._digest_start = ""
        self._faults = 0
        self._faults_in_a_row = 0
        self._fault: str | None = None
        self._failed: str | None = None
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Starts the thread. A build that is due at once is told through `on_change` like any other."""
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """Waits until all inputs were seen once."""
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """Ends the thread and the source of events."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(10)

    def note_build_started(self) -> None:
        """A build starts from the inputs as they are now, whoever asked for it."""
        self._submit(self._begin_build)

    def note_build_finished(
        self, *, cancelled: bool = False, built: bool = True, timeout: float = 60
    ) -> BuiltInputs | None:
        """The build's last process has ended: what was it made from? Waits until every change until now was seen.

        To be called, too, for a build that never came to its start, with `built` False: if it was due it is told again
        by and by. None where the answer cannot be known: the watcher is dead, or busy for `timeout` seconds.
        """
        return self._ask(lambda look: self._end_build(look, cancelled=cancelled, built=built), timeout)

    def snapshot(self, timeout: float = 60) -> Snapshot | None:
        """All inputs with their hashes as last seen, so that others need not read them again; None as above."""
        return self._ask(lambda look: look.model.snapshot(), timeout)

    def pending(self) -> tuple[str, ...]:
        """The inputs that differ from what the last build started from."""
        return self._ledger.files()

    @property
    def settling(self) -> bool:
        """Whether changes are waited upon, or a due build is held back."""
        return self._settle.first is not None or self._due is not None

    @property
    def failed(self) -> str | None:
        """Why watching has ended, which is final: only a new watcher helps. None while it goes on."""
        return self._failed

    def health(self) -> WatchHealth:
        """How watching fares, for `status`."""
        return health_of(
            self._lookout if self._ready.is_set() else None,
            faults=self._faults,
            fault=self._fault,
            stale=tuple(path for path in self._gate.stale(time.monotonic()) if os.path.lexists(path)),
            waiting=self._waiting,
            failed=self._failed,
        )

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                pause = 0.0
                try:
                    look = self._lookout or self._open()
                    self._turn(look, time.monotonic())
                    pause = self._pause(look, time.monotonic())
                except Exception as error:  # noqa: BLE001 logged, counted, told, and survived
                    if not self._survive(error):
                        return
                if pause > 0:
                    self._wake.wait(pause)
                self._wake.clear()
        finally:
            if not self._stopping.is_set():
                self._failed = self._failed or "the watcher's thread has ended"
            self._stopping.set()
            self._calls.close()
            if self._lookout is not None:
                self._lookout.source.stop()

    def _open(self) -> Lookout:
        look = Lookout(self._find, self._ledger, self._settle, settings=self.settings, wake=self._wake.set)
        ledger = self._ledger
        ledger.built_extras = dict(look.model.rules.extras)
        if self._baseline is None or self._baseline.digest != look.model.digest:
            ledger.unbuilt = Cause.WHILE_STOPPED if self._baseline else Cause.FIRST
            ledger.unbuilt_files = _differing(self._baseline, look.model)
            self._decide(self._policy.changed(()), ledger.unbuilt)
        self._lookout = look
        self._ready.set()
        return look

    def _turn(self, look: Lookout, now: float) -> None:
        self._calls.do(until=self._stopping.is_set)
        look.upkeep(now)
        if self._settle.over(now):
            look.take_in()
            self._announce(look)
        cause = Cause.NOT_BUILT if self._policy.state is State.PUT_OFF else Cause.DURING_BUILD
        self._decide(self._policy.tick(now), cause)
        self._start_if_due(look, now)
        if self._faults_in_a_row == 0 and look.box.times() is None:
            self._fault = None  # everything was looked at again
        self._faults_in_a_row = 0

    def _pause(self, look: Lookout, now: float) -> float:
        """Seconds until something is to be done without a new hint."""
        if self._calls:
            return 0
        times = [look.next_upkeep(), self._settle.due(), self._policy.until]
        if self._due is not None:
            times.append(now + _GATE_TICK)
        return max(0.0, min(at for at in times if at is not None) - now)

    def _announce(self, look: Lookout) -> None:
        """Tells the policy of a burst that is over, unless everything is again as it was built."""
        ledger = self._ledger
        fresh, ledger.fresh = ledger.fresh, set()
        if self._policy.state is State.BUILDING:
            if fresh:
                self._decide(self._policy.changed(fresh), Cause.CHANGED)
            return
        cause = ledger.due(look.model.rules.extras)
        if cause is Cause.ENVIRONMENT or (fresh and cause):
            self._decide(self._policy.changed(fresh), cause)

    def _decide(self, act: Act, cause: Cause) -> None:
        if act is Act.START:
            self._due = cause
        elif act is Act.CANCEL:
            self._tell(self._on_cancel, f"inputs changed: {', '.join(self._ledger.files()[:3])}")
        elif act is Act.LEAVE:
            names = ", ".join(self._policy.own_files[:5])
            self._waiting = f"the build changes its own inputs ({names}): left alone until a file is saved"
            self._tell(self._on_message, self._waiting)

    def _start_if_due(self, look: Lookout, now: float) -> None:
        if self._due is None:
            if self._policy.state is not State.LEFT_ALONE:
                self._waiting = None
            return
        if self._settle.first is not None:
            return
        self._waiting = self._held_back(look, now)
        if self._waiting is not None:
            return
        ledger, due = self._ledger, self._due
        cause = due if due is Cause.DURING_BUILD else ledger.due(look.model.rules.extras)
        self._due = None
        if cause is None:
            self._policy.withdrawn()
            return
        files = ledger.files() or (tuple(sorted(ledger.moved)) if due is Cause.DURING_BUILD else ())
        if not self._tell(self._on_change, ChangeSet(files, look.model.digest, cause)):
            self._policy.withdrawn()

    def _held_back(self, look: Lookout, now: float) -> str | None:
        root = look.model.rules.root
        if identity(root) is None:
            return f"the project's folder {root} is missing"
        closed = self._gate.closed_by(look.git_steps(), now)
        if closed is None and self._waiting is not None and not look.settled_after_sync(now):
            # Git has just let go: what it did last must be seen, and have rested, before a build.
            return "files are still changing"
        return closed

    def _begin_build(self, look: Lookout) -> None:
        self._due = None
        look.build_started_ns = time.time_ns()
        self._digest_start = look.model.digest
        self._ledger.begin(look.model.rules.extras, due=self._policy.state is State.STARTING)
        self._policy.started()

    def _end_build(self, look: Lookout, *, cancelled: bool, built: bool) -> BuiltInputs:
        try:
            look.catch_up()
            self._announce(look)
        finally:
            # Whatever went wrong: the build is over, and the next change must be able to start another.
            moved = self._ledger.end(built=built)
            # One that is about to be told needs no second try.
            owed = not built and self._due is None and self._ledger.due(look.model.rules.extras) is not None
            act = self._policy.finished(time.monotonic(), cancelled=cancelled, owed=owed)
            self._decide(act, Cause.DURING_BUILD)
        return BuiltInputs(self._digest_start, look.model.digest, moved)

    def _submit(self, call: Callable[[Lookout], _T]) -> Future[_T]:
        """Has the thread do something between two turns, in the order of the calls."""
        # The thread opens the lookout before it takes calls.
        return self._calls.put(lambda: call(cast("Lookout", self._lookout)))

    def _ask(self, call: Callable[[Lookout], _T], timeout: float) -> _T | None:
        if threading.current_thread() is self._thread and self._lookout is not None:
            return call(self._lookout)
        if not self._thread.is_alive():
            return None
        try:
            return self._submit(call).result(timeout)
        except (FutureTimeoutError, CancelledError):
            return None

    def _tell(self, callback: Callable[[Any], None], what: object) -> bool:
        """Calls one of the others' functions; False when it raised."""
        try:
            callback(what)
        except Exception:  # noqa: BLE001 not ours to judge
            _log.exception("a listener of the watcher failed")
            self._faults += 1
            return False
        return True

    def _survive(self, error: Exception) -> bool:
        """Enters an exception; False when there were too many in a row to go on."""
        _log.exception("the watcher met an error")
        self._faults += 1
        self._faults_in_a_row += 1
        self._fault = f"{type(error).__name__}: {error}"
        self._tell(self._on_message, f"an error in the watcher, everything is looked at again: {self._fault}")
        if self._faults_in_a_row >= _MOST_FAULTS:
            self._failed = f"watching ended after {_MOST_FAULTS} errors in a row, the last: {self._fault}"
            return False
        if self._lookout is not None:
            self._lookout.mend()
        self._stopping.wait(min(0.05 * 2**self._faults_in_a_row, 1.0))
        return True


def _differing(baseline: Baseline | None, model: Model) -> tuple[str, ...]:
    """The files that are not as the baseline had them; empty where it does not say."""
    if baseline is None or baseline.files is None:
        return ()
    now = {path: state.sha256.hex() for path, state in model.snapshot().files.items()}
    paths = baseline.files.keys() | now.keys()
    return tuple(sorted(path for path in paths if baseline.files.get(path) != now.get(path)))
