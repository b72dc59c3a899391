"""Limits are met, parts die, file systems are silent: building goes on, and it is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from watch_bench import Bench, all_go, truth, wait_for, watching

from orchwatchd.models.watching import Cause
from orchwatchd.watch import Baseline, WatchSettings, take
from orchwatchd.watch.filesystem import parse_mountinfo, silent_type
from orchwatchd.watch.hints import HintBox, Refusal
from orchwatchd.watch.source import InotifySource, ObserverSource, open_source

pytest_plugins = ["watch_fixtures"]

HANDLES = Path("/proc/self/fd")
POLLING = WatchSettings(poll="always", poll_interval=0.2)


def test_polling_finds_what_events_would(root: Path) -> None:
    """Forced polling: writes, new folders, removals; and a rest is kept, too."""
    with watching(root, settings=POLLING) as bench:
        bench.build_first()
        assert bench.watcher.health().counters.watched == 0
        assert bench.watcher.health().degraded == (), "it was asked for"
        (root / "a/b").mkdir(parents=True)
        (root / "a/b/x.go").write_text("package b\n")
        assert bench.names(bench.wait_change(1)) == {"a/b/x.go"}
        bench.build()
        (root / "main.go").write_text("package main // same size 1\n")
        bench.assert_picture_is_true()
        (root / "main.go").write_text("package main // same size 2\n")
        bench.assert_picture_is_true()
        shutil.rmtree(root / "a")
        bench.assert_picture_is_true()


LIMITED = """
import json, sys
from pathlib import Path
from watch_bench import wait_for, watching
from orchwatchd.watch import WatchSettings

Path("/proc/sys/user/max_inotify_watches").write_text("400")
root = Path(sys.argv[1])
with watching(root, settings=WatchSettings(poll_interval=0.3)) as bench:
    bench.build_first()
    limited = bench.watcher.health()
    (root / "p0000/f0.go").write_text("package p // first\\n")
    bench.wait_change(1)
    bench.build()
    (root / "p0999/f0.go").write_text("package p // last\\n")
    bench.wait_change(2)
    bench.build()
    bench.assert_picture_is_true()
    Path("/proc/sys/user/max_inotify_watches").write_text("4000")
    wait_for(lambda: not bench.watcher.health().degraded, "it heals")
    healed = bench.watcher.health()
print(json.dumps([limited.degraded, limited.counters.watched, limited.counters.polled, healed.counters.watched]))
"""


@pytest.mark.faults
def test_four_hundred_watches_for_a_thousand_folders(root: Path) -> None:
    """What cannot be watched is polled and told with the sysctl; it is watched when the limit is raised."""
    for number in range(1000):
        (root / f"p{number:04}").mkdir()
        (root / f"p{number:04}/f0.go").write_text("package p\n")
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        ["unshare", "-Ur", sys.executable, "-c", LIMITED, root],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{repository}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    degraded, watched, polled, healed = json.loads(done.stdout)
    assert 380 <= watched <= 400
    assert polled == 1001 - watched
    assert len(degraded) == 1
    assert "sysctl fs.inotify.max_user_watches=" in degraded[0]
    assert healed == 1001


def test_no_inotify_instance_means_polling_until_there_is_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMFILE of the file table stands for max_user_instances: both refuse the instance."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in HANDLES.iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    spare = []
    try:
        while True:
            try:
                spare.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                break
        _, refusal = open_source(HintBox(lambda: None), interesting=lambda *_: True)
    finally:
        for handle in spare:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refusal is Refusal.INSTANCES


def test_a_refused_source_is_tried_again(root: Path) -> None:
    """Given no inotify at first, then events come once there is."""
    from orchwatchd.watch.hints import PollingSource

    with watching(root, settings=WatchSettings(poll_interval=0.2)) as bench:
        bench.build_first()
        look = bench.watcher._lookout
        look.source.stop()
        look.refusal = Refusal.INSTANCES
        look.source = PollingSource(Refusal.INSTANCES)
        look.model.use(look.model.rules, look.source)
        health = bench.watcher.health()
        assert "max_user_instances" in health.degraded[0]
        (root / "main.go").write_text("package main // polled\n")
        bench.wait_change(1)
        bench.build()
        look._next_heal = 0
        wait_for(lambda: bench.watcher.health().counters.watched == 1, "events again")
        assert bench.watcher.health().degraded == ()
        bench.assert_picture_is_true()


def test_a_dead_reader_is_replaced_within_seconds(bench: Bench) -> None:
    """Its events are lost, what they told of is not."""
    source = bench.watcher._lookout.source
    source._inotify.stop()
    source._inotify.join()
    (bench.root / "main.go").write_text("package main // while nobody listened\n")
    bench.wait_change(1, deadline=5)
    bench.build()
    assert bench.watcher.health().counters.restarts == 1
    bench.assert_picture_is_true()
    assert bench.watcher._lookout.source is not source


def test_an_exception_in_the_readers_callback_is_survived(bench: Bench) -> None:
    """watchdog would let the reader die in silence."""
    look = bench.watcher._lookout
    source = look.source

    def broken(directory: str, name: str) -> bool:
        raise RuntimeError("made by the test")

    source._interesting = broken
    (bench.root / "main.go").write_text("package main // seen all the same\n")
    bench.wait_change(1, deadline=5)
    wait_for(lambda: look.source is not source, "a new source")
    bench.assert_picture_is_true()


def test_an_exception_in_the_watcher_is_told_and_made_good(bench: Bench) -> None:
    look = bench.watcher._lookout
    model = look.model
    right = model.look
    failures = iter([RuntimeError("made by the test")])

    def fails_once(directories) -> None:
        for failure in failures:
            raise failure
        right(directories)

    model.look = fails_once
    (bench.root / "main.go").write_text("package main // 1\n")
    bench.wait_change(1, deadline=10)
    bench.build()
    bench.assert_picture_is_true()
    assert "made by the test" in bench.messages[0]
    health = bench.watcher.health()
    assert health.counters.faults == 1
    assert health.failed is None
    wait_for(lambda: bench.watcher.health().degraded == (), "it has healed")


def test_an_exception_at_a_builds_end_does_not_leave_it_running(bench: Bench) -> None:
    """The answer is unknown then, and the next change starts another build."""
    look = bench.watcher._lookout
    right = look.catch_up

    def broken() -> None:
        look.catch_up = right
        raise RuntimeError("made by the test")

    look.catch_up = broken
    bench.watcher.note_build_started()
    assert bench.watcher.note_build_finished() is None
    (bench.root / "main.go").write_text("package main // 1\n")
    bench.wait_change(1)


def test_ten_errors_in_a_row_end_it_and_that_is_told(bench: Bench) -> None:
    """A watcher that cannot go on says so for good: its owner exits."""
    look = bench.watcher._lookout

    def broken(now: float) -> None:
        raise RuntimeError("always")

    look.upkeep = broken
    bench.watcher._wake.set()
    wait_for(lambda: bench.watcher.health().failed is not None, "it gives up", deadline=60)
    assert "always" in bench.watcher.health().failed
    assert bench.watcher.snapshot() is None
    assert bench.watcher.note_build_finished() is None


def test_a_listener_that_raises_does_not_stop_the_watcher(root: Path) -> None:
    with watching(root) as bench:
        bench.build_first()
        heard = bench.watcher._on_change

        def raises(change) -> None:
            raise RuntimeError("the listener's own")

        bench.watcher._on_change = raises
        (root / "main.go").write_text("package main // 1\n")
        wait_for(lambda: bench.watcher.health().counters.faults == 1, "the fault is counted")
        bench.watcher._on_change = heard
        (root / "main.go").write_text("package main // 2\n")
        assert bench.names(bench.wait_change(1)) == {"main.go"}


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/u/p", None),
        ("/mnt/nfs/p", "nfs4"),
        ("/mnt/nfs/local/p", None),
        ("/mnt/c/p", "9p"),
        ("/s p/x", "fuse.sshfs"),
    ],
)
def test_file_systems_without_events_are_known_by_their_mount(folder: str, kind: str | None) -> None:
    mounts = parse_mountinfo(
        "22 1 254:0 / / rw - ext4 /dev/a rw\n"
        "30 22 0:40 / /mnt/nfs rw shared:1 - nfs4 host:/x rw\n"
        "31 30 0:41 / /mnt/nfs/local rw - ext4 /dev/b rw\n"
        "32 22 0:42 / /mnt/c rw - 9p C: rw\n"
        "33 22 0:43 / /s\\040p rw - fuse.sshfs x rw\n"
    )
    assert silent_type(mounts, folder) == kind


def test_watchdogs_observer_serves_other_systems(root: Path) -> None:
    """The source for systems without inotify, run here with watchdog's polling observer: the same hints."""
    from watchdog.observers.polling import PollingObserver

    woken = threading.Event()
    box = HintBox(woken.set)
    source = ObserverSource(
        box, interesting=lambda _, name: name.endswith(".go"), observer=lambda: PollingObserver(timeout=0.05)
    )
    try:
        assert source.add(str(root)) is None
        assert source.add(str(root / "none")) is Refusal.GONE
        assert source.alive()
        assert source.watches(str(root))
        (root / "README.md").write_text("x")
        (root / "new.go").write_text("package main\n")
        assert woken.wait(10)
        assert str(root) in box.take().directories
        source.discard(str(root))
        assert not source.watches(str(root))
    finally:
        source.stop()
    assert not source.alive()


def test_changes_made_while_stopped_are_found_and_named(root: Path) -> None:
    before = take(all_go(root))
    known = {path: state.sha256.hex() for path, state in before.files.items()}
    (root / "main.go").write_text("package main // meanwhile\n")
    (root / "new.go").write_text("package main\n")
    with watching(root, baseline=Baseline(before.digest, known)) as bench:
        change = bench.wait_change(1)
        assert change.cause is Cause.WHILE_STOPPED
        assert bench.names(change) == {"main.go", "new.go"}
        assert bench.build().digest_start == take(all_go(root)).digest
    assert len(bench.changes) == 1


def test_no_build_at_the_start_when_the_last_one_had_the_same_inputs(root: Path) -> None:
    with watching(root, baseline=Baseline(take(all_go(root)).digest)) as bench:
        bench.assert_quiet()
        (root / "main.go").write_text("package main // now\n")
        assert bench.wait_change(1).cause is Cause.CHANGED


def test_the_watcher_leaves_nothing_behind(root: Path) -> None:
    """No thread, no descriptor, no folder of cookies, after fifty lives."""
    cookies = root.parent / "cookies"
    cookies.mkdir()
    with watching(root):
        pass
    handles = len(list(HANDLES.iterdir()))
    threads = threading.active_count()
    for _ in range(50):
        with watching(root, settings=WatchSettings(cookies=cookies)) as bench:
            assert bench.seen() == truth(root)
    wait_for(lambda: threading.active_count() <= threads, "all threads end")
    assert len(list(HANDLES.iterdir())) <= handles
    assert list(cookies.iterdir()) == []


def test_what_killed_watchers_left_is_removed_and_nothing_else(root: Path) -> None:
    cookies = root.parent / "cookies"
    left = [cookies / f"orchwatchd-cookies-{name}" for name in ("a1b2c3d4", "1-a1b2c3d4")]
    for folder in left:
        folder.mkdir(parents=True)
    (left[0] / "7").touch()
    (cookies / "history.db").touch()
    (cookies / "orchwatchd-cookies-link").symlink_to(root)
    settings = WatchSettings(cookies=cookies)
    with watching(root, settings=settings) as bench:
        assert not any(folder.exists() for folder in left)
        # As when the first one died: the next one is there before it is stopped.
        second, _ = open_source(HintBox(lambda: None), interesting=lambda *_: True, cookies=cookies)
        assert second.sync(30)
        second.stop()
        bench.assert_picture_is_true()
    assert {one.name for one in cookies.iterdir()} == {"history.db", "orchwatchd-cookies-link"}


def test_start_and_idleness_of_a_watched_tree_of_many_folders(root: Path) -> None:
    """6,000 folders: watchdog's own recursive observer never comes to rest on them, by its own reads."""
    for number in range(6000):
        (root / f"p{number // 100}/q{number}").mkdir(parents=True)
    with watching(root) as bench:
        bench.build_first()
        counters = bench.watcher.health().counters
        assert counters.watched == counters.directories == 6061
        before = _cpu(bench.watcher._thread), _cpu(bench.watcher._lookout.source._inotify)
        threading.Event().wait(3)
        after = _cpu(bench.watcher._thread), _cpu(bench.watcher._lookout.source._inotify)
        assert sum(after) - sum(before) <= 0.03, "1 % of a core at the most"
        assert bench.watcher.health().counters.overflows == 0


def _cpu(thread: threading.Thread) -> float:
    """Seconds of CPU that one of our threads has used."""
    fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_directory_that_may_not_be_watched_is_refused_not_forgotten(root: Path) -> None:
    """watchdog raises nothing for EACCES; our source says so."""
    source = InotifySource(HintBox(lambda: None), interesting=lambda *_: True)
    try:
        assert source.add(str(root / "missing")) is Refusal.GONE
        assert source.add(str(root / "main.go")) is Refusal.GONE
        assert source.add(str(root)) is None
        assert source.count() == 1
        source.discard(str(root))
        assert source.count() == 0
    finally:
        source.stop()
