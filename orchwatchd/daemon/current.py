"""The work that runs now, and what may end it before its time: a signal, its asker who is gone, work that it gives way
to.
"""

from __future__ import annotations

import threading

from orchwatchd.daemon.request import Request

HUNG_UP = "cancelled by who asked for it"


class Current:
    """`begin` and `end` are the loop's; all else may be called from any thread, `stop` in a signal handler, too.

    `stopping` is set once the daemon ends: whatever begins then is cancelled at once.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._asker: Request | None = None
        self._gives_way = False
        self.cancel = threading.Event()
        self.why: str | None = None
        self.gave_way = False

    def begin(self, asker: Request | None, *, gives_way: bool = False) -> None:
        """From here on the work that begins can be cancelled; who wanted that a moment ago is heard, too."""
        self._asker = asker
        self.cancel, self.why = threading.Event(), None
        if self._stopping.is_set():
            self.stop("orchwatchd was stopped")
        elif asker is not None and asker.cancelled.is_set():
            self.stop(HUNG_UP)
        if gives_way:
            self._gives_way, self.gave_way = True, False

    def end(self) -> None:
        """The work is done: what comes now is of no concern to it."""
        self._gives_way = False
        self._asker = None

    def stop(self, why: str) -> None:
        """Cancels the work that can be cancelled."""
        self.why = why
        self.cancel.set()

    def give_way(self, to: str) -> None:
        """Cancels work that gives way to whatever else there is to do."""
        if self._gives_way:
            self.gave_way = True
            self.stop(f"cancelled: {to}")

    def stop_with(self, asker: Request) -> None:
        """Cancels what `asker` asked for, should it run, when the asker is gone; blocks until then."""
        asker.cancelled.wait()
        if self._asker is asker:
            self.stop(HUNG_UP)
