"""A state folder holds the history of one project: another one is refused, and a project that moved takes it along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from program import Here
from records import Build, Package, open_store, record

STD = tuple(Package(f"std{n}") for n in range(6))
In = Callable[[str], Here]


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> In:
    """The program in a folder, a project unless it is made by the test; all with one state folder, that has a run."""
    with open_store(tmp_path) as store:
        record(store, Build(packages=STD, compiled=STD), 1)

    def program(name: str) -> Here:
        folder = tmp_path / name
        if not folder.exists():
            folder.mkdir()
            (folder / "go.mod").write_text(f"module {name}\n")
        return Here(folder, tmp_path / "state", {}, monkeypatch, capsys)

    return program


def test_a_history_that_names_no_project_is_read_and_belongs_to_its_first_writer(
    inside: In, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        assert [row["id"] for row in inside(name).json("runs")] == [1]
    inside("first")("pin", "1", "kept")
    assert [row["id"] for row in inside("first").json("runs")] == [1]
    said = inside("second")("runs", code=2)
    first, second = tmp_path / "first", tmp_path / "second"
    assert said.err == (
        f"orchwatchd: {tmp_path / 'state'} holds the history of {first}, not of {second}\n"
        f"  give each project a state folder of its own (--state DIR, ORCHWATCHD_STATE), or ask with -C {first}\n"
    )


@pytest.mark.parametrize(
    "words",
    [("show", "1"), ("status",), ("sql", "SELECT 1"), ("pin", "1"), ("build",), ("doctor",), ("watch",)],
)
def test_every_command_refuses_the_history_of_another_project(inside: In, words: tuple[str, ...]) -> None:
    inside("first")("pin", "1", "kept")
    assert "holds the history of" in inside("second")(*words, code=2).err
    assert inside("first").json("runs")[0]["pins"] == ["kept"]


def test_outside_of_any_project_its_history_can_be_read(inside: In, tmp_path: Path) -> None:
    inside("first")("pin", "1", "kept")
    (tmp_path / "nowhere").mkdir()
    assert [row["id"] for row in inside("nowhere").json("runs")] == [1]


def test_a_project_that_was_moved_takes_its_history_along(inside: In, tmp_path: Path) -> None:
    inside("first")("pin", "1", "kept")
    (tmp_path / "first").rename(tmp_path / "moved")
    assert [row["id"] for row in inside("moved").json("runs")] == [1]
    inside("moved")("pin", "1", "again")
    assert inside("moved").json("runs")[0]["pins"] == ["again", "kept"]
    assert f"holds the history of {tmp_path / 'moved'}" in inside("first")("runs", code=2).err


def test_a_link_to_the_project_is_the_project(inside: In, tmp_path: Path) -> None:
    inside("first")("pin", "1", "kept")
    (tmp_path / "link").symlink_to(tmp_path / "first")
    assert [row["id"] for row in inside("link").json("runs")] == [1]
