"""What every command is given: which project, which state folder, which configuration; each found only when asked
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchwatchd.config.model import Config
    from orchwatchd.config.paths import Paths
    from orchwatchd.project import Project


@dataclass(frozen=True, slots=True)
class Context:
    """The words before the command. `directory` is where the user stands, or -C."""

    directory: Path
    config_file: Path | None
    state: Path | None

    def project(self) -> Project:
        """The module or workspace around `directory`; raises UnfitError where there is none."""
        from orchwatchd.project import find_project

        return find_project(self.directory)

    def root_or_none(self) -> Path | None:
        """The project's folder, or None when reading from outside of any (with --state)."""
        from orchwatchd.errors import UnfitError

        try:
            return self.project().root
        except UnfitError:
            return None

    def paths(self) -> Paths:
        """Where the project's history, trees and logs lie; with --state no project is needed to read.

        Raises UsageError where the history there is that of another project.
        """
        from orchwatchd.config.paths import Paths

        if self.state is None:
            paths = Paths.for_project(self.project().root, None)
        else:
            paths = Paths.for_project(self.directory, self.state)
        if paths.database.exists() and (root := self.root_or_none()) is not None:
            _require_own(paths, root)
        return paths

    def config(self) -> Config:
        """The configuration in force; raises ConfigurationError with every problem in it."""
        from orchwatchd.config.load import load

        return load(self.config_file, self.project().root)


def _require_own(paths: Paths, root: Path) -> None:
    from orchwatchd.errors import DatabaseError
    from orchwatchd.project import must_write_root
    from orchwatchd.query import History

    try:
        with History.open(paths.database) as history:
            remembered = history.project
    except DatabaseError:
        return  # the command meets it where it can say more
    must_write_root(remembered, root, paths.state)


pass_context = click.make_pass_decorator(Context)
