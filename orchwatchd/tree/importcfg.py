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
    archives: dict[str, str] = {}
    main = module = None
    for line in data.split(b"\n"):
        verb, _, rest = line.partition(b" ")
        if verb == b"packagefile":
            path, equals, archive = rest.partition(b"=")
            if equals:
                archives[path.decode("utf-8", "replace")] = os.fsdecode(archive)
        elif verb == b"modinfo":
            info = rest.decode("utf-8", "replace")
            main, module = _first(_MAIN_PATH, info), _first(_MAIN_MODULE, info)
    return ImportConfig(archives, main, module)


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
