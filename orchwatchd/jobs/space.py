"""How much room a project's records take, by what they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchwatchd.config.paths import Paths


def space_used(paths: Paths) -> dict[str, int]:
    """Bytes on disk of trees, cache, logs and database, and what is free where the trees lie."""
    return {
        "work": _taken(paths.work),
        "trash": _taken(paths.trash),
        "cache": _taken(paths.cache),
        "logs": _taken(paths.logs),
        "database": sum(
            _size(paths.database.with_name(paths.database.name + end)) for end in ("", "-wal", "-shm")
        ),
        "free": shutil.disk_usage(_existing(paths.work)).free,
    }


def _taken(folder: Path) -> int:
    """What a folder takes, links not followed; a folder that goes meanwhile counts as far as it was seen."""
    total, stack = 0, [str(folder)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
