"""The build's inputs as they stand: which files they are, their contents, and the manifest that a run keeps of
them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orchwatchd.inputs import find_inputs
from orchwatchd.watch.snapshot import take

if TYPE_CHECKING:
    from orchwatchd.config.paths import Paths
    from orchwatchd.inputs import InputSet
    from orchwatchd.jobs.preparation import Preparation
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.watching import Snapshot


@dataclass(frozen=True, slots=True)
class Sources:
    """The inputs of a build and what they held before it."""

    inputs: InputSet
    snapshot: Snapshot


class SourceView(Protocol):
    """Who looks at the inputs around a build: the command itself, or the daemon's watcher."""

    def before(self) -> Sources:
        """The inputs as the build finds them."""
        ...

    def after(self, *, cancelled: bool) -> bool:
        """Whether they moved while it ran; called once the build's last process has ended."""
        ...


def find_sources(preparation: Preparation, paths: Paths, *, previous: InputSet | None = None) -> InputSet:
    """The inputs of the configured build. Raises UnfitError where Go or Orchestrion is missing or unfit."""
    config, project = preparation.config, preparation.project
    toolchain, configuration = preparation.toolchain(), preparation.configuration()
    return find_inputs(
        project,
        go=toolchain.go,
        packages=config.build.packages,
        tags=config.build.tags,
        flags=config.build.flags,
        tests=config.build.command == "test",
        include=config.watch.include,
        exclude=config.watch.exclude,
        config_files=[Path(file.path) for file in configuration.files],
        programs=(toolchain.go, toolchain.orchestrion),
        private=(paths.state, paths.base, *([Path(config.log.file)] if config.log.file else [])),
        injected=injected_packages(configuration),
        extras={
            "go": toolchain.go_version,
            "orchestrion": toolchain.orchestrion_version,
            "log level": config.log.level,
            **{f"env {name}": value for name, value in config.build.env.items()},
        },
        env={**preparation.env, **config.build.env},
        previous=previous,
    )


def injected_packages(configuration: ResolvedConfiguration) -> tuple[str, ...]:
    """The import paths that woven code needs: those that advices import, link or add blank."""
    found: set[str] = set()
    for aspect in configuration.aspects:
        for advice in aspect.advice:
            found.update(path for template in advice.templates for _, path in template.imports)
            found.update(advice.links)
            if advice.kind == "add-blank-import":
                found.add(advice.value)
    return tuple(sorted(found))


class FreshSources:
    """Looks at the inputs itself, before a build and after it: for one build outside of a daemon."""

    def __init__(self, preparation: Preparation, paths: Paths) -> None:
        self._preparation = preparation
        self._paths = paths
        self._before: Sources | None = None

    def before(self) -> Sources:
        """The inputs as they are now. Raises UnfitError where Go or Orchestrion is missing or unfit."""
        inputs = find_sources(self._preparation, self._paths)
        self._before = Sources(inputs, take(inputs))
        return self._before

    def after(self, *, cancelled: bool) -> bool:  # noqa: ARG002
        """Whether the inputs are others than before the build."""
        if self._before is None:
            return False
        return take(self._before.inputs, known=self._before.snapshot).digest != self._before.snapshot.digest


def manifest(sources: Sources) -> str:
    """One line an input, sorted: `sha256  path`, with paths inside the project relative to it."""
    root = sources.inputs.root
    rows = []
    for path, state in sources.snapshot.files.items():
        shown = os.path.relpath(path, root) if path.startswith(root + os.sep) else path
        rows.append(f"{state.sha256.hex()}  {shown}\n")
    return "".join(sorted(rows, key=lambda row: row[66:]))
