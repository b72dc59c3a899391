"""Which tokens of a woven declaration are the user's: alignment of two token sequences of which one holds the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from orchwatchd.weave.lexer import Token, partners

_SPARE: Final = 8  # diagonals beside the straight way, for replaced tokens
_MOST_CELLS: Final = 200_000
_OPEN, _DELETE_OPEN, _DELETE, _UNMARKED, _MARKED_MATCH = 30, 20, 30, 6, 25
_FAR: Final = 1 << 30
_PUNCTUATION: Final = frozenset("()[]{},;.")


def align(originals: Sequence[Token], tokens: Sequence[Token], same: Mapping[str, str]) -> list[int]:
    """For each woven token the index of its original, or -1 where it was added. `same` maps names of one import to one.

    All ways to find the original within the woven text cost the same number of tokens, so what is minimised is the
    number of added runs; marks and the starts of statements decide between equals (marks are only a hint: they
    run on over brackets of the user's). A closing bracket is whose its opening one is.
    """
    keys, woven = _keys(originals, same), _keys(tokens, same)
    ours, theirs = partners(originals), partners(tokens)
    left = [index for index, partner in enumerate(ours) if not 0 <= partner < index]
    right = [index for index, partner in enumerate(theirs) if not 0 <= partner < index]
    reduced = _align([keys[i] for i in left], [woven[i] for i in right], _Woven(tokens, theirs, right))
    found = [-1] * len(tokens)
    for index, origin in zip(right, reduced, strict=True):
        if origin >= 0:
            found[index] = left[origin]
            if theirs[index] >= 0 <= ours[left[origin]]:
                found[theirs[index]] = ours[left[origin]]
    if _ascends(found):
        return found
    return _align(keys, woven, _Woven(tokens, theirs, range(len(tokens))))


@dataclass(slots=True)
class _Woven:
    """The woven tokens with their partners, and the indices of those that are aligned."""

    all: Sequence[Token]
    partners: Sequence[int]
    chosen: Sequence[int]
    tokens: list[Token] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = [self.all[index] for index in self.chosen]

    def whole(self, start: int, end: int) -> bool:
        """Whether the run of chosen tokens holds both brackets of each pair, with none of the user's tokens within."""
        first = self.chosen[start]
        last = self.chosen[end] if end < len(self.chosen) else len(self.all)
        return all(
            first <= self.partners[index] < last
            for index in self.chosen[start:end]
            if self.partners[index] >= 0
        )


def _keys(tokens: Sequence[Token], same: Mapping[str, str]) -> list[str]:
    if not same:
        return [token.key for token in tokens]
    before = ["", *(token.key for token in tokens[:-1])]
    after = [*(token.key for token in tokens[1:]), ""]
    return [
        same[token.key] if token.key in same and following == "." and previous != "." else token.key
        for token, previous, following in zip(tokens, before, after, strict=True)
    ]


def _ascends(found: Sequence[int]) -> bool:
    origins = [origin for origin in found if origin >= 0]
    return all(a < b for a, b in pairwise(origins))


def _align(original: Sequence[str], woven: Sequence[str], context: _Woven) -> list[int]:
    tokens = context.tokens
    first = 0
    while first < min(len(original), len(woven)) and original[first] == woven[first]:
        first += 1
    last = 0
    most = min(len(original), len(woven)) - first
    while last < most and original[-1 - last] == woven[-1 - last]:
        last += 1
    o_end, w_end = len(original) - last, len(woven) - last
    before = tokens[first - 1] if first else None
    middle = _middle(original[first:o_end], woven[first:w_end], tokens[first:w_end], before)
    found = [
        *range(first),
        *(index + first if index >= 0 else -1 for index in middle),
        *range(o_end, len(original)),
    ]
    for start, end in runs(found):
        _slide(found, woven, context, start, end)
    return found


def runs(found: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches of added tokens, as half-open ranges."""
    result = []
    start = -1
    for index, origin in enumerate([*found, 0]):
        if origin < 0 and start < 0:
            start = index
        elif origin >= 0 and start >= 0:
            result.append((start, index))
            start = -1
    return result


def _middle(o: Sequence[str], w: Sequence[str], tokens: Sequence[Token], before: Token | None) -> list[int]:
    if not o or not w:
        return [-1] * len(w)
    low, high = min(0, len(w) - len(o)) - _SPARE, max(0, len(w) - len(o)) + _SPARE
    if (high - low) * len(o) > _MOST_CELLS:
        found = [-1] * len(w)
        for block in SequenceMatcher(None, o, w, autojunk=False).get_matching_blocks():
            found[block.b : block.b + block.size] = range(block.a, block.a + block.size)
        return found
    return _cheapest(o, w, tokens, before, low=low, high=high)


def _cheapest(
    o: Sequence[str],
    w: Sequence[str],
    tokens: Sequence[Token],
    before: Token | None,
    *,
    low: int,
    high: int,
) -> list[int]:
    """Dynamic programming with affine gaps on the diagonals `low` to `high`; states: 0 match, 1 added, 2 dropped."""
    width = high - low + 1
    open_cost = [_opening(tokens, index, before) for index in range(len(w))]
    add_cost = [0 if t.generated else 1 if t.key in _PUNCTUATION else _UNMARKED for t in tokens]
    match_cost = [_MARKED_MATCH if t.generated and t.key not in _PUNCTUATION else 0 for t in tokens]
    came: list[list[tuple[int, int, int]]] = []
    above: list[tuple[int, int, int]] = []
    for i in range(len(o) + 1):
        row = [(_FAR, _FAR, _FAR)] * width
        back = [(0, 0, 0)] * width
        left = (_FAR, _FAR, _FAR)
        for at in range(max(0, -low - i), min(width, len(w) - i - low + 1)):
            j = i + low + at
            match = added = dropped = _FAR
            m_from = a_from = d_from = 0
            if i == 0 and j == 0:
                match = 0
            if i and j and o[i - 1] == w[j - 1]:
                a, b, c = above[at]
                match = a if a <= b and a <= c else min(b, c)
                m_from = 0 if match == a else 1 if match == b else 2
                match += match_cost[j - 1]
            if j:
                a, b, c = left
                start = min(a, c) + open_cost[j - 1]
                added = min(start, b) + add_cost[j - 1]
                a_from = 1 if b <= start else 0 if a <= c else 2
            if i and at + 1 < width:
                a, b, c = above[at + 1]
                start = min(a, b) + _DELETE_OPEN
                dropped = min(start, c) + _DELETE
                d_from = 2 if c <= start else 0 if a <= b else 1
            left = row[at] = (match, added, dropped)
            back[at] = (m_from, a_from, d_from)
        above = row
        came.append(back)
    return _trace(came, above, len(o), len(w), low)


def _trace(
    came: list[list[tuple[int, int, int]]], last: list[tuple[int, int, int]], i: int, j: int, low: int
) -> list[int]:
    found = [-1] * j
    costs = last[j - i - low]
    state = costs.index(min(costs))
    while i or j:
        previous = came[i][j - i - low][state]
        if state == 0:
            i, j = i - 1, j - 1
            found[j] = i
        elif state == 1:
            j -= 1
        else:
            i -= 1
        state = previous
    return found


def _opening(tokens: Sequence[Token], index: int, before: Token | None) -> int:
    """What it costs to begin an added run at `index`: less at the start of a statement."""
    previous = tokens[index - 1] if index else before
    return _OPEN - (3 if previous is None or previous.key in {";", "{", "}", "("} else 0)


def _slide(found: list[int], woven: Sequence[str], context: _Woven, start: int, end: int) -> None:
    """Moves one added run over equal tokens at its edges to where it is balanced, whole and marked."""
    tokens = context.tokens
    lowest = start
    while lowest and found[lowest - 1] >= 0 and woven[lowest - 1] == woven[lowest - 1 + end - start]:
        lowest -= 1
    highest = start
    length = end - start
    while (
        highest + length < len(found)
        and found[highest + length] >= 0
        and woven[highest] == woven[highest + length]
    ):
        highest += 1
    if lowest == highest:
        return

    def merit(at: int) -> tuple[bool, int, int, int]:
        begins = at == 0 or tokens[at - 1].key in {";", "{", ",", "(", "["}
        ends = tokens[at + length - 1].key in {";", ",", "}"}
        marked = sum(token.generated for token in tokens[at : at + length])
        return context.whole(at, at + length), marked, begins + ends, -abs(at - start)

    best = max(range(lowest, highest + 1), key=merit)
    while start > best:
        start -= 1
        found[start + length], found[start] = found[start], -1
    while start < best:
        found[start], found[start + length] = found[start + length], -1
        start += 1
