"""Keeps account of how the inputs differ from what the last build started from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchwatchd.models.watching import Cause, FileState

Now = Callable[[str], FileState | None]


@dataclass(slots=True)
class Ledger:
    """`since` has the state at the last build's start of each file that differs from it now; `moved` every file that
    changed while a build ran, changed back or not; `fresh` what the policy has not been told yet.

    `unbuilt` is the cause of a build that is due although no file is known to differ (the first one). `owed` are the
    files of the build that runs, if it was due: it still is, should it not come to its start.
    """

    since: dict[str, FileState | None] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    unbuilt: Cause | None = None
    unbuilt_files: tuple[str, ...] = ()
    building: bool = False
    owed: tuple[str, ...] | None = None
    built_extras: Mapping[str, str] | None = None

    def absorb(self, changes: Mapping[str, FileState | None], now: Now) -> None:
        """Enters changes of content: each file with its state before."""
        for path, before in changes.items():
            first = self.since.setdefault(path, before)
            if _content(first) == _content(now(path)):
                del self.since[path]
            self.fresh.add(path)
            if self.building:
                self.moved.add(path)

    def leave_out(self, paths: Iterable[str]) -> None:
        """Forgets files that are no inputs any more."""
        for path in paths:
            self.since.pop(path, None)
            self.fresh.discard(path)

    def due(self, extras: Mapping[str, str]) -> Cause | None:
        """Why a build is due, None when the inputs are those of the last one."""
        if self.unbuilt is not None:
            return self.unbuilt
        if self.since:
            return Cause.CHANGED
        changed = self.built_extras is not None and dict(extras) != dict(self.built_extras)
        return Cause.ENVIRONMENT if changed else None

    def files(self) -> tuple[str, ...]:
        """The inputs that differ, sorted."""
        return tuple(sorted({*self.since, *self.unbuilt_files}))

    def begin(self, extras: Mapping[str, str], *, due: bool = False) -> None:
        """A build starts from the inputs as they are; `due`: for another reason than what is known here."""
        self.owed = self.files() if due or self.due(extras) else None
        self.since.clear()
        self.moved.clear()
        self.fresh.clear()
        self.unbuilt = None
        self.unbuilt_files = ()
        self.building = True
        self.built_extras = dict(extras)

    def end(self, *, built: bool = True) -> tuple[str, ...]:
        """The build has ended; returns what moved meanwhile, sorted. One that was not built is due as it was before,
        and stays so even if its files are put back: only a build shows that what hindered it is gone.
        """
        moved = tuple(sorted(self.moved)) if self.building else ()
        if self.building and not built and self.owed is not None:
            self.unbuilt, self.unbuilt_files = Cause.NOT_BUILT, self.owed
        self.building = False
        self.owed = None
        return moved


def _content(state: FileState | None) -> bytes | None:
    return state.sha256 if state else None
