"""What join points can see of a Go file: functions, structs, values, calls and literals, with types as imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from orchwatchd.weave.syntax import (
    TRANSPARENT,
    above,
    declaration_name,
    descendants,
    forwarder,
    redeclares,
    text_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_FUNCTIONS: Final = {
    "function_declaration": "function",
    "method_declaration": "function",
    "func_literal": "literal",
}
_VALUES: Final = frozenset({"var_spec", "const_spec"})
_CALLS: Final = frozenset({"call_expression", "type_conversion_expression"})


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a join point writes it. `path` is empty for built-in types and those of the file's own package, None
    where the qualifier is no import that is known. `other` marks what no join point can name (maps, slices …).
    """

    name: str
    path: str | None = ""
    pointer: bool = False
    other: bool = False


@dataclass(slots=True)
class GoNode:
    """A place that a join point can match: `function`, `literal`, `struct`, `value`, `call`, `composite`, `address`
    (of a composite) or `pair` (a key and value in a composite). Offsets are bytes; lines count from 1.

    `directives` are the comment lines that stand for it, without `//`; `doubtful` those behind an empty line.
    """

    kind: str
    start: int
    end: int
    line: int
    last_line: int
    name: str = ""
    receiver: TypeName | None = None
    parameters: tuple[TypeName, ...] = ()
    results: tuple[TypeName, ...] = ()
    body: tuple[int, int] = (0, 0)
    type: TypeName | None = None
    names: tuple[str, ...] = ()
    callee: TypeName | None = None
    caller: TypeName | None = None
    top_level: bool = False
    declaration: str = ""
    directives: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    parent: GoNode | None = field(default=None, repr=False, compare=False)


def import_name(path: str) -> str:
    """The name that a package most probably has, from its import path."""
    parts = [part for part in path.split("/") if not re.fullmatch(r"v\d+", part)] or [path]
    return re.sub(r"\.v\d+$", "", parts[-1]).removeprefix("go-").replace("-", "_")


@dataclass(slots=True)
class Imports:
    """The imports of a file as name to path; names of `unnamed` paths are guesses."""

    paths: dict[str, str] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)

    def read(self, tree: Tree) -> None:
        """Takes in an import declaration."""
        for spec in descendants(tree, "import_spec"):
            path = text_of(spec.child_by_field_name("path")).strip('"`')
            name = text_of(spec.child_by_field_name("name"))
            if not name:
                self.unnamed.add(path)
            if name not in {"_", "."}:
                self.paths[name or import_name(path)] = path


class Reader:
    """Reads the nodes of one top-level declaration, whose node is `top`: `region` is its text with the comments above
    it, `start` its first byte in the file, `line` its first line, which counts from 1.
    """

    def __init__(self, region: bytes, top: Tree, start: int, line: int, imports: Imports) -> None:
        self._region, self._top, self._imports = region, top, imports.paths
        self._shift, self._down = start - top.start_byte, line - top.start_point[0]
        self._above = len(region) - (top.end_byte - top.start_byte)
        self._first = start == self._above  # nothing but comments stands before it in the file

    @cached_property
    def _lines(self) -> list[str]:
        lines = self._region.decode("utf-8", "replace").split("\n")
        return (
            lines if self._first else ["}", *lines[1:]]
        )  # the rest of the line on which the one before it ends

    @cached_property
    def _rows_above(self) -> int:
        """What makes a row of the tree a row of `_lines`."""
        return self._region.count(b"\n", 0, self._above) - self._top.start_point[0]

    def visit(self) -> tuple[list[GoNode], list[tuple[int, int]]]:
        """The nodes from outside to inside, and where composed expressions stand. No recursion: these nest deeply."""
        nodes: list[GoNode] = []
        expressions: list[tuple[int, int]] = []
        stack: list[tuple[Tree, GoNode | None, str]] = [(self._top, None, "")]
        while stack:
            tree, parent, declaration = stack.pop()
            if tree.type.endswith("_expression") or tree.type in {"composite_literal", "func_literal"}:
                expressions.append((tree.start_byte + self._shift, tree.end_byte + self._shift))
            declaration = declaration or declaration_name(tree)
            node = self._placed(tree, parent, declaration)
            nodes += [node] if node else []
            inner = [child for child in tree.children if child.child_count]
            stack.extend((child, node or parent, declaration) for child in reversed(inner))
        return nodes, expressions

    def path(self, offset: int) -> list[GoNode]:
        """The nodes that hold a byte of the file, from outside to inside."""
        at = offset - self._shift
        inner: Tree | None = self._top
        trees: list[Tree] = []
        while inner is not None:
            trees.append(inner)
            inner = next((one for one in inner.children if one.start_byte <= at < one.end_byte), None)
        nodes: list[GoNode] = []
        declaration = ""
        for tree in trees:
            declaration = declaration or declaration_name(tree)
            node = self._placed(tree, nodes[-1] if nodes else None, declaration)
            nodes += [node] if node else []
        return nodes

    def _placed(self, tree: Tree, parent: GoNode | None, declaration: str) -> GoNode | None:
        node = self._node(tree)
        if node is not None:
            node.parent, node.declaration = parent, declaration
            node.directives, node.doubtful = self._directives(tree)
        return node

    def head(self) -> GoNode:
        """The node of a function, its body unread."""
        node = self._function(self._top, _FUNCTIONS[self._top.type])
        node.declaration = declaration_name(self._top)
        node.directives, node.doubtful = self._directives(self._top)
        return node

    def _plain(self, kind: str, tree: Tree) -> GoNode:
        first, last = tree.start_point[0] + self._down, tree.end_point[0] + self._down
        return GoNode(kind, tree.start_byte + self._shift, tree.end_byte + self._shift, first, last)

    def _node(self, tree: Tree) -> GoNode | None:
        kind = tree.type
        if kind in _FUNCTIONS:
            return self._function(tree, _FUNCTIONS[kind])
        if kind == "type_spec":
            body = tree.child_by_field_name("type")
            if body is None or body.type != "struct_type":
                return None
            node = self._plain("struct", tree)
            node.name = text_of(tree.child_by_field_name("name"))
        elif kind in _VALUES:
            node = self._plain("value", tree)
            node.names = tuple(text_of(name) for name in tree.children_by_field_name("name"))
            typed = tree.child_by_field_name("type")
            node.type = self.type_name(typed) if typed is not None else None
            group = above(tree, TRANSPARENT)
            node.top_level = (
                group is not None and group.parent is not None and group.parent.type == "source_file"
            )
        elif kind in _CALLS:
            node = self._call(tree)
        elif kind == "composite_literal":
            node = self._plain("composite", tree)
            node.type = self.type_name(tree.child_by_field_name("type"))
        elif kind == "unary_expression" and text_of(tree.child_by_field_name("operator")) == "&":
            operand = tree.child_by_field_name("operand")
            if operand is None or operand.type != "composite_literal":
                return None
            node = self._plain("address", tree)
            node.type = self.type_name(operand.child_by_field_name("type"))
        elif kind == "keyed_element":
            node = self._plain("pair", tree)
            node.name = text_of(tree.named_children[0]) if tree.named_children else ""
        else:
            return None
        return node

    def _function(self, tree: Tree, kind: str) -> GoNode:
        node = self._plain(kind, tree)
        node.name = text_of(tree.child_by_field_name("name"))
        receiver = tree.child_by_field_name("receiver")
        if receiver is not None:
            types = self._fields(receiver)
            node.receiver = types[0] if len(types) == 1 else TypeName("", other=True)
        node.parameters = self._fields(tree.child_by_field_name("parameters"))
        node.results = self._fields(tree.child_by_field_name("result"))
        body = tree.child_by_field_name("body")
        if body is not None:
            node.body = (body.start_byte + self._shift, body.end_byte + self._shift)
        return node

    def _fields(self, tree: Tree | None) -> tuple[TypeName, ...]:
        """The types of a parameter list, one a field: `a, b int` is one, as for Orchestrion."""
        if tree is None:
            return ()
        if tree.type != "parameter_list":
            return (self.type_name(tree),)
        found = []
        for child in tree.named_children:
            if child.type == "variadic_parameter_declaration":
                found.append(TypeName("", other=True))
            elif child.type == "parameter_declaration":
                found.append(self.type_name(child.child_by_field_name("type")))
        return tuple(found)

    def _call(self, tree: Tree) -> GoNode:
        node = self._plain("call", tree)
        called = tree.child_by_field_name("function")
        if called is None:
            return node
        if called.type == "identifier":
            node.callee = TypeName(text_of(called))
        elif called.type == "selector_expression":
            operand = called.child_by_field_name("operand")
            name = text_of(called.child_by_field_name("field"))
            simple = operand is not None and operand.type == "identifier"
            path = self._imports.get(text_of(operand)) if simple else None
            local = simple and text_of(operand) not in self._imports
            # A method of a variable: Orchestrion takes `x.Name` for `Name` of the own package, too.
            node.callee = TypeName(name, "" if local else path, other=not simple)
            if local:
                node.caller = self._variable(tree, text_of(operand))
            elif not simple:
                node.caller = TypeName("", None)
        return node

    def _variable(self, tree: Tree, name: str) -> TypeName:
        """The declared type of a parameter or receiver of the enclosing function, where nothing can shadow it."""
        around = tree.parent
        while around is not None and around.type not in _FUNCTIONS:
            around = around.parent
        unknown = TypeName("", None)
        if around is None or around.type == "func_literal" or redeclares(around, name):
            return unknown
        for part in ("receiver", "parameters"):
            listed = around.child_by_field_name(part)
            for child in listed.named_children if listed is not None else ():
                if name in [text_of(one) for one in child.children_by_field_name("name")]:
                    if child.type != "parameter_declaration":
                        return unknown
                    return self.type_name(child.child_by_field_name("type"))
        return unknown

    def type_name(self, tree: Tree | None) -> TypeName:
        """A type expression as a name; type arguments do not count, as for Orchestrion."""
        if tree is None:
            return TypeName("", other=True)
        if tree.type == "pointer_type" and tree.named_children:
            inner = self.type_name(tree.named_children[0])
            return TypeName(inner.name, inner.path, pointer=True, other=inner.other or inner.pointer)
        if tree.type == "generic_type":
            return self.type_name(tree.child_by_field_name("type"))
        if tree.type in {"type_identifier", "identifier"}:
            return TypeName(text_of(tree))
        if tree.type == "qualified_type":
            qualifier = text_of(tree.child_by_field_name("package"))
            return TypeName(text_of(tree.child_by_field_name("name")), self._imports.get(qualifier))
        if tree.type == "interface_type" and not tree.named_children:
            return TypeName("any")
        return TypeName("", other=True)

    def _directives(self, tree: Tree) -> tuple[frozenset[str], frozenset[str]]:
        """Comments before the node, and before the statements and declarations that hand them on to it."""
        sure: set[str] = set()
        doubtful: set[str] = set()
        current: Tree | None = tree
        while current is not None:
            row = current.start_point[0] + self._rows_above
            if not self._lines[row][: current.start_point[1]].strip():
                self._comments_above(row, sure, doubtful)
            current = forwarder(current)
        return frozenset(sure), frozenset(doubtful - sure)

    def _comments_above(self, row: int, sure: set[str], doubtful: set[str]) -> None:
        found = sure
        for at in range(row - 1, -1, -1):
            line = self._lines[at].strip()
            if not line:
                found = doubtful
            elif not line.startswith("//"):
                return
            elif not line.startswith("//line "):
                found.add(line[2:])
