"""Folders and files come and go in every way that editors, people and programs have."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from watch_bench import Bench, all_go, wait_for, watching

from orchwatchd.inputs import InputSet
from orchwatchd.models.watching import Cause
from orchwatchd.watch import WatchSettings

pytest_plugins = ["watch_fixtures"]


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_rename(path: Path, text: str) -> None:
    """VS Code with atomic saves, gofmt -w, most tools: a new file takes the name."""
    new = path.with_name(f".{path.name}.tmp123")
    new.write_text(text)
    new.replace(path)


def jetbrains(path: Path, text: str) -> None:
    """Safe write: new file, old one aside, new one in its place, old one away."""
    new, old = path.with_name(path.name + "___jb_tmp___"), path.with_name(path.name + "___jb_old___")
    new.write_text(text)
    path.rename(old)
    new.rename(path)
    old.unlink()


def from_elsewhere(path: Path, text: str) -> None:
    """The new file is made in another folder and moved over."""
    new = path.parents[2] / "outside.tmp"
    new.write_text(text)
    new.replace(path)


def vim(path: Path, text: str) -> None:
    """The editor itself, with swap file and backup."""
    (path.parents[2] / "text").write_text(text)
    commands = ["set backup backupcopy=no", "%d", f"0r {path.parents[2]}/text", "wq"]
    flags = [word for command in commands for word in ("-c", command)]
    environment = {**os.environ, "HOME": str(path.parents[2]), "TERM": "dumb"}
    subprocess.run(["vim", "-es", "-u", "NONE", *flags, str(path)], check=True, env=environment, timeout=30)


def delete_and_write(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def hard_link(path: Path, text: str) -> None:
    """A finished file is linked in: no event says that it was written."""
    new = path.parents[2] / "linked"
    new.write_text(text)
    path.unlink()
    os.link(new, path)


EDITORS = [in_place, by_rename, jetbrains, from_elsewhere, delete_and_write, hard_link]
if shutil.which("vim"):
    EDITORS.append(vim)


@pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)
def test_each_editors_way_of_saving_is_one_build(bench: Bench, save) -> None:
    folder = bench.root / "pkg"
    folder.mkdir()
    (folder / "x.go").write_text("package pkg\n")
    bench.wait_change(1)
    bench.build()
    bench.changes.clear()
    save(folder / "x.go", "package pkg\n\nvar Saved = 1\n")
    change = bench.wait_change(1)
    assert bench.names(change) == {"pkg/x.go"}
    bench.build()
    bench.changes.clear()
    bench.assert_picture_is_true()
    bench.assert_quiet()


def test_what_changes_nothing_builds_nothing(bench: Bench) -> None:
    """Touching, the same bytes, there and back, other files, reading: no build."""
    main = bench.root / "main.go"
    text = main.read_text()
    os.utime(main)
    main.write_text(text)
    bench.assert_quiet()
    main.write_text("package other\n")
    main.write_text(text)
    (bench.root / "README.md").write_text("words")
    (bench.root / "main_test.go").write_text("package main")
    (bench.root / ".main.go.swp").write_text("swap")
    (bench.root / "new.go").write_text("package main\n")
    (bench.root / "new.go").unlink()
    subprocess.run(["grep", "-r", "package", str(bench.root)], check=True, stdout=subprocess.DEVNULL)
    bench.assert_quiet()
    assert bench.watcher.pending() == ()


def test_a_batch_whose_first_file_is_unchanged_still_builds(bench: Bench) -> None:
    """Air's issue 184."""
    (bench.root / "main.go").write_text("package main\n")
    (bench.root / "z.go").write_text("package main\n")
    assert bench.names(bench.wait_change(1)) == {"z.go"}


def test_a_removed_file_builds(bench: Bench) -> None:
    (bench.root / "main.go").unlink()
    assert bench.names(bench.wait_change(1)) == {"main.go"}


def test_folders_moved_in_and_out(bench: Bench) -> None:
    outside = bench.root.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep/x.go").write_text("package deep\n")
    outside.rename(bench.root / "inside")
    assert bench.names(bench.wait_change(1)) == {"inside/deep/x.go"}
    bench.build()
    bench.changes.clear()
    (bench.root / "inside").rename(outside)
    assert bench.names(bench.wait_change(1)) == {"inside/deep/x.go"}
    bench.build()
    bench.changes.clear()
    (outside / "deep/x.go").write_text("package deep // nobody's business\n")
    bench.assert_quiet()


def test_folders_that_swap_their_names(bench: Bench) -> None:
    for name in "ab":
        (bench.root / name).mkdir()
        (bench.root / name / "x.go").write_text(f"package {name}\n")
    bench.assert_picture_is_true()
    for _ in range(20):
        (bench.root / "a").rename(bench.root / "c")
        (bench.root / "b").rename(bench.root / "a")
        (bench.root / "c").rename(bench.root / "b")
    (bench.root / "a").rename(bench.root / "c")
    (bench.root / "b").rename(bench.root / "a")
    (bench.root / "c").rename(bench.root / "b")
    bench.assert_picture_is_true()
    (bench.root / "a/y.go").write_text("package a\n")
    bench.assert_picture_is_true()


def replaced(root: Path, how: str) -> None:
    new = root.parent / "new"
    new.mkdir()
    (new / "main.go").write_text("package main // new\n")
    if how == "renamed away":
        root.rename(root.parent / "old")
        new.rename(root)
    else:
        shutil.rmtree(root)
        shutil.copytree(new, root)


@pytest.mark.parametrize("how", ["renamed away", "removed and made again"])
def test_the_project_folder_itself_is_replaced(bench: Bench, how: str) -> None:
    """The new folder's content counts at once, and the new folder is watched, not the old one."""
    replaced(bench.root, how)
    change = bench.wait_change(1, deadline=5)
    assert bench.names(change) == {"main.go"}
    bench.build()
    bench.changes.clear()
    if how == "renamed away":
        (bench.root.parent / "old/main.go").write_text("package main // old\n")
        bench.assert_quiet()
    (bench.root / "main.go").write_text("package main // newer\n")
    bench.wait_change(1, deadline=5)
    bench.assert_picture_is_true()


def test_a_missing_project_folder_holds_builds_back(bench: Bench) -> None:
    bench.root.rename(bench.root.parent / "away")
    wait_for(lambda: "missing" in (bench.watcher.health().waiting or ""), "the missing folder is told")
    assert bench.changes == []
    (bench.root.parent / "away").rename(bench.root)
    wait_for(lambda: bench.watcher.health().waiting is None, "the folder is back")
    bench.assert_quiet()


def test_a_project_reached_by_a_symbolic_link_that_is_turned(fast: Path) -> None:
    """`current -> release-1` becomes `current -> release-2`: no event tells, the folder's identity does."""
    for name in ("release-1", "release-2"):
        (fast / name).mkdir()
        (fast / name / "main.go").write_text(f"package main // {name}\n")
    link = fast / "current"
    link.symlink_to("release-1")
    with watching(link) as bench:
        bench.build_first()
        (fast / "turned").symlink_to("release-2")
        (fast / "turned").replace(link)
        assert bench.names(bench.wait_change(1, deadline=5)) == {"main.go"}
        bench.build()
        bench.changes.clear()
        (fast / "release-2/main.go").write_text("package main // more\n")
        bench.wait_change(1, deadline=5)


def test_a_source_file_that_is_a_symbolic_link(bench: Bench) -> None:
    """The Go command reads through it, so a change of its target is a change."""
    target = bench.root.parent / "shared.go"
    target.write_text("package main\n")
    (bench.root / "shared.go").symlink_to(target)
    bench.wait_change(1)
    bench.build()
    bench.changes.clear()
    target.write_text("package main // changed\n")
    assert bench.names(bench.wait_change(1)) == {"shared.go"}


def test_symbolic_links_to_folders_are_not_followed_and_cannot_loop(bench: Bench) -> None:
    (bench.root / "loop").symlink_to(bench.root)
    other = bench.root.parent / "other"
    other.mkdir()
    (other / "x.go").write_text("package other\n")
    (bench.root / "linked").symlink_to(other)
    bench.assert_quiet()
    bench.assert_picture_is_true()


def test_a_pipe_with_a_source_files_name_does_not_stop_the_watcher(bench: Bench) -> None:
    os.mkfifo(bench.root / "pipe.go")
    (bench.root / "x.go").write_text("package main\n")
    assert bench.names(bench.wait_change(1)) == {"x.go"}


def test_writes_that_make_no_event_are_found_by_the_rescan(root: Path) -> None:
    """A write through a memory map and one through a hard link outside: the kernel tells nobody."""
    (root / "main.go").write_text("package aaaa\n")
    os.link(root / "main.go", root.parent / "outside.go")
    with watching(root, settings=WatchSettings(rescan=1.0)) as bench:
        bench.build_first()
        with (root / "main.go").open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[8:12] = b"bbbb"
            memory.flush()
            bench.wait_change(1, deadline=10)
            bench.build()
            bench.changes.clear()
        (root.parent / "outside.go").write_text("package cccc\n")
        bench.wait_change(1, deadline=10)
        bench.assert_picture_is_true()


def test_our_own_files_inside_the_project_are_no_inputs(root: Path) -> None:
    """State folder, logs and Go's temporary folder may lie in the project, even in a folder that is embedded whole."""
    state = root / "state"
    inputs = InputSet(
        root=str(root),
        bases=(str(root),),
        modules=(str(root),),
        own_modules=(str(root),),
        private=(str(state), str(root / "orchestrion.jsonl")),
        include=("*",),
    )
    with watching(root, find=lambda _: inputs) as bench:
        bench.build_first()
        for number in range(10):
            (state / f"work/run-{number}/b001").mkdir(parents=True)
            (state / f"work/run-{number}/b001/main.go").write_text("package main\n")
            (root / "orchestrion.jsonl").write_text("{}\n" * number)
        bench.assert_quiet()
        (root / "any.txt").write_text("an input by configuration")
        bench.wait_change(1)


def test_a_new_module_inside_is_none_of_ours_until_its_gomod_goes(bench: Bench) -> None:
    """A folder with a go.mod of its own is another module: `./...` does not reach it."""
    nested = bench.root / "nested"
    nested.mkdir()
    (nested / "go.mod").write_text("module nested\n")
    (nested / "x.go").write_text("package nested\n")
    (nested / "deep").mkdir()
    (nested / "deep/y.go").write_text("package deep\n")
    bench.assert_quiet()
    (nested / "go.mod").unlink()
    assert bench.names(bench.wait_change(1)) == {"nested/x.go", "nested/deep/y.go"}


@pytest.fixture
def other(fast: Path) -> Path:
    """A folder beside the project that was there before anything was built."""
    (fast / "other").mkdir()
    (fast / "other/x.go").write_text("package other\n")
    return fast / "other"


def test_new_rules_bring_no_build_of_their_own(other: Path, bench: Bench) -> None:
    """When a changed import makes an old folder an input, then its files did not change."""
    wide = InputSet(
        root=str(bench.root),
        bases=(str(bench.root), str(other)),
        modules=(str(bench.root), str(other)),
        own_modules=(str(bench.root), str(other)),
    )
    bench.watcher._lookout._find = lambda _: wide
    (bench.root / "main.go").write_text('package main\n\nimport _ "other"\n')
    change = bench.wait_change(1)
    assert bench.names(change) == {"main.go"}
    assert str(other / "x.go") in bench.seen()
    bench.build()
    bench.changes.clear()
    (other / "x.go").write_text("package other // now it counts\n")
    assert bench.wait_change(1).cause is Cause.CHANGED
    assert all_go(bench.root) != wide
