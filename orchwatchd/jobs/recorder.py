"""What every job that writes works with: the project, its places, its settings, its history. Made under the state
lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.jobs.preparation import Preparation

if TYPE_CHECKING:
    from orchwatchd.config.model import Config
    from orchwatchd.config.paths import Paths
    from orchwatchd.project import Project
    from orchwatchd.store.history import Store


@dataclass(frozen=True, slots=True)
class Recorder:
    """One project with its open history. Used by one thread: the store belongs to it."""

    project: Project
    paths: Paths
    config: Config
    store: Store
    env: Mapping[str, str]
    preparation: Preparation

    @property
    def private_cache(self) -> Path | None:
        """The Go cache of our own, None where the developer's is used."""
        return self.paths.cache if self.config.build.cache == "private" else None

    @property
    def log_file(self) -> str:
        """Where Orchestrion's log goes, perhaps with `$PID` in it."""
        return self.config.log.file or str(self.paths.logs / "orchestrion.jsonl")

    def files_of(self, run: int) -> Path:
        """Where a run's action graph and output are kept until it is indexed."""
        return self.paths.builds / f"run-{run}"

    def work_of(self, run: int) -> Path:
        """The folder of a run's work tree, its GOTMPDIR."""
        return self.paths.work / f"run-{run}"


@contextmanager
def open_recorder(
    project: Project, paths: Paths, config: Config, env: Mapping[str, str] | None = None
) -> Iterator[Recorder]:
    """Opens the history for writing; whoever calls holds the state lock. Raises DatabaseError, ConfigurationError."""
    from orchwatchd.store.history import Store

    env = dict(os.environ) if env is None else env
    paths.create()
    with Store.open(paths.database) as store:
        yield Recorder(project, paths, config, store, env, Preparation(project, config, env))
