"""Which bytes of which log files a run wrote, and reading them even after a rotation."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from orchwatchd.models.run import LogRange
from orchwatchd.orchlog.family import LogFamily

_HEAD = 256
_BLOCK = 1 << 20


class RangeLostError(Exception):
    """The bytes of a range are not there any more; the message is one sentence."""


def mark(family: LogFamily) -> tuple[LogRange, ...]:
    """Where each file of the family ends now: taken before a build, kept with its run, given to `ranges_since`."""
    return tuple(
        LogRange(str(path), inode, size, size, _head_of(path, size)) for path, inode, size in _files(family)
    )


def ranges_since(family: LogFamily, marks: Iterable[LogRange]) -> tuple[LogRange, ...]:
    """What was appended since `marks`, oldest file first; a file that was rotated meanwhile counts as the same.

    A file that shrank was cut off by someone else: it counts from its start.
    """
    known: dict[int, list[LogRange]] = {}
    for item in marks:
        known.setdefault(item.inode, []).append(item)
    ranges = []
    for path, inode, size in _files(family):
        starts = [item.end for item in known.get(inode, ()) if item.end <= size and _same(path, item)]
        start = max(starts, default=0)
        if size > start:
            ranges.append(LogRange(str(path), inode, start, size, _head_of(path, size)))
    return tuple(ranges)


def read_range(family: LogFamily, wanted: LogRange) -> Iterator[bytes]:
    """The lines of a range without their newlines, also after the file was rotated or compressed.

    Raises RangeLostError where the file is gone, was cut off, or is another one now.
    """
    path = find_file(family, wanted)
    if path is None:
        raise RangeLostError(f"the log file {wanted.file} is gone")
    with _opened(path) as source:
        source.seek(wanted.start)
        left = wanted.end - wanted.start
        rest = b""
        while left > 0 and (block := source.read(min(_BLOCK, left))):
            left -= len(block)
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        if rest:
            yield rest
        if left:
            raise RangeLostError(f"the log file {path} lost its last {left} bytes")


def find_file(family: LogFamily, wanted: LogRange) -> Path | None:
    """The file that holds a range now: where it was, else by the inode in the names of rotated files."""
    live = Path(wanted.file)
    candidates = [live, *(path for path in _rotated(family) if path != live)]
    for path in candidates:
        name = family.rotated(path.name)
        if name is not None and name.partial:
            continue
        try:
            inode = name.inode if name is not None else path.lstat().st_ino
        except OSError:
            continue
        if inode == wanted.inode and _same(path, wanted):
            return path
    return None


def live_files(family: LogFamily) -> list[tuple[Path, os.stat_result]]:
    """The files that Orchestrion's processes write to now; regular files only, in order of their names."""
    return [(path, found) for path, found in _listed(family) if family.live_pid(path.name) is not None]


def _files(family: LogFamily) -> list[tuple[Path, int, int]]:
    """Every file with the inode that Orchestrion wrote to and its size uncompressed, rotated ones first.

    Merged files are left out: their lines were indexed before.
    """
    rotated = []
    listed = _listed(family)
    plain = {path for path, _ in listed}
    for path, found in listed:
        name = family.rotated(path.name)
        if name is None or name.partial or name.inode is None:
            continue
        if not name.compressed:
            rotated.append((path, name.inode, found.st_size))
        elif path.with_suffix("") not in plain:  # else a crash left both
            rotated.append((path, name.inode, _uncompressed_size(path)))
    return rotated + [(path, found.st_ino, found.st_size) for path, found in live_files(family)]


def _rotated(family: LogFamily) -> list[Path]:
    return [path for path, _ in _listed(family) if family.rotated(path.name)]


def _listed(family: LogFamily) -> list[tuple[Path, os.stat_result]]:
    try:
        with os.scandir(family.folder) as entries:
            found = [(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in entries]
    except FileNotFoundError:
        return []
    return sorted((path, info) for path, info in found if stat.S_ISREG(info.st_mode))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source:
        yield source  # type: ignore[misc]


def _uncompressed_size(path: Path) -> int:
    """What gzip's trailer says; exact below 4 GiB, and rotation starts far below."""
    with path.open("rb") as source:
        source.seek(-4, os.SEEK_END)
        return int.from_bytes(source.read(4), "little")


def _head_of(path: Path, size: int) -> str:
    """`<n>:<digest>` of the first n bytes; empty for an empty file."""
    length = min(size, _HEAD)
    if not length:
        return ""
    with _opened(path) as source:
        data = source.read(length)
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()[:16]}"


def _same(path: Path, wanted: LogRange) -> bool:
    """Whether the file still starts as it did: not another one with the same inode, not cut off."""
    if not wanted.head:
        return True
    try:
        return _head_of(path, int(wanted.head.partition(":")[0])) == wanted.head
    except (OSError, EOFError):
        return False
