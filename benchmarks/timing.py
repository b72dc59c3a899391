"""Whole processes and functions timed side by side: interleaved, medians with intervals, ratios pair by pair."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of wall time and of processor time, children included, and peak memory in bytes."""

    wall: float
    cpu: float
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with the interval in which it lies with 95 % (with fewer than six runs: lowest and highest)."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        ordered = sorted(values)
        cut = _order(len(ordered))
        return cls(statistics.median(ordered), ordered[cut], ordered[-1 - cut], len(ordered))


def _order(count: int) -> int:
    """Which of `count` ordered values begins the 95 % interval of the median: the sign test, no shape assumed."""
    tail, chance, cut = 0.0, 0.5**count, 0
    for index in range(count // 2):
        tail += chance
        if tail > 0.025:
            break
        cut = index + 1
        chance = chance * (count - index) / (index + 1)
    return min(cut, (count - 1) // 2)


def run_process(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Runs one program with its output thrown away; raises RuntimeError where it fails."""
    nothing = subprocess.DEVNULL
    began = time.perf_counter()
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdin=nothing, stdout=nothing, stderr=nothing)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {child.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def run_function(function: Callable[[], object]) -> Cost:
    """Calls a function of this process once."""
    began, busy = time.perf_counter(), time.process_time()
    function()
    return Cost(time.perf_counter() - began, time.process_time() - busy)


def interleaved(
    parts: Mapping[str, Callable[[], Cost]], rounds: int, *, warmups: int = 1
) -> dict[str, list[Cost]]:
    """Runs all parts in turn, `rounds` times, after rounds that do not count; every second round goes backwards."""
    found: dict[str, list[Cost]] = {name: [] for name in parts}
    for number in range(-warmups, rounds):
        order = list(parts) if number % 2 == 0 else list(parts)[::-1]
        for name in order:
            cost = parts[name]()
            if number >= 0:
                found[name].append(cost)
    return found


def ratio(costs: Sequence[Cost], against: Sequence[Cost], *, cpu: bool = False) -> Figure:
    """The ratios of runs that were neighbours."""
    take = (lambda one: one.cpu) if cpu else (lambda one: one.wall)
    return Figure.of([take(a) / take(b) for a, b in zip(costs, against, strict=True)])


def walls(costs: Sequence[Cost]) -> Figure:
    return Figure.of([one.wall for one in costs])


def cpus(costs: Sequence[Cost]) -> Figure:
    return Figure.of([one.cpu for one in costs])
