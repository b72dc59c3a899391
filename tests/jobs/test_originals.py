"""Which text a modified file was woven from: the compiled one, or the word that it is not certain (never a wrong one)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchwatchd.jobs.originals import find_original
from orchwatchd.models.tree import WovenFile

COMPILED = b"package p\n\nfunc F() int {\n\treturn 1\n}\n"
EDITED = b"package p\n\nfunc F() int {\n\treturn 2\n}\n"
REMARKED = b"package p\n\n// F is new.\nfunc F() int {\n\treturn 1\n}\n"
WOVEN = """//line {path}:1:1
package p

//line <generated>:1
import __orchestrion_trace "example.com/trace"

//line {path}:3
func F() int {{
//line <generated>:1
	{{
		__orchestrion_trace.Enter("F")
	}}
//line {path}:4
	return 1
}}
"""
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Stamp:
    sha256: bytes


def stamp(text: bytes) -> Stamp:
    return Stamp(hashlib.sha256(text).digest())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The source as it was compiled, last written a minute before the weaving."""
    path = tmp_path / "p.go"
    path.write_bytes(COMPILED)
    return path


def woven(path: Path, *, before: bool) -> WovenFile:
    """The modified file of `path`, written a minute after it (`before`: the file is older than its source)."""
    written = path.stat().st_mtime_ns + (-60 if before else 60) * SECOND
    data = WOVEN.format(path=path).encode()
    return WovenFile("b001", "b001/orchestrion/src/p/p.go", str(path), False, data, written)


def none(_path: str) -> list[bytes]:
    return []


def test_a_source_that_nobody_wrote_since_is_the_original(source: Path) -> None:
    for snapshot in (None, {}, {str(source): stamp(COMPILED)}):
        assert find_original(woven(source, before=False), none, snapshot).data == COMPILED
        assert find_original(woven(source, before=False), none, snapshot).certain


def test_a_source_saved_after_the_weaving_gives_way_to_a_stored_version_that_fits(source: Path) -> None:
    """A save between weaving and indexing must not look like instrumentation."""
    file = woven(source, before=True)
    source.write_bytes(EDITED)
    found = find_original(file, lambda _path: [EDITED, COMPILED], None)
    assert (found.data, found.certain) == (COMPILED, True)


def test_without_a_version_that_fits_the_original_is_not_certain(source: Path) -> None:
    file = woven(source, before=True)
    source.write_bytes(EDITED)
    found = find_original(file, lambda _path: [EDITED], {str(source): stamp(COMPILED)})
    assert (found.data, found.certain) == (None, False)


def test_a_newer_text_that_fits_is_used_and_not_certain(source: Path) -> None:
    """A comment was added after the weaving: the injections are right, the text may not be the compiled one."""
    file = woven(source, before=True)
    source.write_bytes(REMARKED)
    found = find_original(file, none, None)
    assert (found.data, found.certain) == (REMARKED, False)


def test_the_version_that_the_snapshot_saw_wins_over_another_that_fits(source: Path) -> None:
    """Two stored versions fit by their tokens; the snapshot's hash says which one was compiled."""
    file = woven(source, before=True)
    source.write_bytes(EDITED)
    found = find_original(file, lambda _path: [COMPILED, REMARKED], {str(source): stamp(COMPILED)})
    assert found.data == COMPILED
    found = find_original(file, lambda _path: [COMPILED], {str(source): stamp(COMPILED)})
    assert (found.data, found.certain) == (COMPILED, True)


def test_an_older_file_that_was_moved_here_does_not_pass(source: Path) -> None:
    """Its time of writing is old, so only its text can betray it, with a snapshot (hash) and without."""
    file = woven(source, before=False)
    other = source.with_name("older")
    other.write_bytes(EDITED)
    os.utime(other, ns=(0, source.stat().st_mtime_ns - SECOND))
    other.rename(source)
    for snapshot in (None, {str(source): stamp(COMPILED)}):
        found = find_original(file, none, snapshot)
        assert (found.data, found.certain) == (None, False)


def test_an_edit_between_snapshot_and_weaving_is_the_original(source: Path) -> None:
    """Not written since the weaving, and every token fits: the snapshot was a moment too early."""
    found = find_original(woven(source, before=False), none, {str(source): stamp(EDITED)})
    assert (found.data, found.certain) == (COMPILED, True)


def test_a_source_that_is_gone_or_no_file_is_not_certain(source: Path) -> None:
    file = woven(source, before=False)
    source.unlink()
    assert not find_original(file, none, None).certain
    os.mkfifo(source)
    assert find_original(file, none, None).data is None
    source.unlink()
    source.mkdir()
    assert not find_original(file, none, None).certain


def test_a_synthetic_file_has_no_original_for_certain() -> None:
    file = WovenFile("b001", "b001/orchestrion/src/synthetic/x.go", None, True, b"package main\n", 0)
    found = find_original(file, none, None)
    assert (found.data, found.certain) == (None, True)


def test_a_generated_original_is_that_of_the_tree(source: Path) -> None:
    """Whatever the user's file is by now: what Go made of it lies beside the archive."""
    source.write_bytes(EDITED)
    file = WovenFile(
        "b001",
        "b001/orchestrion/src/p/p.go",
        str(source),
        False,
        b"",
        0,
        "b001/p.cgo1.go",
        COMPILED,
    )
    assert find_original(file, none, None).data == COMPILED
    lost = WovenFile(
        "b001",
        "b001/orchestrion/src/p/p.go",
        str(source),
        False,
        b"",
        0,
        "b001/p.cgo1.go",
        None,
    )
    assert not find_original(lost, none, None).certain
