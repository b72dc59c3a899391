"""Removing a tree touches nothing outside it, whatever stands in the tree and whatever happens meanwhile."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from orchwatchd.jobs.deletion import (
    RefusedError,
    held_folder,
    measure_tree,
    mount_of,
    move_to_trash,
    remove_tree,
    trashed_name,
)
from orchwatchd.jobs.thin import measure_heavy, thin_tree

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


@pytest.fixture
def victim(tmp_path):
    """What must never be touched: a folder outside the tree, with a file whose mode shows a chmod, too."""
    folder = tmp_path / "victim"
    (folder / "inner").mkdir(parents=True)
    (folder / "precious").write_text("precious")
    (folder / "inner" / "precious").write_text("precious")
    folder.chmod(0o500)
    yield folder
    assert folder.stat().st_mode & 0o777 == 0o500
    assert (folder / "precious").read_text() == (folder / "inner" / "precious").read_text() == "precious"
    folder.chmod(0o700)


def tree(parent, name="tree"):
    """A small tree with every kind of file: folders, a link to a folder, a dangling link, a FIFO, odd names."""
    root = parent / name
    (root / "b001" / "exe").mkdir(parents=True)
    (root / "b001" / "_pkg_.a").write_bytes(b"!<arch>\n" + b"x" * 5000)
    (root / "b001" / "exe" / "a.out").write_bytes(b"\x7fELF" + b"x" * 9000)
    (root / "b001" / "importcfg").write_text("packagefile x=y\n" * 100)
    (root / "b001" / "main.go").write_text("package main\n" * 100)
    (root / "b002\nwith a line break").mkdir()
    (root / "b002\nwith a line break" / "new\nline").write_text("x")
    os.mkfifo(root / "fifo")
    (root / "dangling").symlink_to("nowhere")
    return root


def test_a_tree_goes_whole_and_its_bytes_are_counted(tmp_path):
    tree(tmp_path)
    size = measure_tree(tmp_path, "tree")
    swept = remove_tree(tmp_path, "tree")
    assert list(tmp_path.iterdir()) == []
    assert swept.removed_bytes == size.bytes > 14_000
    assert swept.removed_files == size.files == 7


def test_thinning_drops_archives_and_programs_only(tmp_path):
    root = tree(tmp_path)
    before, heavy = measure_heavy(tmp_path, "tree")
    swept = thin_tree(tmp_path, "tree")
    assert swept.removed_bytes == heavy > 14_000
    assert measure_heavy(tmp_path, "tree") == (before - heavy, 0)
    assert not (root / "b001/_pkg_.a").exists()
    assert not (root / "b001/exe/a.out").exists()
    assert (root / "b001/importcfg").exists()
    assert (root / "b001/main.go").exists()
    assert thin_tree(tmp_path, "tree").removed_files == 0


def test_thinning_a_real_tree_frees_nearly_all_and_keeps_the_evidence(greeter_cold, tmp_path):
    subprocess.run(["cp", "-a", greeter_cold.work, tmp_path / "tree"], check=True)

    def evidence(root):
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and (path.suffix == ".go" or path.name.startswith("importcfg"))
        }

    before = evidence(tmp_path / "tree")
    size, heavy = measure_heavy(tmp_path, "tree")
    thin_tree(tmp_path, "tree")
    assert evidence(tmp_path / "tree") == before
    assert heavy / size > 0.95
    files = [path for path in (tmp_path / "tree").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 0.01 * heavy


def test_links_are_removed_and_not_followed(tmp_path, victim):
    root = tree(tmp_path)
    (root / "to-folder").symlink_to(victim)
    (root / "b001" / "to-file").symlink_to(victim / "precious")
    remove_tree(tmp_path, "tree")
    assert not root.exists()


def test_a_link_in_place_of_the_tree_is_refused(tmp_path, victim):
    (tmp_path / "tree").symlink_to(victim)
    for removal in (remove_tree, thin_tree, measure_tree):
        with pytest.raises(RefusedError, match="link"):
            removal(tmp_path, "tree")
    with pytest.raises(RefusedError, match="link"):
        move_to_trash(tmp_path / "tree", tmp_path)
    assert (tmp_path / "tree").is_symlink()


def test_a_tree_5000_deep_goes(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    for name in ["tree"] + ["d"] * 5000:
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    remove_tree(tmp_path, "tree")
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_another_program_holds_is_left(tmp_path):
    root = tree(tmp_path)
    holder = os.open(root, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_SH)
    with pytest.raises(RefusedError, match="another program holds it"):
        remove_tree(tmp_path, "tree")
    assert (root / "b001/main.go").exists()
    os.close(holder)
    remove_tree(tmp_path, "tree")


def test_a_held_folder_is_locked_for_cleaners_and_shared_among_us(tmp_path):
    with held_folder(tmp_path), held_folder(tmp_path):
        cleaner = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(cleaner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(cleaner)


def test_a_folder_that_is_moved_out_during_the_walk_takes_nothing_along(tmp_path, victim):
    """Given a folder moved elsewhere while it is open, when the walk comes back up, then it stops there."""
    root = tree(tmp_path)
    (root / "z" / "zz").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    moved = []

    def hook(event, args):
        if event == "os.scandir" and not moved and isinstance(args[0], int):
            here = str(Path(f"/proc/self/fd/{args[0]}").readlink())
            if here.startswith(str(root)) and here.endswith("/z/zz"):
                moved.append(here)
                (root / "z").rename(outside / "z")

    sys.addaudithook(hook)
    # z moved as a whole: from zz the way up leads to z, from z to `outside`, which is not where the walk came from.
    with pytest.raises(RefusedError, match="moved away"):
        remove_tree(tmp_path, "tree")
    assert moved
    assert (outside / "precious").exists()


SWAPPER = """
import os, sys
tree, victim, aside = sys.argv[1:]
print("ready", flush=True)
while True:
    for name in ("b1", "b2", "b3"):
        try:
            os.rename(f"{tree}/{name}", f"{aside}/{name}")
            os.symlink(victim, f"{tree}/{name}")
            os.unlink(f"{tree}/{name}")
            os.rename(f"{aside}/{name}", f"{tree}/{name}")
        except OSError:
            if not os.path.isdir(tree):
                continue
"""


def test_a_tree_swapped_for_links_during_the_walk_leads_nowhere(tmp_path, victim):
    """Given a process that swaps folders for links to the victim, when trees are removed, then it is never touched."""
    aside = tmp_path / "aside"
    aside.mkdir()
    swapper = subprocess.Popen(
        [sys.executable, "-c", SWAPPER, str(tmp_path / "tree"), str(victim), str(aside)],
        stdout=subprocess.PIPE,
    )
    try:
        assert swapper.stdout.readline() == b"ready\n"
        ends = {True: 0, False: 0}
        deadline = time.monotonic() + 30
        while sum(ends.values()) < 60 or (min(ends.values()) == 0 and time.monotonic() < deadline):
            for name in ("b1", "b2", "b3"):
                (tmp_path / "new" / name / "inner").mkdir(parents=True)
                for number in range(5):
                    (tmp_path / "new" / name / f"precious{number}").write_text("x")
            (tmp_path / "new").rename(tmp_path / "tree")
            try:
                remove_tree(tmp_path, "tree")
                ends[True] += 1
            except RefusedError:
                ends[False] += 1
            if (tmp_path / "tree").exists():
                (tmp_path / "tree").rename(tmp_path / f"rest{sum(ends.values())}")
            for name in ("b1", "b2", "b3"):
                # The swapper may take it back between any look and our rename.
                with suppress(FileNotFoundError):
                    (aside / name).rename(aside / f"{name}-{sum(ends.values())}")
    finally:
        swapper.kill()
        swapper.communicate()
    assert ends[True]
    assert ends[False], "the swaps were seen"


def test_trash_names_are_told_from_strangers(tmp_path):
    trash = tmp_path / "trash"
    trash.mkdir()
    tree(tmp_path, "run-7")
    moved = move_to_trash(tmp_path / "run-7", trash)
    assert trashed_name(moved.name) == "run-7"
    assert (moved / "b001/main.go").exists()
    assert trashed_name("somebody's folder") is None
    assert trashed_name("run-7-0123") is None


def test_the_mount_is_the_systems_or_the_device(tmp_path, monkeypatch):
    one, two = (os.open(path, os.O_RDONLY) for path in (tmp_path, "/proc"))
    assert mount_of(one) != mount_of(two)
    assert mount_of(one) == mount_of(one)
    os.close(one)
    os.close(two)


AS_NOBODY = """
import sys
from pathlib import Path
from orchwatchd.jobs.deletion import RefusedError, measure_tree, move_to_trash, remove_tree
base = Path(sys.argv[1])
for name in ("locked", "strange", "root-inside"):
    try:
        remove_tree(base, name)
        print(name, "gone")
    except RefusedError as error:
        print(name, "refused:", error)
gone = move_to_trash(base / "sealed", base / "trash")
remove_tree(gone.parent, gone.name)
print("sealed", "gone")
"""


def test_an_ordinary_user_removes_locked_folders_of_its_own_and_no_others(tmp_path_factory, tmp_path):
    """Given folders of mode 0500 and 0000, and folders of another user, when nobody removes them, then the first go."""
    if os.geteuid() == 0:
        base = Path(
            subprocess.check_output(["mktemp", "-d", "/tmp/orchwatchd-test.XXXXXX"], text=True).strip()
        )
        (base / "strange").mkdir()
        (base / "root-inside" / "of-root").mkdir(parents=True)
        (base / "strange" / "precious").write_text("x")
        (base / "root-inside" / "of-root" / "precious").write_text("x")
        run_as = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    else:
        base, run_as = tmp_path, []
    for mode, name in ((0o500, "locked/b1/mod"), (0o000, "locked/b2/closed"), (0o500, "sealed/b1")):
        (base / name).mkdir(parents=True)
        (base / name / "file").write_text("x")
        (base / name).chmod(mode)
    (base / "sealed").chmod(0o500)
    (base / "trash").mkdir()
    if run_as:
        own = ["locked", "sealed", "trash"]
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", *(base / name for name in own)], check=True)
        os.chown(base, NOBODY, NOBODY)
        os.chown(base / "root-inside", NOBODY, NOBODY)
    try:
        done = subprocess.run(
            [*run_as, sys.executable, "-c", AS_NOBODY, str(base)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "locked gone" in done.stdout
        assert "sealed gone" in done.stdout
        if run_as:
            assert (base / "strange" / "precious").exists()
            assert (base / "root-inside" / "of-root" / "precious").exists()
            assert "belongs to another user" in done.stdout
    finally:
        if run_as:
            subprocess.run(["rm", "-rf", base], check=True)


BIND = """
import subprocess
from pathlib import Path
from orchwatchd.jobs.deletion import RefusedError, remove_tree
from orchwatchd.jobs.thin import thin_tree
root = Path("{root}")
subprocess.run(["mount", "--bind", "{victim}", root / "b001/mounted"], check=True)
try:
    {removal}(root.parent, root.name)
except RefusedError as error:
    print(error)
"""


@pytest.mark.faults
@pytest.mark.parametrize("removal", ["remove_tree", "thin_tree"])
def test_a_bind_mount_in_the_tree_is_not_entered(tmp_path, victim, removal):
    """Given the victim bind-mounted in the tree (same device), then the walk stops at the mount. Needs root."""
    root = tree(tmp_path)
    (root / "b001" / "mounted").mkdir()
    (tmp_path / "script.py").write_text(BIND.format(root=root, victim=victim, removal=removal))
    done = subprocess.run(
        ["unshare", "-m", "--propagation=private", sys.executable, tmp_path / "script.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is a mount point" in done.stdout


def test_two_walks_at_once_do_not_meet(tmp_path):
    """Given two threads that remove the same tree, then one does and the other is refused or finds nothing."""
    root = tree(tmp_path)
    for number in range(200):
        (root / f"d{number}").mkdir()
    ends = []

    def remove():
        try:
            remove_tree(tmp_path, "tree")
            ends.append("gone")
        except RefusedError:
            ends.append("refused")

    threads = [threading.Thread(target=remove) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "gone" in ends
    assert not root.exists()
