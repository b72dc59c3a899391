"""A small durable history for prune's tests: what `PruneStore` asks for, in a file that survives a kill."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from orchwatchd.config.paths import Paths
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import RunUse


class Ledger:
    """Keeps runs as JSON, replaced in one durable step a call."""

    def __init__(self, path: Path):
        self._path = path
        self.runs = {}
        if path.exists():
            for item in json.loads(path.read_text()):
                use = RunUse(
                    **{
                        **item,
                        "run": RunId(item["run"]),
                        "status": RunStatus(item["status"]),
                        "work": WorkState(item["work"]),
                        "started_at": datetime.fromisoformat(item["started_at"]),
                        "pins": tuple(item["pins"]),
                    }
                )
                self.runs[use.run] = use

    def add(self, *uses):
        self.runs.update({use.run: use for use in uses})
        self._save()

    def change(self, run, **values):
        self.runs[run] = RunUse(
            **{**{name: getattr(self.runs[run], name) for name in RunUse.__slots__}, **values}
        )
        self._save()

    def run_uses(self):
        return tuple(self.runs.values())

    def database_bytes(self):
        return sum(use.row_bytes for use in self.runs.values())

    def set_work_state(self, run, state, size=None):
        self.change(run, work=state, tree_bytes=size)

    def drop_logs(self, runs):
        for run in runs:
            self.change(run, row_bytes=self.runs[run].row_bytes - self.runs[run].log_bytes, log_bytes=0)

    def forget_runs(self, runs, *, cached):
        self.asked = cached
        for run in runs:
            del self.runs[run]
        self._save()

    def _save(self):
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump([asdict(use) for use in self.runs.values()], file, default=str)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


def make_paths(base: Path) -> Paths:
    paths = Paths.for_project(base, base / "state")
    paths.create()
    return paths


def make_tree(paths: Paths, run: int, *, archives: int = 3, size: int = 20_000) -> Path:
    """A work tree as a build leaves it, nested one included."""
    root = paths.work / f"run-{run}" / "go-build123"
    for number in range(archives):
        for stage in (root / f"b{number:03}", root / "__tmp__" / "go-build9" / f"b{number:03}"):
            (stage / "orchestrion" / "src" / "p").mkdir(parents=True)
            (stage / "_pkg_.a").write_bytes(b"!<arch>\n" + b"x" * size)
            (stage / "importcfg").write_text("packagefile x=y\n")
            (stage / "orchestrion" / "src" / "p" / "a.go").write_text("package p\n")
    return paths.work / f"run-{run}"
