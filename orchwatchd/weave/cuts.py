"""Where the top-level declarations of a Go file stand, found without a parser; only gofmt's layout is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from orchwatchd.weave.syntax import is_one

# A line that begins with neither a blank nor a `//`: gofmt lets only declarations, their closing brackets, labels and
# comments begin in the first column.
_FIRST_COLUMN: Final = re.compile(rb"\n(?!//|\s)")
_KEYWORD: Final = re.compile(rb"(package|import|func|type|var|const)\b")
_LABEL: Final = re.compile(rb"\w+:[ \t\r]*(?:\n|//|/\*)")
_TOKEN: Final = re.compile(
    rb"""(?P<comment>//[^\n]*|/\*.*?\*/)|`[^`]*`|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""",
    re.DOTALL,
)
_REST: Final = re.compile(rb"([^\n]*[^\s])[ \t\r]*(?:\n[ \t\r]*(?://[^\n]*)?)*")
_NO_BRACKETS: Final = bytes(set(range(256)).difference(b"()[]{}\n"))
_LAST: Final = frozenset(b")]}\"'`_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PAIR: Final = re.compile(rb"\(\n*\)|\[\n*\]|\{\n*\}")


@dataclass(frozen=True, slots=True)
class Cut:
    """One declaration: its keyword, its bytes from `start` to `end` without comments around it, and its first line,
    which counts from 0.
    """

    keyword: str
    start: int
    end: int
    line: int


@lru_cache(maxsize=256)
def cut(data: bytes) -> tuple[Cut, ...] | None:
    """The declarations of a Go file in their order, package clause and imports included; None where the text is not
    as gofmt leaves it, so that only a parser can tell.

    A keyword in the first column begins a declaration where no raw string or comment runs over it and no bracket is
    open. Only text with a backquote or `/*` can run over a line; that is read token by token. What lies between two
    keywords is one declaration if no line but its last ends outside of brackets; else the parser is asked.
    """
    pieces = _pieces(data)
    if pieces is None:
        return None
    found: list[Cut] = []
    line = at = 0
    for piece in pieces:
        end = piece.end_of_code(data)
        if end is None:
            return None
        line, at = line + data.count(b"\n", at, piece.start), piece.start
        found.append(Cut(piece.keyword, piece.start, end, line))
    return tuple(found)


@dataclass(slots=True)
class _Piece:
    """From one keyword to the next: `closers` are the lines within that begin with a closing bracket, `long` says that
    a token may run over lines.
    """

    keyword: str
    start: int
    end: int = 0
    long: bool = False
    closers: list[int] = field(default_factory=list)

    def end_of_code(self, data: bytes) -> int | None:
        """Where the declaration ends, None where this is not certainly one whole declaration."""
        if not self.long:
            end = self._end(data)
            if _closed(data[self.start : end]) and not self._parted(data, end):
                return end if _ends(data, end) else None
        end, code = _read(data, self.start, self.end)
        one = (_closed(code) and not self._parted(data, end)) or is_one(data[self.start : end])
        return end if one and _ends(data, end) else None

    def _end(self, data: bytes) -> int:
        """Where the code ends if no token runs over lines: the last lines that are blank or comments go."""
        last = self.closers[-1] if self.closers else self.start
        rest = _REST.match(data, last, self.end)
        if rest is None or rest.end() < self.end:
            return _read(data, self.start, self.end)[0]
        line = rest.end(1)
        return _read(data, last, line)[0] if data.find(b"//", last, line) >= 0 else line

    def _parted(self, data: bytes, end: int) -> bool:
        """Whether a `;` may end a declaration within a line."""
        if data.find(b";", self.start, end) < 0:
            return False
        lines = ((at, data.find(b"\n", at, end)) for at in (self.start, *self.closers) if at < end)
        return any(data.find(b";", at, end if stop < 0 else stop) >= 0 for at, stop in lines)


def _pieces(data: bytes) -> list[_Piece] | None:
    """The text from keyword to keyword; None where something else begins in the first column, or stands before them."""
    here = head = _Piece("", 0)
    pieces: list[_Piece] = []
    for at, long in _lines(data):
        here.long |= long
        if at == len(data):
            break
        if keyword := _KEYWORD.match(data, at):
            here.end = at
            here = _Piece(keyword[1].decode(), at)
            pieces.append(here)
        elif data[at : at + 1] in {b"}", b")"}:
            here.closers.append(at)
        elif not (data.startswith(b"/*", at) or _LABEL.match(data, at)):
            return None
    here.end = len(data)
    return pieces if _read(data, 0, head.end)[0] == 0 else None


def _lines(data: bytes) -> Iterator[tuple[int, bool]]:
    """Where lines begin that have something in their first column and lie in no token; with each, whether anything
    since the one before may be a token that runs over lines. The end of the text comes last.
    """
    known, long = 0, False  # no token runs over the byte `known`
    first = [] if _FIRST_COLUMN.match(b"\n" + data[:2]) is None else [0]
    for at in [*first, *(found.end() for found in _FIRST_COLUMN.finditer(data)), len(data)]:
        if at < known:
            continue
        if data.find(b"`", known, at) >= 0 or data.find(b"/*", known, at) >= 0:
            known, long = _over(data, known, at), True
        else:
            known = at
        if known == at:
            yield at, long
            long = False


def _over(data: bytes, start: int, at: int) -> int:
    """The end of the token that runs over the byte `at`, else `at`; `start` is no byte within a token."""
    for token in _TOKEN.finditer(data, start):
        if token.start() >= at:
            break
        if token.end() > at:
            return token.end()
    return at


def _read(data: bytes, start: int, end: int) -> tuple[int, bytes]:
    """Reads a piece token by token: where its code ends (at `start` where it has none), and what it is without strings
    and comments.
    """
    last = at = start
    code: list[bytes] = []
    for token in _TOKEN.finditer(data, start, end):
        code.append(data[at : token.start()])
        last = at + len(code[-1].rstrip()) if code[-1].strip() else last
        last = last if token["comment"] is not None else token.end()
        at = token.end()
    code.append(data[at:end])
    last = at + len(code[-1].rstrip()) if code[-1].strip() else last
    return last, b"".join(code).rstrip()


def _ends(data: bytes, end: int) -> bool:
    """Whether a newline at `end` ends a declaration: after an operator it does not (Go specification, "Semicolons")."""
    last = data[end - 1]
    return (last >= 0x80 or last in _LAST) and data[end - 5 : end].split()[-1:] != [b"chan"]


def _closed(code: bytes) -> bool:
    """Whether all brackets are closed and no line but the last ends outside of them."""
    left, found = code.translate(None, _NO_BRACKETS), 1
    while found:
        left, found = _PAIR.subn(b"", left)
    return not left
