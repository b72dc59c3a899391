"""Import configurations: which archive each import path stands for, and what was added to the `.original`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from orchwatchd.tree.files import read_regular

# A stage archive as the build named it; the tree may have been moved since, so only what follows its root
# counts.
_STAGE_ARCHIVE = re.compile(r"/go-build\d+/((?:__tmp__/go-build\d+/)*b\d+)/_pkg_\.a$")
_STAGE_FILE = re.compile(r"/go-build\d+/((?:__tmp__/go-build\d+/)*b\d+/[^/]+)$")
_CACHE_FILE = re.compile(r"/([0-9a-f]{64})-d$")
_PACKAGE_FILE = re.compile(r"^packagefile ([^=\n]*)=([^\n]*)", re.MULTILINE)
_MODULE_INFO = re.compile(r"^modinfo ([^\n]*)", re.MULTILINE)
_MAIN_PATH = re.compile(r"path\\t(.*?)\\n")
_MAIN_MODULE = re.compile(r"\\nmod\\t(.*?)\\t")


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """`archives` by import path, in file order; `main` and `module` are the program's path and its main module from
    `modinfo` (link configurations only).
    """

    archives: dict[str, str] = field(default_factory=dict)
    main: str | None = None
    module: str | None = None


def read_importcfg(path: Path | str) -> ImportConfig:
    """Reads an `importcfg` or `importcfg.link`; lines that it does not know are passed over. Raises
    OSError.
    """
    return parse_importcfg(read_regular(path))


def parse_importcfg(data: bytes) -> ImportConfig:
    """The content of an import configuration; archive paths are file system strings (`os.fsdecode`)."""
    text = os.fsdecode(data)
    found = _PACKAGE_FILE.findall(text)
    archives = {_readable(path): archive for path, archive in found}
    info = _MODULE_INFO.search(text)
    if info is None:
        return ImportConfig(archives)
    return ImportConfig(archives, _first(_MAIN_PATH, info[1]), _first(_MAIN_MODULE, info[1]))


def _readable(path: str) -> str:
    """An import path; bytes that are no UTF-8 become replacement characters."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "replace")


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def stage_of(archive: str) -> str | None:
    """The stage directory, relative to the root work tree, that an archive path names; None for a file of
    the Go cache.
    """
    found = _STAGE_ARCHIVE.search(archive.replace(os.sep, "/"))
    return found[1] if found else None


def file_in_stage(path: str) -> str | None:
    """A file directly in a stage directory, relative to the root work tree; None for a path elsewhere."""
    found = _STAGE_FILE.search(path.replace(os.sep, "/"))
    return found[1] if found else None


def cache_digest(archive: str) -> str | None:
    """The SHA-256, in hexadecimal, of the archive that a file of the Go cache holds: it is the file's name
    (fact 12).
    """
    found = _CACHE_FILE.search(archive.replace(os.sep, "/"))
    return found[1] if found else None
