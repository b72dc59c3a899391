"""What the daemon is at and what is wrong with it, said to systemd at every change."""

from __future__ import annotations

from pathlib import Path

from orchwatchd.models.status import DaemonState
from orchwatchd.service import Notifier


class Standing:
    """Owned by the loop; other threads only read. `problem` is what went wrong last, None once a build was recorded."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._notifier = Notifier()
        self.state = DaemonState.STARTING
        self.problem: str | None = None

    def enter(self, state: DaemonState) -> None:
        """The daemon turns to something else."""
        if self.state is not state:
            self.state = state
            self._notifier.status(self._text())

    def ready(self) -> None:
        """The start, or the reading of a new configuration, is over."""
        self._notifier.ready(self._text())

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        self._notifier.reloading()

    def stopping(self, seconds: float) -> None:
        """The daemon is ending and may need that long."""
        self.enter(DaemonState.STOPPING)
        self._notifier.stopping(seconds)

    def alive(self) -> None:
        """A sign of life."""
        self._notifier.alive()

    def _text(self) -> str:
        return f"{self.state}: {self._project}" + (f" ({self.problem})" if self.problem else "")
