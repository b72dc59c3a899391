"""When a burst of changes is over: pure, the clock is the caller's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settle:
    """A burst is over `rest` seconds after its last change, and at the latest `longest` after its first."""

    rest: float
    longest: float
    first: float | None = None
    last: float = 0.0

    def note(self, at: float) -> None:
        """A change came at time `at`."""
        if self.first is None:
            self.first = at
        self.last = max(self.last, at)

    def due(self) -> float | None:
        """When the burst is over as far as is known now; None without a change."""
        if self.first is None:
            return None
        return min(self.last + self.rest, self.first + self.longest)

    def over(self, now: float) -> bool:
        """Whether a burst is there and over."""
        due = self.due()
        return due is not None and now >= due

    def clear(self) -> None:
        """The burst was dealt with."""
        self.first = None
        self.last = 0.0
