"""Finds lines in what was kept of a run's log, and in files that are being written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from orchwatchd.errors import UsageError
from orchwatchd.models.log import LogChunk, LogFilter, LogLine
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import LogRange
from orchwatchd.orchlog.family import LogFamily
from orchwatchd.orchlog.lines import LEVELS, level_bit, level_rank, lowest_rank, parse_line, split_glued
from orchwatchd.orchlog.ranges import RangeLostError, ranges_since, read_range


def compile_filter(wanted: LogFilter) -> Callable[[LogLine], bool]:
    """The test that a line must pass; raises UsageError for an unknown level or a bad expression."""
    lowest = _lowest(wanted.level)
    package = _package_test(wanted.package)
    try:
        grep = re.compile(wanted.grep) if wanted.grep else None
    except re.error as error:
        raise UsageError(f'"{wanted.grep}" is no regular expression: {error}') from None

    def passes(line: LogLine) -> bool:
        if line.level and level_rank(line.level) < lowest:
            return False
        if package is not None and not package(line):
            return False
        return grep is None or grep.search(line.raw) is not None

    return passes


def select(chunks: Iterable[LogChunk], wanted: LogFilter) -> Iterator[LogLine]:
    """The lines of a run's chunks that pass the filter, in order; chunks without a wanted level are not parsed."""
    passes = compile_filter(wanted)
    lowest = _lowest(wanted.level)
    mask = level_bit("") | sum(level_bit(level) for level in LEVELS[lowest:])
    for chunk in chunks:
        if chunk.levels & mask:
            yield from filter(passes, lines_of(chunk))


def lines_of(chunk: LogChunk) -> Iterator[LogLine]:
    """Every line of a chunk with its number in the run."""
    numbers = (number for first, count in chunk.stretches for number in range(first, first + count))
    for number, raw in zip(numbers, chunk.data.split(b"\n"), strict=True):
        yield parse_line(raw, number)


class Follower:
    """Reads what is appended to a log while it is written, through rotations; half lines wait for their rest."""

    def __init__(self, family: LogFamily, marks: Sequence[LogRange]) -> None:
        self._family = family
        self._seen: tuple[LogRange, ...] = tuple(marks)
        self._number = 0

    def poll(self) -> list[LogLine]:
        """The whole lines that came since the last call; never waits."""
        lines: list[LogLine] = []
        for found in ranges_since(self._family, self._seen):
            raw, end = self._whole(found)
            for text in raw:
                for part in split_glued(text):
                    lines.append(parse_line(part, self._number))
                    self._number += 1
            kept = tuple(item for item in self._seen if item.inode != found.inode)
            self._seen = (*kept, LogRange(found.file, found.inode, end, end, found.head))
        return lines

    def _whole(self, found: LogRange) -> tuple[list[bytes], int]:
        """The lines of a range that have their newline, and where the first that has none starts."""
        try:
            raw = list(read_range(self._family, found))
        except (RangeLostError, OSError, EOFError):
            return (
                [],
                found.start,
            )  # rotated between looking and reading: the next call finds it under its new name
        total = sum(len(line) + 1 for line in raw)
        if total > found.end - found.start:
            half = raw.pop()
            return raw, found.end - len(half)
        return raw, found.end


def _lowest(level: str | None) -> int:
    if level is None:
        return 0
    try:
        return lowest_rank(level)
    except ValueError:
        known = ", ".join(LEVELS)
        raise UsageError(f'there is no level "{level}"', hint=f"The levels are {known}.") from None


def _package_test(text: str | None) -> Callable[[LogLine], bool] | None:
    """An import path takes its variants along, `path [variant]` means just that one, `...` stands for any text."""
    if text is None:
        return None
    if "..." in text:
        # As the Go command has it: `p/...` also means p itself.
        source = re.escape(text).replace(r"\.\.\.", ".*")
        pattern = re.compile(re.sub(r"/\.\*$", r"(?:/.*)?", source))
        return lambda line: line.package is not None and pattern.fullmatch(line.package.path) is not None
    name = PackageName.parse(text)
    if name.variant:
        return lambda line: line.package == name
    return lambda line: line.package is not None and line.package.path == name.path
