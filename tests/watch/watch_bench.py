"""A project folder on a real file system, watched by a real watcher, and what it said."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from orchwatchd.inputs import InputSet
from orchwatchd.models.watching import BuiltInputs, Cause, ChangeSet, Rules
from orchwatchd.watch import Baseline, Watcher, WatchSettings, take
from orchwatchd.watch.lookout import Lookout

DEADLINE = 30.0


def wait_for(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Waits until the condition holds; fails with `what` otherwise."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        threading.Event().wait(0.005)


def all_go(root: Path) -> InputSet:
    """Every Go file below `root` is an input: what `go list ./...` comes to, without asking."""
    folder = str(root)
    return InputSet(root=folder, bases=(folder,), modules=(folder,), own_modules=(folder,))


def truth(root: Path) -> dict[str, bytes]:
    """Every Go file that `./...` would reach, by its own walk: path and content's hash."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name[0] not in "._" and name not in {"testdata", "vendor"}]
        for name in names:
            path = Path(folder, name)
            if name.endswith(".go") and not name.endswith("_test.go") and name[0] not in "._":
                found[str(path)] = sha256(path.read_bytes()).digest()
    return found


class Builder(Protocol):
    """Who builds when the watcher says so."""

    watcher: Watcher | None

    def on_change(self, change: ChangeSet) -> None: ...

    def on_cancel(self, reason: str) -> None: ...


class Bench:
    """A watcher with its project; builds are pretended by `build`."""

    def __init__(self, root: Path, watcher: Watcher, changes: list[ChangeSet], messages: list[str]) -> None:
        self.root = root
        self.watcher = watcher
        self.changes = changes
        self.messages = messages
        self.cancels: list[str] = []

    def wait_change(self, count: int, deadline: float = DEADLINE) -> ChangeSet:
        """The newest change once `count` were told."""
        wait_for(lambda: len(self.changes) >= count, f"{count} builds due, have {self.changes}", deadline)
        return self.changes[-1]

    def build(self) -> BuiltInputs:
        """Pretends a build that takes no time."""
        self.watcher.note_build_started()
        built = self.watcher.note_build_finished()
        assert built is not None
        return built

    def build_first(self) -> None:
        """Lets the build that is due at the start pass."""
        self.wait_change(1)
        self.build()
        self.changes.clear()

    def seen(self) -> dict[str, bytes]:
        """The watcher's picture: path and content's hash."""
        snapshot = self.watcher.snapshot()
        assert snapshot is not None
        return {path: state.sha256 for path, state in snapshot.files.items()}

    def current(self) -> ChangeSet:
        """The inputs as they are now, all changes until now seen."""

        def look_again(look: Lookout) -> ChangeSet:
            look.catch_up()
            self.watcher._announce(look)
            cause = self.watcher._ledger.due(look.model.rules.extras) or Cause.CHANGED
            return ChangeSet(self.watcher._ledger.files(), look.model.digest, cause)

        now = self.watcher._ask(look_again, 60)
        assert now is not None
        return now

    def names(self, change: ChangeSet) -> set[str]:
        """The changed files, relative to the project."""
        return {os.path.relpath(path, self.root) for path in change.files}

    def names_pending(self) -> set[str]:
        """What is told as pending, relative to the project."""
        return {os.path.relpath(path, self.root) for path in self.watcher.pending()}

    def assert_quiet(self) -> None:
        """After everything until now was seen, no build is due."""
        self.assert_quiet_after(0)

    def assert_quiet_after(self, count: int) -> None:
        """After everything until now was seen, there were `count` builds, and no other is due."""
        self.current()
        wait_for(lambda: not self.watcher.settling, "the watcher comes to rest")
        assert len(self.changes) == count, self.changes

    def assert_picture_is_true(self) -> None:
        """After everything until now was seen, the picture equals the file system, and so does its digest."""
        now = self.current()
        assert self.seen() == truth(self.root)
        assert now.digest == take(all_go(self.root)).digest


@contextmanager
def watching(
    root: Path,
    *,
    find: Callable[[Rules | None], Rules] | None = None,
    settings: WatchSettings | None = None,
    baseline: Baseline | None = None,
    builder: Builder | None = None,
) -> Iterator[Bench]:
    """Watches `root` until the end of the block; a `builder` hears of changes in the bench's place."""
    changes: list[ChangeSet] = []
    messages: list[str] = []
    cancels: list[str] = []
    watcher = Watcher(
        find or (lambda _: all_go(root)),
        builder.on_change if builder else changes.append,
        settings=settings or WatchSettings(),
        baseline=baseline,
        on_cancel=builder.on_cancel if builder else cancels.append,
        on_message=messages.append,
    )
    bench = Bench(root, watcher, changes, messages)
    bench.cancels = cancels
    if builder:
        builder.watcher = watcher
    watcher.start()
    try:
        assert watcher.wait_ready(DEADLINE)
        yield bench
    finally:
        watcher.stop()
        wait_for(lambda: not any(thread.name == "watcher" for thread in threading.enumerate()), "it ends")
