"""Turns a run's log lines into what history keeps of them: bounded, the important ones first."""

from __future__ import annotations

import heapq
import itertools
import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from orchwatchd.models.log import (
    IndexedLog,
    LogChunk,
    LogCounts,
    LogLine,
    LogSkip,
    Replacement,
    SkipReason,
)
from orchwatchd.models.run import LogRange
from orchwatchd.orchlog.family import LogFamily
from orchwatchd.orchlog.lines import level_bit, level_rank, lowest_rank, parse_line, split_glued
from orchwatchd.orchlog.ranges import RangeLostError, read_range

CHUNK_BYTES = 256 * 1024
"""How many bytes of lines share a chunk: large enough to compress well, small enough to read one alone."""

MAX_NOTES = 2000
"""How many warnings, errors and text lines of a run get rows of their own."""

MAX_BYTES = 32 * 1024 * 1024
"""How many bytes of lines a run keeps at most, whatever the number of lines."""

_WARN = level_rank("warn")
_SKIPS = {
    "No files to inject in package after filtering on imports and files": SkipReason.NO_MATCH,
    "Not weaving aspects to prevent circular instrumentation": SkipReason.CIRCULAR,
    "Skipping injectrion due to type checking error": SkipReason.TYPE_ERROR,
    "Skipping injection due to type checking error": SkipReason.TYPE_ERROR,
    "Enabling tracer-internal mode": SkipReason.TRACER_INTERNAL,
    "Compiling standard library package outside of any module context; weaving nothing": SkipReason.NO_MODULE,
}


@dataclass(slots=True)
class _Kept:
    """The lines of one level that may stay: the first and the last ones, each at most half of the limit."""

    limit: int
    head: list[LogLine] = field(default_factory=list)
    tail: deque[LogLine] = field(default_factory=deque)
    seen: int = 0

    def add(self, line: LogLine) -> None:
        self.seen += 1
        if len(self.head) < (self.limit + 1) // 2:
            self.head.append(line)
            return
        self.tail.append(line)
        if len(self.tail) > self.limit // 2:
            self.tail.popleft()

    def best(self, room: int) -> list[LogLine]:
        """At most `room` lines: all, or as many of the first as of the last."""
        lines = [*self.head, *self.tail]
        if len(lines) <= room:
            return lines
        last = room // 2
        return lines[: room - last] + (lines[-last:] if last else [])


def index_run(
    family: LogFamily, ranges: Sequence[LogRange], *, max_lines: int = 20_000, level: str = "DEBUG"
) -> IndexedLog:
    """Reads a run's ranges and keeps at most `max_lines` lines of `level` and above.

    Where there are more, severe lines stay before others, and of a level the first and the last ones. What was
    left out is counted; a range that cannot be read becomes a problem, not an error.
    """
    problems: list[str] = []
    return index_lines(_merged(family, ranges, problems), max_lines=max_lines, level=level, problems=problems)


def index_lines(
    raw: Iterable[bytes], *, max_lines: int, level: str, problems: list[str] | None = None
) -> IndexedLog:
    """The pure half of `index_run`, for lines in their order. `problems` may grow while `raw` is read."""
    lowest = lowest_rank(level)
    seen: Counter[str] = Counter()
    size = 0
    kept: dict[str, _Kept] = {}
    facts = _Facts()
    for number, text in enumerate(itertools.chain.from_iterable(map(split_glued, raw))):
        line = parse_line(text, number)
        seen[line.level] += 1
        size += len(text) + 1
        facts.add(line)
        if level_rank(line.level) >= lowest:
            kept.setdefault(line.level, _Kept(max_lines)).add(line)
    lines = _choose(kept, max_lines)
    left_out = seen - Counter(line.level for line in lines)
    return IndexedLog(
        counts=LogCounts(dict(seen), dict(left_out), size),
        chunks=tuple(_chunks(lines)),
        notes=tuple(itertools.islice((line for line in lines if level_rank(line.level) >= _WARN), MAX_NOTES)),
        skips=tuple(facts.skips.values()),
        replacements=tuple(facts.replacements),
        toolexec=tuple(facts.toolexec),
        modules=tuple(facts.modules),
        problems=tuple(problems or ()),
    )


class _Facts:
    """What single lines tell for good, whatever is kept of the lines themselves."""

    def __init__(self) -> None:
        self.skips: dict[tuple[object, SkipReason], LogSkip] = {}
        self.replacements: dict[Replacement, None] = {}
        self.toolexec: dict[str, None] = {}
        self.modules: dict[str, None] = {}

    def add(self, line: LogLine) -> None:
        if line.package and (reason := _SKIPS.get(line.message)):
            self.skips.setdefault(
                (line.package, reason), LogSkip(line.package, reason, line.detail, line.number)
            )
        elif line.message == "Replacing argument for modified source code":
            found = dict(line.fields)
            self.replacements[
                Replacement(line.package, str(found.get("original")), str(found.get("updated")))
            ] = None
        elif line.message == "Complete version output" and line.subject:
            self.toolexec[line.subject] = None
        elif line.message == "Adding module to fingerprint...":
            self.modules[_module(dict(line.fields).get("module"))] = None


def _module(module: object) -> str:
    """`path@version`, and what replaces it, as the go.mod syntax writes it."""
    if not isinstance(module, dict):
        return str(module)
    name = "@".join(str(part) for part in (module.get("Path"), module.get("Version")) if part)
    replace = module.get("Replace")
    return f"{name} => {_module(replace)}" if isinstance(replace, dict) else name


def _choose(kept: dict[str, _Kept], max_lines: int) -> list[LogLine]:
    """Lines in their order: most severe levels first get room, in lines and in bytes."""
    chosen: list[LogLine] = []
    room = max_lines
    for level in sorted(kept, key=lambda name: (level_rank(name), name), reverse=True):
        best = kept[level].best(room)
        chosen += best
        room -= len(best)
    left = MAX_BYTES
    inside = []
    for line in chosen:
        left -= len(line.raw)
        if left >= 0:
            inside.append(line)
    return sorted(inside, key=lambda line: line.number)


def _chunks(lines: Sequence[LogLine]) -> Iterator[LogChunk]:
    held: list[LogLine] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line.raw) + 1
        if size >= CHUNK_BYTES:
            yield _chunk(held)
            held, size = [], 0
    if held:
        yield _chunk(held)


def _chunk(lines: Sequence[LogLine]) -> LogChunk:
    stretches: list[tuple[int, int]] = []
    levels = 0
    for line in lines:
        levels |= level_bit(line.level)
        if stretches and sum(stretches[-1]) == line.number:
            stretches[-1] = (stretches[-1][0], stretches[-1][1] + 1)
        else:
            stretches.append((line.number, 1))
    return LogChunk(tuple(stretches), levels, "\n".join(line.raw for line in lines).encode())


def _merged(family: LogFamily, ranges: Sequence[LogRange], problems: list[str]) -> Iterator[bytes]:
    """Lines of all ranges in the order of time; those of one file, and of its rotated forerunner, stay in theirs."""
    if not family.per_process:
        for wanted in ranges:
            yield from _read(family, wanted, problems)
        return
    # A build's $PID family is hundreds of small files: each is read whole when its turn comes, none stays open.
    yield from in_time(list(_read(family, wanted, problems)) for wanted in ranges)


def in_time(files: Iterable[Sequence[bytes]]) -> Iterator[bytes]:
    """The lines of several files by time; those of one file stay in their order, as do files within a second."""
    timed = [_timed(place, lines) for place, lines in enumerate(files)]
    return (line for *_, line in heapq.merge(*timed))


def _timed(place: int, lines: Sequence[bytes]) -> list[tuple[str, int, int, bytes]]:
    """Lines with the time that they were written at: a line without one has that of the line before."""
    found, now = [], ""
    for number, line in enumerate(lines):
        now = max(now, _time_of(line))
        found.append((now, place, number, line))
    return found


def _time_of(line: bytes) -> str:
    """The `time` of a JSON line, found without parsing all of it."""
    at = line.rfind(b'"time":"')
    if at < 0:
        return ""
    try:
        return str(json.loads(line[at + 7 : line.index(b'"', at + 8) + 1]))
    except ValueError:
        return ""


def _read(family: LogFamily, wanted: LogRange, problems: list[str]) -> Iterator[bytes]:
    try:
        yield from read_range(family, wanted)
    except (RangeLostError, OSError, EOFError) as error:
        problems.append(f"log lines are missing: {error}")
