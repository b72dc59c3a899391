"""Keeps the picture of the inputs right: hints, polling, rescans, other inputs, and the healing of what broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from orchwatchd.models.watching import FileState, Rules
from orchwatchd.watch.gate import GitStep, git_folder, git_steps
from orchwatchd.watch.hints import HintBox, PollingSource, Refusal, Source
from orchwatchd.watch.ledger import Ledger
from orchwatchd.watch.model import Model
from orchwatchd.watch.settings import WatchSettings
from orchwatchd.watch.settle import Settle
from orchwatchd.watch.source import open_source

Find = Callable[[Rules | None], Rules]

_TICK = 1.0
_HEAL = 10.0
_SLOWEST_POLL = 30.0
_BARRIER = 2.0


class Lookout:
    """Used by the watcher's thread. Every change of an input's content goes to the ledger, and bursts to `settle`.

    `opening` makes the source of events; tests pass their own.
    """

    def __init__(
        self,
        find: Find,
        ledger: Ledger,
        settle: Settle,
        *,
        settings: WatchSettings,
        wake: Callable[[], None],
        opening: Callable[..., tuple[Source, Refusal | None]] = open_source,
    ) -> None:
        self._find = find
        self._ledger = ledger
        self._settle = settle
        self._settings = settings
        self._opening = opening
        self.box = HintBox(wake)
        self.source: Source = PollingSource()
        self.refusal: Refusal | None = None
        self.rescans = self.restarts = self.refreshes = 0
        self.build_started_ns = 0
        self._git: tuple[str, ...] = ()
        self._next_tick = self._next_poll = self._next_rescan = self._next_heal = 0.0
        self._model: Model | None = None
        self.model = self._open()

    def upkeep(self, now: float) -> None:
        """Does what is due at `now` (monotonic seconds), and enters the times of new hints."""
        self._check_source(now)
        if now >= self._next_tick:
            self._next_tick = now + _TICK
            self._look_at_replaced(now)
        if now >= self._next_rescan:
            self.rescan()
        elif self._polls and now >= self._next_poll:
            self.model.look(tuple(self.model.refused))
            cost = time.monotonic() - now
            self._next_poll = now + min(max(self._settings.poll_interval, 10 * cost), _SLOWEST_POLL)
            self._absorb(now)
        if (times := self.box.times()) is not None:
            self._settle.note(times[0])
            self._settle.note(times[1])

    def next_upkeep(self) -> float:
        """When `upkeep` is to be called at the latest."""
        due = min(self._next_tick, self._next_rescan)
        return min(due, self._next_poll) if self._polls else due

    def take_in(self) -> None:
        """Looks where hints point; asks for the inputs again where they may have become others."""
        hints = self.box.take()
        self._settle.clear()
        if hints.lost:
            self.rescans += 1
            self.model.look_at_all()
        else:
            self.model.look(hints.directories)
            if self.model.refused:
                self.model.look(tuple(self.model.refused))
        changes = self.model.drain()
        self._ledger.absorb(changes, self.model.state)
        if any(_is_structural(before, self.model.state(path)) for path, before in changes.items()):
            self.refresh()

    def catch_up(self) -> None:
        """Takes in all that happened before the call."""
        if not self.source.sync(_BARRIER) and not isinstance(self.source, PollingSource):
            self.box.lose()
        self.take_in()

    def rescan(self) -> None:
        """Asks for the inputs and looks at every one of them, whatever the events said."""
        now = time.monotonic()
        self._next_rescan = now + self._settings.rescan
        self.rescans += 1
        before = self.model.rules.extras
        self.refresh()
        self.model.look_at_all()
        self._absorb(now)
        if dict(before) != dict(self.model.rules.extras):
            self._settle.note(now)

    def refresh(self) -> None:
        """Finds the inputs anew. What only now became an input counts as changed if it was written since the build."""
        self.refreshes += 1
        rules = self._find(self.model.rules)
        if rules == self.model.rules:
            return
        self.model.use(rules)
        self._find_git()
        late: dict[str, FileState | None] = {}
        for path, before in self.model.drain().items():
            state = self.model.state(path)
            if state is None:
                self._ledger.leave_out((path,))
            elif self.build_started_ns and state.ctime_ns >= self.build_started_ns:
                late[path] = before
        self._ledger.absorb(late, self.model.state)

    def mend(self) -> None:
        """After an exception in the middle of something: counts anew, and has everything looked at again."""
        self.model.recount()
        self.box.lose()

    def settled_after_sync(self, now: float) -> bool:
        """Whether nothing has happened, up to now, that is still to be taken in or to come to rest."""
        self.source.sync(_BARRIER)
        self._look_at_replaced(now)
        return self.box.times() is None and self._settle.first is None

    def git_steps(self) -> tuple[GitStep, ...]:
        """What Git is doing in the repositories of the inputs."""
        return tuple(step for folder in self._git for step in git_steps(folder))

    @property
    def _polls(self) -> bool:
        return bool(self.model.refused) and self._settings.poll != "never"

    def _open(self) -> Model:
        self.refreshes += 1
        rules = self._find(None)
        self._new_source()
        try:
            model = Model(rules, self.source)
            self._model = model
            model.look_at_all()
        except BaseException:
            self.source.stop()
            raise
        model.drain()
        now = time.monotonic()
        self._next_rescan = now + self._settings.rescan
        self._next_poll = now + self._settings.poll_interval
        self.model = model
        self._find_git()
        return model

    def _new_source(self) -> None:
        self.source, self.refusal = self._opening(
            self.box,
            interesting=self._interesting,
            poll=self._settings.poll,
            cookies=self._settings.cookies,
        )
        self._next_heal = time.monotonic() + _HEAL

    def _interesting(self, directory: str, name: str) -> bool:
        return self._model is None or self._model.interesting(directory, name)

    def _look_at_replaced(self, now: float) -> None:
        if replaced := self.model.replaced_starts():
            self.model.look_at_replaced(replaced)
            self._absorb(now)

    def _check_source(self, now: float) -> None:
        """Makes a new source where the old one died, or where events may be had again."""
        dead = not self.source.alive()
        if not dead and (self.refusal is None or now < self._next_heal):
            return
        old = self.source
        self._new_source()
        if dead or self.refusal is None:
            self.restarts += 1
            self.model.use(self.model.rules, self.source)
            self._absorb(now)
        old.stop()

    def _absorb(self, now: float) -> None:
        """Enters what a look without hints found, as a burst that begins now."""
        changes: Mapping[str, FileState | None] = self.model.drain()
        if not changes:
            return
        self._ledger.absorb(changes, self.model.state)
        self._settle.note(now)
        if any(_is_structural(before, self.model.state(path)) for path, before in changes.items()):
            self.refresh()

    def _find_git(self) -> None:
        folders = (git_folder(directory) for directory in (self.model.rules.root, *self.model.rules.starts))
        self._git = tuple(dict.fromkeys(folder for folder in folders if folder))


def _is_structural(before: FileState | None, after: FileState | None) -> bool:
    """Whether a change of this file can make other files inputs, or no inputs."""
    return before is None or after is None or before.shape != after.shape
