"""Modified files and what each was woven from, read from a work tree."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from orchwatchd.models.tree import WovenFile
from orchwatchd.tree.files import read_regular
from orchwatchd.tree.importcfg import file_in_stage
from orchwatchd.tree.walk import FoundFile, FoundStage, shown

_SOURCES = "orchestrion/src/"
_LINE = re.compile(rb"^//line ((?:/|[A-Za-z]:[\\/]).*?)(?::\d+){1,2}[ \t\r]*$", re.MULTILINE)


def read_woven(work: Path, stage: FoundStage, problems: list[str]) -> list[WovenFile]:
    """The modified files of one stage of the work tree `work`; what cannot be read becomes a sentence in
    `problems`.
    """
    found = []
    for file in stage.woven:
        try:
            data = read_regular(file.location)
        except OSError as error:
            problems.append(f"{shown(file.path)} could not be read: {error.strerror or error}.")
            continue
        found.append(_woven_file(work, stage, file, data, problems))
    return found


def _woven_file(
    work: Path, stage: FoundStage, file: FoundFile, data: bytes, problems: list[str]
) -> WovenFile:
    synthetic = source_package(file.path) == "synthetic"
    original = None if synthetic else named_original(data, file.path.rpartition("/")[2])
    generated = _generated(work, stage, original) if original else None
    text = None
    if generated:
        try:
            text = read_regular(work / generated)
        except OSError as error:
            problems.append(f"{shown(generated)}, which was woven, is gone: {error.strerror or error}.")
        else:
            original = user_source(text, original or "")
    return WovenFile(
        stage=stage.path,
        path=shown(file.path),
        original=shown(original) if original else None,
        synthetic=synthetic,
        data=data,
        mtime_ns=file.mtime_ns,
        generated=shown(generated) if generated else None,
        generated_data=text,
    )


def _generated(work: Path, stage: FoundStage, original: str) -> str | None:
    """The file in the stage that was woven, when it was not the user's own; relative to the root work tree."""
    named = file_in_stage(original)
    if named:
        return named
    # A file with coverage counters begins with a `//line` of its own, so the woven file names the user's.
    covered = f"{PurePosixPath(original).stem}.cover.go"
    if covered not in stage.names:
        return None
    try:
        text = read_regular(work / stage.path / covered)
    except OSError:
        return None
    return f"{stage.path}/{covered}" if user_source(text, "") == original else None


def source_package(path: str) -> str | None:
    """The compiler's `-p` of a modified file: its folder under `orchestrion/src` (fact 5)."""
    _, found, inner = path.rpartition(_SOURCES)
    package = str(PurePosixPath(inner).parent) if found else "."
    return package if package != "." else None


def named_original(woven: bytes, name: str) -> str | None:
    """The file that a modified file was woven from: the first `//line` (fact 7) that names a file of the
    same name, absolutely.
    """
    for match in _LINE.finditer(woven):
        path = os.fsdecode(match[1])
        if path.replace("\\", "/").rpartition("/")[2] == name:
            return path
    return None


def user_source(generated: bytes, path: str) -> str | None:
    """The user's file that a generated one names in its first `//line` (cgo, coverage); `path` itself where
    it names none.
    """
    match = _LINE.search(generated)
    return os.fsdecode(match[1]) if match else path
