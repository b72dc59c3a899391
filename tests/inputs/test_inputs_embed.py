"""Our reading of `//go:embed` patterns against the Go command's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conftest import Tools
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.inputs import embed

TREE = [
    "a.txt",
    ".dot",
    "_under",
    "b[1].txt",
    "dir/a.txt",
    "dir/.dot",
    "dir/_under",
    "dir/sub/x.html",
    "dir/sub/.git_keep",
    "dir/.hid/x",
    "dir2/y.html",
    "ünïcode/ß.txt",
]
PATTERNS = [
    "a.txt",
    "*",
    "all:*",
    "*.txt",
    "dir",
    "all:dir",
    "dir/*",
    "all:dir/*",
    "dir*",
    "dir?",
    "dir/*/*.html",
    "[a-b]*.txt",
    "[^a]*.txt",
    "dir/.hid",
    "dir/[_.]*",
    "ünïcode",
    "b\\[1\\].txt",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_takes_what_the_go_command_takes(tools: Tools, tmp_path: Path, pattern: str) -> None:
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.26\n")
    quoted = json.dumps(pattern, ensure_ascii=False)
    (tmp_path / "m.go").write_text(f'package m\n\nimport "embed"\n\n//go:embed {quoted}\nvar F embed.FS\n')
    done = subprocess.run(
        [tools.go, "list", "-json=EmbedFiles"],
        cwd=tmp_path,
        env=tools.env,
        capture_output=True,
        text=True,
        check=False,
    )
    read = embed.parse(pattern)
    names = [*TREE, "go.mod", "m.go"]
    ours = {name for name in names if embed.matches(read, tuple(name.split("/")))}
    if done.returncode:
        assert "invalid name" in done.stderr or "no matching" in done.stderr, done.stderr
        return
    assert ours == set(json.loads(done.stdout)["EmbedFiles"])
    for name in ours:
        parts = tuple(name.split("/"))
        assert all(embed.may_lie_below(read, parts[:depth]) for depth in range(len(parts))), (
            "the walk gets there"
        )


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3))
def test_no_pattern_raises(pattern: str, parts: list[str]) -> None:
    read = embed.parse(pattern)
    if embed.matches(read, tuple(parts)):
        assert all(embed.may_lie_below(read, tuple(parts[:depth])) for depth in range(len(parts)))
