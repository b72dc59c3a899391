"""What a source of events says, whichever it is: directories that may have changed, and that some were lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Refusal(StrEnum):
    """Why a directory is not watched by events."""

    POLLED = "polled on purpose"
    FILE_SYSTEM = "its file system sends no events"
    LIMIT = "the limit of inotify watches is reached"
    INSTANCES = "the limit of inotify instances is reached"
    PERMISSION = "it may not be read"
    GONE = "it does not exist"
    FAULT = "the source of events is dead"


@dataclass(frozen=True, slots=True)
class Hints:
    """Directories in which something may have changed; `lost`: events were dropped, so anything may have."""

    directories: frozenset[str]
    lost: bool


class HintBox:
    """Collects hints from any thread for the one that takes them, and wakes it at the first."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._lost = False
        self._first: float | None = None
        self._last = 0.0
        self.overflows = 0

    def mark(self, directory: str) -> None:
        """Something may have changed in `directory`."""
        with self._lock:
            self._dirty.add(directory)
            first = self._stamp()
        if first:
            self._wake()

    def lose(self) -> None:
        """Events were dropped."""
        with self._lock:
            self._lost = True
            self.overflows += 1
            first = self._stamp()
        if first:
            self._wake()

    def times(self) -> tuple[float, float] | None:
        """When the first and the last hint since `take` came (monotonic seconds), None when there is none."""
        with self._lock:
            return None if self._first is None else (self._first, self._last)

    def take(self) -> Hints:
        """All hints since the last call."""
        with self._lock:
            hints = Hints(frozenset(self._dirty), self._lost)
            self._dirty.clear()
            self._lost = False
            self._first = None
        return hints

    def _stamp(self) -> bool:
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last
            return True
        return False


class Source(Protocol):
    """A source of hints. `add` and `discard` are called by one thread only."""

    def add(self, directory: str) -> Refusal | None:
        """Watches one directory, not those below it; None: it is watched."""
        ...

    def discard(self, directory: str) -> None:
        """Ends what `add` began."""
        ...

    def watches(self, directory: str) -> bool:
        """Whether events of the directory come now."""
        ...

    def count(self) -> int:
        """How many directories are watched by events."""
        ...

    def alive(self) -> bool:
        """Whether events can still come."""
        ...

    def sync(self, timeout: float) -> bool:
        """Waits until all that happened before the call has been hinted at; False when that cannot be known."""
        ...

    def stop(self) -> None:
        """Ends the source; no hint comes afterwards."""
        ...


class PollingSource:
    """The source where there are no events: every directory is refused, so all are looked at on a schedule."""

    def __init__(self, refusal: Refusal = Refusal.POLLED) -> None:
        self._refusal = refusal

    def add(self, directory: str) -> Refusal | None:  # noqa: ARG002
        """Refuses."""
        return self._refusal

    def discard(self, directory: str) -> None:
        """Has nothing to end."""

    def watches(self, directory: str) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def count(self) -> int:
        """None."""
        return 0

    def alive(self) -> bool:
        """Always: it has no part that could die."""
        return True

    def sync(self, timeout: float) -> bool:  # noqa: ARG002
        """Never: who polls must look for himself."""
        return False

    def stop(self) -> None:
        """Has nothing to end."""
