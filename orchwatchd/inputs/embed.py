"""Which files a `//go:embed` pattern takes, by the rules of Go's `embed` package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class EmbedPattern:
    """One pattern of one package, split at slashes. `hidden`: written with `all:`, so `.x` and `_x` below it count."""

    text: str
    parts: tuple[str, ...]
    hidden: bool


@lru_cache(maxsize=4096)
def parse(text: str) -> EmbedPattern:
    """Reads a pattern as `go list` prints it (`all:static`, `*.html`)."""
    hidden = text.startswith("all:")
    return EmbedPattern(text, tuple(text.removeprefix("all:").split("/")), hidden)


def matches(pattern: EmbedPattern, parts: tuple[str, ...]) -> bool:
    """Whether the pattern takes the file at `parts`, its path below the package's folder.

    A pattern that names a folder takes all below it, but no name that starts with `.` or `_` (unless `all:`).
    """
    depth = len(pattern.parts)
    if len(parts) < depth or not _same(pattern.parts, parts[:depth]):
        return False
    return pattern.hidden or not any(part.startswith((".", "_")) for part in parts[depth:])


def may_lie_below(pattern: EmbedPattern, parts: tuple[str, ...]) -> bool:
    """Whether the pattern can take a file in the folder at `parts` or deeper."""
    depth = min(len(pattern.parts), len(parts))
    if not _same(pattern.parts[:depth], parts[:depth]):
        return False
    return pattern.hidden or not any(part.startswith((".", "_")) for part in parts[len(pattern.parts) :])


def _same(patterns: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return all(
        _compiled(pattern).fullmatch(part) is not None for pattern, part in zip(patterns, parts, strict=True)
    )


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """One path element of Go's `path.Match` as a regular expression; a malformed one matches nothing."""
    out: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\" and index < len(pattern):
            out.append(re.escape(pattern[index]))
            index += 1
        elif char == "[":
            end = pattern.find("]", index + 1)
            if end < 0:
                return re.compile(r"(?!)")
            body = pattern[index:end].replace("[", "\\[")
            out.append(f"[{body}]")
            index = end + 1
        else:
            out.append(re.escape(char))
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")
