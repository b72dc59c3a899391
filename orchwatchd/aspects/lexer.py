"""Splits Go source, whole or in fragments, into tokens and never fails: for templates and tool files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# A template's action stands in the text as this character while its literal parts are split; it may be part of a name.
HOLE = "\ue000"

_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<string>`[^`]*`|"(?:\\.|[^"\\\n])*")
  | (?P<rune>'(?:\\.|[^'\\\n])+')
  | (?P<name>[^\W\d][\w"""
    + HOLE
    + r"""]*|"""
    + HOLE
    + r"""[\w"""
    + HOLE
    + r"""]*)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<operator><<=|>>=|&\^=|\.\.\.|&&|\|\||<-|\+\+|--|==|!=|<=|>=|:=|\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<|>>|&\^)
  | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token: its kind (`comment`, `string`, `rune`, `name`, `number`, `operator`, `other`), text and offsets."""

    kind: str
    text: str
    start: int
    end: int


def tokens(source: str) -> Iterator[Token]:
    """Every token of `source` in turn, comments included; blanks are left out."""
    for match in _TOKEN.finditer(source):
        yield Token(match.lastgroup or "other", match[0], match.start(), match.end())


def code_tokens(source: str) -> list[Token]:
    """The tokens that gofmt neither adds nor removes: without comments, semicolons and commas."""
    return [t for t in tokens(source) if t.kind != "comment" and t.text not in {";", ","}]


def unquote(literal: str) -> str:
    """The text of a Go string literal, as far as import paths need it."""
    return literal[1:-1]


def imports(source: str) -> list[tuple[str, str]]:
    """The imports of a Go file, as (name, path) in the file's order; the name is empty where none is given."""
    found: list[tuple[str, str]] = []
    stream = iter([t for t in tokens(source) if t.kind != "comment"])
    depth = 0
    for token in stream:
        depth += (token.text in {"(", "{", "["}) - (token.text in {")", "}", "]"})
        if depth or token.text != "import":
            if depth == 0 and token.text in {"func", "type", "var", "const"}:
                break
            continue
        found.extend(_import_declaration(stream))
    return found


def _import_declaration(stream: Iterator[Token]) -> Iterator[tuple[str, str]]:
    name, block = "", False
    for token in stream:
        if token.kind == "string":
            yield name, unquote(token.text)
            name = ""
            if not block:
                return
        elif token.text == "(":
            block = True
        elif token.text == ")":
            return
        elif token.text != ";":
            name = token.text
