"""Errors in injected code: which piece of it, and in which declaration, a message at `<generated>:2` means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchwatchd.models.run import CompilerMessage

GENERATED = "<generated>"
_LINE = re.compile(r"//line (?P<file>.+?):(?P<line>\d+)(?::\d+)?\s*$")
_DECLARATION = re.compile(
    r"^(?:func (?:\((?:\w+ +)?\*?(?P<receiver>\w+)[^)]*\) *)?(?P<function>\w+)|(?P<kind>type|var|const) (?P<name>\w+))"
)
_NAMES = re.compile(r"[A-Za-z_]\w*")
_WORDS = frozenset(
    [
        "undefined",
        "declared",
        "and",
        "not",
        "used",
        "cannot",
        "use",
        "as",
        "in",
        "value",
        "variable",
        "declaration",
        "assignment",
        "argument",
        "to",
        "missing",
        "return",
        "type",
        "of",
        "too",
        "many",
        "arguments",
        "call",
        "have",
        "want",
        "untyped",
        "string",
        "int",
        "constant",
        "imported",
        "is",
        "a",
        "the",
        "not",
        "expression",
        "expected",
        "found",
    ]
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of injected code, `first` the number that `//line` gives to its first line, in the declaration around
    it.
    """

    declaration: str | None
    first: int
    lines: tuple[str, ...]

    @property
    def code(self) -> str:
        """The piece as a person reads it."""
        return "\n".join(self.lines).strip("\n")

    @property
    def indented(self) -> bool:
        """Whether it stands inside something: its first line with text is indented."""
        return next((line[0].isspace() for line in self.lines if line.strip()), False)

    def at(self, line: int) -> str | None:
        """The line with this number, None if the piece does not reach so far."""
        index = line - self.first
        return self.lines[index] if 0 <= index < len(self.lines) else None


def pieces(woven: str) -> Iterator[Piece]:
    """The pieces of injected code of a woven file: what stands under each `//line <generated>:N` (fact 7).

    A piece that is indented ends where the indentation does: the rest is the original's, though no `//line` says so.
    """
    declaration: str | None = None
    piece: Piece | None = None
    for line in woven.splitlines():
        if directive := (_LINE.search(line) if "//line " in line else None):
            if piece is not None and piece.code:
                yield piece
            piece = Piece(declaration, int(directive["line"]), ()) if directive["file"] == GENERATED else None
            continue
        if piece is not None and piece.indented and line.strip() and not line[0].isspace():
            if piece.code:
                yield piece
            piece = None
        if found := _DECLARATION.match(line):
            declaration = _declared(found)
        if piece is not None:
            piece = replace(piece, declaration=piece.declaration or declaration, lines=(*piece.lines, line))
        if line.startswith(("}", ")")) or (found and line.rstrip().endswith("}")):
            declaration = None
    if piece is not None and piece.code:
        yield piece


def explain(
    messages: Sequence[CompilerMessage], lookup: Callable[[str], Iterable[bytes]]
) -> list[CompilerMessage]:
    """The messages, those at `<generated>` with the injected code and its declaration.

    Several pieces may have that line: those whose line holds every name that the message gives count; the n-th of n
    equal messages means the n-th piece. Where that leaves a choice, all their declarations are named, and the code
    is that of the first.
    """
    texts: dict[str, list[Piece]] = {}
    counts = Counter(_key(message) for message in messages)
    seen: Counter[tuple[object, ...]] = Counter()
    explained = []
    for message in messages:
        if message.file != GENERATED or message.package is None or message.code is not None:
            explained.append(message)
            continue
        path = message.package.partition(" [")[0]
        if path not in texts:
            texts[path] = [
                piece for text in lookup(path) for piece in pieces(text.decode("utf-8", "replace"))
            ]
        candidates = _candidates(texts[path], message)
        if counts[_key(message)] == len(candidates):
            candidates = [candidates[seen[_key(message)]]]
        seen[_key(message)] += 1
        explained.append(_with(message, candidates))
    return explained


def _candidates(found: Sequence[Piece], message: CompilerMessage) -> list[Piece]:
    names = [name for name in _NAMES.findall(message.text.partition("\n")[0]) if name not in _WORDS]
    at_line = [piece for piece in found if _NAMES.search(piece.at(message.line) or "")]
    exact = [piece for piece in at_line if all(name in (piece.at(message.line) or "") for name in names)]
    return exact or at_line


def _with(message: CompilerMessage, candidates: Sequence[Piece]) -> CompilerMessage:
    if not candidates:
        return message
    declarations = dict.fromkeys(piece.declaration for piece in candidates if piece.declaration)
    return replace(message, declaration=" or ".join(declarations) or None, code=candidates[0].code)


def _key(message: CompilerMessage) -> tuple[object, ...]:
    return (message.package, message.file, message.line, message.text)


def _declared(found: re.Match[str]) -> str:
    if found["function"]:
        return f"{found['receiver']}.{found['function']}" if found["receiver"] else found["function"]
    return found["name"]


def lookup_in(work_tree: Path) -> Callable[[str], Iterable[bytes]]:
    """Finds a package's woven texts in a work tree, nested ones included (fact 1); for `explain`.

    Every command's folder is `main` there (fact 5): a command's files are known by the folder of their original.
    """

    def lookup(package: str) -> Iterable[bytes]:
        for source in _sources(work_tree):
            plain = source / package
            if plain.is_dir():
                yield from _texts(plain)
            elif (source / "main").is_dir():
                last = package.rpartition("/")[2]
                yield from (text for text in _texts(source / "main") if _folder_of_original(text) == last)

    return lookup


def _sources(work_tree: Path) -> Iterator[Path]:
    yield from sorted(work_tree.glob("b*/orchestrion/src"))
    for nested in sorted(work_tree.glob("__tmp__/go-build*")):
        yield from _sources(nested)


def _texts(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.go"))]


def _folder_of_original(text: bytes) -> str | None:
    for line in text.decode("utf-8", "replace").splitlines():
        directive = _LINE.search(line) if "//line " in line else None
        if directive is not None and directive["file"] != GENERATED:
            return Path(directive["file"]).parent.name
    return None
