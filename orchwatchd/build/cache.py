"""The private build cache, which belongs to one history: a package that it serves was seen by that history."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

_MARKER = "orchwatchd-history"
_OLD = ".retired-"


def ensure_cache(folder: Path, history: str) -> bool:
    """Makes `folder` a build cache that belongs to the history with this id; True if that took a new one.

    A cache that bears another history's id or none is put aside in one step and deleted: it could serve packages
    that this history never saw.
    """
    sweep(folder)
    if _owner(folder) == history:
        return False
    had_one = folder.exists()
    retire(folder)
    fresh = folder.with_name(f"{folder.name}.new-{uuid.uuid4().hex[:8]}")
    fresh.mkdir(mode=0o700, parents=True)
    # The marker is in place before the folder has its name: a cache without one is never used.
    (fresh / _MARKER).write_text(history + "\n", encoding="ascii")
    fresh.rename(folder)
    return had_one


def retire(folder: Path) -> None:
    """Takes the cache out of use at once, then deletes it. A crash in between leaves a folder that `sweep` deletes."""
    aside = folder.with_name(f"{folder.name}{_OLD}{uuid.uuid4().hex[:8]}")
    with contextlib.suppress(FileNotFoundError):
        folder.rename(aside)
    _delete(aside)


def sweep(folder: Path) -> None:
    """Deletes what an interrupted `retire` or `ensure_cache` left beside `folder`."""
    for pattern in (f"{folder.name}{_OLD}*", f"{folder.name}.new-*"):
        for left in folder.parent.glob(pattern):
            _delete(left)


def _owner(folder: Path) -> str | None:
    try:
        return (folder / _MARKER).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def _delete(folder: Path) -> None:
    if folder.is_symlink():
        with contextlib.suppress(OSError):
            os.unlink(folder)  # noqa: PTH108 - the link, never what it points to
    else:
        shutil.rmtree(folder, ignore_errors=True)
