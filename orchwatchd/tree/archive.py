"""Package archives: the build id in their first kilobyte and their `link.deps` member, without reading a
body.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.models.package import BuildId

_MAGIC = b"!<arch>\n"
_HEADER = 60
_HEAD = 1024
_MOST_MEMBERS = 10_000
_LONGEST_LINK_DEPS = 16 << 20
_BUILD_ID = re.compile(rb'\nbuild id "([^"/\n]+/[^"/\n]+)"\n')
_GO_VERSION = re.compile(rb"\ngo object \S+ \S+ (go\S+)")
# The note that the linker leaves near the start of a program; four parts: link, main package's action and
# content, program.
_PROGRAM_ID = re.compile(rb"Go\0\0([\w-]{20})/([\w-]{20})/([\w-]{20})/([\w-]{20})")
_PROGRAM_HEAD = 64 << 10


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive says of itself; `build_id` is None when the file is cut before it or is no Go
    archive.
    """

    build_id: BuildId | None
    link_deps: tuple[str, ...]


def _open(path: Path | str) -> int:
    # O_NONBLOCK: a FIFO in an archive's place must not hold the reader up.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _build_id(head: bytes) -> BuildId | None:
    found = _BUILD_ID.search(head) if head.startswith(_MAGIC) else None
    return BuildId.parse(found[1].decode("ascii", "replace")) if found else None


def read_build_id(path: Path | str) -> BuildId | None:
    """The build id of the archive at `path` (a stage's `_pkg_.a` or a file of the Go cache), None when it
    bears none.

    Raises OSError when the file cannot be read.
    """
    descriptor = _open(path)
    try:
        return _build_id(os.pread(descriptor, _HEAD, 0))
    finally:
        os.close(descriptor)


def read_go_version(path: Path | str) -> str | None:
    """The Go version that compiled the archive at `path` (`go1.26.8`), None where it cannot be read or names none."""
    try:
        descriptor = _open(path)
    except OSError:
        return None
    try:
        found = _GO_VERSION.search(os.pread(descriptor, _HEAD, 0))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return found[1].decode("ascii", "replace") if found else None


def read_archive(path: Path | str) -> Archive:
    """The build id and the packages of `link.deps` (fact 9) of the archive at `path`; raises OSError when
    it cannot be read.

    Members are skipped by the sizes in their headers, so the cost does not grow with the archive.
    """
    descriptor = _open(path)
    try:
        head = os.pread(descriptor, _HEAD, 0)
        build_id = _build_id(head)
        return Archive(build_id, _link_deps(descriptor) if build_id else ())
    finally:
        os.close(descriptor)


def _link_deps(descriptor: int) -> tuple[str, ...]:
    offset = len(_MAGIC)
    for _ in range(_MOST_MEMBERS):
        header = os.pread(descriptor, _HEADER, offset)
        if len(header) < _HEADER or header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            break
        size = int(header[48:58])
        if header[:16].rstrip(b" /") == b"link.deps":
            return parse_link_deps(os.pread(descriptor, min(size, _LONGEST_LINK_DEPS), offset + _HEADER))
        offset += _HEADER + size + size % 2
    return ()


def parse_link_deps(data: bytes) -> tuple[str, ...]:
    """The import paths of a `link.deps`: one a line (v1), or after `import` or `relocation` and a tab (v2)."""
    lines = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
    return tuple(line.rpartition("\t")[2] for line in lines if line and not line.startswith("#"))


def read_link_action(path: Path | str) -> str | None:
    """The link's action id of the finished program at `path`; None when it is unfinished, stripped of it,
    or no such note is near its start.

    Raises OSError when the file cannot be read.
    """
    descriptor = _open(path)
    try:
        found = _PROGRAM_ID.search(os.pread(descriptor, _PROGRAM_HEAD, 0))
    finally:
        os.close(descriptor)
    return found[1].decode("ascii") if found and found[1] != found[4] else None
