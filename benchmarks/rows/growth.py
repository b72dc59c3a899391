"""How the history grows: bytes a run of each kind, the mixed history, and time and space as work grows."""

from __future__ import annotations

import math
import statistics
import time
from functools import partial

from benchmarks.bench import Bench, program, say
from benchmarks.report import Row, ms, times
from benchmarks.timing import interleaved, run_process, walls

_KINDS = {"nothing": (4_000, "a run that changed nothing"), "edit": (15_000, "an edit of one package")}
_OTHERS = {
    "instrumentation": "an edit that changes the instrumentation",
    "failure": "a build that failed",
    "back": "a state of before (undo, checkout)",
    "several": "edits of three packages",
    "upgrade": "an upgrade (everything compiled anew)",
}
_MIXED_GOAL = 150e6
_COMMANDS = {"runs": ("runs",), "files": ("files", "@"), "diff": ("diff", "@-1", "@")}
_MEASURES = {"first": "recording the cold run", "commit": "commit of a run", "bytes": "size"}
_LINEAR = 1.0

Point = dict[str, float]
"""What was measured at one size, by name: seconds of each command, and of `commit` and `first`; `bytes`."""


def growth(bench: Bench) -> list[Row]:
    """Bytes a run, by kind of run, each in a history of its own after some mixed runs."""
    rows = []
    for kind in (*_KINDS, *_OTHERS):
        generator = bench.generator(bench.fresh(f"kind-{kind}"))
        generator.first()
        generator.add(10)
        count = bench.sizes.of_a_kind if kind != "upgrade" else max(3, bench.sizes.of_a_kind // 20)
        before = generator.store.database_bytes()
        for _ in range(count):
            generator.run(kind)
        each = (generator.store.database_bytes() - before) / count
        generator.store.close()
        goal, name = _KINDS.get(kind, (None, _OTHERS.get(kind, kind)))
        rows.append(
            Row(
                f"database growth, {name}",
                f"{each / 1000:.1f} KB a run",
                f"{count} runs",
                value=each,
                goal=goal,
                goal_text=f"≤ {goal // 1000} KB" if goal else "–",
                raw={"bytes": each, "runs": count},
            )
        )
    return rows


def mixed(bench: Bench) -> list[Row]:
    """The mixed history: its size, how fast it was made, and the commit of a run at each length."""
    sizes = bench.sizes.runs
    bench.history(sizes[-1])
    made = bench.made
    if not made:
        return []
    size = made[str(sizes[-1])]["bytes"]
    first, last = (made[str(n)]["commit"] for n in (sizes[0], sizes[-1]))
    rate = sum(made[str(n)]["runs"] for n in sizes) / sum(made[str(n)]["seconds"] for n in sizes)
    goal = _MIXED_GOAL * sizes[-1] / 10_000
    return [
        Row(
            f"{sizes[-1]:,} mixed runs",
            f"{size / 1e6:.1f} MB, {size / sizes[-1] / 1000:.1f} KB a run",
            f"made at {rate:.0f} runs a second",
            value=size if sizes[-1] >= 10_000 else None,
            goal=goal if sizes[-1] >= 10_000 else None,
            goal_text="≤ 150 MB",
            raw=made,
        ),
        Row(
            f"commit of a run, at {sizes[-1]:,} runs against {sizes[0]:,}",
            f"{ms(last)}, median of the last 50",
            ms(first),
            times(last / first),
            last / first,
            1.3,
            "independent: ≤ 1.3 times",
        ),
    ]


def curves(bench: Bench) -> list[Row]:
    """Time and space as runs, packages and modified files grow, one at a time, and how fast they grow."""
    sizes, few = bench.sizes, bench.sizes.runs[0]
    axes = {
        "runs": [(n, _point(bench, bench.history(n), bench.made.get(str(n), {}))) for n in sizes.runs],
        "packages": [(n, _grown(bench, few, packages=n)) for n in sizes.packages],
        "modified files": [(n, _grown(bench, few, files=n)) for n in sizes.files],
    }
    rows = [_row(axis, n, few, point) for axis, points in axes.items() for n, point in points]
    return rows + [_slope(axis, points) for axis, points in axes.items() if len(points) > 1]


def _row(axis: str, size: int, runs: int, point: Point) -> Row:
    shown = ", ".join(f"{word} {ms(point[word])}" for word in _COMMANDS)
    beside = "" if axis == "runs" else f", {runs} runs"
    return Row(
        f"curve: {size:,} {axis}{beside}",
        shown,
        f"commit {ms(point['commit'])}, {point['bytes'] / 1e6:.2f} MB" if "commit" in point else "–",
        raw=dict(point),
    )


def _slope(axis: str, points: list[tuple[int, Point]]) -> Row:
    """How the measure that grows most does so from the smallest size to the largest: 1 is linear, 0 not at all."""
    (first, small), (last, large) = points[0], points[-1]
    measures = [
        name for name in (*_COMMANDS, "commit", "first", "bytes") if small.get(name) and large.get(name)
    ]
    slopes = {name: math.log(large[name] / small[name]) / math.log(last / first) for name in measures}
    worst = max(slopes, key=lambda name: slopes[name])
    return Row(
        f"growth from {first:,} to {last:,} {axis}, as a power",
        ", ".join(f"{_MEASURES.get(name, name)} {slope:.2f}" for name, slope in slopes.items()),
        f"most: {_MEASURES.get(worst, worst)}",
        value=slopes[worst],
        goal=_LINEAR,
        goal_text="no worse than linear (1.00)",
        raw=slopes,
    )


def _grown(bench: Bench, runs: int, *, packages: int | None = None, files: int | None = None) -> Point:
    folder = bench.fresh(f"curve-{packages or 0}-{files or 0}")
    generator = bench.generator(folder, packages=packages, files=files)
    began = time.process_time()
    generator.first()
    first = time.process_time() - began
    generator.add(runs - 1)
    facts = {
        "bytes": generator.store.database_bytes(),
        "commit": statistics.median(generator.commits[1:]),
        "first": first,
    }
    generator.store.checkpoint()
    generator.store.close()
    say(f"{packages or ''} packages, {files or ''} files: {facts}")
    return _point(bench, folder, facts)


def _point(bench: Bench, folder: object, facts: dict[str, float]) -> Point:
    """The given facts, and what the commands take on that history."""
    calls = {
        name: partial(
            run_process, [*program(), "--state", str(folder), *words], cwd=bench.sample.project, env=bench.env
        )
        for name, words in _COMMANDS.items()
    }
    costs = interleaved(calls, max(1, bench.sizes.rounds // 3), warmups=bench.sizes.warmups)
    return {**facts, **{name: walls(found).median for name, found in costs.items()}}
