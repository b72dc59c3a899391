"""Which declaration of a woven file was which of the original: cheap for the thousands that weaving left alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orchwatchd.weave.declarations import Declaration

_NO_CODE: Final = re.compile(rb"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SHORT: Final = 200
# Any other name is declared once.
_REPEATABLE: Final = re.compile(rb"\b(?:_|init)\b|\A(?:import\b|\w+ \()")
_MOST_CELLS: Final = 40_000

Read = Callable[[bytes, int], list[Declaration]]
"""Gives the declarations of a part of a file that begins at a line (from 0)."""


@dataclass(slots=True)
class Pair:
    """A declaration and its original: `original` is None for one that was added, `woven` None for one that is gone.
    `equal` when both are the same bytes but for marks; `original` then carries only its line.
    """

    original: Declaration | None
    woven: Declaration | None
    equal: bool = False
    original_line: int = 0

    @property
    def sound(self) -> bool:
        """Whether the parser agrees that what changed is one declaration on either side."""
        return self.equal or all(one is None or one.sound for one in (self.original, self.woven))


def pair_declarations(original: bytes, woven: list[Declaration], read: Read) -> list[Pair]:
    """Pairs all declarations of both texts, in the order of the woven one; those that are gone stand last.

    Declarations that are the same text are found by searching it; only what lies between them is `read`.
    """
    plains = [declaration.plain for declaration in woven]
    counts = Counter(plains)
    pairs: list[Pair] = []
    gone: list[Pair] = []
    cursor = lines = 0
    waiting: list[Declaration] = []
    for declaration, plain in zip(woven, plains, strict=True):
        at = _find(original, plain, cursor) if counts[plain] == 1 else -1
        if at < 0:
            waiting.append(declaration)
            continue
        lines = _close(original[cursor:at], lines, waiting, pairs, gone, read)
        pairs.append(Pair(None, declaration, equal=True, original_line=lines))
        waiting = []
        cursor = at + len(plain)
        lines += plain.count(b"\n")
    _close(original[cursor:], lines, waiting, pairs, gone, read)
    return pairs + gone


def _find(original: bytes, plain: bytes, cursor: int) -> int:
    at = (
        cursor if original.startswith(plain, cursor) else original.find(b"\n" + plain, max(0, cursor - 1)) + 1
    )
    if at == 0 and not original.startswith(plain):
        return -1
    end = at + len(plain)
    if original[end : end + 1] not in {b"", b"\n", b"\r", b" ", b"\t", b";"}:
        return -1
    repeatable = len(plain) < _SHORT and _REPEATABLE.search(plain)
    if repeatable and original.find(b"\n" + plain + b"\n", end) >= 0:
        return -1  # another one like it follows: which of them this is, order decides
    return at


def _close(
    gap: bytes, line: int, waiting: list[Declaration], pairs: list[Pair], gone: list[Pair], read: Read
) -> int:
    """Pairs what stands in one gap of the original with the woven declarations there; gives the line after it."""
    if not _NO_CODE.fullmatch(gap):
        parsed = read(gap, line)
        matched = _match(parsed, waiting)
        taken = set(matched.values())
        pairs += [Pair(parsed[matched[i]] if i in matched else None, w) for i, w in enumerate(waiting)]
        gone += [Pair(o, None) for i, o in enumerate(parsed) if i not in taken]
    else:
        pairs += [Pair(None, declaration) for declaration in waiting]
    return line + gap.count(b"\n")


def _match(originals: list[Declaration], woven: list[Declaration]) -> dict[int, int]:
    """Index of a woven declaration to that of its original: by key, and in order where several share one."""
    by_key: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, declaration in enumerate(originals):
        by_key[declaration.key][0].append(index)
    for index, declaration in enumerate(woven):
        by_key[declaration.key][1].append(index)
    matched: dict[int, int] = {}
    for left, right in by_key.values():
        if len(left) == len(right) or not left or len(left) * len(right) > _MOST_CELLS:
            matched.update(zip(right, left, strict=False))
        else:
            matched.update(_in_order(left, right, originals, woven))
    return matched


def _in_order(
    left: list[int], right: list[int], originals: list[Declaration], woven: list[Declaration]
) -> dict[int, int]:
    """The pairing in order with the most equal and unmarked declarations (several `init`, one of them added)."""
    best: list[list[int]] = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    score = [
        [4 if originals[o].plain == woven[w].plain else 1 if woven[w].generated else 3 for w in right]
        for o in left
    ]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + score[i][j])
    matched: dict[int, int] = {}
    i = j = 0
    while i < len(left) and j < len(right):
        if best[i][j] == best[i + 1][j + 1] + score[i][j]:
            matched[right[j]] = left[i]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return matched
