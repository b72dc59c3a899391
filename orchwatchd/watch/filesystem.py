"""Which file systems send no events for changes made elsewhere, and what the system's limits are."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

_SILENT = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "vboxsf",
        "prl_fs",
        "vmhgfs",
        "afs",
        "ncpfs",
        "coda",
        "lustre",
    }
)
_MOUNTS = Path("/proc/self/mountinfo")


def sends_no_events(directory: str) -> str | None:
    """The type of the directory's file system if changes can happen there without an event, else None."""
    mounts = _mounts(_stamp())
    if not mounts:
        return None
    return silent_type(mounts, os.path.realpath(directory))


def silent_type(mounts: tuple[tuple[str, str], ...], directory: str) -> str | None:
    """The type of the innermost of `mounts` (folder, type) around the directory, if it is a silent one."""
    around = [
        (len(folder), index, kind)
        for index, (folder, kind) in enumerate(mounts)
        if (directory + "/").startswith(folder.rstrip("/") + "/")
    ]
    kind = max(around)[2] if around else ""
    return kind if kind in _SILENT or kind.startswith("fuse") else None


def parse_mountinfo(text: str) -> tuple[tuple[str, str], ...]:
    """The mounts of `/proc/self/mountinfo` as (folder, type), in order."""
    mounts = []
    for line in text.splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        if len(fields) > 4 and kind:
            folder = (
                fields[4]
                .encode()
                .decode("unicode_escape")
                .encode("latin-1", "replace")
                .decode("utf-8", "replace")
            )
            mounts.append((folder, kind[0]))
    return tuple(mounts)


def limit_hint(name: str) -> str:
    """The command that raises a limit of inotify (`max_user_watches`), with the number that is set now."""
    try:
        now = int(Path(f"/proc/sys/fs/inotify/{name}").read_text())
    except (OSError, ValueError):
        return f"raise it: sysctl fs.inotify.{name}=524288"
    wanted = max(1024 if name == "max_user_instances" else 524288, now * 2)
    return f"it is {now} now; raise it: sysctl fs.inotify.{name}={wanted}"


@lru_cache(maxsize=1)
def _mounts(stamp: int) -> tuple[tuple[str, str], ...]:  # noqa: ARG001 the stamp is the cache's key
    try:
        return parse_mountinfo(_MOUNTS.read_text(errors="surrogateescape"))
    except OSError:
        return ()


def _stamp() -> int:
    """Changes at most every some seconds: mounts are read again now and then, not for each directory."""
    import time

    return int(time.monotonic() // 5)
