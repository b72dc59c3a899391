"""Reads one file into its state: what it holds, and what of it decides over other inputs."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time

from orchwatchd.models.watching import FileState

# Kernels before 6.13 stamp files with a clock that ticks every 4 to 10 ms.
RACY_NS = 50_000_000
_WHOLE = 8 << 20
_STRUCTURE = frozenset({".mod", ".work", ".yml", ".yaml", ".json", ""})
_DECLARATION = re.compile(rb"^(?:func|type|var|const)\b", re.MULTILINE)
_EMBED = re.compile(rb"^[ \t]*//go:embed[^\n]*", re.MULTILINE)
_BLOCK_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
UNREADABLE = hashlib.sha256(b"orchwatchd: unreadable").digest()


def same_file(state: FileState, now: os.stat_result) -> bool:
    """Whether a file of this status still is what was read, as far as its status can tell."""
    return (
        state.mtime_ns == now.st_mtime_ns
        and state.ctime_ns == now.st_ctime_ns
        and state.size == now.st_size
        and state.inode == now.st_ino
        and not state.racy
    )


def read_state(path: str) -> FileState | None:
    """Reads the file; None where there is no regular file (any more). One that may not be read is a state, too."""
    started = time.time_ns()
    try:
        # O_NONBLOCK: a pipe that was put in the place of a file must not stop us.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        return _unreadable(path)
    except OSError:
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            now = os.fstat(descriptor)
            if not stat.S_ISREG(now.st_mode):
                return None
            if now.st_size > _WHOLE:
                return _state(now, hashlib.file_digest(file, "sha256").digest(), 0, started)
            data = file.read()
    except OSError:
        return _unreadable(path)
    return _state(now, hashlib.sha256(data).digest(), shape_of(path, data), started)


def shape_of(path: str, data: bytes) -> int:
    """A hash of what decides over other inputs: of Go source its head and embeds, of go.mod and the like all of it."""
    name = path.rpartition("/")[2]
    if name.endswith(".go"):
        embeds = b"\n".join(_EMBED.findall(data))
        # A C preamble can hold lines that look like declarations, a line comment what looks like a block comment:
        # the head is taken with and without block comments.
        return _hash(b"\0".join((_head(data), _head(_BLOCK_COMMENT.sub(b"", data)), embeds)))
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 else ""
    return _hash(data) if suffix in _STRUCTURE or name == "modules.txt" else 0


def _head(data: bytes) -> bytes:
    found = _DECLARATION.search(data)
    return data[: found.start()] if found else data


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _state(now: os.stat_result, digest: bytes, shape: int, started: int) -> FileState:
    racy = started - max(now.st_mtime_ns, now.st_ctime_ns) < RACY_NS
    return FileState(now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino, digest, shape, racy)


def _unreadable(path: str) -> FileState | None:
    try:
        now = os.stat(path)  # noqa: PTH116 one call less than Path on a hot way
    except OSError:
        return None
    return FileState(now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino, UNREADABLE, 0, True)
