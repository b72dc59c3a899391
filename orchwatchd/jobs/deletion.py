"""Removes or thins a folder tree without ever touching what lies outside it.

The walk goes over open folders, never over paths: each is opened relative to its parent without following links, must
belong to this user and to the file system mount of the tree's root, and on the way up must be the one that the walk
came down by. Two folders are open at a time, so depth does not matter. The first surprise stops the walk.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512
_UUID = 32

FileTest = Callable[[int, os.DirEntry[str]], bool]
"""Whether a file goes: gets the open folder and the entry in it."""


class RefusedError(Exception):
    """A tree that is not as it should be was left alone, or left half removed; the message says what and where."""


@dataclass(slots=True)
class Swept:
    """What a walk saw and what it removed (or would), in files and in bytes on disk (folders included)."""

    files: int = 0
    bytes: int = 0
    removed_files: int = 0
    removed_bytes: int = 0


@dataclass(slots=True)
class _Frame:
    """A folder on the way down: its name in its parent, its identity, and the folders in it still to be walked."""

    name: str
    identity: tuple[int, int]
    bytes: int
    folders: list[str] = field(default_factory=list)


def remove_tree(parent: Path, name: str) -> Swept:
    """Removes the folder `name` in `parent` with all that is in it.

    Raises RefusedError when something in it is not ours, lies on another mount, is held by another program (flock)
    or changes during the walk; what was removed until then stays removed. OSError from the file system is raised
    as RefusedError, too, naming the place.
    """
    return _sweep(parent, name, lambda _fd, _entry: True, change=True, folders_too=True)


def remove_files(parent: Path, name: str, goes: FileTest) -> Swept:
    """Removes the files of a tree that `goes` picks; folders stay. Raises RefusedError as `remove_tree`."""
    return _sweep(parent, name, goes, change=True, folders_too=False)


def measure_tree(parent: Path, name: str, would_go: FileTest = lambda _fd, _entry: False) -> Swept:
    """What a tree takes on disk, and what of it `remove_files` would remove; changes nothing.

    Raises RefusedError as `remove_tree`, but for locks.
    """
    return _sweep(parent, name, would_go, change=False, folders_too=False)


def move_to_trash(source: Path, trash: Path) -> Path:
    """Renames a folder of ours into the trash folder, durably, and returns its new place.

    Both must lie on one file system. Raises RefusedError for anything but a folder of this user.
    """
    to = trash / f"{source.name}-{uuid.uuid4().hex}"
    with _refusing(source), _opened(source.parent) as parent:
        folder = _open_folder(source.name, parent, repair=True)
        try:
            if os.fstat(folder).st_uid != os.geteuid():
                raise RefusedError("it belongs to another user")
            _make_writable(folder, os.fstat(folder))  # a folder that moves must be writable itself
        finally:
            os.close(folder)
        with _opened(trash) as target:
            os.rename(source.name, to.name, src_dir_fd=parent, dst_dir_fd=target)
            os.fsync(target)
        os.fsync(parent)
    return to


def trashed_name(name: str) -> str | None:
    """The name that a folder had before `move_to_trash`, or None if it was not put into the trash by us."""
    old, dash, mark = name.rpartition("-")
    return old if old and dash and len(mark) == _UUID and not mark.strip("0123456789abcdef") else None


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Holds a shared lock on a folder: systemd-tmpfiles and cleaners like it skip it whole, with all below."""
    with _opened(folder) as fd:
        with suppress(OSError):  # a file system without locks: nothing to be gained
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


def mount_of(fd: int) -> object:
    """The identity of the mount that an open file lies on: Linux tells a bind mount, elsewhere the device must do."""
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:  # noqa: PTH123 - runs once a folder
            for line in info:
                if line.startswith("mnt_id:"):
                    return int(line[7:])
    except OSError:
        pass
    return ("device", os.fstat(fd).st_dev)


def _sweep(parent: Path, name: str, goes: FileTest, *, change: bool, folders_too: bool) -> Swept:
    with _refusing(parent / name), _opened(parent) as above:
        root = _open_folder(name, above, repair=change)
        try:
            if change:
                fcntl.flock(root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            walk = _Walk(goes, change=change, folders_too=folders_too, mount=mount_of(root))
            walk.run(root, name)
        finally:
            os.close(root)
        if folders_too:
            os.rmdir(name, dir_fd=above)
    return walk.swept


class _Walk:
    """One walk below an open root folder."""

    def __init__(self, goes: FileTest, *, change: bool, folders_too: bool, mount: object) -> None:
        self.swept = Swept()
        self._goes = goes
        self._change = change
        self._folders_too = folders_too
        self._mount = mount

    def run(self, root: int, name: str) -> None:
        """Walks everything below `root`, which stays open, and empty if all went."""
        fd = os.dup(root)
        try:
            frames = [self._enter(fd, name)]
            while True:
                if frames[-1].folders:
                    child = frames[-1].folders.pop()
                    fd = _step(fd, _open_folder(child, fd, repair=self._change))
                    frames.append(self._enter(fd, child))
                    continue
                done = frames.pop()
                if self._folders_too:
                    self.swept.removed_bytes += done.bytes
                if not frames:
                    return
                fd = _step(fd, os.open("..", _FOLDER, dir_fd=fd))
                if _identity(os.fstat(fd)) != frames[-1].identity:
                    raise RefusedError(f"the folder {done.name!r} was moved away during the walk")
                if self._folders_too:
                    os.rmdir(done.name, dir_fd=fd)
        finally:
            os.close(fd)

    def _enter(self, fd: int, name: str) -> _Frame:
        """Checks a folder just opened, removes the files in it that go, and lists its folders."""
        found = os.fstat(fd)
        if found.st_uid != os.geteuid():
            raise RefusedError(f"the folder {name!r} belongs to another user")
        if mount_of(fd) != self._mount:
            raise RefusedError(f"the folder {name!r} is a mount point")
        if self._change:
            _make_writable(fd, found)
        frame = _Frame(name, _identity(found), found.st_blocks * _BLOCK)
        self.swept.bytes += frame.bytes
        with os.scandir(fd) as listing:
            entries = list(listing)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                frame.folders.append(entry.name)
            else:
                self._file(fd, entry)
        return frame

    def _file(self, fd: int, entry: os.DirEntry[str]) -> None:
        size = entry.stat(follow_symlinks=False).st_blocks * _BLOCK
        self.swept.files += 1
        self.swept.bytes += size
        if self._goes(fd, entry):
            if self._change:
                os.unlink(entry.name, dir_fd=fd)
            self.swept.removed_files += 1
            self.swept.removed_bytes += size


def _step(old: int, new: int) -> int:
    os.close(old)
    return new


def _open_folder(name: str, parent: int, *, repair: bool) -> int:
    """Opens a folder in an open one; with `repair`, one that forbids it gets its owner's rights back first."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        if not repair:
            raise
    _permit(name, parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def _permit(name: str, parent: int) -> None:
    """Gives a folder that cannot even be read to its owner; never follows a link.

    Linux changes the very folder that was opened without rights (O_PATH, through /proc); elsewhere the system's
    own call without following links does it.
    """
    if hasattr(os, "O_PATH"):
        fd = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if os.fstat(fd).st_uid == os.geteuid():
                os.chmod(f"/proc/self/fd/{fd}", stat.S_IRWXU)  # noqa: PTH101
        finally:
            os.close(fd)
    else:
        os.chmod(name, stat.S_IRWXU, dir_fd=parent, follow_symlinks=False)


def _make_writable(fd: int, found: os.stat_result) -> None:
    """Folders of mode 0500, as the module cache has them: the owner may change that, on the open folder itself."""
    if found.st_mode & stat.S_IRWXU != stat.S_IRWXU and found.st_uid == os.geteuid():
        os.fchmod(fd, stat.S_IMODE(found.st_mode) | stat.S_IRWXU)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


@contextmanager
def _opened(path: Path | str, parent: int | None = None) -> Iterator[int]:
    fd = os.open(path, _FOLDER, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Errors of the file system as RefusedError with the tree's name."""
    try:
        yield
    except RefusedError as error:
        raise RefusedError(f"{path}: {error}") from None
    except OSError as error:
        reason = {
            errno.ELOOP: "a link stands where a folder was",
            errno.ENOTDIR: "no folder, or a link, stands where a folder was",
            errno.EAGAIN: "another program holds it",
            errno.EBUSY: "something is mounted in it",
        }.get(error.errno or 0, error.strerror or str(error))
        inside = f" ({error.filename!r})" if error.filename else ""
        raise RefusedError(f"{path}: {reason}{inside}") from error
