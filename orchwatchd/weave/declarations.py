"""The top-level declarations of a Go file, with names as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchwatchd.weave.lexer import GENERATED, lex
from orchwatchd.weave.syntax import parse, parse_piece

if TYPE_CHECKING:
    from tree_sitter import Node

_LINE_MARK: Final = re.compile(rb"^[ \t]*//line [^\n]*\n", re.MULTILINE)
_ANY_MARK: Final = re.compile(rb"//line ([^\n]*?):\d+(?::\d+)?[ \t]*$", re.MULTILINE)
_KEYWORD: Final = {
    "function_declaration": "func",
    "method_declaration": "func",
    "type_declaration": "type",
    "var_declaration": "var",
    "const_declaration": "const",
    "import_declaration": "import",
    "package_clause": "package",
}
_SPECS: Final = frozenset({"var_spec", "const_spec", "type_spec", "type_alias"})


@dataclass(slots=True)
class Declaration:
    """One top-level declaration. `keyword` is the Go keyword, or `error` for text that does not parse; `key` names
    it within its file but for several `init` or `_`; `line` counts from 0 in the file; `plain` is the text without
    lines of marks; `generated` says that it begins under a `//line <generated>` mark.
    """

    keyword: str
    key: str
    start: int
    end: int
    line: int
    data: bytes
    generated: bool
    node: Node = field(repr=False, compare=False)

    @property
    def plain(self) -> bytes:
        return _LINE_MARK.sub(b"", self.data)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "surrogateescape")


def read_declarations(data: bytes, *, first_line: int | None = None) -> list[Declaration]:
    """Top-level declarations of `data` in their order. Never raises: what does not parse is an `error`. With
    `first_line` it is a piece of a file, which begins at that line.
    """
    marks = [(found.start(), found[1] == GENERATED.encode()) for found in _ANY_MARK.finditer(data)]
    found: list[Declaration] = []
    generated = False
    at = 0
    tree = parse(data) if first_line is None else parse_piece(data)
    for node in tree.root_node.children:
        start, end = node.start_byte, node.end_byte
        if node.type == "comment" or not data[start:end].strip(b" \t\r\n;"):
            continue
        while at < len(marks) and marks[at][0] < start:
            generated = marks[at][1]
            at += 1
        keyword = _KEYWORD.get(node.type, "error")
        line = (first_line or 0) + node.start_point[0]
        found.append(Declaration(keyword, _name(node), start, end, line, data[start:end], generated, node))
    return found


def enclosing_name(declaration: Declaration, offset: int) -> str:
    """The name of what encloses the byte `offset` of `declaration`: in a group, that of its specification."""
    specs = [n for n in _specs(declaration.node) if n.start_byte <= declaration.start + offset < n.end_byte]
    if not specs:
        return declaration.key
    return f"{declaration.keyword} {_spec_name(specs[0])}"


@dataclass(frozen=True, slots=True)
class Import:
    """One import specification: `alias` is None where there is none; `line` counts from 0 in the file."""

    alias: str | None
    path: str
    line: int

    @property
    def names(self) -> frozenset[str]:
        """Names under which the package can be meant: its alias, or guesses at its name from its path."""
        if self.alias:
            return frozenset({self.alias})
        parts = [part for part in self.path.split("/") if not re.fullmatch(r"v\d+", part)] or [self.path]
        last = re.sub(r"\.v\d+$", "", parts[-1])
        return frozenset({last, last.removeprefix("go-"), last.removesuffix("-go"), last.replace("-", "_")})


def read_imports(declarations: list[Declaration]) -> list[Import]:
    """The import specifications of all import declarations."""
    found = []
    for declaration in declarations:
        if declaration.keyword != "import":
            continue
        alias: str | None = None
        for token in lex(declaration.text)[1:]:
            if token.key[0] in '"`':
                found.append(Import(alias, token.key.strip('"`'), declaration.line + token.line))
                alias = None
            elif token.word or token.key == ".":
                alias = token.key
    return found


def signature_names(declaration: Declaration) -> dict[str, str]:
    """Names that a function's signature declares, to the part that they play there (`argument 0`, `result 1`)."""
    roles: dict[str, str] = {}
    for part, field_name in (("receiver", "receiver"), ("argument", "parameters"), ("result", "result")):
        listed = declaration.node.child_by_field_name(field_name)
        if listed is None or listed.type != "parameter_list":
            continue
        index = 0
        for parameter in listed.named_children:
            names = parameter.children_by_field_name("name")
            for name in names:
                roles.setdefault((name.text or b"").decode("utf-8", "replace"), f"{part} {index}")
                index += 1
            index += not names and parameter.type != "comment"
    roles.pop("_", None)
    return roles


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def _name(node: Node) -> str:
    if node.type == "method_declaration":
        return f"{_receiver(node)}.{_text(node.child_by_field_name('name'))}"
    if node.type == "function_declaration":
        return _text(node.child_by_field_name("name"))
    keyword = _KEYWORD.get(node.type, "error")
    if keyword in {"var", "const", "type"}:
        return f"{keyword} {', '.join(_spec_name(spec) for spec in _specs(node))}"
    return keyword


def _receiver(node: Node) -> str:
    listed = node.child_by_field_name("receiver")
    kind = (
        next(
            (
                p.child_by_field_name("type")
                for p in listed.named_children
                if p.type == "parameter_declaration"
            ),
            None,
        )
        if listed
        else None
    )
    pointer = kind is not None and kind.type == "pointer_type"
    bare = re.sub(r"\[.*", "", _text(kind), flags=re.DOTALL).lstrip("*( ").rstrip(" )")
    return f"(*{bare})" if pointer else bare


def _specs(node: Node) -> list[Node]:
    found: list[Node] = []
    for child in node.named_children:
        if child.type in _SPECS:
            found.append(child)
        elif child.type.endswith("_spec_list"):
            found += [spec for spec in child.named_children if spec.type in _SPECS]
    return found


def _spec_name(spec: Node) -> str:
    return ", ".join(_text(name) for name in spec.children_by_field_name("name"))
