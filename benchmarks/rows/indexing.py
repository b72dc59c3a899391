"""Indexing a finished tree, everything stored, against the bare walk over it."""

from __future__ import annotations

import itertools
import shutil
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.report import Row, ms, span, times
from benchmarks.sample import Tree
from benchmarks.timing import Cost, cpus, interleaved, ratio, run_function, walls
from benchmarks.walk import walk
from orchwatchd.config.load import load
from orchwatchd.config.paths import Paths
from orchwatchd.jobs.indexing import Left, index_run
from orchwatchd.jobs.recorder import Recorder, open_recorder
from orchwatchd.models.run import RunEnd, RunStart, RunStatus
from orchwatchd.project import find_project

_COLD_GOAL, _WARM_GOAL, _SHARE_GOAL = 10.0, 0.05, 0.01


class Indexing:
    """Indexes one tree again and again, each time into an empty history."""

    def __init__(self, bench: Bench, tree: Tree) -> None:
        self._bench = bench
        self._tree = tree
        self._project = find_project(bench.sample.project)
        self._config = load(None, self._project.root)
        self._numbers = itertools.count()

    def measured(self) -> Cost:
        """One index into a new history, commit included; making the history is not counted."""
        folder = self._bench.fresh(f"index-{next(self._numbers) % 2}")
        paths = Paths.for_project(self._project.root, folder)
        with open_recorder(self._project, paths, self._config, self._bench.env) as recorder:
            configuration = _configuration(self._bench, recorder)
            run = recorder.store.begin(_start(self._bench, folder))
            recorder.files_of(run).mkdir(parents=True)
            shutil.copy(self._tree.graph, recorder.files_of(run) / "graph.json")
            left = Left(self._tree.work, b"", b"")

            def index() -> None:
                found = index_run(recorder, run, left, before=None, configuration=configuration)
                end = RunEnd(RunStatus.OK, None, datetime.now(UTC), 0, work_tree=str(self._tree.work))
                recorder.store.finish(run, end, found.record, found.log)

            return run_function(index)


_KNOWN: dict[Path, object] = {}


def _configuration(bench: Bench, recorder: Recorder) -> object:
    """Orchestrion's configuration, resolved before a build and not after it, so not counted here."""
    project = bench.sample.project
    if project not in _KNOWN:
        _KNOWN[project] = recorder.preparation.configuration()
    return _KNOWN[project]


def _start(bench: Bench, folder: Path) -> RunStart:
    base = bench.base
    return RunStart(
        kind="build",
        trigger=(),
        started_at=datetime.now(UTC),
        argv=("orchestrion", "go", "build", "-work", "./..."),
        work_parent=str(folder / "work"),
        go_version=base.go_version,
        orchestrion_version=base.orchestrion_version,
        cache="private",
        documents=base.documents,
    )


def indexing(bench: Bench) -> list[Row]:
    """The cold tree and the warm one."""
    sample, rounds = bench.sample, bench.sizes.rounds
    cold, warm = Indexing(bench, sample.cold), Indexing(bench, sample.warm)
    costs = interleaved(
        {
            "cold": cold.measured,
            "cold walk": lambda: run_function(lambda: walk(str(sample.cold.work))),
            "warm": warm.measured,
            "warm walk": lambda: run_function(lambda: walk(str(sample.warm.work))),
        },
        rounds,
        warmups=2 * bench.sizes.warmups,
    )
    files, size, _ = walk(str(sample.cold.work))
    against = ratio(costs["cold"], costs["cold walk"])
    raw = {part: [[one.wall, one.cpu] for one in found] for part, found in costs.items()}
    rows = [
        Row(
            f"indexing a cold tree of {bench.example} ({files:,} files, {size / 1e6:.0f} MB, "
            f"{len(bench.base.cold.members)} packages)",
            f"{span(walls(costs['cold']))}, {ms(cpus(costs['cold']).median)} CPU",
            f"bare walk: {ms(walls(costs['cold walk']).median)}",
            span(against, times),
            against.median,
            _COLD_GOAL,
            "≤ 10 times the walk",
            raw,
        ),
        Row(
            "indexing a warm tree",
            f"{span(walls(costs['warm']))}, {ms(cpus(costs['warm']).median)} CPU",
            f"bare walk: {ms(walls(costs['warm walk']).median)}",
            value=walls(costs["warm"]).median,
            goal=_WARM_GOAL,
            goal_text=f"≤ {ms(_WARM_GOAL)}",
        ),
    ]
    if sample.cold.wall is not None:
        share = walls(costs["cold"]).median / sample.cold.wall
        rows.append(
            Row(
                "indexing against its cold build",
                ms(walls(costs["cold"]).median),
                ms(sample.cold.wall),
                f"{share:.2%}",
                share,
                _SHARE_GOAL,
                "≤ 1 % of it",
            )
        )
    return rows
