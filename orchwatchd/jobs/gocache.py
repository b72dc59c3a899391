"""The private Go build cache as upkeep sees it: which archives it holds, what it takes, and trimming it as Go does.

An entry is a small file `<hash>-a` that names a data file `<hash>-d`; Go touches both when it uses them (at most once
an hour). The name of an `-a` file starts with the action id that the archive carries in its build id (fact 12), so
"has this output's archive left the cache" is a look at file names. Trimming an archive only means that the next build
that needs it compiles it again, and records it again.
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from orchwatchd.jobs.deletion import RefusedError, measure_tree, remove_tree
from orchwatchd.models.upkeep import CacheFile

_BLOCK = 512
_ACTION_BYTES = 15
_FOLDER = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"[0-9a-f]{64}-[ad]")


def cached_actions(cache: Path) -> frozenset[str]:
    """The action ids, as build ids spell them, of everything that the cache can serve; empty without a cache."""
    return frozenset(
        base64.urlsafe_b64encode(bytes.fromhex(entry.name[: 2 * _ACTION_BYTES])).decode()
        for entry in _entries(cache)
        if entry.name.endswith("-a")
    )


def cache_files(cache: Path) -> tuple[CacheFile, ...]:
    """Every file of the cache with its size and last use; what is not Go's (its README, our mark) is left out."""
    found = []
    for entry in _entries(cache):
        with suppress(FileNotFoundError):
            info = entry.stat(follow_symlinks=False)
            name = f"{entry.name[:2]}/{entry.name}"
            size = info.st_blocks * _BLOCK
            if stat.S_ISDIR(info.st_mode):  # a cached program lies in a folder
                with suppress(RefusedError):
                    size = measure_tree(cache / entry.name[:2], entry.name).bytes
            found.append(CacheFile(name, size, info.st_mtime_ns))
    return tuple(found)


def plan_trim(files: Sequence[CacheFile], to_free: int) -> tuple[CacheFile, ...]:
    """The files to remove, least recently used first, until `to_free` bytes are reached. Pure."""
    chosen = []
    # Of one age, entries go before their data: data without an entry is garbage, an entry without data costs a look.
    for file in sorted(files, key=lambda item: (item.used_ns, item.name[-1], item.name)):
        if to_free <= 0:
            break
        chosen.append(file)
        to_free -= file.bytes
    return tuple(chosen)


def trim_cache(cache: Path, to_free: int) -> int:
    """Removes least recently used files until `to_free` bytes are free; returns the bytes that are.

    No build may be running. Killed half way, the cache is as good as before: Go takes missing files for misses.
    """
    freed = 0
    for file in plan_trim(cache_files(cache), to_free):
        folder, name = file.name.split("/")
        with suppress(FileNotFoundError, RefusedError):
            if (cache / file.name).is_dir():
                remove_tree(cache / folder, name)
            else:
                (cache / file.name).unlink()
            freed += file.bytes
    return freed


def _entries(cache: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(cache) as folders:
            names = sorted(
                item.name
                for item in folders
                if _FOLDER.fullmatch(item.name) and item.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return
    for name in names:
        # The developer's own cache may be cleaned while we look.
        with suppress(FileNotFoundError), os.scandir(cache / name) as listing:
            yield from (entry for entry in listing if _ENTRY.fullmatch(entry.name))
