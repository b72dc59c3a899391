"""Where a project's history, work trees, cache and logs lie; the only home of platformdirs."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.errors import ConfigurationError, DatabaseError

# A Unix socket's address holds 108 bytes on Linux and 104 elsewhere, its end included.
_SOCKET_LIMIT = 100
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Paths:
    """All places of one project's records.

    `state` holds the history, `base` the large things: `work` has one folder a run, its GOTMPDIR; `trash` lies
    beside it, so that a tree is moved there by rename; `cache` is the private GOCACHE.
    """

    state: Path
    base: Path
    database: Path
    logs: Path
    builds: Path
    socket: Path
    lock: Path
    work: Path
    trash: Path
    cache: Path

    @classmethod
    def for_project(
        cls, root: Path, state: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Paths:
        """The places for the project at `root`; nothing is created.

        `state`, or $ORCHWATCHD_STATE, holds them all. Else the history goes to the state folder of the user (of
        the service, under systemd), trees and cache to the cache folder, below a name made from the project's real
        path. Raises ConfigurationError for a path that Orchestrion or Go could not use, DatabaseError for one that
        cannot be.
        """
        environment = os.environ if environment is None else environment
        if state is None and environment.get("ORCHWATCHD_STATE"):
            state = Path(environment["ORCHWATCHD_STATE"])
        if state is not None:
            history = large = Path(os.path.realpath(state))
        else:
            name = project_name(root)
            history, large = (folder / name for folder in _user_folders(environment))
        for path in (history, large):
            _refuse_unusable(path)
        return cls(
            state=history,
            base=large,
            database=history / "history.db",
            logs=history / "logs",
            builds=history / "builds",
            socket=_socket(history),
            lock=history / "lock",
            work=large / "work",
            trash=large / "trash",
            cache=large / "cache",
        )

    def create(self) -> None:
        """Makes every folder, for this user alone (0700); folders that exist keep their mode. Raises DatabaseError
        where one cannot be made, or ConfigurationError where the short folder of the socket belongs to someone else.
        """
        folders = (self.state, self.base, self.logs, self.builds, self.work, self.trash, self.cache)
        for folder in (*folders, self.socket.parent):
            try:
                make_private(folder)
            except OSError as error:
                raise _unusable(folder, error) from error
        if self.socket.parent != self.state:
            _refuse_foreign(self.socket.parent)


def make_private(folder: Path) -> None:
    """Makes a folder and the missing ones above it with mode 0700; `Path.mkdir(mode=…)` gives it to the last one
    alone.
    """
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=_PRIVATE, exist_ok=True)


def crash_folder(state: Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """The folder for traces of our own bugs, in `state` or else the user's state folder; made where it is missing."""
    environment = os.environ if environment is None else environment
    folder = (state or _user_folders(environment)[0]) / "crashes"
    make_private(folder)
    return folder


def project_name(root: Path) -> str:
    """A folder's name for a project: readable, and of its real path alone."""
    real = os.path.realpath(root)
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(real).name).strip("-.")[:40] or "project"
    return f"{readable}-{_digest(real)}"


def _digest(path: str) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _user_folders(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """The folders for state and for cache: systemd's where it gives them (the first of several), else the user's."""
    import platformdirs

    state, cache = (environment.get(f"{kind}_DIRECTORY", "").partition(":")[0] for kind in ("STATE", "CACHE"))
    return (
        Path(state) if state else platformdirs.user_state_path("orchwatchd", appauthor=False),
        Path(cache) if cache else platformdirs.user_cache_path("orchwatchd", appauthor=False),
    )


def _socket(state: Path) -> Path:
    """The daemon's socket, beside the history. Where that path is too long it is in a short folder that depends on
    the user and the history alone, so that a shell and a service with other environments find the same one.
    """
    beside = state / "socket"
    if len(os.fsencode(beside)) <= _SOCKET_LIMIT:
        return beside
    folder = Path("/tmp") / f"orchwatchd-{os.getuid()}"  # noqa: S108
    if folder.is_symlink() or folder.exists():
        _refuse_foreign(folder)
    return folder / f"{_digest(str(state))}.socket"


def _refuse_foreign(folder: Path) -> None:
    """Anyone may make a folder in /tmp first; one that is not ours alone is not used."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigurationError(
            f"{folder} is not a folder of this user alone, so the daemon's socket cannot lie there",
            hint="remove it, or choose a state folder with a shorter path by --state DIR",
        )


def _refuse_unusable(path: Path) -> None:
    """Orchestrion replaces variables in its log file's path, and both programs write paths to files by lines."""
    for character, name in (("$", "a dollar sign"), ("\n", "a line break"), ("\0", "a NUL")):
        if character in str(path):
            raise ConfigurationError(
                f"{str(path)!r} has {name} in it, which Orchestrion or Go could not use",
                hint="choose another folder by --state DIR or ORCHWATCHD_STATE",
            )
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _unusable(path, error) from error


def _unusable(folder: Path, error: OSError) -> DatabaseError:
    return DatabaseError(
        f"the folder {folder} cannot be made: {error.strerror}",
        hint="look at the rights of the folders above it and at the disk, or choose another one by --state DIR",
    )
