"""What others' builds left: listed always, removed only when it is surely abandoned."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from orchwatchd.jobs import foreign
from orchwatchd.jobs.foreign import find_foreign, remove_foreign, temporary_folders

NOW = datetime.now(UTC)


def leave(folder, name, *, hours=48):
    """A folder as a dead build leaves it, last changed so many hours ago."""
    tree = folder / name
    (tree / "b001").mkdir(parents=True)
    (tree / "b001" / "_pkg_.a").write_bytes(b"x" * 9000)
    then = (NOW - timedelta(hours=hours)).timestamp()
    for path in (tree / "b001" / "_pkg_.a", tree / "b001", tree):
        os.utime(path, (then, then))
    return tree


def names(trees):
    return [tree.path.name for tree in trees]


def test_leftovers_are_listed_with_their_size_and_nothing_else_is(tmp_path):
    leave(tmp_path, "go-build123")
    leave(tmp_path, "orchestrion.nbt-9", hours=72)
    for stranger in ("go-build", "go-buildx", "orchestrion-pin_x_go.mod.lock", "my-go-build1"):
        (tmp_path / stranger).mkdir()
    found = find_foreign([tmp_path, tmp_path / "nowhere"], now=NOW)
    assert names(found) == ["orchestrion.nbt-9", "go-build123"]
    assert all(tree.bytes > 9000 and tree.keep_reason is None for tree in found)
    assert find_foreign([tmp_path], now=NOW, ours=tmp_path) == ()


def test_only_what_is_surely_abandoned_goes(tmp_path):
    """Given an old tree, a young one, one with a young file deep inside, a link and one in use, then only the first goes."""
    old = leave(tmp_path, "go-build1")
    leave(tmp_path, "go-build2", hours=1)
    deep = leave(tmp_path, "go-build3")
    os.utime(deep / "b001" / "_pkg_.a")
    target = leave(tmp_path, "precious")
    (tmp_path / "go-build4").symlink_to(target)
    busy = leave(tmp_path, "go-build5")
    user = subprocess.Popen(
        [sys.executable, "-c", "print('here', flush=True); input()"],
        cwd=busy / "b001",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert user.stdout.readline() == b"here\n"
        found = find_foreign([tmp_path], now=NOW)
        reasons = {tree.path.name: tree.keep_reason for tree in found}
        assert reasons == {
            "go-build1": None,
            "go-build2": "it changed less than 24 hours ago",
            "go-build3": "it changed less than 24 hours ago",
            "go-build4": "it is no folder",
            "go-build5": f"process {user.pid} uses it",
        }
        gone, stayed = remove_foreign(found, now=NOW)
    finally:
        user.communicate(b"\n")
    assert names(gone) == ["go-build1"]
    assert len(stayed) == 4
    assert not old.exists()
    assert (target / "b001" / "_pkg_.a").exists()
    assert names(remove_foreign(find_foreign([tmp_path], now=NOW), now=NOW)[0]) == ["go-build5"]


def test_an_open_file_counts_as_use(tmp_path):
    tree = leave(tmp_path, "orchestrion.nbt-1")
    found = find_foreign([tmp_path], now=NOW)
    with (tree / "b001" / "_pkg_.a").open("rb"):
        gone, stayed = remove_foreign(found, now=NOW)
    assert gone == []
    assert f"process {os.getpid()} uses it" in stayed[0]


def test_another_users_folder_stays(tmp_path):
    tree = leave(tmp_path, "go-build7")
    if os.geteuid() == 0:
        os.chown(tree, 65534, 65534)
        (found,) = find_foreign([tmp_path], now=NOW)
    else:
        found = foreign._judge(__import__("pathlib").Path("/proc/1"), NOW, {})
    assert "another user" in found.keep_reason
    assert remove_foreign([found], now=NOW)[0] == []
    assert tree.exists()


def test_where_nobody_tells_who_uses_what_nothing_goes(tmp_path, monkeypatch):
    leave(tmp_path, "go-build1")
    monkeypatch.setattr(foreign, "open_paths", lambda: None)
    (found,) = find_foreign([tmp_path], now=NOW)
    assert "does not tell" in found.keep_reason


@pytest.mark.parametrize("given", [{}, {"GOTMPDIR": "/somewhere"}])
def test_the_places_are_gos_and_the_systems(given):
    folders = [str(folder) for folder in temporary_folders(given)]
    assert folders[:-1] == list(given.values())
