"""Resolves the configuration as Orchestrion v1.15.0 does: tool files and YAML files, recursively (fact 23)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchwatchd.aspects import lexer, yamlfile
from orchwatchd.aspects.builtin import BUILT_IN_ASPECTS
from orchwatchd.models.aspect import (
    BUILT_IN_PACKAGE,
    Aspect,
    AspectKey,
    ConfigFile,
    ConfigProblem,
    Integration,
    PackageLocation,
    ResolvedConfiguration,
)

Locate = Callable[[Sequence[str]], Mapping[str, PackageLocation]]

TOOL_FILE = "orchestrion.tool.go"
YAML_FILE = "orchestrion.yml"


def resolve(project_root: Path, *, locate: Locate) -> ResolvedConfiguration:
    """Reads the configuration of the module in `project_root` (the folder of its go.mod).

    `locate` is asked for import paths and for absolute folders, once a level of imports. Whatever cannot be read
    becomes a problem; nothing is raised.
    """
    root = Path(os.path.realpath(project_root))
    walk = _Walk(locate)
    here = locate([str(root)]).get(str(root)) or PackageLocation("", None)
    name = here.import_path if here.folder else _module_of(root)
    walk.locations[name] = PackageLocation(name, root, here.module or name, here.version)
    walk.package(name, imported_by=None)
    files = sorted(walk.files.values(), key=lambda file: (file.path, file.package))
    return ResolvedConfiguration(
        root=here.module or _module_of(root),
        aspects=tuple(walk.aspects),
        integrations=tuple(walk.integrations()),
        files=tuple(files),
        problems=tuple(walk.problems),
    )


def _module_of(root: Path) -> str:
    try:
        text = (root / "go.mod").read_text(errors="replace")
    except OSError:
        return ""
    words = [line.split() for line in text.splitlines()]
    return next((line[1].strip('"') for line in words if len(line) > 1 and line[0] == "module"), "")


class _Walk:
    """One walk over the configuration; a file counts where it is met first, as in Orchestrion."""

    def __init__(self, locate: Locate) -> None:
        self.locations: dict[str, PackageLocation] = {}
        self.aspects: list[Aspect] = []
        self.files: dict[tuple[str, str], ConfigFile] = {}
        self.problems: list[ConfigProblem] = []
        self._locate = locate
        self._loaded: set[Path] = set()
        self._importers: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}

    def integrations(self) -> list[Integration]:
        """The packages that take part, in the order in which they were met."""
        return [
            Integration(name, place.module, place.version, self._names.get(name, ""), tuple(by))
            for name, by in self._importers.items()
            for place in (self.locations.get(name) or PackageLocation(name, None),)
        ]

    def package(self, name: str, imported_by: str | None) -> None:
        """Loads what a package brings: first what its tool file imports, then its YAML."""
        importers = self._importers.setdefault(name, [])
        if imported_by and imported_by not in importers:
            importers.append(imported_by)
        if name == BUILT_IN_PACKAGE:
            if not any(aspect.key.package == BUILT_IN_PACKAGE for aspect in self.aspects):
                self.aspects.extend(BUILT_IN_ASPECTS)
            return
        place = self.locations[name]
        if place.folder is None or place.error:
            why = place.error or "the Go command did not find it"
            self.problems.append(ConfigProblem(name, f"the package cannot be read: {' '.join(why.split())}"))
            return
        self._tool_file(name, place.folder / TOOL_FILE)
        if (data := self._read(name, place.folder / YAML_FILE, optional=True)) is not None:
            self._yaml(name, place.folder, place.folder / YAML_FILE, data)

    def _tool_file(self, package: str, path: Path) -> None:
        data = self._read(package, path, optional=True)
        if data is None:
            return
        names = list(dict.fromkeys(path for _, path in lexer.imports(data.decode(errors="replace"))))
        self._find([name for name in names if name != BUILT_IN_PACKAGE])
        if BUILT_IN_PACKAGE in names and BUILT_IN_PACKAGE not in self.locations:
            self._find([BUILT_IN_PACKAGE])
        for name in names:
            self.package(name, imported_by=package)

    def _find(self, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in self.locations]
        if missing:
            answers = self._locate(missing)
            self.locations.update(
                {name: answers.get(name) or PackageLocation(name, None) for name in missing}
            )

    def _yaml(self, package: str, folder: Path, path: Path, data: bytes) -> None:
        try:
            parsed = yamlfile.parse(data)
        except yamlfile.BadFileError as error:
            self.problems.append(ConfigProblem(str(path), str(error)))
            return
        if path.name == YAML_FILE and path.parent == folder:
            self._names[package] = parsed.name
        for target in parsed.extends:
            self._extend(package, folder, path, target)
        file = os.path.relpath(path, folder).replace(os.sep, "/")
        for index, raw in parsed.aspects:
            key = AspectKey(package, file, index, raw.id)
            self.aspects.append(Aspect(key, raw.join_point, raw.advice, raw.tracer_internal))
        self.problems.extend(ConfigProblem(str(path), text) for text in parsed.problems)

    def _extend(self, package: str, folder: Path, path: Path, target: str) -> None:
        extended = Path(os.path.normpath(path.parent / target))
        if extended.is_dir():
            answer = self._locate([str(extended)]).get(str(extended))
            if answer is None or answer.folder is None:
                why = (answer and answer.error) or "the Go command did not find it"
                self.problems.append(ConfigProblem(str(path), f"extends {target!r}: {' '.join(why.split())}"))
                return
            self.locations[answer.import_path] = answer
            self.package(answer.import_path, imported_by=package)
        elif (data := self._read(package, extended, optional=False)) is not None:
            self._yaml(package, folder, extended, data)

    def _read(self, package: str, path: Path, *, optional: bool) -> bytes | None:
        """The bytes of a file that was not read yet; notes it, and says what is wrong unless it may be missing."""
        if path in self._loaded:
            return None
        self._loaded.add(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            self.files[str(path), package] = ConfigFile(str(path), package, None)
            if not (optional and isinstance(error, FileNotFoundError)):
                reason = error.strerror or type(error).__name__
                self.problems.append(ConfigProblem(str(path), f"the file cannot be read: {reason.lower()}"))
            return None
        self.files[str(path), package] = ConfigFile(str(path), package, hashlib.sha256(data).hexdigest())
        return data
