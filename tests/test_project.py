"""The project around a folder, by the Go command's rules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conftest import Tools

from orchwatchd.errors import UnfitError
from orchwatchd.project import find_project, parse_uses


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in ("lib", "service"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "go.mod").write_text(f"module example.com/{name}\n\ngo 1.26.0\n")
    (tmp_path / "service/orchestrion.tool.go").touch()
    (tmp_path / "go.work").write_text('go 1.26.0\n\nuse (\n\t./lib // the library\n\t"./service"\n)\n')
    return tmp_path.resolve()


def test_a_module_is_found_from_any_folder_in_it(workspace: Path) -> None:
    project = find_project(workspace / "lib/deep", {"GOWORK": "off"})
    assert (project.root, project.gowork) == (workspace / "lib", None)
    assert (project.gomod, project.modules) == (workspace / "lib/go.mod", (workspace / "lib",))


def test_a_workspace_is_the_same_project_from_everywhere(workspace: Path) -> None:
    """Its main module is the one with Orchestrion's configuration, not the one that one happens to stand in."""
    found = {find_project(workspace / folder, {}) for folder in (".", "lib/deep", "service")}
    (project,) = found
    assert (project.root, project.gowork) == (workspace, workspace / "go.work")
    assert project.modules == (workspace / "lib", workspace / "service")
    assert project.gomod == workspace / "service/go.mod"


def test_gowork_names_the_workspace(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert find_project(elsewhere, {"GOWORK": str(workspace / "go.work")}).root == workspace


def test_a_link_to_a_project_is_the_same_project(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(workspace)
    assert find_project(link, {}) == find_project(workspace, {})


@pytest.mark.parametrize(
    ("env", "change", "message", "step"),
    [
        ({"GOWORK": "go.work"}, None, "no absolute path", "unset it"),
        ({"GOWORK": "/no/go.work"}, None, "no such file", "off"),
        ({}, ("go.work", "go 1.26.0\n"), "names no module", "go work use"),
        ({}, ("go.work", "use ./gone\n"), "gone, which has no go.mod", "dropuse"),
        ({}, ("go.work", "use (\n./lib\n"), "not closed", "go work edit"),
    ],
)
def test_what_is_wrong_with_a_workspace_is_said_with_the_next_step(
    workspace: Path, env: dict[str, str], change: tuple[str, str] | None, message: str, step: str
) -> None:
    if change:
        (workspace / change[0]).write_text(change[1])
    with pytest.raises(UnfitError, match=message) as refused:
        find_project(workspace / "lib", env)
    assert step in (refused.value.hint or "")


def test_no_module_anywhere(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match=r"no go\.mod in .* or any folder above it") as refused:
        find_project(tmp_path, {})
    assert refused.value.exit_code == 69
    with pytest.raises(UnfitError, match="is no folder"):
        find_project(tmp_path / "gone", {})


@pytest.mark.parametrize(
    "text",
    [
        'go 1.26.0\nuse ./a\nuse (\n ./b\n\t"./c" // comment ) use ./no\n)\nreplace x => ./y\n',
        '// use ./no\ngo 1.26.0 // use\ntoolchain go1.26.0\nuse(\n\t./a\n)\nuse "./b"',
        "go 1.26.0\n",
    ],
)
def test_uses_are_read_as_the_go_command_reads_them(text: str, tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "go.work").write_text(text)
    shown = subprocess.run(
        [tools.go, "work", "edit", "-json"], cwd=tmp_path, env=tools.env, capture_output=True, check=True
    )
    assert parse_uses(text) == tuple(use["DiskPath"] for use in json.loads(shown.stdout)["Use"] or ())
