"""What `orchwatchd.watch.source` leans on in watchdog, and nobody documents: a new release must not change it unseen."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watch_bench import wait_for
from watchdog.observers import inotify_c

pytest_plugins = ["watch_fixtures"]

MASK = inotify_c.InotifyConstants.IN_CLOSE_WRITE | inotify_c.InotifyConstants.IN_CREATE
ONLYDIR = inotify_c.InotifyConstants.IN_ONLYDIR | inotify_c.InotifyConstants.IN_DELETE_SELF


class Callback:
    def __init__(self) -> None:
        self.events: list[inotify_c.InotifyEvent] = []
        self.deleted: list[int] = []
        self.overflows = 0
        self.hold = threading.Lock()

    def on_event(self, event: inotify_c.InotifyEvent) -> None:
        with self.hold:
            self.events.append(event)

    def on_watch_deleted(self, wd: int) -> None:
        self.deleted.append(wd)

    def on_queue_overflow(self) -> None:
        self.overflows += 1


@pytest.fixture
def inotify() -> Iterator[inotify_c.InotifyFD]:
    instance = inotify_c.InotifyFD()
    instance.start()
    yield instance
    instance.stop()
    instance.join(5)
    assert not instance.is_alive()


def add(inotify: inotify_c.InotifyFD, path: Path, callback: Callback, number: int = 1) -> int:
    return inotify.add_callback(os.fsencode(path), inotify_c.Mask(MASK | ONLYDIR), callback, number)


def test_instances_are_independent(inotify: inotify_c.InotifyFD) -> None:
    assert inotify_c.InotifyFD() is not inotify
    assert inotify_c.InotifyFD._instance is None, "the shared one was not made"


def test_an_event_has_its_watch_its_name_and_only_the_kinds_asked_for(
    inotify: inotify_c.InotifyFD, fast: Path
) -> None:
    callback = Callback()
    watch = add(inotify, fast, callback)
    (fast / "x").write_text("1")
    wait_for(lambda: len(callback.events) >= 2, "two events")
    (fast / "x").read_text()
    list(fast.iterdir())
    (fast / "y").mkdir()
    wait_for(lambda: len(callback.events) >= 3, "the folder's event")
    assert {event.wd for event in callback.events} == {watch}
    assert [(event.name, event.is_directory) for event in callback.events] == [
        (b"x", False),
        (b"x", False),
        (b"y", True),
    ]


def test_one_directory_by_two_names_is_one_watch_with_two_callbacks(
    inotify: inotify_c.InotifyFD, fast: Path
) -> None:
    """And the removal of one leaves the other."""
    (fast / "real").mkdir()
    (fast / "link").symlink_to("real")
    callback = Callback()
    first, second = add(inotify, fast / "real", callback, 1), add(inotify, fast / "link", callback, 2)
    assert first == second
    inotify.remove_callbacks([(first, 1)])
    (fast / "real/x").mkdir()
    wait_for(lambda: len(callback.events) == 1, "one event")


def test_a_removed_directory_is_told_and_its_number_not_used_again(
    inotify: inotify_c.InotifyFD, fast: Path
) -> None:
    callback = Callback()
    seen = set()
    for turn in range(20):
        (fast / "d").mkdir()
        watch = add(inotify, fast / "d", callback, turn)
        assert watch not in seen
        seen.add(watch)
        (fast / "d").rmdir()
        wait_for(lambda watch=watch: watch in callback.deleted, "the deletion is told")


def test_an_overflow_reaches_the_callback(inotify: inotify_c.InotifyFD, fast: Path) -> None:
    callback = Callback()
    add(inotify, fast, callback)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with callback.hold:
        for number in range(limit // 2 + 4000):
            os.close(os.open(fast / f"f{number % 2}", os.O_CREAT | os.O_WRONLY))
            if number % 2:
                (fast / "f0").unlink()
                (fast / "f1").unlink()
    wait_for(lambda: callback.overflows == 1, "the overflow is told")
    assert inotify.is_alive()


def test_a_missing_directory_and_a_file_raise(inotify: inotify_c.InotifyFD, fast: Path) -> None:
    (fast / "file").touch()
    for path, number in ((fast / "missing", errno.ENOENT), (fast / "file", errno.ENOTDIR)):
        with pytest.raises(OSError) as raised:
            add(inotify, path, Callback())
        assert raised.value.errno == number


def test_the_limit_of_watches_raises_and_denied_access_gives_minus_one() -> None:
    """Both cannot be made without another user; what watchdog does with the numbers can."""
    import ctypes

    for number, expected in ((errno.ENOSPC, errno.ENOSPC), (errno.EMFILE, errno.EMFILE)):
        ctypes.set_errno(number)
        with pytest.raises(OSError) as raised:
            inotify_c.InotifyFD._raise_error()
        assert raised.value.errno == expected
    ctypes.set_errno(errno.EACCES)
    assert inotify_c.InotifyFD._raise_error() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_raises_kills_the_reader(fast: Path) -> None:
    """Why ours never raises. If this changes, `alive` may be simplified."""

    class Broken(Callback):
        def on_event(self, event: inotify_c.InotifyEvent) -> None:
            raise RuntimeError("made by the test")

    inotify = inotify_c.InotifyFD()
    inotify.start()
    add(inotify, fast, Broken())
    (fast / "x").touch()
    inotify.join(5)
    assert not inotify.is_alive()
    inotify.stop()


def test_many_directories_at_a_few_microseconds_each(inotify: inotify_c.InotifyFD, fast: Path) -> None:
    callback = Callback()
    numbers = itertools.count()
    for number in range(2000):
        (fast / str(number)).mkdir()
        add(inotify, fast / str(number), callback, next(numbers))
    (fast / "1999/x").touch()
    wait_for(lambda: bool(callback.events), "an event of the last")
