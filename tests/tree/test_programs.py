"""Members of programs: ids come from archives, from a stage with the lost cache file's digest, or are not known."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.tree import read_tree

ARCHIVE = b"!<arch>\n__.PKGDEF       0           0     0     644     30        `\n"
MODINFO = rb'modinfo "path\texample.com/cmd/api\nmod\t"'


def archive(path: Path, build_id: bytes) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = ARCHIVE + b'go object linux\nbuild id "' + build_id + b'"\n\n'
    path.write_bytes(data)
    return data


def test_members_are_resolved_from_wherever_their_archive_is_and_never_guessed(tmp_path: Path) -> None:
    """Given a moved tree and a trimmed cache: a stage, a cache file, a nested stage with a lost cache file's digest, and one gone."""
    work, cache = tmp_path / "renamed", tmp_path / "cache"
    archive(work / "b001/_pkg_.a", b"main/m")
    archive(work / "b002/_pkg_.a", b"unfinished/unfinished")
    nested = archive(work / "__tmp__/go-build7/b003/_pkg_.a", b"nested/n")
    lost = f"{cache}/{hashlib.sha256(nested).hexdigest()}-d"
    kept = cache / ("a" * 64 + "-d")
    archive(kept, b"kept/k")
    gone = cache / ("b" * 64 + "-d")
    lines = {
        "example.com/cmd/api": "/old/go-build1/b001/_pkg_.a",
        "example.com/open": "/old/go-build1/b002/_pkg_.a",
        "example.com/absent": "/old/go-build1/b009/_pkg_.a",
        "example.com/nested": lost,
        "example.com/kept": str(kept),
        "example.com/gone": str(gone),
    }
    config = "".join(f"packagefile {path}={file}\n" for path, file in lines.items())
    (work / "b001/importcfg.link").write_bytes(config.encode() + MODINFO)
    reading = read_tree(work)
    (program,) = reading.programs
    assert program.package == PackageName("example.com/cmd/api")
    assert {member.package.path: member.build_id for member in program.members} == {
        "example.com/cmd/api": BuildId("main", "m"),
        "example.com/nested": BuildId("nested", "n"),
        "example.com/kept": BuildId("kept", "k"),
    }
    assert {package.path for package in program.unresolved} == {
        "example.com/open",
        "example.com/absent",
        "example.com/gone",
    }
    names = {stage.path: stage.package for stage in reading.stages}
    assert names["__tmp__/go-build7/b003"] == PackageName("example.com/nested")


def test_a_stage_is_named_by_what_imports_it_then_by_its_sources(tmp_path: Path) -> None:
    """The order of sources of a name, for stages that no program links; a command's folder `main` names nothing (fact 5)."""
    archive(tmp_path / "b001/_pkg_.a", b"user/u")
    for stage, source in {"b002": "example.com/wrong", "b003": "example.com/woven", "b004": "main"}.items():
        archive(tmp_path / stage / "_pkg_.a", stage.encode() + b"/c")
        folder = tmp_path / stage / "orchestrion/src" / source
        folder.mkdir(parents=True)
        (folder / "x.go").write_text("package x\n")
    (tmp_path / "b001/importcfg").write_text("packagefile example.com/used=/old/go-build1/b002/_pkg_.a\n")
    names = {stage.path: stage.package for stage in read_tree(tmp_path).stages}
    assert names == {
        "b001": None,
        "b002": PackageName("example.com/used"),
        "b003": PackageName("example.com/woven"),
        "b004": None,
    }
