"""The walk over a work tree and all nested ones: which stage directories there are and what lies in them,
bodies left unread.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from orchwatchd.tree.archive import Archive, read_archive

_STAGE = re.compile(r"b\d{3,}")
_TREE = re.compile(r"go-build\d+")
NESTED = "__tmp__"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file under `orchestrion/src`: its path relative to the root work tree, and where it is opened."""

    path: str
    location: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FoundStage:
    """One stage directory as it lies there. `names` are its direct entries with their modification times in
    nanoseconds, `changed_ns` is when the last entry came to it or left, `archive` None when it holds no
    `_pkg_.a` that can be read.
    """

    path: str
    location: str
    nested: bool
    names: dict[str, int]
    changed_ns: int
    files: int
    bytes: int
    woven: tuple[FoundFile, ...]
    archive: Archive | None


@dataclass(slots=True)
class Walk:
    """What the walk gathers; `problems` are sentences about what could not be read."""

    stages: list[FoundStage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def walk_tree(work: Path) -> Walk:
    """Walks the work tree `work` and the trees nested in it at any depth (fact 1). Never raises for what
    lies there.
    """
    walk = Walk()
    waiting = [("", os.fspath(work))]
    while waiting:
        prefix, folder = waiting.pop()
        for entry in _entries(folder, prefix.rstrip("/") or "The work tree", walk):
            if _STAGE.fullmatch(entry.name):
                if _is_folder(entry, prefix, walk):
                    walk.stages.append(_read_stage(entry, prefix, walk))
            elif entry.name == NESTED and _is_folder(entry, prefix, walk):
                waiting.extend(_nested_trees(entry.path, prefix, walk))
    walk.stages.sort(key=lambda stage: stage.path)
    walk.stages.sort(key=lambda stage: stage.nested)
    return walk


def _nested_trees(folder: str, prefix: str, walk: Walk) -> list[tuple[str, str]]:
    return [
        (f"{prefix}{NESTED}/{entry.name}/", entry.path)
        for entry in _entries(folder, f"{prefix}{NESTED}", walk)
        if _TREE.fullmatch(entry.name) and _is_folder(entry, f"{prefix}{NESTED}/", walk)
    ]


def _entries(folder: str, name: str, walk: Walk) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        walk.problems.append(f"{shown(name)} could not be read: {error.strerror or error}.")
        return []


def _is_folder(entry: os.DirEntry[str], prefix: str, walk: Walk) -> bool:
    # A link could lead out of the tree, or round in it.
    if entry.is_dir(follow_symlinks=False):
        return True
    walk.problems.append(f"{shown(prefix + entry.name)} is not a folder and was passed over.")
    return False


def _read_stage(entry: os.DirEntry[str], prefix: str, walk: Walk) -> FoundStage:
    path, location = prefix + entry.name, entry.path
    names: dict[str, int] = {}
    woven: list[FoundFile] = []
    files = size = 0
    sources = f"{path}/orchestrion/src"
    waiting = [(path, location)]
    while waiting:
        inner, folder = waiting.pop()
        for item in _entries(folder, inner, walk):
            name = item.name
            try:
                facts = item.stat(follow_symlinks=False)
            except OSError as error:
                walk.problems.append(
                    f"{shown(f'{inner}/{name}')} could not be read: {error.strerror or error}."
                )
                continue
            if inner == path:
                names[name] = facts.st_mtime_ns
            if S_ISDIR(facts.st_mode):
                waiting.append((f"{inner}/{name}", item.path))
                continue
            files, size = files + 1, size + facts.st_size
            if name.endswith(".go") and S_ISREG(facts.st_mode) and inner.startswith(sources):
                woven.append(FoundFile(f"{inner}/{name}", item.path, facts.st_mtime_ns))
    return FoundStage(
        path=path,
        location=location,
        nested=bool(prefix),
        names=names,
        changed_ns=_changed(entry),
        files=files,
        bytes=size,
        woven=tuple(sorted(woven, key=lambda file: file.path)),
        archive=_archive(location, path, walk) if "_pkg_.a" in names else None,
    )


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _archive(location: str, path: str, walk: Walk) -> Archive | None:
    try:
        archive = read_archive(f"{location}/_pkg_.a")
    except OSError as error:
        walk.problems.append(f"{path}/_pkg_.a could not be read: {error.strerror or error}.")
        return None
    if archive.build_id is None:
        walk.problems.append(f"{path}/_pkg_.a bears no build id: it was cut, or is no package archive.")
        return None
    return archive


def shown(name: str) -> str:
    """A file name as it can be printed and stored: bytes that are no UTF-8 become replacement characters."""
    return os.fsencode(name).decode("utf-8", "replace")
