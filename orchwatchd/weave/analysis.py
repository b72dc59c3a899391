"""One modified file against its original: injections, where each line comes from, and whether the original fits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from orchwatchd.models.injection import Injection, InjectionKind
from orchwatchd.weave import naming
from orchwatchd.weave.declarations import (
    Declaration,
    Import,
    enclosing_name,
    parse_declarations,
    read_declarations,
    read_imports,
)
from orchwatchd.weave.lexer import GENERATED, lex
from orchwatchd.weave.pairing import Pair, Read, pair_declarations
from orchwatchd.weave.pieces import Aligned, Piece, align_by_marks, align_declaration, find_pieces

_LINKNAME: Final = re.compile(rb"//go:linkname[ \t][^\n]*")


@dataclass(slots=True)
class Analysis:
    """What weaving did to a file. `origins` maps a line of the woven file to the original's (if that was asked for),
    `makers` to ordinals of injections (lines count from 0); `explained` is False when a user's token is missing that
    nothing replaced, or one stands there that no mark vouches for. `added_imports` are the paths of packages that only
    the woven file imports.
    """

    injections: list[Injection] = field(default_factory=list)
    origins: dict[int, int] = field(default_factory=dict)
    makers: dict[int, set[int]] = field(default_factory=dict)
    explained: bool = True
    added_imports: tuple[str, ...] = ()


def analyse(original: bytes | None, woven: bytes, *, synthetic: bool, lines: bool = False) -> Analysis:
    """Compares a woven file with its original. None: a synthetic file is all added, any other is read by its marks.

    `lines` asks for `origins` as well, which costs as much as the rest where a file is long.
    """
    if original == woven:
        return Analysis(origins={line: line for line in range(woven.count(b"\n") + 1)} if lines else {})
    read = read_declarations
    pairs = _pairs(original, declarations := read(woven), read)
    if not all(pair.sound for pair in pairs):
        read = parse_declarations
        pairs = _pairs(original, declarations := read(woven), read)
    work = _Work(pairs, declarations, original, woven, synthetic=synthetic, lines=lines)
    work.imports()
    work.linknames()
    for pair in pairs:
        work.declaration(pair)
    return work.finish()


def _pairs(original: bytes | None, woven: list[Declaration], read: Read) -> list[Pair]:
    return (
        [Pair(None, one) for one in woven] if original is None else pair_declarations(original, woven, read)
    )


class _Work:
    """Collects the injections of one file; they get their ordinals when all are known."""

    def __init__(
        self,
        pairs: list[Pair],
        declarations: list[Declaration],
        original: bytes | None,
        woven: bytes,
        *,
        synthetic: bool,
        lines: bool,
    ) -> None:
        self.pairs, self.declarations, self.original, self.woven = pairs, declarations, original, woven
        self.by_marks = original is None and not synthetic
        self.synthetic = synthetic
        self.lines = lines
        self.result = Analysis()
        self.found: list[tuple[Injection, frozenset[int]]] = []
        self.woven_imports = read_imports(declarations)
        self.original_imports = self._original_imports()
        self.same = naming.merged_names(self.original_imports, self.woven_imports)
        self.paths = naming.paths_by_name(self.woven_imports)
        self.ordinals = naming.ordinals(pairs)
        self.last_line = 0 if original is None else original.count(b"\n") + (original[-1:] != b"\n")
        self.next_line = _next_original_lines(pairs, self.last_line)
        added = {one.path for one in self.woven_imports} - {one.path for one in self.original_imports}
        self.result.added_imports = tuple(sorted(added))

    def _original_imports(self) -> list[Import]:
        equal = [pair.woven for pair in self.pairs if pair.equal and pair.woven]
        return read_imports([*equal, *(pair.original for pair in self.pairs if pair.original)])

    def imports(self) -> None:
        """Imports are a set: an import is added when the original has none of that path."""
        known = {one.path for one in self.original_imports}
        marked = _generated_lines(self.woven) if self.by_marks else None
        lines = self.woven.split(b"\n")
        for one in self.woven_imports:
            if one.path in known or (marked is not None and one.line not in marked):
                continue
            known.add(one.path)
            code = lines[one.line].decode("utf-8", "replace").strip()
            self._add(
                InjectionKind.IMPORT,
                "",
                f'"{one.path}"',
                code,
                lines={one.line},
                original_line=self._import_line(),
            )

    def _import_line(self) -> int:
        first = next((p.original for p in self.pairs if p.original and p.original.keyword == "import"), None)
        return first.line + 1 if first else (0 if self.original is None else 1)

    def linknames(self) -> None:
        """`//go:linkname` lines that the original does not have; they stand before their mark."""
        stands = _linknames(self.woven)
        if not stands:
            return
        before = (text.split() for _, text in _linknames(self.original or b""))
        known = Counter(words[1] for words in before if len(words) > 1)
        marked = self._added_lines() if self.by_marks else None
        for start, found in stands:
            words = found.decode("utf-8", "replace").split()
            if len(words) < 2 or (marked is not None and self._line(start) not in marked):
                continue
            if known[words[1].encode()] > 0:
                known[words[1].encode()] -= 1
                continue
            text, lines = " ".join(words), {self._line(start)}
            self._add(InjectionKind.LINKNAME, words[1], text, text, lines=lines, original_line=self.last_line)

    def _line(self, offset: int) -> int:
        return self.woven.count(b"\n", 0, offset)

    def _added_lines(self) -> set[int]:
        """Lines just before a declaration that begins under a generated mark."""
        starts = {one.line for one in self.declarations if one.generated}
        return {line - back for line in starts for back in (1, 2)}

    def declaration(self, pair: Pair) -> None:
        woven, original = pair.woven, pair.original
        if woven is None:
            self.result.explained &= original is None or original.keyword in {"import", "package"}
        elif woven.keyword in {"import", "package"}:
            if original is not None:
                self.result.origins[woven.line] = original.line
        elif pair.equal:
            if self.lines:
                self._map_equal(woven, pair.original_line)
        elif original is not None:
            self._aligned(pair, align_declaration(original, woven, self.same))
        elif self.by_marks and not woven.generated:
            self._aligned(pair, align_by_marks(woven))
        else:
            self._whole(pair, woven)

    def _map_equal(self, woven: Declaration, line: int) -> None:
        for number, text in enumerate(woven.data.split(b"\n")):
            if not text.lstrip().startswith(b"//line "):
                self.result.origins[woven.line + number] = line
                line += 1

    def _whole(self, pair: Pair, woven: Declaration) -> None:
        tokens = lex(woven.text, generated=woven.generated)
        if not tokens:
            return
        self.result.explained &= woven.generated or self.synthetic
        lines = {woven.line + token.line for token in tokens}
        text = naming.canonical(tokens, [(0, len(tokens))], self.paths)
        code = naming.code(woven.text)
        name = self._name(pair, woven.key)
        self._add(
            InjectionKind.DECLARATION, name, text, code, lines=lines, original_line=self.next_line[id(pair)]
        )

    def _aligned(self, pair: Pair, aligned: Aligned) -> None:
        woven, tokens = aligned.declaration, aligned.tokens
        pieces = find_pieces(aligned)
        roles = naming.roles(woven) if pieces else {}
        for token, origin in zip(tokens, aligned.origins, strict=True):
            if origin >= 0 and pair.original is not None and token.text:
                line = pair.original.line + aligned.originals[origin].line
                self.result.origins.setdefault(woven.line + token.line, line)
        for piece in pieces:
            self._piece(pair, aligned, piece, roles)
        if pair.original is not None:
            self._judge(aligned, pieces)

    def _piece(self, pair: Pair, aligned: Aligned, piece: Piece, roles: dict[str, str]) -> None:
        woven, tokens = aligned.declaration, aligned.tokens
        start = len(woven.text[: tokens[piece.first].start].encode("utf-8", "surrogateescape"))
        name = self._name(pair, enclosing_name(woven, start))
        signature = piece.kind is InjectionKind.SIGNATURE
        text = naming.canonical(tokens, piece.ranges, self.paths, brackets=not signature)
        shape = naming.canonical(tokens, piece.ranges, self.paths, brackets=not signature, roles=roles)
        lines = {woven.line + tokens[i].line for begin, end in piece.ranges for i in range(begin, end)}
        code = naming.code(woven.text[tokens[piece.first].start : tokens[piece.last].end])
        original_line = self._original_line(pair, aligned, piece)
        self._add(piece.kind, name, text, code, lines=lines, original_line=original_line, shape=shape)

    def _original_line(self, pair: Pair, aligned: Aligned, piece: Piece) -> int:
        if pair.original is None or not aligned.originals:
            return 0
        after = next((one for one in aligned.origins[piece.first :] if one >= 0), len(aligned.originals) - 1)
        return pair.original.line + aligned.originals[after].line + 1

    def _judge(self, aligned: Aligned, pieces: list[Piece]) -> None:
        """Every word that was added must stand under a mark, be a name of Orchestrion's or one of the user's that
        stood elsewhere; what of the user's is missing must have been replaced by an expression.
        """
        dropped = list(aligned.dropped())
        known = {token.key for tokens, _ in dropped for token in tokens}
        owner = {i: piece for piece in pieces for begin, end in piece.ranges for i in range(begin, end)}
        vouched = all(
            token.generated or token.key == "_" or token.key.startswith("__") or token.key in known
            for index, token in enumerate(aligned.tokens)
            if index in owner and (token.word or token.key[0] in "\"`'0123456789")
        )
        for tokens, (begin, end) in dropped:
            kinds = {owner[index].kind for index in range(begin, end) if index in owner}
            named = InjectionKind.SIGNATURE in kinds and all(token.key == "_" for token in tokens)
            vouched = vouched and (named or InjectionKind.EXPRESSION in kinds)
        self.result.explained &= vouched or self._built_in(aligned)

    def _built_in(self, aligned: Aligned) -> bool:
        """Orchestrion sets variables marked `//orchestrion:enabled` to true, and leaves no mark on that."""
        keyword = aligned.declaration.keyword
        return keyword in {"var", "const"} and b"//orchestrion:" in (self.original or b"")

    def _name(self, pair: Pair, name: str) -> str:
        ordinal = self.ordinals.get(id(pair), 1)
        return f"{name}#{ordinal}" if ordinal > 1 else name

    def _add(
        self,
        kind: InjectionKind,
        declaration: str,
        text: str,
        code: str,
        *,
        lines: set[int],
        original_line: int,
        shape: str = "",
    ) -> None:
        injection = Injection(
            kind=kind,
            declaration=declaration,
            text=text,
            code=code,
            line=min(lines) + 1,
            last_line=max(lines) + 1,
            original_line=original_line,
            ordinal=0,
            shape="" if shape == text else shape,
            by_marks=self.by_marks,
        )
        self.found.append((injection, frozenset(lines)))

    def finish(self) -> Analysis:
        self.found.sort(key=lambda one: one[0].line)
        for ordinal, (injection, lines) in enumerate(self.found):
            self.result.injections.append(replace(injection, ordinal=ordinal))
            for line in lines:
                self.result.makers.setdefault(line, set()).add(ordinal)
        return self.result


def _generated_lines(woven: bytes) -> set[int]:
    marked = False
    found: set[int] = set()
    for number, line in enumerate(woven.decode("utf-8", "replace").split("\n")):
        if line.lstrip().startswith("//line "):
            marked = line.lstrip().startswith(f"//line {GENERATED}:")
        elif marked:
            found.add(number)
    return found


def _linknames(data: bytes) -> list[tuple[int, bytes]]:
    """The `//go:linkname` comments that begin a line, with their offsets."""
    found = _LINKNAME.finditer(data)
    return [
        (one.start(), one[0]) for one in found if data[max(0, one.start() - 1) : one.start()] in {b"", b"\n"}
    ]


def _next_original_lines(pairs: list[Pair], last: int) -> dict[int, int]:
    """For each pair the line of the original where the next declaration of the user's begins, else its last line."""
    following = last
    found: dict[int, int] = {}
    for pair in reversed(pairs):
        if pair.equal:
            following = pair.original_line + 1
        elif pair.original is not None and pair.woven is not None:
            following = pair.original.line + 1
        found[id(pair)] = following
    return found
