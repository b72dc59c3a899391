"""What the daemon is to do next: requests first and in order, then the one pending build, then requests that can
wait, then upkeep, each job once.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from orchwatchd.daemon.request import Request


@dataclass(frozen=True, slots=True)
class ChangedInputs:
    """A build that changes ask for; `files` are project-relative and name what changed since the last build began."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """A job of the schedule, by name."""

    job: str


# Requests for long work that gives way to whatever else is asked for.
PATIENT = frozenset({"baseline"})

Work = Request | ChangedInputs | Upkeep


class WorkQueue:
    """Thread-safe; many put, one loop takes. A newer change takes the place of a pending one (newest wins, one
    pending).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A SimpleQueue, because its `put` may be called in a signal handler, whatever the loop is doing.
        self._signals: SimpleQueue[None] = SimpleQueue()
        self._requests: deque[Request] = deque()
        self._patient: deque[Request] = deque()
        self._change: ChangedInputs | None = None
        self._upkeep: dict[str, Upkeep] = {}

    def put(self, work: Work) -> None:
        """Adds work and wakes the loop."""
        with self._lock:
            match work:
                case ChangedInputs():
                    self._change = work
                case Upkeep():
                    self._upkeep[work.job] = work
                case _ if work.command in PATIENT:
                    self._patient.append(work)
                case _:
                    self._requests.append(work)
        self.wake()

    def wake(self) -> None:
        """Ends a wait early, so that the loop looks at its flags; safe in a signal handler."""
        self._signals.put(None)

    def take(self, timeout: float) -> Work | None:
        """The next piece of work, or None after `timeout` seconds or a `wake`."""
        work = self._next()
        if work is None:
            try:
                self._signals.get(timeout=timeout)
            except Empty:
                return None
            work = self._next()
        return work

    @property
    def pressing(self) -> bool:
        """Whether something waits that long work gives way to: a request that cannot wait, or a build."""
        with self._lock:
            return bool(self._requests) or self._change is not None

    def _next(self) -> Work | None:
        with self._lock:
            if self._requests:
                return self._requests.popleft()
            if self._change is not None:
                change, self._change = self._change, None
                return change
            if self._patient:
                return self._patient.popleft()
            if self._upkeep:
                return self._upkeep.pop(next(iter(self._upkeep)))
            return None
