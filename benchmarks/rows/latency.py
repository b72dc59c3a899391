"""How long a person waits for an answer: reading commands as whole processes, on histories of different length."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, program, say
from benchmarks.report import Row, ms, span, times
from benchmarks.timing import Cost, cpus, interleaved, ratio, run_process, walls

_GOAL, _HISTORY_GOAL, _START_GOAL, _GROWTH_GOAL = 0.25, 0.30, 0.12, 1.3
_COMMANDS = {"diff": ("diff", "@-1", "@"), "files": ("files", "@"), "runs": ("runs",)}


def latency(bench: Bench) -> list[Row]:
    """`diff`, `files`, `runs` and `history PACKAGE`, and bare Python and `orchestrion diff` beside them."""
    rows: list[Row] = []
    sizes = bench.sizes.runs[-2:]
    commands = {**_COMMANDS, "history": ("history", _busiest(bench))}
    small, large = (bench.history(size) for size in sizes)
    for name, words in commands.items():
        if not _works(bench, large, words):
            rows.append(Row(f"`{words[0]}`, {sizes[1]:,} runs", "it failed, see the output", goal=_GOAL))
            continue
        parts = {
            "small": _call(bench, small, words),
            "large": _call(bench, large, words),
            "python": partial(run_process, [sys.executable, "-c", "pass"]),
        }
        if name in {"diff", "files"}:
            tree = str(bench.sample.cold.work)
            parts["orchestrion"] = partial(
                run_process, ["orchestrion", "diff", "--files", tree], env=bench.env
            )
        costs = interleaved(parts, bench.sizes.rounds, warmups=bench.sizes.warmups)
        if name == "history":
            # It prints a line for each change, so it is allowed to grow.
            rows += _rows("history PACKAGE", sizes, costs, _HISTORY_GOAL, None)
        else:
            rows += _rows(" ".join(words), sizes, costs, _GOAL, _GROWTH_GOAL)
    return rows


def _rows(
    shown: str,
    sizes: tuple[int, ...],
    costs: dict[str, list[Cost]],
    goal: float,
    growth_goal: float | None,
) -> list[Row]:
    large, small = walls(costs["large"]), walls(costs["small"])
    beside = "orchestrion" if "orchestrion" in costs else "python"
    name = "`orchestrion diff --files`, one tree" if beside == "orchestrion" else "`python -c pass`"
    raw = {part: [[one.wall, one.cpu, one.memory] for one in found] for part, found in costs.items()}
    growth = ratio(costs["large"], costs["small"])
    return [
        Row(
            f"`orchwatchd {shown}`, {sizes[1]:,} runs",
            f"{span(large)}, {ms(cpus(costs['large']).median)} CPU",
            f"{name}: {ms(walls(costs[beside]).median)}",
            times(ratio(costs["large"], costs[beside]).median),
            large.median,
            goal,
            f"≤ {ms(goal)}",
            raw,
        ),
        Row(
            f"the same, {sizes[1]:,} runs against {sizes[0]:,}",
            ms(large.median),
            ms(small.median),
            span(growth, times),
            growth.median,
            growth_goal,
            f"≤ {growth_goal} times" if growth_goal else "–",
        ),
    ]


def startup(bench: Bench) -> list[Row]:
    """`--help` and `runs` where nothing was recorded, against bare Python."""
    state = bench.fresh("empty")
    python = [sys.executable, "-c", "pass"]
    rows = []
    for shown, words in (("--help", ("--help",)), ("runs` on an empty history", ("runs",))):
        parts = {"ours": _call(bench, state, words), "python": partial(run_process, python)}
        costs = interleaved(parts, bench.sizes.rounds, warmups=bench.sizes.warmups)
        more = walls(costs["ours"]).median - walls(costs["python"]).median
        rows.append(
            Row(
                f"`orchwatchd {shown}" + ("`" if "`" not in shown else ""),
                f"{span(walls(costs['ours']))}, {ms(cpus(costs['ours']).median)} CPU",
                f"`python -c pass`: {ms(walls(costs['python']).median)}",
                times(ratio(costs["ours"], costs["python"]).median),
                more,
                _START_GOAL,
                f"≤ {ms(_START_GOAL)} more",
                {part: [[one.wall, one.cpu] for one in found] for part, found in costs.items()},
            )
        )
    return rows


def _call(bench: Bench, state: Path, words: tuple[str, ...]) -> Callable[[], Cost]:
    return partial(
        run_process, [*program(), "--state", str(state), *words], cwd=bench.sample.project, env=bench.env
    )


def _works(bench: Bench, state: Path, words: tuple[str, ...]) -> bool:
    try:
        _call(bench, state, words)()
    except RuntimeError as error:
        say(str(error))
        return False
    return True


def _busiest(bench: Bench) -> str:
    """The package whose instrumentation changed most often."""
    from orchwatchd.query import History

    sql = """SELECT p.path FROM output AS o JOIN package AS p ON p.id = o.package WHERE o.state = 'woven'
             GROUP BY p.id ORDER BY count(DISTINCT o.meaning) DESC, count(*) DESC LIMIT 1"""
    with History.open(bench.history(bench.sizes.runs[-1]) / "history.db") as history:
        return str(history.connection.execute(sql).fetchone()[0])
