"""Decides when a build starts, is cancelled, or is left alone: pure, the clock is the caller's.

At most one build runs. Changes during a build are followed by one more. Whether a person or the build itself made them
cannot be seen, so a build whose inputs moved is repeated; where the same files move again, a gap without builds shows
whether somebody is at work: nobody is, if nothing changes in it. Then the build is repeated once more, so that the last
state is built in any case, and if the same files move yet again, they are left alone until something changes
between builds.

A build that was due and did not come to its start is tried again by itself, after pauses that grow; a change does not
wait for their end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath

MOST_CANCELS = 2
# A file that changes several times in one build is a person's, as far as that goes: then no gap for so many builds.
_TRUSTED_REPEATS = 4
LONGEST_PAUSE = 900.0
# What Orchestrion and the Go command edit in a build by themselves (fact 17): no reason to cancel it.
_EDITED_BY_BUILDS = frozenset({"go.mod", "go.sum", "go.work.sum", "orchestrion.tool.go"})


class State(StrEnum):
    """Where the machine stands."""

    IDLE = "idle"
    STARTING = "starting"
    BUILDING = "building"
    DOUBTING = "doubting"
    PUT_OFF = "put off"
    LEFT_ALONE = "left alone"


class Act(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    START = "start"
    CANCEL = "cancel"
    LEAVE = "leave"


@dataclass(slots=True)
class Policy:
    """The machine. `cancel`: a change during a build cancels it (at most twice in a row); `gap` and `retry`, the first
    pause after a start that failed, are in seconds.
    """

    cancel: bool = False
    gap: float = 3.0
    retry: float = 10.0
    state: State = State.IDLE
    own_files: tuple[str, ...] = ()
    until: float | None = None
    _pause: float = 0.0
    _cancels: int = 0
    _repeats: int = 0
    _doubted: bool = False
    _moves: dict[str, int] = field(default_factory=dict)
    _moved_before: frozenset[str] = frozenset()

    def changed(self, files: Iterable[str]) -> Act:
        """Inputs differ from what was last built; one call a burst."""
        if self.state is State.STARTING:
            return Act.NOTHING
        if self.state is not State.BUILDING:
            self._forget_doubts()
            return self._start()
        names = tuple(files)
        for name in names:
            self._moves[name] = self._moves.get(name, 0) + 1
        by_itself = all(PurePath(name).name in _EDITED_BY_BUILDS for name in names)
        if self.cancel and not by_itself and self._cancels < MOST_CANCELS:
            self._cancels += 1
            return Act.CANCEL
        return Act.NOTHING

    def withdrawn(self) -> None:
        """The build that was to start is not needed any more: the inputs are what they were."""
        if self.state in {State.STARTING, State.DOUBTING}:
            self.state = State.IDLE

    def started(self) -> None:
        """A build has started, whoever asked for it."""
        if self.state is not State.STARTING:
            self._forget_doubts()  # somebody asked for it
        self.state = State.BUILDING
        self.until = None
        self._moves = {}

    def finished(self, now: float, *, cancelled: bool = False, owed: bool = False) -> Act:
        """The build has ended and all changes until then were told. `owed`: it did not come to its start, and is due
        as it was before.
        """
        if owed and not self._moves and self.state is not State.LEFT_ALONE:
            return self._put_off(now)
        self._pause, self.until = 0.0, None
        if self.state is not State.BUILDING:
            self.state = State.IDLE
            return Act.NOTHING
        moves, self._moves = self._moves, {}
        if not moves:
            self.state = State.IDLE
            self._forget_doubts()
            return Act.NOTHING
        if cancelled:
            return self._start()
        return self._repeat(moves, now)

    def tick(self, now: float) -> Act:
        """Time has passed."""
        if self.until is None or now < self.until:
            return Act.NOTHING
        if self.state is State.DOUBTING:
            self._repeats += 1
            return self._start()
        if self.state is State.PUT_OFF:
            return self._start()
        return Act.NOTHING

    def _repeat(self, moves: dict[str, int], now: float) -> Act:
        same = self._repeats > 0 and moves.keys() <= self._moved_before
        self._moved_before = frozenset(moves)
        if not same:
            if self._repeats:
                self._cancels = 0  # other files than last time: somebody is at work
            self._repeats, self._doubted = 1, False
            return self._start()
        if self._doubted:
            self.state = State.LEFT_ALONE
            self.own_files = tuple(sorted(moves))
            return Act.LEAVE
        if max(moves.values()) > 1 and self._repeats < _TRUSTED_REPEATS:
            self._repeats += 1
            return self._start()
        self._doubted = True
        self.state = State.DOUBTING
        self.until = now + self.gap
        return Act.NOTHING

    def _put_off(self, now: float) -> Act:
        self.state = State.PUT_OFF
        self._pause = min(max(self.retry, 2 * self._pause), LONGEST_PAUSE)
        self.until = now + self._pause
        return Act.NOTHING

    def _start(self) -> Act:
        self.state = State.STARTING
        self.until = None
        return Act.START

    def _forget_doubts(self) -> None:
        self._cancels = self._repeats = 0
        self._doubted = False
        self._moved_before = frozenset()
        self.own_files = ()
