"""Whether Git is at work in a repository, so that a build would see a state that nobody made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What exists while a step of Git goes on or waits for a person. A lock ends with its process; the others stay.
_LOCKS = ("index.lock", "HEAD.lock")
_STEPS = {
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
# A step that has not moved for so long waits for a person, who edits and wants to see builds.
QUIET = 5.0


@dataclass(frozen=True, slots=True)
class GitStep:
    """One sign that Git is at work: its path, what it means, and a mark that changes whenever Git moves on."""

    path: str
    what: str
    lock: bool
    mark: tuple[int, ...]


@dataclass(slots=True)
class Gate:
    """Holds builds back while Git works; a sign that stays without moving is waited for `limit` seconds, then not."""

    limit: float
    quiet: float = QUIET
    _since: dict[tuple[str, tuple[int, ...]], float] = field(default_factory=dict)

    def closed_by(self, steps: Iterable[GitStep], now: float) -> str | None:
        """Why no build may start at `now` (monotonic seconds), None when one may."""
        seen: dict[tuple[str, tuple[int, ...]], float] = {}
        reason = None
        for step in steps:
            key = (step.path, step.mark)
            seen[key] = self._since.get(key, now)
            patience = self.limit if step.lock else min(self.limit, self.quiet)
            if now - seen[key] < patience:
                reason = reason or f"{step.what} ({step.path})"
        self._since = seen
        return reason

    def stale(self, now: float) -> tuple[str, ...]:
        """The locks that were waited for in vain."""
        names = (path for (path, _), since in self._since.items() if now - since >= self.limit)
        return tuple(path for path in names if path.endswith(".lock"))


def git_folder(directory: str) -> str | None:
    """The Git folder of the working tree around `directory` (of the worktree, if it is a linked one), or None."""
    for folder in (Path(directory), *Path(directory).parents):
        dot = folder / ".git"
        if dot.is_dir():
            return str(dot)
        if dot.is_file():
            with contextlib.suppress(OSError):
                key, _, value = dot.read_text(errors="surrogateescape").strip().partition(":")
                if key == "gitdir":
                    return os.path.normpath(folder / value.strip())
    return None


def git_steps(folder: str) -> tuple[GitStep, ...]:
    """The signs of work in one Git folder."""
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except OSError:
        return ()
    found = []
    for name in (*_LOCKS, *_STEPS):
        if name in names and (mark := _mark(Path(folder, name))) is not None:
            lock = name in _LOCKS
            what = "Git holds its lock" if lock else f"{_STEPS[name]} is going on"
            found.append(GitStep(f"{folder}/{name}", what, lock, mark))
    return tuple(found)


def _mark(path: Path) -> tuple[int, ...] | None:
    """Changes with each step that Git takes; None when the sign has just gone."""
    try:
        state = path.stat()
        times = [state.st_mtime_ns]
        if path.is_dir():
            times += [entry.stat().st_mtime_ns for entry in os.scandir(path)]
    except OSError:
        return None
    return (state.st_ino, max(times))
