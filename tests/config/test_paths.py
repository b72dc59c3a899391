"""Where records lie: below one folder, or in the user's folders under a name of the project's real path."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from orchwatchd.config.paths import Paths, _refuse_foreign, crash_folder, make_private, project_name
from orchwatchd.errors import ConfigurationError, DatabaseError


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_folder_holds_all(tmp_path):
    paths = Paths.for_project(tmp_path / "project", tmp_path / "state", {})
    for name in ("database", "logs", "builds", "socket", "lock", "work", "trash", "cache"):
        assert getattr(paths, name).parent == tmp_path / "state"
    assert paths.database.name == "history.db"


def test_state_folder_of_the_environment_and_of_the_command(tmp_path):
    environment = {"ORCHWATCHD_STATE": str(tmp_path / "env")}
    assert Paths.for_project(tmp_path, None, environment).state == tmp_path / "env"
    assert Paths.for_project(tmp_path, tmp_path / "own", environment).state == tmp_path / "own"


def test_users_folders_by_the_projects_real_path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    project = tmp_path / "my service"
    project.mkdir()
    (tmp_path / "link").symlink_to(project)
    paths = Paths.for_project(project, None, {})
    assert paths == Paths.for_project(tmp_path / "link", None, {})
    assert paths.state == tmp_path / "s" / "orchwatchd" / project_name(project)
    assert paths.work.parent == paths.trash.parent == paths.cache.parent
    assert paths.cache.parent == tmp_path / "c" / "orchwatchd" / project_name(project)
    assert project_name(project).startswith("my-service-")


def test_folders_that_systemd_gives(tmp_path):
    environment = {
        "STATE_DIRECTORY": f"{tmp_path}/var/lib/o:{tmp_path}/other",
        "CACHE_DIRECTORY": f"{tmp_path}/var/cache/o",
    }
    paths = Paths.for_project(tmp_path, None, environment)
    assert paths.state.parent == tmp_path / "var/lib/o"
    assert paths.cache.parent.parent == tmp_path / "var/cache/o"


def test_nothing_is_made_until_asked_for(tmp_path):
    paths = Paths.for_project(tmp_path, tmp_path / "state", {})
    assert not paths.state.exists()
    previous = os.umask(0o002)
    try:
        paths.create()
    finally:
        os.umask(previous)
    for folder in (paths.state, paths.logs, paths.builds, paths.work, paths.trash, paths.cache):
        assert _mode(folder) == 0o700
    paths.create()


def test_a_folder_that_exists_keeps_its_mode(tmp_path):
    (tmp_path / "state").mkdir(mode=0o750)
    Paths.for_project(tmp_path, tmp_path / "state", {}).create()
    assert _mode(tmp_path / "state") == 0o750


def test_folders_between_are_private_too(tmp_path):
    make_private(tmp_path / "a" / "b" / "c")
    assert [_mode(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3


@pytest.mark.parametrize("name", ["a$b", "a\nb"])
def test_paths_that_go_or_orchestrion_could_not_use(tmp_path, name):
    with pytest.raises(ConfigurationError) as refusal:
        Paths.for_project(tmp_path, tmp_path / name, {})
    assert "--state" in refusal.value.hint


def test_a_project_with_such_a_name_is_fine(tmp_path):
    assert "$" not in str(Paths.for_project(tmp_path / "a$b", None, {"STATE_DIRECTORY": str(tmp_path)}).state)


def test_a_socket_path_that_is_too_long_becomes_a_short_one(tmp_path):
    """A bound socket proves that the path is short enough; it is the same for every environment."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    paths = Paths.for_project(tmp_path, deep, {})
    assert paths.socket.parent != paths.state
    assert paths.socket == Paths.for_project(tmp_path, deep, {"XDG_RUNTIME_DIR": "/run/user/1"}).socket
    assert paths.socket != Paths.for_project(tmp_path, deep / "f", {}).socket
    paths.create()
    assert _mode(paths.socket.parent) == 0o700
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(paths.socket))
    paths.socket.unlink()


def test_traces_of_bugs_have_a_private_folder(tmp_path):
    folder = crash_folder(tmp_path / "state")
    assert folder == tmp_path / "state" / "crashes"
    assert _mode(folder) == 0o700


def test_a_socket_folder_that_is_not_ours_alone_is_refused(tmp_path):
    """Anyone can make the short folder first."""
    (tmp_path / "short").mkdir(mode=0o755)
    with pytest.raises(ConfigurationError, match="not a folder of this user alone"):
        _refuse_foreign(tmp_path / "short")
    (tmp_path / "private").mkdir(mode=0o700)
    _refuse_foreign(tmp_path / "private")
    (tmp_path / "link").symlink_to(tmp_path / "private")
    with pytest.raises(ConfigurationError):
        _refuse_foreign(tmp_path / "link")


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path):
    paths = Paths.for_project(tmp_path, tmp_path / "state", {})
    (tmp_path / "state").write_text("a file")
    with pytest.raises(DatabaseError, match="state/logs cannot be made: Not a directory"):
        paths.create()
    with pytest.raises(DatabaseError, match="File name too long"):
        Paths.for_project(tmp_path, tmp_path / ("x" * 300), {})
