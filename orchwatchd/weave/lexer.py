"""Go text to tokens, in the form in which weaving is compared: no comments, no reflow, no optional separators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<newline>\n)
      | (?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<string>`[^`]*`?|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
      | (?P<word>[^\W\d]\w*)
      | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      | (?P<operator><<=|>>=|&\^=|\.\.\.|&&|\|\||<-|\+\+|--|==|!=|<=|>=|:=|[-+*/%&|^]=|<<|>>|&\^|\S)""",
    re.VERBOSE | re.DOTALL,
)
MARK: Final = re.compile(r"//line (?P<file>\S.*?):(?P<line>\d+)(?::\d+)?\s*$")
GENERATED: Final = "<generated>"
OPENING: Final = {"(": ")", "[": "]", "{": "}"}
CLOSING: Final = frozenset(OPENING.values())
# A newline after these ends a statement (Go specification, "Semicolons").
_ENDS: Final = frozenset({")", "]", "}", "++", "--"})
_GOES_ON: Final = re.compile(
    r"case|chan|const|default|defer|else|for|func|goto?|if|import|interface|map|package|range|select|struct|switch"
    r"|type|var"
)


@dataclass(slots=True)
class Token:
    """One token. `key` is what is compared, `line` counts from 0 in the text, `start` and `end` are offsets of
    characters; `generated` says that it stands under a `//line <generated>` mark. A `;` that a newline stands for
    has no width.
    """

    text: str
    key: str
    line: int
    start: int
    end: int
    generated: bool
    word: bool


def lex(text: str, *, generated: bool = False) -> list[Token]:
    """Tokens of a piece of Go, malformed or not; `generated` is the mark in force where the piece begins."""
    tokens: list[Token] = []
    line = 0
    for found in _TOKEN.finditer(text):
        kind, piece, start = found.lastgroup, found.group(), found.start()
        if kind == "newline":
            _end_statement(tokens, line, start, generated=generated)
            line += 1
        elif kind == "comment":
            if "\n" in piece:
                _end_statement(tokens, line, start, generated=generated)
                line += piece.count("\n")
            elif mark := MARK.match(piece):
                generated = mark["file"] == GENERATED
        else:
            _append(
                tokens, Token(piece, _key(kind, piece), line, start, found.end(), generated, kind == "word")
            )
            line += piece.count("\n") if kind == "string" else 0
    while tokens and tokens[-1].key == ";":
        tokens.pop()
    return tokens


def _key(kind: str | None, piece: str) -> str:
    if kind == "number":
        return piece.lower()  # gofmt writes 0XFF as 0xFF
    return piece.replace("\r", "") if kind == "string" else piece


def _append(tokens: list[Token], token: Token) -> None:
    if token.key in CLOSING and tokens and tokens[-1].key in {";", ","}:
        tokens.pop()  # optional before a closing bracket, and gofmt's to add and drop
    if token.key == ";" and tokens and tokens[-1].key == ";":
        return
    tokens.append(token)


def _end_statement(tokens: list[Token], line: int, offset: int, *, generated: bool) -> None:
    if not tokens:
        return
    last = tokens[-1]
    if (
        last.key in _ENDS
        or (last.word and not _GOES_ON.fullmatch(last.key))
        or last.key[0] in "\"'`.0123456789"
    ):
        if last.key in {".", "..."}:
            return
        tokens.append(Token("", ";", line, offset, offset, generated, word=False))


def partners(tokens: Sequence[Token]) -> list[int]:
    """For each token the index of the bracket that it belongs with, or -1."""
    found = [-1] * len(tokens)
    open_brackets: list[int] = []
    for index, token in enumerate(tokens):
        if token.key in OPENING:
            open_brackets.append(index)
        elif token.key in CLOSING and open_brackets and OPENING[tokens[open_brackets[-1]].key] == token.key:
            found[index] = open_brackets.pop()
            found[found[index]] = index
    return found
