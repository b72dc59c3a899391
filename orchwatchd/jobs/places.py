"""Where an adopted tree was built: in this project's folder, in another one, or nobody knows; and where it lay then."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.tree.importcfg import read_importcfg

if TYPE_CHECKING:
    from orchwatchd.models.tree import TreeReading
    from orchwatchd.project import Project

_MODULE = re.compile(r'^module[ \t]+"?(?P<path>[^\s"/][^\s"]*)"?', re.MULTILINE)
_STAGE = re.compile(r"b\d{3,}")
_ROOT = re.compile(r"^(?P<root>.*?/go-build\d+)/(?:__tmp__/go-build\d+/)*b\d+/_pkg_\.a$")
_CONFIGURATIONS = ("importcfg.link", "importcfg")


@dataclass(frozen=True, slots=True)
class Places:
    """What the tree tells of where its build ran.

    `folders` are the module folders that its modified files name, by this project's folder of the same module: equal
    where it was built here. `originals` maps each original below another folder to the file that it would be here.
    """

    folders: Mapping[Path, frozenset[str]]
    originals: Mapping[str, str]

    @property
    def here(self) -> bool:
        """Whether something proves that it was built in this project's folder, and nothing speaks against it."""
        return bool(self.folders) and not self.elsewhere

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The other folders that it was built in."""
        found = {name for mine, names in self.folders.items() for name in names if not _same(name, str(mine))}
        return tuple(sorted(found))


def module_paths(project: Project) -> dict[str, Path]:
    """The project's modules by their paths; one whose `go.mod` names none is left out."""
    found = {}
    for folder in project.modules:
        try:
            named = _MODULE.search((folder / "go.mod").read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if named:
            found[named["path"]] = folder
    return found


def find_places(reading: TreeReading, modules: Mapping[str, Path]) -> Places:
    """Compares the originals that modified files of the project's own packages name with where these packages lie
    here. Pure but for resolving links.
    """
    stages = {stage.path: stage.package for stage in reading.stages}
    folders: dict[Path, set[str]] = {}
    originals: dict[str, str] = {}
    for file in reading.woven:
        package = stages.get(file.stage)
        module = _module_of(package.path, modules) if package else None
        if package is None or module is None or file.original is None:
            continue
        base = _base(os.path.dirname(file.original), package.path, module)  # noqa: PTH120  another machine's path
        if base is None:
            continue
        mine = modules[module]
        folders.setdefault(mine, set()).add(base)
        if not _same(base, str(mine)):
            originals[file.original] = os.path.join(mine, os.path.relpath(file.original, base))  # noqa: PTH118
    return Places({mine: frozenset(names) for mine, names in folders.items()}, originals)


def belongs(reading: TreeReading, modules: Mapping[str, Path]) -> bool:
    """Whether any package or program of the tree is of one of the modules; True, too, where it names none at all."""
    named = {stage.package.path for stage in reading.stages if stage.package}
    named.update(program.package.path for program in reading.programs)
    named.update(member.package.path for program in reading.programs for member in program.members)
    named.update(package.package.path for package in reading.packages)
    return not named or any(_module_of(path, modules) for path in named)


def named_root(tree: Path) -> str | None:
    """The folder where the build had this tree, as its import configurations name it; None where none does."""
    try:
        names = sorted(name for name in os.listdir(tree) if _STAGE.fullmatch(name))  # noqa: PTH208
    except OSError:
        return None
    for name in names:
        for configuration in _CONFIGURATIONS:
            try:
                archives = read_importcfg(tree / name / configuration).archives.values()
            except OSError:
                continue
            for archive in archives:
                if found := _ROOT.match(archive):
                    return found["root"]
    return None


def same_folder(one: str | Path, other: str | Path) -> bool:
    """Whether two paths are one folder, links resolved."""
    return _same(str(one), str(other))


def _module_of(path: str, modules: Mapping[str, Path]) -> str | None:
    """The module that a package is of: the longest that fits."""
    fits = [module for module in modules if path == module or path.startswith(f"{module}/")]
    return max(fits, key=len, default=None)


def _base(folder: str, package: str, module: str) -> str | None:
    """The module's folder, when its package lies in `folder`; an external test `p_test` lies where `p` does."""
    for path in (package, package.removesuffix(".test"), package.removesuffix("_test")):
        inner = path.removeprefix(module)
        if folder.endswith(inner):
            return folder.removesuffix(inner)
    return None


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
