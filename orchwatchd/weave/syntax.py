"""Questions about the syntax tree of a Go file that need no more than a node and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node as Tree
    from tree_sitter import Parser
    from tree_sitter import Tree as Syntax

TRANSPARENT: Final = frozenset({"expression_list", "literal_element", "statement_list", "var_spec_list"})
# Statements that hand a directive on to their values; an assignment does so to its right side.
_FORWARDING: Final = frozenset(
    {"return_statement", "expression_statement", "go_statement", "defer_statement", "call_expression"}
)
_ASSIGNING: Final = frozenset({"assignment_statement", "short_var_declaration", "send_statement"})
_GROUPS: Final = frozenset(
    {"var_spec", "const_spec", "type_spec", "var_declaration", "const_declaration", "type_declaration"}
)


@lru_cache(maxsize=256)
def parse(data: bytes) -> Syntax:
    """The syntax tree of a Go text or a piece of one; several questions are asked of the same in turn."""
    return _parser().parse(data)


def parse_declaration(text: bytes) -> Tree:
    """The node of a text that is one declaration: the first one, where it is more or none."""
    # Without the newline the parser takes some for unfinished.
    root = parse(text + b"\n").root_node
    return root.children[0] if root.child_count else root


def is_one(text: bytes) -> bool:
    """Whether a text is one declaration and nothing else."""
    found = parse_declaration(text)
    alone = found.parent is not None and found.parent.child_count == 1
    return alone and not found.has_error and (found.start_byte, found.end_byte) == (0, len(text))


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_go

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_go.language()))


def text_of(tree: Tree | None) -> str:
    return "" if tree is None or tree.text is None else tree.text.decode("utf-8", "replace")


def above(tree: Tree, skipped: frozenset[str]) -> Tree | None:
    parent = tree.parent
    while parent is not None and parent.type in skipped:
        parent = parent.parent
    return parent


def forwarder(tree: Tree) -> Tree | None:
    """The node whose comments count for `tree` as well (the rules of Orchestrion's `directive`)."""
    parent = above(tree, TRANSPARENT)
    if parent is None:
        return None
    if parent.type in _GROUPS:
        return parent if tree.type in _GROUPS else None
    if parent.type == "call_expression":
        called = parent.child_by_field_name("function")
        return parent if called is not None and called.id == tree.id else None
    if parent.type in _ASSIGNING:
        right = parent.child_by_field_name("right") or parent.child_by_field_name("value")
        return parent if right is not None and right.start_byte <= tree.start_byte < right.end_byte else None
    return parent if parent.type in _FORWARDING else None


def declaration_name(tree: Tree) -> str:
    """A top-level declaration as an injection names it; empty for anything else and for groups."""
    if tree.type == "function_declaration":
        return text_of(tree.child_by_field_name("name"))
    if tree.type == "method_declaration":
        receiver = text_of(tree.child_by_field_name("receiver"))
        kind = re.sub(r"\[.*", "", receiver.strip("() ").split(" ")[-1], flags=re.DOTALL)
        base = kind.lstrip("*")
        name = text_of(tree.child_by_field_name("name"))
        return f"(*{base}).{name}" if "*" in receiver else f"{base}.{name}"
    keyword = {"type_spec": "type", "var_spec": "var", "const_spec": "const"}.get(tree.type)
    if keyword is None:
        return ""
    return f"{keyword} {', '.join(text_of(name) for name in tree.children_by_field_name('name'))}"


def descendants(tree: Tree, kind: str) -> Iterator[Tree]:
    for child in tree.children:
        if child.type == kind:
            yield child
        yield from descendants(child, kind)


def redeclares(tree: Tree, name: str) -> bool:
    """Whether anything in the function's body declares `name` anew."""
    body = tree.child_by_field_name("body")
    if body is None:
        return False
    word = rf"\b{re.escape(name)}\b"
    pattern = rf"(?:{word}[^\n;{{]*:=)|(?:\b(?:var|const)\b[^\n]*{word})|func\s*\([^)]*{word}"
    return re.search(pattern, text_of(body)) is not None or "var (" in text_of(body)
