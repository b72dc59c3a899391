"""Orchestrion's resolved configuration: which aspects were in force, from which file of which package and module."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

BUILT_IN_PACKAGE = "github.com/DataDog/orchestrion"
BUILT_IN_FILE = "<built-in>"


@dataclass(frozen=True, slots=True)
class PackageLocation:
    """Where the Go command finds a package. `folder` is None when it does not; `error` then says why. `version` is
    None for the main module, the standard library and a module replaced by a folder.
    """

    import_path: str
    folder: Path | None
    module: str | None = None
    version: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class AspectKey:
    """What names one aspect: ids alone are not unique (fact 22). `file` is relative to the package's folder, `index`
    counts the aspects of that file from 0.
    """

    package: str
    file: str
    index: int
    id: str

    def __str__(self) -> str:
        return f"{self.package}:{self.file}[{self.index}] {self.id}"

    @classmethod
    def parse(cls, text: str) -> AspectKey:
        """Reads what `str` wrote. Raises ValueError for anything else."""
        place, bracket, name = text.partition("] ")
        place, opening, index = place.rpartition("[")
        package, colon, file = place.partition(":")
        if not (bracket and opening and colon):
            raise ValueError(f"not the key of an aspect: {text!r}")
        return cls(package, file, int(index), name)


@dataclass(frozen=True, slots=True)
class JoinPoint:
    """A join point as written: `value` of a simple one, `fields` in the file's order, `children` of a compound one.

    The options of `function` are its children. A kind that this version does not know keeps its YAML as JSON in
    `value`.
    """

    kind: str
    value: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    children: tuple[JoinPoint, ...] = ()

    def get(self, name: str) -> str:
        """The first field with that name, or an empty string."""
        return next((value for key, value in self.fields if key == name), "")


@dataclass(frozen=True, slots=True)
class Template:
    """A Go text/template with the imports that it may use, as (alias, import path) sorted by alias."""

    source: str
    imports: tuple[tuple[str, str], ...] = ()
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """What an aspect does at a join point. `value` is the import path of add-blank-import, the function of
    replace-function, the name of add-struct-field; `type` the type of a field or of appended arguments.
    """

    kind: str
    value: str = ""
    type: str = ""
    templates: tuple[Template, ...] = ()
    links: tuple[str, ...] = ()
    order: int = 0
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One aspect in force."""

    key: AspectKey
    join_point: JoinPoint
    advice: tuple[Advice, ...]
    tracer_internal: bool = False


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that the configuration was read from: its absolute path, the package that brings it and the SHA-256 of
    its bytes (None for one that does not exist, whose appearance would change the configuration).
    """

    path: str
    package: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Integration:
    """A package that takes part in the configuration: the project itself, or one that a tool file imports or an
    `extends` names. `imported_by` are the packages that name it; `name` is the `meta.name` of its orchestrion.yml.
    """

    package: str
    module: str | None
    version: str | None
    name: str = ""
    imported_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """Something that could not be read: the file (or import path) concerned, and one sentence."""

    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


@dataclass(frozen=True, slots=True)
class ResolvedConfiguration:
    """The configuration of one project. `aspects` stand in the order in which Orchestrion applies them.

    `complete` is False when something could not be read: an injection that no aspect explains then proves nothing.
    """

    root: str = ""
    aspects: tuple[Aspect, ...] = ()
    integrations: tuple[Integration, ...] = ()
    files: tuple[ConfigFile, ...] = ()
    problems: tuple[ConfigProblem, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class ConfigurationDifference:
    """How two configurations differ: aspects by their keys, integrations as (package, version before, after)."""

    added: tuple[AspectKey, ...] = ()
    removed: tuple[AspectKey, ...] = ()
    changed: tuple[AspectKey, ...] = ()
    integrations_added: tuple[Integration, ...] = ()
    integrations_removed: tuple[Integration, ...] = ()
    integrations_changed: tuple[tuple[str, str | None, str | None], ...] = field(default=())

    def __bool__(self) -> bool:
        return any(
            (
                self.added,
                self.removed,
                self.changed,
                self.integrations_added,
                self.integrations_removed,
                self.integrations_changed,
            )
        )
