"""A Go file as its top-level declarations, each read when it is first asked about: most questions concern one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchwatchd.weave.nodes import GoNode, Reader
from orchwatchd.weave.syntax import declaration_name, parse, text_of

if TYPE_CHECKING:
    from tree_sitter import Node as Tree


class TopLevel:
    """One top-level declaration of a file: its bytes, `region` its text with the comments above it, and what is read
    when it is first asked for: its nodes and composed expressions from outside to inside, its `name` as in
    `GoNode.declaration` (empty for groups).
    """

    def __init__(self, tree: Tree, start: int, end: int, region: bytes, reader: Reader) -> None:
        self._tree, self._reader = tree, reader
        self.start, self.end = start, end
        self.region = region

    @cached_property
    def lines(self) -> tuple[int, int]:
        """The first and the last line, which count from 1."""
        return self._tree.start_point[0] + 1, self._tree.end_point[0] + 1

    @cached_property
    def name(self) -> str:
        return declaration_name(self._tree)

    @cached_property
    def _read(self) -> tuple[list[GoNode], list[tuple[int, int]]]:
        return self._reader.visit(self._tree)

    @property
    def nodes(self) -> list[GoNode]:
        return self._read[0]

    @property
    def expressions(self) -> list[tuple[int, int]]:
        return self._read[1]

    @cached_property
    def function(self) -> list[GoNode]:
        """The node of the function that it declares, its body unread; empty for anything else."""
        return [self._reader.head(self._tree)] if self.name else []

    def declares(self, declaration: str) -> bool:
        """Whether nodes in it can bear that name as their declaration."""
        if _last_word(declaration).encode() not in self.region:
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
    root = parse(data).root_node
    reader, package = Reader(data), ""
    tops: list[TopLevel] = []
    for child in root.children:
        if child.type == "package_clause":
            package = text_of(child.named_children[0]) if child.named_children else ""
        elif child.type == "import_declaration":
            reader.read_imports(child)
    before = 0
    for child in root.children:
        if child.type != "comment" and child.child_count:
            start, end = child.start_byte, child.end_byte
            tops.append(TopLevel(child, start, end, data[before:end], reader))
            before = end
    return GoFile(package, reader.imports, reader.unnamed, tops)


def _last_word(declaration: str) -> str:
    """What of a declaration's name stands so in the text: `Name` of `(*T).Name`, `b` of `var a, b`."""
    words = declaration.replace(",", " ").split()
    return words[-1].rpartition(".")[2] if words else ""
