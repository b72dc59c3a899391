"""The live picture of all inputs: watches each directory, lists it, and compares with what it knew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchwatchd.models.watching import DirectoryRule, FileState, Rules, Snapshot
from orchwatchd.watch.content import read_state, same_file
from orchwatchd.watch.digest import seal, weight
from orchwatchd.watch.hints import Refusal, Source


@dataclass(slots=True)
class _Directory:
    """What is known of one directory: its inputs, and the inodes of its folders that may hold more."""

    rule: DirectoryRule
    files: dict[str, FileState] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)


class Model:
    """All inputs of one set of rules, as last seen.

    Used by one thread. `source` is asked to watch every directory before it is listed: what happens in between is
    listed, what happens later makes an event. Changes of content gather until `drain` is called.
    """

    def __init__(self, rules: Rules, source: Source, *, known: Mapping[str, FileState] | None = None) -> None:
        self.rules = rules
        self._source = source
        self._known = known or {}
        self._directories: dict[str, _Directory] = {}
        self._refused: dict[str, Refusal] = {}
        self._links: dict[str, set[str]] = {}
        self._identities: dict[str, tuple[int, int] | None] = {}
        self._changes: dict[str, FileState | None] = {}
        self._total = 0
        self.inputs = 0

    @property
    def digest(self) -> str:
        """The digest of all inputs as last seen."""
        return seal(self._total, self.rules.extras)

    @property
    def directories(self) -> int:
        """How many directories are known."""
        return len(self._directories)

    @property
    def refused(self) -> Mapping[str, Refusal]:
        """The directories that the source does not watch, and why."""
        return self._refused

    def state(self, path: str) -> FileState | None:
        """The state of one input, None where it is none or does not exist."""
        directory, _, name = path.rpartition("/")
        known = self._directories.get(directory)
        return known.files.get(name) if known else None

    def snapshot(self) -> Snapshot:
        """A copy of all that is known."""
        files = {
            f"{directory}/{name}": state
            for directory, known in self._directories.items()
            for name, state in known.files.items()
        }
        return Snapshot(files, self.digest)

    def drain(self) -> dict[str, FileState | None]:
        """The files whose content changed since the last call, each with its state before (None: it was not there)."""
        changes = {
            path: before
            for path, before in self._changes.items()
            if _content(before) != _content(self.state(path))
        }
        self._changes = {}
        return changes

    def interesting(self, directory: str, name: str) -> bool:
        """Whether an event for that entry can matter. Called from the source's thread: reads only."""
        known = self._directories.get(directory)
        if known is None:
            return True  # just being listed, or the target of a symbolic link
        return name == "go.mod" or known.rule.wants(name)

    def look(self, directories: Iterable[str]) -> None:
        """Lists some directories again, those that are new below them, and drops what is gone."""
        for directory in directories:
            for target in (directory, *self._links.get(directory, ())):
                if target in self._identities and identity(target) != self._identities[target]:
                    self.look_at_replaced((target,))
                elif target in self._directories:
                    self._walk(target, deep=False)

    def look_at_all(self) -> None:
        """Lists everything again."""
        seen: set[str] = set()
        before, self._identities = self._identities, {}
        for start in self.rules.starts:
            now = self._identities[start] = identity(start)
            if before.get(start, now) != now:
                self._drop(start, keep_files=True)
            self._walk(start, deep=True, seen=seen)
        for directory in self._directories.keys() - seen:
            self._forget(directory)
        self._known = {}

    def replaced_starts(self) -> tuple[str, ...]:
        """The start directories that are another directory than before, or have come or gone."""
        return tuple(start for start in self.rules.starts if identity(start) != self._identities.get(start))

    def look_at_replaced(self, starts: Iterable[str]) -> None:
        """Drops what is known below some start directories and walks them anew."""
        for start in starts:
            self._identities[start] = identity(start)
            self._drop(start, keep_files=True)
            self._walk(start, deep=True)

    def use(self, rules: Rules, source: Source | None = None) -> None:
        """Changes over to other rules or another source and looks at everything."""
        self.rules = rules
        if source is not None:
            self._source = source
            self._refused.clear()
        self.look_at_all()

    def recount(self) -> None:
        """Computes anew what is otherwise kept up to date change by change."""
        files = self.snapshot().files
        self.inputs = len(files)
        self._total = sum(self._weight(path, state) for path, state in files.items())

    def _walk(self, top: str, *, deep: bool, seen: set[str] | None = None) -> None:
        stack = [top]
        while stack:
            directory = stack.pop()
            if seen is not None:
                if directory in seen:
                    continue
                seen.add(directory)
            stack.extend(self._list(directory, deep=deep))

    def _list(self, directory: str, *, deep: bool) -> list[str]:
        """Lists one directory; returns the folders below that are to be listed next."""
        rule = self.rules.rule(directory)
        if rule is None:
            self._drop(directory)
            return []
        known = self._directories.get(directory)
        if known is not None:
            known.rule = rule  # before the listing: events are judged by it
        self._watch(directory)
        try:
            with os.scandir(directory) as found:
                entries = list(found)
        except (FileNotFoundError, NotADirectoryError):
            self._drop(directory)
            return []
        except OSError:
            self._refused[directory] = Refusal.PERMISSION
            entries = []
        if known is None:
            known = self._directories[directory] = _Directory(rule)
        if rule.is_foreign(frozenset(entry.name for entry in entries)):
            entries = []
        folders, files = self._sort(directory, rule, entries)
        self._update_files(directory, known, files)
        return self._update_folders(directory, known, folders, deep=deep)

    def _watch(self, directory: str) -> None:
        refusal = self._source.add(directory)
        if refusal is None:
            self._refused.pop(directory, None)
        else:
            self._refused[directory] = refusal

    def _sort(
        self, directory: str, rule: DirectoryRule, entries: Iterable[os.DirEntry[str]]
    ) -> tuple[dict[str, int], list[os.DirEntry[str]]]:
        """The folders to descend to with their inodes, and the entries that may be inputs."""
        folders: dict[str, int] = {}
        files = []
        for entry in entries:
            name = entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if rule.descends(name):
                        folders[name] = entry.inode()
                    continue
                if entry.is_symlink():
                    if rule.follows(name) and entry.is_dir():
                        folders[name] = entry.stat().st_ino
                        continue
                    if rule.wants(name):
                        self._watch_target(directory, entry.path)
            except OSError:
                continue
            if rule.wants(name):
                files.append(entry)
        return folders, files

    def _update_files(self, directory: str, known: _Directory, entries: Iterable[os.DirEntry[str]]) -> None:
        found: dict[str, FileState] = {}
        for entry in entries:
            state = self._read(entry, known.files.get(entry.name))
            if state is not None:
                found[entry.name] = state
        before = known.files
        known.files = found
        for name in before.keys() | found.keys():
            old, new = before.get(name), found.get(name)
            if old is not new:
                self._changed(f"{directory}/{name}", old, new)

    def _read(self, entry: os.DirEntry[str], known: FileState | None) -> FileState | None:
        before = known or self._known.get(entry.path)
        if before is not None:
            try:
                if same_file(before, entry.stat()):
                    return before
            except OSError:
                return None
        state = read_state(entry.path)
        # One object for a path that kept its content: nothing was changed then.
        return known if known is not None and known == state else state

    def _update_folders(
        self, directory: str, known: _Directory, folders: dict[str, int], *, deep: bool
    ) -> list[str]:
        following = []
        for name, inode in folders.items():
            path = f"{directory}/{name}"
            if known.folders.get(name, inode) != inode:
                self._drop(path, keep_files=True)
                following.append(path)
            elif deep or path not in self._directories or not self._is_watched(path):
                following.append(path)
        for name in known.folders.keys() - folders.keys():
            self._drop(f"{directory}/{name}")
        known.folders = folders
        return following

    def _is_watched(self, directory: str) -> bool:
        return directory in self._refused or self._source.watches(directory)

    def _watch_target(self, directory: str, link: str) -> None:
        """Watches where a symbolic link points to: a change there is a change of the link's directory."""
        target = os.path.realpath(link).rpartition("/")[0]
        if target and target != directory:
            self._links.setdefault(target, set()).add(directory)
            self._source.add(target)

    def _drop(self, top: str, *, keep_files: bool = False) -> None:
        """Forgets a directory and all below it.

        `keep_files`: the directory is there, but another one. Its files are compared when it is listed again; its
        watches belong to the old one.
        """
        known = self._directories.get(top)
        if known is None:
            self._source.discard(top)
            self._refused.pop(top, None)
            return
        stack = [f"{top}/{name}" for name in known.folders]
        known.folders = {}
        while stack:
            directory = stack.pop()
            below = self._directories.get(directory)
            if below is not None:
                stack.extend(f"{directory}/{name}" for name in below.folders)
                self._forget(directory)
        if keep_files:
            self._source.discard(top)
            self._refused.pop(top, None)
        else:
            self._forget(top)

    def _forget(self, directory: str) -> None:
        known = self._directories.pop(directory)
        self._source.discard(directory)
        self._refused.pop(directory, None)
        for name, state in known.files.items():
            self._changed(f"{directory}/{name}", state, None)

    def _changed(self, path: str, old: FileState | None, new: FileState | None) -> None:
        self.inputs += (new is not None) - (old is not None)
        if _content(old) == _content(new):
            return
        self._total += self._weight(path, new) - self._weight(path, old)
        self._changes.setdefault(path, old)

    def _weight(self, path: str, state: FileState | None) -> int:
        return weight(path, state.sha256, self.rules.root) if state else 0


def identity(directory: str) -> tuple[int, int] | None:
    """Device and inode of a directory, following symbolic links; None where there is none."""
    try:
        found = os.stat(directory)  # noqa: PTH116 asked every second
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _content(state: FileState | None) -> bytes | None:
    return state.sha256 if state else None
