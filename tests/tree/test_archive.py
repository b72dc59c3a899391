"""Archives are read by their headers: build id and link.deps, never a body."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.models.package import BuildId
from orchwatchd.tree.archive import parse_link_deps, read_archive, read_build_id, read_link_action

HEAD = b'go object linux amd64 go1.26.8 X:none\nbuild id "%s"\n\n\n$$B\n'


def archive(*members: tuple[bytes, bytes]) -> bytes:
    """An `ar` file as Go writes it: sixty bytes of header a member, bodies padded to even length."""
    parts = [b"!<arch>\n"]
    for name, body in members:
        parts.append(b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, 0, 0, 0, 0o644, len(body)))
        parts.append(body + b"\0" * (len(body) % 2))
    return b"".join(parts)


def test_the_build_id_is_read_and_an_unfinished_one_has_no_content(tmp_path: Path) -> None:
    """Fact 12: two equal halves are the mark of an archive that the Go command has not finished."""
    done, open_ = tmp_path / "done.a", tmp_path / "open.a"
    done.write_bytes(archive((b"__.PKGDEF", HEAD % b"act/cont")))
    open_.write_bytes(archive((b"__.PKGDEF", HEAD % b"act/act")))
    assert read_build_id(done) == BuildId("act", "cont")
    assert read_build_id(open_) == BuildId("act", None)


@pytest.mark.parametrize("odd", [0, 1])
def test_link_deps_is_found_behind_bodies_of_any_length(tmp_path: Path, odd: int) -> None:
    """Fact 9; Go pads an odd body by one byte."""
    path = tmp_path / "p.a"
    path.write_bytes(
        archive(
            (b"__.PKGDEF", HEAD % b"a/b" + b"x" * odd),
            (b"_go_.o", b"y" * (100_001 + odd)),
            (b"link.deps", b"#link.deps@v2\nimport\texample.com/a\nrelocation\texample.com/b\n"),
        )
    )
    assert read_archive(path).link_deps == ("example.com/a", "example.com/b")


def test_both_versions_of_link_deps_are_understood() -> None:
    assert parse_link_deps(b"#link.deps@v1\nexample.com/a\nexample.com/b") == (
        "example.com/a",
        "example.com/b",
    )
    assert parse_link_deps(b"#link.deps@v2\nrelocation\texample.com/b\n") == ("example.com/b",)
    assert parse_link_deps(b"") == ()


@given(st.binary(max_size=3000), st.integers(0, 400))
def test_junk_and_cut_archives_never_raise(tmp_path_factory: Any, junk: bytes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.a"
    path.write_bytes(
        archive((b"__.PKGDEF", HEAD % b"a/b"), (b"link.deps", b"#link.deps@v1\nx\n"))[:cut] + junk
    )
    found = read_archive(path)
    assert found.build_id is None or isinstance(found.build_id.action, str)


def test_what_is_no_file_raises_oserror_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.a")
    (tmp_path / "link.a").symlink_to(tmp_path / "elsewhere")
    for name in ("fifo.a", "link.a", "none.a", "."):
        with pytest.raises(OSError):
            read_archive(tmp_path / name)


@pytest.mark.builds
def test_ids_and_link_deps_are_those_that_the_go_tools_see(greeter_cold: Any, tools: Any) -> None:
    """`go tool buildid` reads the same id; a link.deps stands word by word in the archive's bytes."""
    archives = sorted(greeter_cold.work.glob("**/b*/_pkg_.a"))
    asked = [path for path in archives if path.parent.joinpath("orchestrion").exists()] + archives[:3]
    seen = set()
    for path in asked:
        told = subprocess.run(
            [tools.go, "tool", "buildid", path], capture_output=True, text=True, check=True, env=tools.env
        )
        found = read_archive(path)
        assert str(found.build_id) == told.stdout.strip()
        raw = re.search(rb"#link\.deps@v2\n((?:(?:import|relocation)\t[^\n]*\n)*)", path.read_bytes())
        assert found.link_deps == (parse_link_deps(raw[1]) if raw else ())
        seen.update(found.link_deps)
    assert "example.com/greeter/trace" in seen


@pytest.mark.builds
def test_a_program_names_the_action_of_its_link(greeter_cold: Any, tools: Any) -> None:
    """An adopted tree has no action graph: the program itself says which link made it."""
    for program in greeter_cold.work.glob("b*/exe/a.out"):
        told = subprocess.run(
            [tools.go, "tool", "buildid", program], capture_output=True, text=True, check=True, env=tools.env
        )
        assert read_link_action(program) == told.stdout.partition("/")[0]
