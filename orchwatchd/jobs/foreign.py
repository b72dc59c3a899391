"""Folders that other builds left in the temporary folder: listed, and removed only when asked and surely
abandoned.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchwatchd.jobs.deletion import RefusedError, measure_tree, remove_tree
from orchwatchd.models.upkeep import ForeignTree

OLD_ENOUGH = timedelta(hours=24)
"""How long nothing in a folder must have changed before it counts as abandoned."""

# The user's own `-work` builds and killed ones; job servers of dead Orchestrions. Lock files of `orchestrion pin`
# are no folders and never matched: others hold them.
_NAMES = re.compile(r"go-build\d+|orchestrion\.nbt-.+")


def temporary_folders(environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Where builds of this user that are not ours put their folders: GOTMPDIR and the temporary folder."""
    environment = os.environ if environment is None else environment
    given = environment.get("GOTMPDIR")
    folders = [Path(given)] if given else []
    return tuple(dict.fromkeys([*folders, Path(tempfile.gettempdir())]))


def find_foreign(
    folders: Iterable[Path], *, now: datetime, ours: Path | None = None
) -> tuple[ForeignTree, ...]:
    """What others' builds left in `folders`, with size, last change, and why each would stay, oldest first.

    `ours` is our own work folder, which is never looked at. Links are not followed.
    """
    found = [path for folder in folders if folder != ours for path in _candidates(folder)]
    in_use = open_paths() if found else {}
    return tuple(sorted((_judge(path, now, in_use) for path in found), key=lambda tree: tree.changed_at))


def remove_foreign(trees: Sequence[ForeignTree], *, now: datetime) -> tuple[list[ForeignTree], list[str]]:
    """Removes the trees that may go, judging each anew just before; returns those and why others stayed."""
    gone, stayed = [], []
    for tree in trees:
        fresh = _judge(tree.path, now, open_paths()) if tree.keep_reason is None else tree
        if fresh.keep_reason is not None:
            stayed.append(f"{tree.path} stays: {fresh.keep_reason}")
            continue
        try:
            remove_tree(tree.path.parent, tree.path.name)
        except RefusedError as error:
            stayed.append(str(error))
        else:
            gone.append(fresh)
    return gone, stayed


def open_paths() -> Mapping[str, int] | None:
    """Every path that a process of this user has open, or works in, with the process's number.

    None where the system does not tell (no /proc): nothing can be said to be abandoned then. Processes of other
    users cannot be looked into; folders of this user are theirs only by exception.
    """
    proc = Path("/proc")
    if not (proc / "self" / "fd").is_dir():
        return None
    found: dict[str, int] = {}
    for process in proc.iterdir():
        if process.name.isdigit():
            for path in _paths_of(process):
                found.setdefault(path, int(process.name))
    return found


def _paths_of(process: Path) -> Iterator[str]:
    for link in (process / "cwd", process / "root", process / "exe"):
        with suppress(OSError):
            yield str(link.readlink())
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                yield str(link.readlink())
    with suppress(OSError):
        # A mapped file can be in use without an open descriptor.
        for line in (process / "maps").read_text(errors="replace").splitlines():
            if (at := line.find("/")) > 0:
                yield line[at:].removesuffix(" (deleted)")


def _candidates(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _NAMES.fullmatch(path.name))
    except OSError:
        return []


def _judge(path: Path, now: datetime, in_use: Mapping[str, int] | None) -> ForeignTree:
    """One folder with the reason for which it stays, if there is one."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        return ForeignTree(path, 0, now, "it is gone")
    changed, size = datetime.fromtimestamp(info.st_mtime, UTC), 0
    if not stat.S_ISDIR(info.st_mode):
        return ForeignTree(path, info.st_blocks * 512, changed, "it is no folder")
    newest = info.st_mtime

    def look(_folder: int, entry: os.DirEntry[str]) -> bool:
        nonlocal newest
        newest = max(newest, entry.stat(follow_symlinks=False).st_mtime)
        return False

    problem = None
    try:
        size = measure_tree(path.parent, path.name, look).bytes
    except RefusedError as error:
        problem = str(error)
    changed = datetime.fromtimestamp(newest, UTC)
    return ForeignTree(path, size, changed, problem or _reason(path, info, changed, now, in_use))


def _reason(
    path: Path, info: os.stat_result, changed: datetime, now: datetime, in_use: Mapping[str, int] | None
) -> str | None:
    if info.st_uid != os.geteuid():
        return "it belongs to another user"
    if now - changed < OLD_ENOUGH:
        return "it changed less than 24 hours ago"
    if in_use is None:
        return "this system does not tell whether a process uses it"
    user = _user_of(path, in_use)
    return f"process {user} uses it" if user else None


def _user_of(path: Path, in_use: Mapping[str, int]) -> int | None:
    names: Collection[str] = {str(path), os.path.realpath(path)}
    for name, process in in_use.items():
        if any(name == prefix or name.startswith(prefix + "/") for prefix in names):
            return process
    return None
