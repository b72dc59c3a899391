"""Builds through orchwatchd against bare ones: pairs in turn, each timed from start to end of Orchestrion."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import ROOT, Bench, program, say
from benchmarks.report import Row, ms, span, times
from benchmarks.sample import build_environment
from benchmarks.timing import Figure

_WARM_GOAL, _COLD_GOAL = 1.05, 1.02


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """A program in Orchestrion's place that notes when it was started with a build and when that ended; both sides of
    a pair are started through it.
    """

    script: Path
    log: Path

    @classmethod
    def make(cls, folder: Path, env: dict[str, str]) -> Stopwatch:
        real = shutil.which("orchestrion", path=env["PATH"])
        script, log = folder / "orchestrion", folder / "times"
        script.write_text(
            f'#!/bin/sh\n[ "$1" = go ] || exec {real} "$@"\nbegan=$(date +%s.%N)\n{real} "$@"\ncode=$?\n'
            f'echo "$began $(date +%s.%N)" >>{log}\nexit $code\n'
        )
        script.chmod(0o755)
        return cls(script, log)

    def took(self) -> float:
        """Seconds of the last build."""
        began, ended = self.log.read_text().splitlines()[-1].split()
        return float(ended) - float(began)


@dataclass(slots=True)
class Side:
    """How builds are made on one side, from one cache; `whole` are seconds of the whole command."""

    argv: list[str]
    env: dict[str, str]
    trees: Path

    def build(self, project: Path, watch: Stopwatch) -> float:
        done = subprocess.run(self.argv, cwd=project, env=self.env, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.argv} failed: {done.stderr.decode()[-2000:]}")
        for tree in self.trees.glob("**/go-build*"):
            shutil.rmtree(tree, ignore_errors=True)
        return watch.took()


def builds(bench: Bench) -> list[Row]:
    """Cold pairs, each in new caches, then warm pairs in the last of them."""
    folder = bench.fresh("builds")
    project = folder / "project"
    shutil.copytree(ROOT / "examples" / bench.example, project)
    watch = Stopwatch.make(folder, bench.env)
    cold: list[tuple[float, float]] = []
    sides: tuple[Side, Side] | None = None
    for number in range(max(1, bench.sizes.cold_pairs)):
        sides = _sides(bench, folder / f"pair-{number}", watch)
        cold.append(_pair(project, watch, *sides, swapped=number % 2 == 1))
        say(f"cold pair {number + 1}: {cold[-1][0]:.1f} s through orchwatchd, {cold[-1][1]:.1f} s bare")
    if sides is None:
        return []
    warm = [_pair(project, watch, *sides, swapped=n % 2 == 1) for n in range(bench.sizes.warm_pairs + 1)][1:]
    return [
        _row(f"a warm build of {bench.example} through orchwatchd", warm, _WARM_GOAL),
        _row(f"a cold build of {bench.example} through orchwatchd", cold, _COLD_GOAL),
    ]


def _sides(bench: Bench, folder: Path, watch: Stopwatch) -> tuple[Side, Side]:
    (folder / "tmp").mkdir(parents=True)
    settings = folder / "orchwatchd.toml"
    settings.write_text(f'[build]\norchestrion = "{watch.script}"\n')
    state = folder / "state"
    ours = [*program(), "--config", str(settings), "--state", str(state), "build"]
    bare = [str(watch.script), "go", "build", "-work", "-o", os.devnull, "./..."]
    return (
        Side(ours, bench.env, folder / "no-trees"),
        Side(bare, build_environment(bench.env, folder, folder / "cache"), folder / "tmp"),
    )


def _pair(project: Path, watch: Stopwatch, ours: Side, bare: Side, *, swapped: bool) -> tuple[float, float]:
    if swapped:
        second = bare.build(project, watch)
        return ours.build(project, watch), second
    first = ours.build(project, watch)
    return first, bare.build(project, watch)


def _row(name: str, pairs: list[tuple[float, float]], goal: float) -> Row:
    ratios = Figure.of([a / b for a, b in pairs])
    # The goal is met as well where the interval includes 1.
    value = min(1.0, ratios.median) if ratios.low <= 1.0 <= ratios.high else ratios.median
    return Row(
        name,
        span(Figure.of([a for a, _ in pairs])),
        f"bare: {ms(Figure.of([b for _, b in pairs]).median)}, {len(pairs)} pairs",
        span(ratios, times),
        value,
        goal,
        f"interval with 1.00, or ≤ {goal} times",
        {"pairs": pairs},
    )
