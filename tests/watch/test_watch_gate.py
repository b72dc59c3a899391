"""No build starts while Git is at work."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from watch_bench import Bench, wait_for, watching

from orchwatchd.watch import WatchSettings
from orchwatchd.watch.gate import Gate, GitStep, git_folder, git_steps

pytest_plugins = ["watch_fixtures"]

LOCK = GitStep("/r/.git/index.lock", "Git holds its lock", True, (1, 1))


def git(folder: Path, *words: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a"}
    plain = {"GIT_COMMITTER_EMAIL": "a@b.c", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {**os.environ, **identity, **plain, "GIT_EDITOR": "true"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@pytest.fixture
def repository(root: Path) -> Path:
    """Two branches that differ in 5,000 files."""
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "gc.auto", "0")
    for name, text in (("main", "package p\n"), ("other", "package p // other\n")):
        if name == "other":
            git(root, "checkout", "-q", "-b", "other")
        for folder in range(50):
            (root / f"p{folder}").mkdir(exist_ok=True)
            for file in range(100):
                (root / f"p{folder}/f{file}.go").write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", name)
    return root


def test_a_lock_closes_the_gate_until_it_goes_or_the_limit_is_over() -> None:
    gate = Gate(limit=30)
    assert gate.closed_by([LOCK], 0.0)
    assert gate.closed_by([LOCK], 29.9)
    assert gate.closed_by([LOCK], 30.1) is None
    assert gate.stale(30.1) == ("/r/.git/index.lock",)
    assert gate.closed_by([LOCK], 500.0) is None
    assert gate.closed_by([], 501.0) is None
    assert gate.closed_by([LOCK], 502.0), "a new lock is waited for anew"


def test_a_rebase_that_moves_on_closes_the_gate_and_one_that_waits_for_a_person_opens_it() -> None:
    gate = Gate(limit=30, quiet=5)
    for second in range(60):
        assert gate.closed_by(
            [GitStep("/r/.git/rebase-merge", "a rebase", False, (1, second))], float(second)
        )
    assert gate.closed_by([GitStep("/r/.git/rebase-merge", "a rebase", False, (1, 59))], 63.9)
    assert gate.closed_by([GitStep("/r/.git/rebase-merge", "a rebase", False, (1, 59))], 64.1) is None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda git: (git / "index.lock").touch(), "lock"),
        (lambda git: (git / "rebase-merge").mkdir(), "rebase"),
        (lambda git: (git / "rebase-apply").mkdir(), "rebase"),
        (lambda git: (git / "MERGE_HEAD").touch(), "merge"),
        (lambda git: (git / "BISECT_LOG").touch(), "bisection"),
        (lambda git: (git / "CHERRY_PICK_HEAD").touch(), "cherry-pick"),
    ],
)
def test_each_sign_of_work_is_read(root: Path, make, told: str) -> None:
    git(root, "init", "-q")
    folder = git_folder(str(root))
    assert folder == str(root / ".git")
    assert git_steps(folder) == ()
    make(root / ".git")
    assert [told in step.what for step in git_steps(folder)] == [True]


def test_the_git_folder_of_a_linked_worktree_and_of_a_subfolder(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")
    git(root, "worktree", "add", "-q", "../tree")
    worktree = root.parent / "tree"
    assert git_folder(str(worktree)) == str(root / ".git/worktrees/tree")
    (root / "sub").mkdir()
    assert git_folder(str(root / "sub")) == str(root / ".git")
    assert git_folder("/") is None


def test_a_checkout_of_five_thousand_files_is_one_build(repository: Path) -> None:
    """And it starts when Git has let go: what it is built from is the whole new branch."""
    with watching(repository) as bench:
        bench.build_first()
        git(repository, "checkout", "-q", "main")
        change = bench.wait_change(1)
        assert len(change.files) == 5000
        bench.build()
        bench.assert_picture_is_true()
        assert len(bench.changes) == 1


def test_a_checkout_there_and_back_is_no_build(repository: Path) -> None:
    """Given a lock that is held around both, as a slow rest period would."""
    with watching(repository, settings=WatchSettings(rest=3, longest_wait=60)) as bench:
        bench.build_first()
        git(repository, "checkout", "-q", "main")
        git(repository, "checkout", "-q", "other")
        bench.assert_quiet()


def test_a_rebase_of_twenty_commits_is_one_build(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "root")
    git(root, "checkout", "-q", "-b", "topic")
    for number in range(20):
        (root / f"f{number}.go").write_text("package main\n")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", str(number))
    git(root, "checkout", "-q", "main")
    (root / "main.go").write_text("package main // moved on\n")
    git(root, "commit", "-q", "-a", "-m", "moved on")
    git(root, "checkout", "-q", "topic")
    with watching(root) as bench:
        bench.build_first()
        git(root, "rebase", "-q", "main")
        change = bench.wait_change(1)
        assert bench.names(change) == {"main.go"}
        bench.build()
        bench.assert_quiet_after(1)
        bench.assert_picture_is_true()


def test_a_lock_holds_a_build_back_and_says_so(repository: Path) -> None:
    with watching(repository) as bench:
        bench.build_first()
        lock = repository / ".git/index.lock"
        lock.touch()
        (repository / "main.go").write_text("package main // 1\n")
        wait_for(lambda: "index.lock" in (bench.watcher.health().waiting or ""), "the lock is told")
        (repository / "main.go").write_text("package main // 2\n")
        bench.current()
        assert bench.changes == []
        lock.unlink()
        bench.wait_change(1)
        bench.build()
        bench.assert_picture_is_true()
        assert len(bench.changes) == 1


def test_a_stale_lock_is_waited_for_up_to_its_limit_then_told(repository: Path) -> None:
    with watching(repository, settings=WatchSettings(git_lock_limit=0.5)) as bench:
        bench.build_first()
        lock = repository / ".git/index.lock"
        lock.touch()
        (repository / "main.go").write_text("package main // 1\n")
        bench.wait_change(1)
        assert any("index.lock" in reason for reason in bench.watcher.health().degraded)
        lock.unlink()
        assert bench.watcher.health().degraded == ()


def test_a_held_back_build_that_nobody_needs_any_more_is_not_built(repository: Path) -> None:
    """The lock goes after the file is what it was."""
    with watching(repository) as bench:
        bench.build_first()
        lock = repository / ".git/index.lock"
        lock.touch()
        text = (repository / "main.go").read_text()
        (repository / "main.go").write_text("package main // 1\n")
        wait_for(lambda: bench.watcher.health().waiting is not None, "the build is held back")
        (repository / "main.go").write_text(text)
        lock.unlink()
        bench.assert_quiet()


def test_git_status_of_a_build_makes_no_change(bench: Bench) -> None:
    git(bench.root, "init", "-q")
    thread = threading.Thread(target=git, args=(bench.root, "status"))
    thread.start()
    thread.join()
    bench.assert_quiet()
