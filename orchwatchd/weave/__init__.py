"""Injections: what Orchestrion added to a file, found by tokens in its woven text and its original.

`WEAVE_VERSION` goes up whenever the same two texts could give other injections than before: what was derived by another
version is derived again, never compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orchwatchd.models.injection import Injection
    from orchwatchd.weave.analysis import Analysis

__all__ = [
    "WEAVE_VERSION",
    "LineOrigin",
    "added_imports",
    "annotate",
    "explains",
    "find_injections",
    "original_path",
    "release",
]

WEAVE_VERSION: Final = 2
_ORIGINAL: Final = re.compile(rb"//line ((?:/|[A-Za-z]:[\\/])[^\n]*?):\d+(?::\d+)?[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """Where one line of a woven file comes from. `original_line` counts from 1, None when the line has nothing of the
    original's; `injections` are ordinals; a line of a `//line` mark (`mark`) and blank lines may have neither.
    """

    line: int
    original_line: int | None
    injections: tuple[int, ...]
    mark: bool


def find_injections(
    original: bytes | None, woven: bytes, *, synthetic: bool = False
) -> tuple[Injection, ...]:
    """The injections of a woven file, in the order in which they stand.

    Without an original, a synthetic file (fact 6) is injected as a whole, and any other is read as far as its
    marks tell (`by_marks`). Text that is no Go gives what can be told of it; never raises.
    """
    return tuple(_analysis(original, woven, synthetic).injections)


def explains(original: bytes, woven: bytes) -> bool:
    """Whether `woven` can have come from `original`: every token of the user's is there in order, but for those
    that a marked expression replaced, and whatever is new stands under a mark of Orchestrion's.
    """
    return _analysis(original, woven, False).explained


def added_imports(original: bytes | None, woven: bytes) -> tuple[str, ...]:
    """Paths of the packages that only the woven file imports, sorted."""
    return _analysis(original, woven, False).added_imports


@lru_cache(maxsize=2)
def _analysis(original: bytes | None, woven: bytes, synthetic: bool) -> Analysis:
    """The analysis of the file that was asked about last: whoever indexes asks several things of each in turn."""
    from orchwatchd.weave.analysis import analyse

    return analyse(original, woven, synthetic=synthetic)


def release() -> None:
    """Frees what is kept of the last files."""
    from orchwatchd.weave.cuts import cut
    from orchwatchd.weave.syntax import parse

    for kept in (_analysis, cut, parse):
        kept.cache_clear()


def original_path(woven: bytes) -> str | None:
    """The absolute path that the first `//line` with a file names, wherever it stands (fact 7), or None."""
    found = _ORIGINAL.search(woven)
    return found[1].decode("utf-8", "surrogateescape") if found else None


def annotate(original: bytes | None, woven: bytes, *, synthetic: bool = False) -> tuple[LineOrigin, ...]:
    """The origin of every line of the woven file, one entry a line."""
    from orchwatchd.weave.origins import line_origins

    return line_origins(original, woven, synthetic=synthetic)
