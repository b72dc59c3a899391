"""The pieces that were added to one declaration: its added tokens, put together and told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchwatchd.models.injection import InjectionKind
from orchwatchd.weave.alignment import align, runs
from orchwatchd.weave.declarations import Declaration
from orchwatchd.weave.lexer import CLOSING, OPENING, Token, lex, partners

if TYPE_CHECKING:
    from tree_sitter import Node

Range = tuple[int, int]
NAMED: Final = re.compile(r"_|__(?:result|argument|receiver)__\d*")
_STATEMENT_PARENTS: Final = frozenset(
    {"statement_list", "block", "expression_case", "type_case", "default_case", "communication_case"}
)
_PLAIN: Final = frozenset(
    {"expression_statement", "assignment_statement", "short_var_declaration", "return_statement"}
)


@dataclass(slots=True)
class Aligned:
    """A woven declaration's tokens and, for each, the index of the user's token in `originals` that it is, or -1."""

    declaration: Declaration
    tokens: list[Token]
    origins: list[int]
    originals: list[Token]

    def dropped(self) -> Iterator[tuple[list[Token], Range]]:
        """The user's tokens that are not there any more, each time with the range of added tokens in their place."""
        before, start = -1, 0
        for index, origin in enumerate([*self.origins, len(self.originals)]):
            if origin >= 0:
                if origin - before > 1:
                    yield self.originals[before + 1 : origin], (start, index)
                before, start = origin, index + 1


@dataclass(slots=True)
class Piece:
    """One injection as ranges of added tokens; between them stand tokens of the user's."""

    kind: InjectionKind
    ranges: list[Range]

    @property
    def first(self) -> int:
        return self.ranges[0][0]

    @property
    def last(self) -> int:
        return self.ranges[-1][1] - 1


def align_declaration(original: Declaration, woven: Declaration, same: dict[str, str]) -> Aligned:
    """Aligns the tokens of a declaration with its original's. `same` maps names of one import to one name."""
    tokens, originals = lex(woven.text, generated=woven.generated), lex(original.text)
    origins = align(originals, tokens, same)
    aligned = Aligned(woven, tokens, origins, originals)
    _widen_replaced(aligned)
    return aligned


def align_by_marks(woven: Declaration) -> Aligned:
    """As far as marks tell: tokens under `//line <generated>` are added, but for closing brackets of the user's."""
    tokens = lex(woven.text, generated=woven.generated)
    pairs = partners(tokens)
    added = [
        t.generated and not (t.key in CLOSING and not tokens[pairs[i]].generated)
        for i, t in enumerate(tokens)
    ]
    return Aligned(woven, tokens, [-1 if is_added else 0 for is_added in added], [])


def find_pieces(aligned: Aligned) -> list[Piece]:
    """The injections of one declaration, in the order in which they begin."""
    tokens, pairs = aligned.tokens, partners(aligned.tokens)
    body = _body(aligned.declaration, tokens, pairs)
    spans = [(start, end) for start, end in runs(aligned.origins) if _trim(tokens, start, end) != (end, end)]
    found: list[Piece] = []
    for joined in _joined(spans, tokens, pairs, body):
        ranges = _trimmed(joined, tokens)
        kind = _kind(aligned, ranges, body)
        found += [Piece(kind, part) for part in _parted(kind, ranges, tokens, pairs)]
    return sorted(found, key=lambda piece: piece.first)


def _widen_replaced(aligned: Aligned) -> None:
    """Where the user's tokens were replaced, the whole selector counts as replaced (`http.Get` by `traced.Get`)."""
    origins, tokens = aligned.origins, aligned.tokens
    for first, last in runs(origins):
        start, end = first, last
        before = origins[start - 1] if start else -1
        after = origins[end] if end < len(origins) else len(aligned.originals)
        if after - before <= 1:
            continue
        while end + 1 < len(tokens) and tokens[end].key == "." and tokens[end + 1].word:
            origins[end] = origins[end + 1] = -1
            end += 2
        while start > 1 and tokens[start - 1].key == "." and tokens[start - 2].word:
            origins[start - 1] = origins[start - 2] = -1
            start -= 2


def _body(declaration: Declaration, tokens: list[Token], pairs: list[int]) -> int:
    """Index of the bracket that opens a function's body; the number of tokens when it has none."""
    if declaration.keyword == "func" and tokens and tokens[-1].key == "}" and pairs[-1] >= 0:
        return pairs[-1]
    return len(tokens) if declaration.keyword == "func" else -1


def _trim(tokens: list[Token], start: int, end: int) -> Range:
    """A range without separators at its edges: which side has them is the user's doing."""
    while start < end and tokens[start].key in {";", ","}:
        start += 1
    while start < end and tokens[end - 1].key in {";", ","}:
        end -= 1
    return start, end


def _trimmed(ranges: list[Range], tokens: list[Token]) -> list[Range]:
    """Without separators at the outer edges; those within belong to the injection."""
    first, last = _trim(tokens, *ranges[0])[0], _trim(tokens, *ranges[-1])[1]
    if len(ranges) == 1:
        return [(first, last)]
    return [(first, ranges[0][1]), *ranges[1:-1], (ranges[-1][0], last)]


def _joined(spans: list[Range], tokens: list[Token], pairs: list[int], body: int) -> list[list[Range]]:
    """Ranges that belong together: they share a pair of brackets, change one signature, or call and arguments."""
    owner = {index: number for number, (start, end) in enumerate(spans) for index in range(start, end)}
    group = list(range(len(spans)))

    def join(one: int, other: int) -> None:
        old, new = max(group[one], group[other]), min(group[one], group[other])
        group[:] = [new if number == old else number for number in group]

    signature = [number for number, (start, _) in enumerate(spans) if start < body]
    for number in signature[1:]:
        join(signature[0], number)
    enclosing = _enclosing(pairs)
    for number, (start, end) in enumerate(spans):
        for index in range(start, end):
            if pairs[index] in owner:
                join(number, owner[pairs[index]])
        called = end if end < len(tokens) and tokens[end].key == "(" and tokens[end - 1].word else -1
        for other in range(number + 1, len(spans)) if called >= 0 else ():
            if enclosing[spans[other][0]] == called:
                join(number, other)  # a replaced function, and arguments that go with it
    wanted = dict.fromkeys(group)
    return [[span for span, one in zip(spans, group, strict=True) if one == number] for number in wanted]


def _enclosing(pairs: list[int]) -> list[int]:
    """For each token the bracket that it stands in, or -1."""
    found: list[int] = []
    inside: list[int] = []
    for index, partner in enumerate(pairs):
        if inside and 0 <= partner == inside[-1]:
            inside.pop()
        found.append(inside[-1] if inside else -1)
        if partner > index:
            inside.append(index)
    return found


def _kind(aligned: Aligned, ranges: list[Range], body: int) -> InjectionKind:
    tokens = aligned.tokens
    added = [token.key for start, end in ranges for token in tokens[start:end]]
    named = [key for key in added if NAMED.fullmatch(key)]
    if ranges[0][0] < body or (named and all(key in {*named, "(", ")", ",", ";"} for key in added)):
        return InjectionKind.SIGNATURE
    node = _node(aligned, ranges[0][0], ranges[-1][1])
    around = _climb(node)
    names = {one.type for one in around[:3]}
    if names & {"field_declaration_list", "field_declaration", "method_elem", "interface_type"}:
        return InjectionKind.FIELD
    whole = around[0].type in _STATEMENT_PARENTS or (len(around) > 1 and around[1].type in _STATEMENT_PARENTS)
    if (
        whole
        and (len(ranges) == 1 or around[0].type not in _PLAIN)
        and _begins_statement(tokens, ranges[0][0])
    ):
        return InjectionKind.STATEMENTS
    return InjectionKind.EXPRESSION


def _begins_statement(tokens: list[Token], index: int) -> bool:
    return index == 0 or tokens[index - 1].key in {";", "{", "}", ":"}


def _node(aligned: Aligned, first: int, end: int) -> Node:
    """The smallest syntax node that holds the tokens."""
    text, declaration = aligned.declaration.text, aligned.declaration
    start = len(text[: aligned.tokens[first].start].encode("utf-8", "surrogateescape"))
    stop = len(text[: aligned.tokens[end - 1].end].encode("utf-8", "surrogateescape"))
    base = declaration.node_start
    found = declaration.node.descendant_for_byte_range(base + start, base + stop)
    return declaration.node if found is None else found


def _climb(node: Node) -> list[Node]:
    """The outermost node of the same extent, and what encloses it."""
    while node.parent is not None and (node.parent.start_byte, node.parent.end_byte) == (
        node.start_byte,
        node.end_byte,
    ):
        if node.parent.type in _STATEMENT_PARENTS:
            break
        node = node.parent
    found = [node]
    while found[-1].parent is not None and len(found) < 4:
        found.append(found[-1].parent)
    return found


def _parted(
    kind: InjectionKind, ranges: list[Range], tokens: list[Token], pairs: list[int]
) -> list[list[Range]]:
    """Two aspects at one spot leave two blocks, fields or arguments side by side: each is an injection."""
    if len(ranges) > 1 or kind is InjectionKind.SIGNATURE:
        return [ranges]
    start, end = ranges[0]
    separators = {";"} if kind is not InjectionKind.EXPRESSION else {","}
    parts: list[Range] = []
    begin = index = start
    while index < end:
        closing = pairs[index]
        if tokens[index].key in OPENING and index < closing < end:
            index = closing
        elif tokens[index].key in OPENING or tokens[index].key in CLOSING:
            return [ranges]
        elif tokens[index].key in separators:
            parts.append(_trim(tokens, begin, index))
            begin = index + 1
        index += 1
    parts = [part for part in [*parts, _trim(tokens, begin, end)] if part[0] < part[1]]
    if kind is InjectionKind.STATEMENTS and any(tokens[part[0]].key != "{" for part in parts):
        return [ranges]
    return [[part] for part in parts]
