"""Which text a modified file was woven from: the one that was compiled, or the admission that it is not
certain.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchwatchd import weave
from orchwatchd.models.tree import WovenFile


class SourceStamp(Protocol):
    """What the snapshot before the build holds of a project source."""

    @property
    def sha256(self) -> bytes:
        """The digest of the file's content."""
        ...


Versions = Callable[[str], Iterable[bytes]]
Snapshot = Mapping[str, SourceStamp]


@dataclass(frozen=True, slots=True)
class Original:
    """`data` is the text that was woven, or the best at hand where `certain` is False (None: there is
    none).
    """

    data: bytes | None
    certain: bool


@dataclass(frozen=True, slots=True)
class _Now:
    """A source as it lies there now."""

    data: bytes
    mtime_ns: int
    changed_ns: int


def find_original(file: WovenFile, versions: Versions, snapshot: Snapshot | None) -> Original:
    """The text that `file` was woven from (`Originals` in the project's research notes).

    `versions(path)` yields stored texts of a source, newest first; `snapshot` holds the project's sources
    before the build by absolute path, None where none was taken (an adopted tree). Never raises for a file
    that is gone or unreadable.
    """
    if file.synthetic:
        return Original(None, certain=True)
    if file.generated is not None:
        return Original(file.generated_data, certain=file.generated_data is not None)
    if file.original is None:
        return Original(None, certain=False)
    now = _read(file.original)
    stamp = snapshot.get(file.original) if snapshot is not None else None
    if now is not None and _was_compiled(now, file, stamp, taken=snapshot is not None):
        return Original(now.data, certain=True)
    for version in versions(file.original):
        if (stamp is not None and _digest(version) == stamp.sha256) or weave.explains(version, file.data):
            return Original(version, certain=True)
    if now is not None and weave.explains(now.data, file.data):
        return Original(now.data, certain=False)
    return Original(None, certain=False)


def _was_compiled(now: _Now, file: WovenFile, stamp: SourceStamp | None, *, taken: bool) -> bool:
    """Whether a source still is what was woven: not written since, and what the snapshot saw."""
    if now.mtime_ns > file.mtime_ns:
        return False
    if stamp is not None and _digest(now.data) == stamp.sha256:
        return True
    # An older file that was moved here, or an edit between snapshot and weaving: only the text can tell.
    # Sources outside the
    # project that nobody touched since (the standard library, the module cache) need no look.
    untouched = stamp is None and taken and now.changed_ns <= file.mtime_ns
    return untouched or weave.explains(now.data, file.data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _read(path: str) -> _Now | None:
    try:
        # O_NONBLOCK: a FIFO that took a source's place must not hold the index up.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as source:
            data = source.read()
            facts = os.fstat(source.fileno())  # after the reading: a save meanwhile shows
    except (OSError, ValueError):
        return None
    return _Now(data or b"", facts.st_mtime_ns, facts.st_ctime_ns)
