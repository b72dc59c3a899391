"""Broken and odd input is told in sentences; nothing raises, and nothing is read that is not in the tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orchwatchd.models.tree import StageKind, TreeReading
from orchwatchd.tree import read_tree
from orchwatchd.tree.woven import named_original


def test_a_missing_tree_is_a_problem_and_no_error(tmp_path: Path) -> None:
    reading = read_tree(tmp_path / "none", tmp_path / "none.json")
    assert reading.stages == ()
    assert not reading.has_graph
    assert reading.problems == (
        "The action graph could not be read: No such file or directory.",
        "The work tree could not be read: No such file or directory.",
    )


def test_a_file_in_a_trees_place_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("no folder")
    assert read_tree(tmp_path / "work").problems == ("The work tree could not be read: Not a directory.",)


def test_an_empty_tree_is_fine(tmp_path: Path) -> None:
    assert read_tree(tmp_path) == TreeReading()


def test_junk_in_every_place_is_survived(tmp_path: Path) -> None:
    """Given stages whose every file is junk or of the wrong kind, each is listed and what could not be read is said."""
    for name in (
        "b001",
        "b002",
        "b0003",
        "__tmp__/go-build1/b001",
        "__tmp__/go-build1/__tmp__/go-build2/b001",
    ):
        (tmp_path / name).mkdir(parents=True)
    junk = os.urandom(5000)
    for name in ("_pkg_.a", "importcfg", "importcfg.original", "importcfg.link", "importcfg.link.original"):
        (tmp_path / "b001" / name).write_bytes(junk)
        (tmp_path / "b002" / name).mkdir()
    woven = tmp_path / "b001/orchestrion/src/example.com/p"
    woven.mkdir(parents=True)
    (woven / "junk.go").write_bytes(junk)
    os.mkfifo(woven / "fifo.go")
    graph = tmp_path / "graph.json"
    graph.write_bytes(junk)
    reading = read_tree(tmp_path, graph)
    assert [stage.path for stage in reading.stages] == [
        "b0003",
        "b001",
        "b002",
        "__tmp__/go-build1/__tmp__/go-build2/b001",
        "__tmp__/go-build1/b001",
    ]
    assert [file.path for file in reading.woven] == ["b001/orchestrion/src/example.com/p/junk.go"]
    assert reading.woven[0].original is None
    assert any("b001/_pkg_.a bears no build id" in problem for problem in reading.problems)
    assert any("b002/importcfg" in problem for problem in reading.problems)
    assert any("action graph was cut" in problem for problem in reading.problems)


def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere/b001/orchestrion/src/p"
    elsewhere.mkdir(parents=True)
    (elsewhere / "p.go").write_text("package p\n")
    work = tmp_path / "work"
    (work / "b001/orchestrion").mkdir(parents=True)
    (work / "b001/orchestrion/src").symlink_to(elsewhere.parent)
    (work / "b001/orchestrion/loop").symlink_to(work)
    (work / "b002").symlink_to(tmp_path / "elsewhere/b001")
    (work / "__tmp__").symlink_to(work)
    reading = read_tree(work)
    assert [stage.path for stage in reading.stages] == ["b001"]
    assert reading.woven == ()
    assert len(reading.problems) == 2


def test_names_that_are_no_text_are_made_printable(tmp_path: Path) -> None:
    """A file name may be any bytes; what is printed and stored must be text."""
    folder = os.fsencode(tmp_path) + b"/b001/orchestrion/src/p\xff"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    Path(os.fsdecode(folder + b"/x\xfe.go")).write_bytes(b"//line /home/\xfd/x\xfe.go:1:1\npackage p\n")
    (file,) = read_tree(tmp_path).woven
    file.path.encode()
    assert file.original
    file.original.encode()


@pytest.mark.parametrize(
    ("woven", "original"),
    [
        (b"//line /p/a.go:1:1\npackage p\n", "/p/a.go"),
        (b"// Package p.\n//\n//line /p/a.go:3\n// More.\npackage p\n", "/p/a.go"),
        (b"//line grammar.y:10\n//line /p/grammar.y:10\npackage p\n//line /p/a.go:3\n", "/p/a.go"),
        (b"//line <generated>:1\npackage p\n", None),
        (b"package p\n", None),
        (b"//line /with space:and colon/a.go:1:1\npackage p\n", "/with space:and colon/a.go"),
        (b"//line C:\\src\\a.go:1:1\npackage p\n", "C:\\src\\a.go"),
    ],
)
def test_the_original_is_the_first_file_of_the_same_name(woven: bytes, original: str | None) -> None:
    """Fact 7: the mark is not always in the first line; a source can have `//line` comments of its own."""
    assert named_original(woven, "a.go") == original


def test_a_folder_with_only_vets_files_is_no_attempt(tmp_path: Path) -> None:
    (tmp_path / "b001").mkdir()
    (tmp_path / "b001/vet.cfg").write_text("{}")
    (stage,) = read_tree(tmp_path).stages
    assert stage.kinds == (StageKind.OTHER,)
    assert not stage.attempt
    assert stage.status is None


def test_reading_changes_nothing(tmp_path: Path, greeter_warm: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in greeter_warm.work.rglob("*")}
    read_tree(greeter_warm.work, greeter_warm.graph)
    assert {path: path.stat().st_mtime_ns for path in greeter_warm.work.rglob("*")} == before
