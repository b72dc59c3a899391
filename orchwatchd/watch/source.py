"""The source of file system events, and the only home of watchdog.

On Linux it stands on `watchdog.observers.inotify_c.InotifyFD` with an event mask of our own: watchdog's recursive
observer watches what should be left out, wakes itself by its own reads, throws events away at an overflow without a
word to its handler, and passes over directories beyond the limit of watches in silence. InotifyFD is not documented, so
`tests/watch/test_watchdog_contract.py` holds every property that this module leans on.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchwatchd.watch.cookies import Cookies
from orchwatchd.watch.filesystem import sends_no_events
from orchwatchd.watch.hints import HintBox, PollingSource, Refusal, Source

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, WatchDescriptor

Interesting = Callable[[str, str], bool]


def open_source(
    box: HintBox, *, interesting: Interesting, poll: str = "auto", cookies: Path | None = None
) -> tuple[Source, Refusal | None]:
    """The best source for this system, and why it is not the one by events, if so.

    `interesting(directory, name)` says whether a change of that entry matters, called in the source's thread. `poll` is
    `auto`, `always` or `never` (events even where the file system is known to send none). `cookies` is a folder of
    our own for `sync` (default: the system's temporary folder).
    """
    if poll == "always":
        return PollingSource(), None
    if sys.platform != "linux":
        return ObserverSource(box, interesting=interesting), None
    try:
        return InotifySource(box, interesting=interesting, any_system=poll == "never", cookies=cookies), None
    except OSError as error:
        refusal = Refusal.INSTANCES if error.errno in {errno.EMFILE, errno.ENFILE} else Refusal.FAULT
        return PollingSource(refusal), refusal


class InotifySource:
    """Watches directory by directory with inotify. Raises OSError where there can be no inotify instance."""

    def __init__(
        self,
        box: HintBox,
        *,
        interesting: Interesting,
        any_system: bool = False,
        cookies: Path | None = None,
    ) -> None:
        from watchdog.observers import inotify_c

        constants = inotify_c.InotifyConstants
        self._mask = inotify_c.Mask(
            constants.IN_CLOSE_WRITE
            | constants.IN_CREATE
            | constants.IN_DELETE
            | constants.IN_MOVED_FROM
            | constants.IN_MOVED_TO
            | constants.IN_DELETE_SELF
            | constants.IN_MOVE_SELF
            | constants.IN_ONLYDIR
            | constants.IN_EXCL_UNLINK
        )
        self._box = box
        self._interesting = interesting
        self._any_system = any_system
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._by_path: dict[str, tuple[WatchDescriptor, int]] = {}
        self._by_watch: dict[int, set[str]] = {}
        self._fault: BaseException | None = None
        # A directory made within milliseconds makes watchdog warn with its whole table of watches.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.observers\.inotify_c")
        self._inotify: InotifyFD = inotify_c.InotifyFD()
        self._inotify.start()
        self._cookies = Cookies(cookies)
        self._watch_cookies()

    def add(self, directory: str) -> Refusal | None:
        """Watches one directory; the caller lists it afterwards, so that nothing falls between."""
        if not self._any_system and sends_no_events(directory):
            return Refusal.FILE_SYSTEM
        if not self._inotify.is_alive():
            return Refusal.FAULT
        with self._lock:
            if directory in self._by_path:
                return None
            number = next(self._ids)
            try:
                watch = self._inotify.add_callback(os.fsencode(directory), self._mask, self, _id(number))
            except OSError as error:
                return _refusal(error)
            if watch == -1:
                # watchdog raises for every error but EACCES.
                with contextlib.suppress(OSError):
                    self._inotify.remove_callbacks([(watch, _id(number))])
                return Refusal.PERMISSION
            self._by_path[directory] = (watch, number)
            self._by_watch.setdefault(watch, set()).add(directory)
        return None

    def discard(self, directory: str) -> None:
        """Ends the watch of one directory."""
        with self._lock:
            found = self._by_path.pop(directory, None)
            if found is None:
                return
            watch, number = found
            paths = self._by_watch.get(watch, set())
            paths.discard(directory)
            if not paths:
                self._by_watch.pop(watch, None)
            with contextlib.suppress(OSError):
                self._inotify.remove_callbacks([(watch, _id(number))])

    def watches(self, directory: str) -> bool:
        """Whether the kernel holds a watch on the directory."""
        return directory in self._by_path

    def count(self) -> int:
        """How many directories are watched."""
        return len(self._by_path) - 1

    def alive(self) -> bool:
        """Whether the reader lives and no event has been lost to an exception."""
        return self._inotify.is_alive() and self._fault is None

    def sync(self, timeout: float) -> bool:
        """Writes a cookie and waits for its event: the queue is in order, so all before it has been read."""
        return self.alive() and self._cookies.bake(timeout)

    def stop(self) -> None:
        """Closes the inotify instance and waits for its reader."""
        self._inotify.stop()
        self._inotify.join(5)
        self._cookies.remove()

    def on_event(self, event: InotifyEvent) -> None:
        """Called by watchdog's reader for each event; must be quick and must not raise."""
        try:
            with self._lock:
                paths = tuple(self._by_watch.get(event.wd, ()))
            name = os.fsdecode(event.name)
            for path in paths:
                if path == self._cookies.folder:
                    self._cookies.seen(name)
                elif not name or event.is_directory or self._interesting(path, name):
                    self._box.mark(path)
        except Exception as error:  # noqa: BLE001 an exception here would kill the reader in silence
            self._fault = error
            self._box.lose()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Called by watchdog when the kernel has dropped a watch: the directory is gone, or was unmounted."""
        with self._lock:
            paths = self._by_watch.pop(wd, set())
            for path in paths:
                if self._by_path.get(path, (None,))[0] == wd:
                    del self._by_path[path]
        for path in paths:
            self._box.mark(path)

    def on_queue_overflow(self) -> None:
        """Called by watchdog when the kernel's queue was full and events were dropped."""
        self._box.lose()

    def _watch_cookies(self) -> None:
        with self._lock:
            number = next(self._ids)
            folder = self._cookies.folder
            watch = self._inotify.add_callback(os.fsencode(folder), self._mask, self, _id(number))
            self._by_path[folder] = (watch, number)
            self._by_watch.setdefault(watch, set()).add(folder)


class ObserverSource:
    """watchdog's observer for systems without inotify; `observer` is any of its observer classes."""

    def __init__(
        self, box: HintBox, *, interesting: Interesting, observer: Callable[[], Any] | None = None
    ) -> None:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        source = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: Any) -> None:
                source.on_any_event(event)

        self._box = box
        self._interesting = interesting
        self._handler = Handler()
        self._observer = (observer or Observer)()
        self._watched: dict[str, Any] = {}
        self._observer.start()

    def add(self, directory: str) -> Refusal | None:
        """Watches one directory."""
        if directory in self._watched:
            return None
        try:
            self._watched[directory] = self._observer.schedule(self._handler, directory)
        except OSError as error:
            return _refusal(error)
        return None

    def discard(self, directory: str) -> None:
        """Ends the watch of one directory."""
        watch = self._watched.pop(directory, None)
        if watch is not None:
            with contextlib.suppress(KeyError, OSError):
                self._observer.unschedule(watch)

    def watches(self, directory: str) -> bool:
        """Whether the directory was scheduled and its emitter lives."""
        watch = self._watched.get(directory)
        return watch is not None and any(
            emitter.watch == watch and emitter.is_alive() for emitter in tuple(self._observer.emitters)
        )

    def count(self) -> int:
        """How many directories are scheduled."""
        return len(self._watched)

    def alive(self) -> bool:
        """Whether the observer's dispatcher lives."""
        return bool(self._observer.is_alive())

    def sync(self, timeout: float) -> bool:  # noqa: ARG002
        """Cannot be known here."""
        return False

    def stop(self) -> None:
        """Ends the observer and its threads."""
        self._observer.stop()
        self._observer.join(5)

    def on_any_event(self, event: Any) -> None:
        """Marks the directories of an event, reads left out."""
        if event.event_type in {"opened", "closed_no_write"}:
            return
        for spelt in (event.src_path, event.dest_path):
            path = os.fsdecode(spelt)
            directory, _, name = path.rpartition("/")
            if path and (event.is_directory or self._interesting(directory, name)):
                self._box.mark(directory)
            if path and event.is_directory:
                self._box.mark(path)


def _id(number: int) -> Any:
    return number


def _refusal(error: OSError) -> Refusal:
    if error.errno == errno.ENOSPC:
        return Refusal.LIMIT
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Refusal.INSTANCES
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return Refusal.GONE
    return Refusal.PERMISSION if error.errno in {errno.EACCES, errno.EPERM} else Refusal.FAULT
