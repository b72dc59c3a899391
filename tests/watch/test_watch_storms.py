"""After any storm the picture equals the file system, and there is one build."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from watch_bench import Bench, all_go, wait_for, watching

pytest_plugins = ["watch_fixtures"]


def many_files(root: Path, folders: int, each: int, text: str = "package p\n") -> None:
    for number in range(folders):
        folder = root / f"p{number:04}"
        folder.mkdir(exist_ok=True)
        for file in range(each):
            (folder / f"f{file}.go").write_text(text)


WRITER = """
import os, sys
root = sys.argv[1]
for turn in range(5):
    for folder in range(100):
        for file in range(100):
            handle = os.open(f"{root}/p{folder:04}/f{file}.go", os.O_WRONLY | os.O_TRUNC)
            os.write(handle, b"package p // %d" % turn)
            os.close(handle)
"""


def test_fifty_thousand_writes_as_fast_as_can_be(root: Path) -> None:
    """Given 10,000 files that another process writes five times each, then nothing is lost and the last state built."""
    many_files(root, 100, 100)
    with watching(root) as bench:
        bench.build_first()
        subprocess.run([sys.executable, "-c", WRITER, root], check=True)
        reported = set()
        while files := bench.current().files:
            reported.update(files)
            reported.update(bench.build().moved)
        assert len(reported) == 10_000
        bench.assert_picture_is_true()
        assert len(bench.changes) <= 5, "a burst of some seconds is at most a build each longest wait"


def test_an_unpacked_archive(bench: Bench, fast: Path) -> None:
    """`tar x` of 4,000 files in 400 new folders: folders appear faster than they can be watched."""
    source = fast / "archive"
    source.mkdir()
    many_files(source, 400, 10)
    subprocess.run(["tar", "cf", fast / "a.tar", "-C", source, "."], check=True)
    subprocess.run(["tar", "xf", fast / "a.tar", "-C", bench.root], check=True)
    bench.wait_change(1)
    bench.build()
    bench.assert_picture_is_true()
    assert len(bench.seen()) == 4001


def test_sed_over_all_files(bench: Bench) -> None:
    """`sed -i` replaces each file by a new one; every file is reported, in one build."""
    many_files(bench.root, 100, 20)
    bench.wait_change(1)
    bench.build()
    bench.assert_picture_is_true()
    bench.changes.clear()
    subprocess.run(
        "find . -name '*.go' | xargs sed -i 's/package p/package q/'", shell=True, cwd=bench.root, check=True
    )
    change = bench.wait_change(1)
    bench.build()
    bench.assert_picture_is_true()
    assert len(bench.changes) <= 2
    assert len(change.files) == 2000 or len(bench.changes) == 2


def test_rename_and_removal_of_a_large_tree(bench: Bench) -> None:
    """A renamed folder is watched under its new name, also deep below."""
    many_files(bench.root, 200, 5)
    bench.wait_change(1)
    bench.build()
    (bench.root / "all").mkdir()
    for folder in sorted(bench.root.glob("p*")):
        folder.rename(bench.root / "all" / folder.name)
    bench.assert_picture_is_true()
    (bench.root / "all").rename(bench.root / "moved")
    (bench.root / "moved/p0007/f1.go").write_text("package changed\n")
    bench.assert_picture_is_true()
    shutil.rmtree(bench.root / "moved")
    bench.assert_picture_is_true()
    assert len(bench.seen()) == 1


def soak(root: Path, operations: int, seed: int) -> None:
    """Random creations, writes, removals and renames of files and folders."""
    chance = random.Random(seed)
    folders = [root]
    for number in range(operations):
        folder = chance.choice(folders)
        kind = chance.random()
        try:
            if kind < 0.15:
                new = folder / f"d{number}"
                new.mkdir()
                folders.append(new)
            elif kind < 0.20 and folder != root:
                moved = chance.choice(folders) / f"m{number}"
                folder.rename(moved)
                folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
            elif kind < 0.23 and folder != root:
                shutil.rmtree(folder)
                folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
            elif kind < 0.26 and folder != root:
                shutil.rmtree(folder)
                folder.mkdir(parents=True)
                folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
            elif kind < 0.40:
                (folder / f"f{chance.randrange(8)}.go").unlink()
            elif kind < 0.50:
                (folder / f"f{chance.randrange(8)}.go").replace(folder / f"f{chance.randrange(8)}.go")
            else:
                (folder / f"f{chance.randrange(8)}.go").write_text(f"package p // {number}\n")
        except OSError:
            continue


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_soak(bench: Bench, seed: int) -> None:
    """5,000 random operations: the picture is true after each thousand."""
    for turn in range(5):
        soak(bench.root, 1000, seed * 100 + turn)
        bench.assert_picture_is_true()
    counters = bench.watcher.health().counters
    assert (counters.faults, counters.rescans) == (0, 0), "events alone were enough"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
def test_long_random_soaks(bench: Bench, seed: int) -> None:
    for turn in range(10):
        soak(bench.root, 10_000, seed * 100 + turn)
        bench.assert_picture_is_true()


def test_an_overflow_of_the_kernels_queue_is_seen_and_made_good(bench: Bench) -> None:
    """Given a reader that is held, when more happens than the queue takes, then one rescan finds all, new folders too."""
    source = bench.watcher._lookout.source
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    (bench.root / "quiet").mkdir()
    bench.current()
    with source._lock:
        for number in range(limit // 2 + 200):
            (bench.root / "main.go").write_text(f"package main // {number}\n")
            (bench.root / "other.go").write_text(f"package main // {number}\n")
        # Nothing but the overflow can tell of these.
        (bench.root / "quiet/late/deep").mkdir(parents=True)
        (bench.root / "quiet/late/deep/x.go").write_text("package deep\n")
    wait_for(lambda: bench.watcher.health().counters.overflows == 1, "the overflow is counted")
    bench.wait_change(1)
    bench.build()
    bench.assert_picture_is_true()
    rescans = bench.watcher.health().counters.rescans
    (bench.root / "quiet/late/deep/x.go").write_text("package deep // again\n")
    bench.assert_picture_is_true()
    assert bench.watcher.health().counters.rescans == rescans, (
        "the folder made during the overflow is watched"
    )
    assert bench.watcher.health().counters.overflows == 1


def test_folders_made_with_their_files_at_once(bench: Bench) -> None:
    """`mkdir -p a/b/c` and a file in it, 300 times: none is missed."""
    for number in range(300):
        folder = bench.root / f"a{number}/b/c"
        folder.mkdir(parents=True)
        (folder / "x.go").write_text("package c\n")
    bench.assert_picture_is_true()
    assert len(bench.seen()) == 301


def test_folders_removed_and_made_again(bench: Bench) -> None:
    """The file system gives the same inode again; the new folder is watched all the same."""
    folder = bench.root / "again"
    for number in range(300):
        folder.mkdir()
        (folder / "x.go").write_text(f"package again // {number}\n")
        if number < 299:
            shutil.rmtree(folder)
    bench.assert_picture_is_true()
    bench.build()
    bench.changes.clear()
    (folder / "x.go").write_text("package again // last\n")
    change = bench.wait_change(1)
    assert bench.names(change) == {"again/x.go"}


def test_two_thousand_files_in_a_burst_are_one_build(bench: Bench) -> None:
    many_files(bench.root, 100, 20)
    change = bench.wait_change(1)
    assert len(change.files) == 2000
    bench.build()
    bench.changes.clear()
    bench.assert_quiet()


def test_the_picture_of_the_walk_is_that_of_the_rules(fast: Path) -> None:
    """The bench's own truth agrees with a fresh snapshot, so that the tests above compare with something right."""
    many_files(fast, 3, 3)
    (fast / "testdata").mkdir()
    (fast / "testdata/no.go").write_text("package no\n")
    with watching(fast, find=lambda _: all_go(fast)) as bench:
        assert len(bench.seen()) == 9
        bench.assert_picture_is_true()
