"""Everything that a build needs to know before it starts, found once and again only when what it depends on has
changed.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from orchwatchd.build import (
    check_cache_program,
    find_toolchain,
    modules_document,
    recorded_arguments,
    recorded_environment,
)
from orchwatchd.build.toolchain import with_go_first
from orchwatchd.errors import UnfitError
from orchwatchd.models.run import Documents
from orchwatchd.process import run_short

if TYPE_CHECKING:
    from orchwatchd.config.model import Config
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.build import BuildCommand, Toolchain
    from orchwatchd.project import Project

_T = TypeVar("_T")
_Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: _Stamp
    more: Sequence[Path]
    value: object


class Preparation:
    """Toolchain, resolved configuration and modules of one project; each costs a program call or several, and
    saving a file must not wait for them, so each is kept while the files that decide over it stay as they are.
    """

    def __init__(self, project: Project, config: Config, env: Mapping[str, str]) -> None:
        self.project = project
        self.config = config
        self.env = dict(env)
        self._kept: dict[str, _Kept] = {}
        # The daemon's watcher asks from its own thread.
        self._asking = threading.RLock()

    def toolchain(self) -> Toolchain:
        """The Go and Orchestrion that fit the project. Raises UnfitError with the next step."""
        files = [*self._module_files(), *self._programs()]
        return self._once(
            "toolchain", files, lambda: find_toolchain(self.project, self.config.build, self.env)
        )

    def configuration(self) -> ResolvedConfiguration:
        """Orchestrion's configuration in force; what cannot be read is a problem in it."""
        from orchwatchd.aspects.locate import GoLocator
        from orchwatchd.aspects.resolve import resolve

        folder = self.project.gomod.parent
        files = [*self._module_files(), folder / "orchestrion.tool.go", folder / "orchestrion.yml"]

        def find() -> ResolvedConfiguration:
            toolchain = self.toolchain()
            env = with_go_first({**self.env, **self.config.build.env}, toolchain.go)
            return resolve(folder, locate=GoLocator(folder, toolchain.go, env))

        return self._once(
            "configuration", files, find, lambda found: [Path(file.path) for file in found.files]
        )

    def shared_cache(self) -> Path:
        """The developer's own Go cache."""
        return self._once("cache", self._programs(), self._ask_cache)

    def check_cache_program(self) -> None:
        """Raises UnfitError where `go env -w` set a program that would serve packages unseen."""
        settings = Path(self.env.get("GOENV") or Path.home() / ".config/go/env")

        def check() -> None:
            check_cache_program(self.toolchain(), self.env, self.project.root)

        self._once("cache program", [*self._programs(), settings], check)

    def documents(self, command: BuildCommand, manifest: str | None) -> Documents:
        """What is to be kept with a run: the texts that decide over the build."""
        from orchwatchd.aspects.document import to_json

        project = self.project
        asked = {
            "packages": command.packages,
            "tags": self.config.build.tags,
            "flags": recorded_arguments(self.config.build.flags),
            "log": {"file": command.log.file, "level": command.log.level},
            "cache": self.config.build.cache,
        }
        return Documents(
            gomod=_text(project.gomod),
            gosum=_text(project.gomod.with_name("go.sum")),
            gowork=_text(project.gowork),
            modules=modules_document(project, self.toolchain(), command.env),
            environment=_json(recorded_environment(command.env)),
            configuration=to_json(self.configuration()),
            manifest=manifest,
            command=_json(asked),
        )

    def _module_files(self) -> list[Path]:
        files = [folder / name for folder in self.project.modules for name in ("go.mod", "go.sum")]
        return [*files, self.project.gowork] if self.project.gowork else files

    def _programs(self) -> list[Path]:
        """The programs that a build would run, as far as the PATH and the configuration name them."""
        build, path = self.config.build, self.env.get("PATH", "")
        names = (build.go or "go", build.orchestrion or "orchestrion")
        found = (shutil.which(name, path=path) for name in names)
        return [Path(os.path.realpath(name)) for name in found if name]

    def _ask_cache(self) -> Path:
        toolchain = self.toolchain()
        env = with_go_first({**self.env, **self.config.build.env}, toolchain.go)
        done = run_short([toolchain.go, "env", "GOCACHE"], cwd=self.project.gomod.parent, env=env)
        if done.returncode:
            raise UnfitError(f"`go env GOCACHE` failed: {done.stderr.strip()}")
        return Path(done.stdout.strip())

    def _once(
        self,
        name: str,
        files: Sequence[Path],
        find: Callable[[], _T],
        more: Callable[[_T], Sequence[Path]] = lambda _: (),
    ) -> _T:
        """What `find` gives, kept while `files` and those that the value itself names (`more`) stay as they are."""
        with self._asking:
            kept = self._kept.get(name)
            if kept is None or kept.stamp != _stamp([*files, *kept.more]):
                value = find()
                also = more(value)
                if getattr(value, "problems", ()):
                    # What could not be read may be there the next time: a module that the build downloads meanwhile.
                    self._kept.pop(name, None)
                    return value
                kept = self._kept[name] = _Kept(_stamp([*files, *also]), also, value)
        return kept.value  # type: ignore[return-value]


def _stamp(files: Sequence[Path]) -> _Stamp:
    """What tells that a file is another one or was written: identity, size and time; zeros where there is none."""
    rows = {}
    for file in files:
        try:
            found = file.stat()
            rows[str(file)] = (found.st_ino, found.st_size, found.st_mtime_ns)
        except OSError:
            rows[str(file)] = (0, 0, 0)
    return tuple((name, *row) for name, row in sorted(rows.items()))


def _text(file: Path | None) -> str | None:
    try:
        return file.read_text(errors="surrogateescape") if file else None
    except OSError:
        return None


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
