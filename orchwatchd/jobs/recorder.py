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

from orchwatchd.build.log import STDERR
from orchwatchd.jobs.deletion import held_folder
from orchwatchd.jobs.derive import derive_anew
from orchwatchd.jobs.preparation import Preparation
from orchwatchd.jobs.reserve import release_if_full
from orchwatchd.orchlog.family import LogFamily
from orchwatchd.project import must_write_root

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
        """Where Orchestrion's log goes, perhaps with `$PID` in it; `stderr` where no file is wanted."""
        return self.config.log.file or str(self.paths.logs / "orchestrion.jsonl")

    @property
    def log_family(self) -> LogFamily | None:
        """The log's files, None where no file is wanted."""
        return None if self.log_file == STDERR else LogFamily(self.log_file)

    def caches(self) -> tuple[Path, ...]:
        """Every Go cache that may hold archives of recorded runs: the private one, and the developer's if runs use
        it.
        """
        if self.private_cache is not None:
            return (self.paths.cache,)
        return (self.paths.cache, self.preparation.shared_cache())

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
    """Opens the history for writing; whoever calls holds the state lock. Raises DatabaseError, ConfigurationError, and
    UsageError where it is the history of another project.
    """
    from orchwatchd.store.history import Store

    env = dict(os.environ) if env is None else env
    paths.create()
    release_if_full(paths)
    with held_folder(paths.work), Store.open(paths.database) as store:
        if must_write_root(store.project, project.root, paths.state):
            store.set_project(str(project.root))
        derive_anew(store)
        yield Recorder(project, paths, config, store, env, Preparation(project, config, env))
