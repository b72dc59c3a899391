"""Thins a work tree: archives and programs go, sources and import configurations stay (over 99 % of the bytes)."""

from __future__ import annotations

import os
from pathlib import Path

from orchwatchd.jobs.deletion import Swept, measure_tree, remove_files

_SMALL = 512
_EVIDENCE = (".go", ".original", ".cfg", ".h", ".c", ".s", ".json", ".txt", ".yml", ".mod", ".sum")
_NAMES = frozenset({"importcfg", "importcfg.link", "embedcfg", "symabis"})
_MAGIC = (
    b"!<arch>\n",  # archives
    b"\x7fELF",  # programs and objects: Linux
    b"\xfe\xed\xfa",  # macOS
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"MZ",  # Windows
    b"go object ",
    b"\0asm",
)


def thin_tree(parent: Path, name: str) -> Swept:
    """Removes archives, objects and programs from the tree `name` in `parent`. Doing it again changes nothing.

    Raises RefusedError as `deletion.remove_tree`.
    """
    return remove_files(parent, name, is_heavy)


def measure_heavy(parent: Path, name: str) -> tuple[int, int]:
    """The bytes on disk that a tree takes, and those of them that thinning would free."""
    seen = measure_tree(parent, name, is_heavy)
    return seen.bytes, seen.removed_bytes


def is_heavy(folder: int, entry: os.DirEntry[str]) -> bool:
    """Whether a file is an archive, an object or a program: by what it holds, names only spare the reading."""
    if not entry.is_file(follow_symlinks=False):
        return False
    if entry.name in _NAMES or entry.name.endswith(_EVIDENCE):
        return False
    if entry.stat(follow_symlinks=False).st_size < _SMALL:
        return False
    try:
        fd = os.open(entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return False  # what cannot be read is not known to be heavy
    try:
        return os.read(fd, 16).startswith(_MAGIC)
    finally:
        os.close(fd)
