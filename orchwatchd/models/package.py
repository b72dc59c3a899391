"""How a package and one compiled form of it are named.

Both are named tuples and no dataclasses: an index compares, sorts and hashes them by the ten thousand, and tuples do
that without running any Python (measured: 10 ms of a cold tree's 180).
"""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN_VARIANT = "?"


class PackageName(NamedTuple):
    """An import path, and the test variant that `go test` compiled of it.

    `variant` is what stands in the brackets of `path [variant]` (`example.com/p.test`), or empty for the plain
    package. It is `UNKNOWN_VARIANT` where the package may be a variant and nothing tells of which test: the action
    graph names none.
    """

    path: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.path} [{self.variant}]" if self.variant else self.path

    @classmethod
    def parse(cls, text: str) -> PackageName:
        """Reads `path` or `path [variant]`, as the Go command and TOOLEXEC_IMPORTPATH write it."""
        path, bracket, variant = text.partition(" [")
        return cls(path, variant.removesuffix("]") if bracket else "")


class BuildId(NamedTuple):
    """A package archive's `actionID/contentID`; `content` is None while the archive is unfinished (two equal
    halves).
    """

    action: str
    content: str | None

    def __str__(self) -> str:
        return f"{self.action}/{self.content or self.action}"

    @classmethod
    def parse(cls, text: str) -> BuildId:
        """Reads `action/content`; the two halves of an unfinished archive are equal (fact 12)."""
        action, _, content = text.partition("/")
        return cls(action, content if content and content != action else None)
