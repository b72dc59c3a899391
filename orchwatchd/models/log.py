"""Orchestrion's log lines, one by one and as they are kept of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchwatchd.models.package import PackageName


class SkipReason(StrEnum):
    """Why Orchestrion says that it wove nothing, or less, into a package (fact 21)."""

    NO_MATCH = "no-match"
    CIRCULAR = "circular"
    TYPE_ERROR = "type-error"
    TRACER_INTERNAL = "tracer-internal"
    NO_MODULE = "no-module"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of Orchestrion's log, numbered from 0 within its run.

    `level` is lower case (`debug`), or empty for a line that is no JSON: then `message` is its text. `time` is ISO
    8601 as it stands in the line (whole seconds), or None. `subject` is what the line is about beyond its package:
    a dependency, a file, a version. `detail` is the error, if any. `fields` are all pairs in order, a key that
    stands twice included (fact 20). `raw` is the line itself.
    """

    number: int
    level: str
    time: str | None
    package: PackageName | None
    phase: str | None
    message: str
    subject: str | None
    detail: str | None
    pid: int | None
    orchestrion: str | None
    fields: tuple[tuple[str, Any], ...]
    raw: str


@dataclass(frozen=True, slots=True)
class LogSkip:
    """A package that Orchestrion left alone, or wove less into, in its own words and by a short code."""

    package: PackageName
    reason: SkipReason
    detail: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file that the compiler got in place of another one: the exact file map, child builds included (fact 21)."""

    package: PackageName | None
    original: str
    updated: str


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Kept lines as they were written, joined by newlines; `numbers` are the lines' numbers in the run as
    `(first, count)` stretches, `levels` a bit mask of `orchlog.lines.level_bit`.
    """

    stretches: tuple[tuple[int, int], ...]
    levels: int
    data: bytes

    @property
    def first(self) -> int:
        """The number of the first line."""
        return self.stretches[0][0]

    @property
    def count(self) -> int:
        """How many lines there are."""
        return sum(count for _, count in self.stretches)


@dataclass(frozen=True, slots=True)
class LogCounts:
    """How many lines were seen and kept: by level, and how many bytes. A level that is empty counts text lines."""

    seen: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def lines(self) -> int:
        """Lines seen."""
        return sum(self.seen.values())

    @property
    def kept(self) -> int:
        """Lines kept."""
        return self.lines - sum(self.left_out.values())


@dataclass(frozen=True, slots=True)
class IndexedLog:
    """What is kept of a run's log. `notes` are the lines of WARN and above and those that are no JSON, bounded.

    `toolexec` are the keys that Orchestrion adds to the Go command's tool versions, `modules` what they are made
    of (`path@version`), both only where TRACE told them. `problems` are sentences about what could not be read.
    """

    counts: LogCounts = field(default_factory=LogCounts)
    chunks: tuple[LogChunk, ...] = ()
    notes: tuple[LogLine, ...] = ()
    skips: tuple[LogSkip, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    toolexec: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are wanted: `level` and above (lines that are no JSON always pass), a package (an import path,
    `path [variant]`, or a pattern with `...`), and a regular expression that is found in the line.
    """

    level: str | None = None
    package: str | None = None
    grep: str | None = None
