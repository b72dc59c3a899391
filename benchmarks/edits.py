"""Edits of a recorded modified file: original and woven text changed alike, injections found again by the real code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchwatchd.models.record import AttributedInjection, FileRecord
from orchwatchd.weave import find_injections

_DECLARATION = re.compile(rb"(?m)^(?://[^\n]*\n)*(?:func|type|var|const) [^\n]*\n")
_MARK = re.compile(rb"(?m)^//line (/[^\n]*?):(\d+)")
_NAME = re.compile(r"(?:\(\*?\w+\)\.|\w+\.)?(\w+)")


@dataclass(frozen=True, slots=True)
class Edit:
    """A state of a file against the recorded one: `body` numbers an edit that moves lines, `name` a renaming of the
    first function with an injection; 0 is the recorded state.
    """

    body: int = 0
    name: int = 0


@dataclass(frozen=True, slots=True)
class Editable:
    """A file with the places where it can be edited."""

    file: FileRecord
    anchors: tuple[bytes, ...]
    renamed: bytes | None

    def at(self, edit: Edit) -> FileRecord:
        """The file's record in a state."""
        original, woven = self.file.original_data, self.file.data
        if original is None or edit == Edit():
            return self.file
        if edit.body and self.anchors:
            anchor = self.anchors[edit.body % len(self.anchors)]
            original, woven = _insert(original, woven, anchor, edit.body)
        if edit.name and self.renamed:
            original, woven = (_renamed(text, self.renamed, edit.name) for text in (original, woven))
        return _record(self.file, original, woven)


def editable(file: FileRecord) -> Editable:
    """Finds the places; an edit there leaves every injection as it is."""
    if file.original_data is None:
        return Editable(file, (), None)
    wanted = _meaning(file)
    anchors = tuple(
        anchor
        for anchor in _anchors(file.original_data, file.data)
        if _meaning(_record(file, *_insert(file.original_data, file.data, anchor, 1))) == wanted
    )
    return Editable(file, anchors[:12], _function(file))


def _anchors(original: bytes, woven: bytes) -> Iterator[bytes]:
    for found in list(_DECLARATION.finditer(original))[:24]:
        if original.count(found[0]) == 1 == woven.count(found[0]):
            yield found[0]


def _insert(original: bytes, woven: bytes, anchor: bytes, number: int) -> tuple[bytes, bytes]:
    """Inserts a declaration of one to six lines before an anchor, and moves the marks that come after it."""
    lines = number % 6
    block = b"// Edited %d.\n%svar edited%d = %d\n\n" % (number, b"//\n" * lines, number, number)
    at = original.index(anchor)
    line, moved = original.count(b"\n", 0, at) + 1, block.count(b"\n")

    def shift(mark: re.Match[bytes]) -> bytes:
        return b"//line %s:%d" % (mark[1], int(mark[2]) + moved * (int(mark[2]) > line))

    shifted = _MARK.sub(shift, woven)
    return original[:at] + block + original[at:], shifted.replace(anchor, block + anchor, 1)


def _function(file: FileRecord) -> bytes | None:
    """The first declared function with an injection whose name can be changed in both texts."""
    for one in file.injections:
        found = _NAME.fullmatch(one.injection.declaration)
        name = found[1].encode() if found else b""
        if name and name not in {b"main", b"init"}:
            head = re.compile(rb"(?m)^func (?:\([^)\n]*\) )?" + name + rb"\b")
            if all(len(head.findall(text)) == 1 for text in (file.original_data or b"", file.data)):
                return name
    return None


def _renamed(text: bytes, name: bytes, number: int) -> bytes:
    pattern = rb"(?m)^(func (?:\([^)\n]*\) )?)" + name + rb"\b"
    return re.sub(pattern, rb"\g<1>" + name + b"%d" % number, text)


def _record(file: FileRecord, original: bytes, woven: bytes) -> FileRecord:
    """The record of the changed texts; who made an injection is known from the recorded one."""
    makers = {(one.injection.kind, one.injection.text): one.attribution for one in file.injections}
    default = file.injections[0].attribution if file.injections else None
    found = tuple(
        AttributedInjection(one, makers.get((one.kind, one.text), default))  # type: ignore[arg-type]
        for one in find_injections(original, woven)
    )
    return replace(file, original_data=original, data=woven, injections=found)


def _meaning(file: FileRecord) -> Counter[tuple[str, str, str]]:
    return Counter(
        (str(one.injection.kind), one.injection.declaration, one.injection.text) for one in file.injections
    )
