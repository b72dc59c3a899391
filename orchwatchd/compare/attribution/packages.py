"""What a join point says of a package by its import path alone, and the truth values that all of this module speaks."""

from __future__ import annotations

import re
from enum import IntEnum

from orchwatchd.models.aspect import JoinPoint
from orchwatchd.weave.nodes import TypeName

_TYPE_NAME = re.compile(r"\A(\*)?\s*(?:([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)\.)?([A-Za-z_][A-Za-z0-9_]*)\Z")


class Sure(IntEnum):
    """A truth value; `min` is "and", `max` is "or"."""

    NO = 0
    MAYBE = 1
    YES = 2


def yes(value: bool) -> Sure:
    return Sure.YES if value else Sure.NO


def parse_type(text: str) -> TypeName:
    match = _TYPE_NAME.match(text)
    if match is None:
        return TypeName("", other=True)
    return TypeName(match[3], match[2] or "", pointer=match[1] == "*")


def package_may_match(point: JoinPoint, package: str, root: str) -> Sure:
    """Whether anything in a package of that import path can match, as far as its path tells."""
    kind = point.kind
    children = [package_may_match(child, package, root) for child in point.children if kind != "function"]
    if kind == "all-of":
        return min(children, default=Sure.NO)
    if kind == "one-of":
        return max(children, default=Sure.NO)
    if kind == "function-body":
        return children[0]
    if kind == "not":
        inner = point.children[0]
        # That something in the package does not match says nothing unless all of it does.
        whole = inner.kind in {"import-path", "package-filter"}
        return Sure(2 - children[0]) if whole else Sure.MAYBE
    if kind == "import-path":
        return yes(point.value == package)
    if kind == "package-filter":
        return filter_matches(point, package, root)
    if kind == "struct-definition":
        return Sure.MAYBE if parse_type(point.value).path == package else Sure.NO
    if kind == "declaration-of":
        return Sure.MAYBE if point.value.rpartition(".")[0] == package else Sure.NO
    if kind == "function":
        receivers = [
            c.value for c in point.children if c.kind == "receiver" and c.value not in {"true", "false"}
        ]
        return Sure.NO if any(parse_type(value).path != package for value in receivers) else Sure.MAYBE
    return Sure.MAYBE


def filter_matches(point: JoinPoint, package: str, root: str) -> Sure:
    pattern = point.get("pattern")
    if point.get("root") == "true":
        if not root:
            return Sure.MAYBE
        if package != root and not package.startswith(root + "/"):
            return Sure.NO
        if not pattern:
            return Sure.YES
        package = "." if package == root else package.removeprefix(root + "/")
    if not pattern:
        return Sure.NO
    return yes(pattern == "*" or _glob(pattern, package))


def _glob(pattern: str, path: str) -> bool:
    """Go's path.Match, and `**` for any number of segments."""
    # v1.15.0 splits a segment with ** inside in two: `a**` is `a*` followed by any segments.
    segments: list[str] = []
    for segment in pattern.split("/"):
        parts = segment.split("**")
        for at, part in enumerate(parts):
            if at:
                segments.append("**")
            if part:
                segments.append(("*" if at else "") + part + ("*" if at < len(parts) - 1 else ""))
    return _segments(segments, path.split("/"))


def _segments(patterns: list[str], parts: list[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return len(patterns) == 1 or any(_segments(patterns[1:], parts[at:]) for at in range(len(parts) + 1))
    return bool(parts) and _match(patterns[0], parts[0]) and _segments(patterns[1:], parts[1:])


def _match(pattern: str, part: str) -> bool:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    escaped = re.sub(
        r"\\\[(\\\^)?(.*?)\\\]", lambda m: f"[{'^' if m[1] else ''}{m[2]}]".replace("\\-", "-"), escaped
    )
    try:
        return re.fullmatch(escaped, part) is not None
    except re.error:
        return False
