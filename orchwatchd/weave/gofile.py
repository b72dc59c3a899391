"""A Go file as its top-level declarations, each read when it is first asked about: most questions concern one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchwatchd.weave.cuts import Cut, cut
from orchwatchd.weave.nodes import GoNode, Imports, Reader
from orchwatchd.weave.syntax import declaration_name, parse, parse_declaration

if TYPE_CHECKING:
    from tree_sitter import Node as Tree


class TopLevel:
    """One top-level declaration of a file: its `keyword`, its bytes, `lines` the first and the last one, which count
    from 1, `region` its text with the comments above it, and what is read when it is first asked for: its nodes and
    composed expressions from outside to inside, its `name` as in `GoNode.declaration` (empty for groups).
    """

    def __init__(
        self, found: Cut, lines: tuple[int, int], region: bytes, imports: Imports, tree: Tree | None
    ) -> None:
        self.start, self.end, self.lines, self.region = found.start, found.end, lines, region
        self.keyword, self._imports, self._parsed = found.keyword, imports, tree

    @property
    def _text(self) -> bytes:
        return self.region[len(self.region) - (self.end - self.start) :]

    @cached_property
    def _tree(self) -> Tree:
        return self._parsed or parse_declaration(self._text)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.region, self._tree, self.start, self.lines[0], self._imports)

    @cached_property
    def name(self) -> str:
        return declaration_name(self._tree)

    @cached_property
    def _read(self) -> tuple[list[GoNode], list[tuple[int, int]]]:
        return self._reader.visit()

    @property
    def nodes(self) -> list[GoNode]:
        return self._read[0]

    @property
    def expressions(self) -> list[tuple[int, int]]:
        return self._read[1]

    def around(self, offset: int) -> list[GoNode]:
        """The nodes that hold a byte, from outside to inside; no others are read for that."""
        return self._reader.path(offset)

    @cached_property
    def function(self) -> list[GoNode]:
        """The node of the function that it declares, its body unread; empty for anything else."""
        return [self._reader.head()] if self.name else []

    def declares(self, declaration: str) -> bool:
        """Whether nodes in it can bear that name as their declaration."""
        word = _last_word(declaration).encode()
        if word not in self.region or (self.keyword == "func" and word not in self._text.partition(b"\n")[0]):
            return False
        if self.name:
            return self.name == declaration
        if self._tree.type == "ERROR":
            return any(node.declaration == declaration for node in self.nodes)
        inner = [one for child in self._tree.named_children for one in (child, *child.named_children)]
        return any(declaration_name(one) == declaration for one in inner)


@dataclass(slots=True)
class GoFile:
    """One Go file: its package clause, its imports as name to path (names of `unnamed` ones are guesses), and its
    top-level declarations. Reading all nodes of a long file takes long; most questions are about one place in it.
    """

    package: str
    imports: dict[str, str]
    unnamed: set[str] = field(default_factory=set)
    tops: list[TopLevel] = field(default_factory=list)

    @property
    def nodes(self) -> list[GoNode]:
        """All nodes, from outside to inside."""
        return [node for top in self.tops for node in top.nodes]

    def between(self, start: int, end: int) -> list[GoNode]:
        """The nodes of declarations that have any of the bytes from `start` to `end`."""
        return [node for top in self._between(start, end) for node in top.nodes]

    def around(self, offset: int) -> list[GoNode]:
        """The nodes that hold a byte, from outside to inside."""
        return [node for top in self._between(offset, offset + 1) for node in top.around(offset)]

    def expressions(self, start: int, end: int) -> list[tuple[int, int]]:
        """The byte ranges of composed expressions that have any of the bytes from `start` to `end`."""
        found = (one for top in self._between(start, end) for one in top.expressions)
        return [(first, last) for first, last in found if first < end and last > start]

    def _between(self, start: int, end: int) -> list[TopLevel]:
        return [top for top in self.tops if top.start < end and top.end > start]

    def on_lines(self, first: int, last: int) -> list[GoNode]:
        """The nodes of declarations that have any of these lines, which count from 1."""
        near = (top for top in self.tops if top.lines[0] <= last and top.lines[1] >= first)
        return [node for top in near for node in top.nodes]

    def of(self, declaration: str) -> list[GoNode]:
        """The nodes of one declaration, by its name."""
        tops = (top for top in self.tops if top.declares(declaration))
        return [node for top in tops for node in top.nodes if node.declaration == declaration]

    def declares(self, declaration: str) -> bool:
        """Whether there is such a declaration."""
        return any(top.declares(declaration) for top in self.tops)


def read_nodes(data: bytes) -> GoFile:
    """Reads a Go file, woven or not. Never raises: what does not parse has no nodes."""
    imports, package = Imports(), ""
    tops: list[TopLevel] = []
    before = 0
    for found, tree in _declarations(data):
        text = data[found.start : found.end]
        if found.keyword == "package":
            package = text.removeprefix(b"package").strip().decode("utf-8", "replace")
        elif found.keyword == "import":
            imports.read(tree or parse_declaration(text))
        lines = (found.line + 1, found.line + 1 + text.count(b"\n"))
        tops.append(TopLevel(found, lines, data[before : found.end], imports, tree))
        before = found.end
    return GoFile(package, imports.paths, imports.unnamed, tops)


def _declarations(data: bytes) -> Iterator[tuple[Cut, Tree | None]]:
    """The declarations of a file, with their nodes where only the parser could tell where they stand."""
    cuts = cut(data)
    if cuts is not None:
        yield from ((found, None) for found in cuts)
        return
    for child in parse(data).root_node.children:
        if child.type != "comment" and child.child_count:
            keyword = child.type.partition("_")[0]
            yield Cut(keyword, child.start_byte, child.end_byte, child.start_point[0]), child


def _last_word(declaration: str) -> str:
    """What of a declaration's name stands so in the text: `Name` of `(*T).Name`, `b` of `var a, b`."""
    words = declaration.replace(",", " ").split()
    return words[-1].rpartition(".")[2] if words else ""
