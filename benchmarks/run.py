"""The command of the benchmarks: which rows are measured, in which order, and where the results go."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.bench import ROOT, SMOKE, Bench, Sizes, environment, say
from benchmarks.report import Row
from benchmarks.rows import building, daemon, growth, indexing, latency
from benchmarks.sample import Sample, Tree

ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "startup": latency.startup,
    "indexing": indexing.indexing,
    "growth": growth.growth,
    "mixed": growth.mixed,
    "latency": latency.latency,
    "curves": growth.curves,
    "builds": building.builds,
    "idle": daemon.idle,
    "saves": daemon.saves,
}
# What a smoke run leaves out: what builds for minutes or installs programs.
_LONG = ("builds", "saves", "idle")


def main(words: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes the results: a goal that was missed is a finding, not a failure."""
    asked = _arguments(words)
    sizes = SMOKE if asked.smoke else Sizes()
    sizes = replace(
        sizes, cold_pairs=asked.cold_pairs or sizes.cold_pairs, rounds=asked.rounds or sizes.rounds
    )
    bench = Bench(
        asked.folder.absolute(), sizes, environment(), "greeter" if asked.smoke else "shop", _given(asked)
    )
    facts = report.machine()
    names = asked.only or [name for name in ROWS if not (asked.smoke and name in _LONG)]
    rows: list[Row] = []
    for name in names:
        say(f"measuring {name}")
        found = _measured(name, bench)
        say(report.lines(found))
        rows += found
    text = report.table(rows)
    print(text)
    if not asked.smoke:
        partial = bool(asked.only)
        path = report.write(rows, asked.out, facts, partial=partial)
        say(f"wrote {path}")
        if asked.page and not partial:
            report.fill_page(asked.page, path.with_suffix(".md").read_text())
    return 0


def _measured(name: str, bench: Bench) -> list[Row]:
    """The rows of one measurement; one that fails is said to have failed, and costs the others nothing."""
    try:
        return ROWS[name](bench)
    except Exception as error:  # noqa: BLE001 - half an hour of other figures must not be lost
        say(traceback.format_exc())
        return [Row(f"measuring {name}", f"it failed: {type(error).__name__}: {error}")]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--smoke", action="store_true", help="everything that is quick, small, on the greeter"
    )
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), help="only these rows (repeat for more)"
    )
    parser.add_argument("--cold-pairs", type=int, default=0, help="pairs of cold builds (minutes each)")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each timing")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks/results", help="folder for the results"
    )
    parser.add_argument(
        "--page", type=Path, default=None, help="a page whose table is filled in between its markers"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".cache/bench", help="folder for samples and histories"
    )
    parser.add_argument("--project", type=Path, help="the sample at the path where these trees were built:")
    for tree in ("cold", "warm"):
        parser.add_argument(f"--{tree}", type=Path, help=f"a {tree} work tree that is there already")
        parser.add_argument(f"--{tree}-graph", type=Path, help="and its action graph")
        parser.add_argument(f"--{tree}-seconds", type=float, help="and how long it took")
    return parser.parse_args(words)


def _given(asked: argparse.Namespace) -> Sample | None:
    if asked.project is None:
        return None
    return Sample(
        asked.project,
        Tree(asked.cold, asked.cold_graph, asked.cold_seconds),
        Tree(asked.warm, asked.warm_graph, asked.warm_seconds),
    )
