"""The top-level declarations of a Go file, with names as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from orchwatchd.weave.cuts import cut
from orchwatchd.weave.lexer import GENERATED, lex
from orchwatchd.weave.syntax import is_one, parse, parse_declaration

if TYPE_CHECKING:
    from tree_sitter import Node

_LINE_MARK: Final = re.compile(rb"^[ \t]*//line [^\n]*\n", re.MULTILINE)
_ANY_MARK: Final = re.compile(rb"//line ([^\n]*?):\d+(?::\d+)?[ \t]*$", re.MULTILINE)
_FUNCTION: Final = re.compile(r"func (?:\((?:\w+ )?(\*?)(\w+)(?:\[[\w, ]*\])?\) )?(\w+)[(\[]")
_SINGLE: Final = re.compile(r"((?:type|var|const) \w+)[ \[]")
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


@dataclass
class Declaration:
    """One top-level declaration. `keyword` is the Go keyword, or `error` for text that does not parse; `line` counts
    from 0 in the file; `generated` says that it begins under a `//line <generated>` mark. `parsed` is its node in the
    tree of the text that it was read from; None where no parser read it yet, which is done when it is first asked for.
    """

    keyword: str
    start: int
    end: int
    line: int
    data: bytes
    generated: bool
    parsed: Node | None = field(default=None, repr=False, compare=False)

    @cached_property
    def node(self) -> Node:
        """Its syntax, in a tree in which it begins at the byte `node_start`."""
        return self.parsed or parse_declaration(self.data)

    @property
    def node_start(self) -> int:
        return self.start if self.parsed else 0

    @property
    def sound(self) -> bool:
        """Whether the parser agrees that it is one whole declaration."""
        return self.parsed is not None or is_one(self.data)

    @cached_property
    def key(self) -> str:
        """What names it within its file but for several `init` or `_`."""
        if self.keyword in {"package", "import"}:
            return self.keyword
        return _head_name(self.data) or _name(self.node)

    @cached_property
    def plain(self) -> bytes:
        """Its text without lines of marks."""
        return _LINE_MARK.sub(b"", self.data) if b"//line " in self.data else self.data

    @cached_property
    def text(self) -> str:
        return self.data.decode("utf-8", "surrogateescape")


def read_declarations(data: bytes, first_line: int = 0) -> list[Declaration]:
    """Top-level declarations of a file, or of the part of one that begins at that line, in their order: unparsed where
    the layout tells where they stand.
    """
    cuts = cut(data)
    if cuts is None:
        return parse_declarations(data, first_line)
    marks = _Marks(data)
    return [
        Declaration(
            one.keyword,
            one.start,
            one.end,
            first_line + one.line,
            data[one.start : one.end],
            marks.generated(one.start),
        )
        for one in cuts
    ]


def parse_declarations(data: bytes, first_line: int = 0) -> list[Declaration]:
    """The same, read by the parser. Never raises: what does not parse is an `error`."""
    marks = _Marks(data)
    return [
        Declaration(
            _KEYWORD.get(node.type, "error"),
            node.start_byte,
            node.end_byte,
            first_line + node.start_point[0],
            data[node.start_byte : node.end_byte],
            marks.generated(node.start_byte),
            node,
        )
        for node in parse(data).root_node.children
        if node.type != "comment" and data[node.start_byte : node.end_byte].strip(b" \t\r\n;")
    ]


class _Marks:
    """The `//line` marks of a text, asked about one place after the other."""

    def __init__(self, data: bytes) -> None:
        self._marks = [(found.start(), found[1] == GENERATED.encode()) for found in _ANY_MARK.finditer(data)]
        self._at, self._generated = 0, False

    def generated(self, start: int) -> bool:
        """Whether the mark in force at a byte, which is no smaller than the last one, is `<generated>`."""
        while self._at < len(self._marks) and self._marks[self._at][0] < start:
            self._generated = self._marks[self._at][1]
            self._at += 1
        return self._generated


def enclosing_name(declaration: Declaration, offset: int) -> str:
    """The name of what encloses the byte `offset` of `declaration`: in a group, that of its specification."""
    specs = [
        n for n in _specs(declaration.node) if n.start_byte <= declaration.node_start + offset < n.end_byte
    ]
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


def _head_name(data: bytes) -> str | None:
    """The name of a declaration as `_name` gives it, where its first words are those of most."""
    head = data[: data.find(b"\n")] if b"\n" in data else data
    text = head.decode("utf-8", "replace")
    if single := _SINGLE.match(text):
        return single[1]
    function = _FUNCTION.match(text)
    if function is None:
        return None
    pointer, receiver, name = function.groups()
    if receiver is None:
        return name
    return f"(*{receiver}).{name}" if pointer else f"{receiver}.{name}"


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
