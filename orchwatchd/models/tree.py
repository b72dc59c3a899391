"""What lies in a work tree after a build: facts read, nothing inferred from other runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchwatchd.models.package import BuildId, PackageName


class StageKind(StrEnum):
    """What the Go command did in a stage directory."""

    COMPILE = "compile"
    LINK = "link"
    OTHER = "other"


class StageStatus(StrEnum):
    """How a stage came by its archive: compiled there, served by the Go cache, copied from another tree, or not at
    all.
    """

    COMPILED = "compiled"
    CACHED = "cached"
    REUSED = "reused"
    FAILED = "failed"


class ImportKind(StrEnum):
    """Where an added import stands (`source`: an import declaration of a modified file)."""

    IMPORTCFG = "importcfg"
    IMPORTCFG_LINK = "importcfg.link"
    LINK_DEPS = "link.deps"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class ImportChange:
    """What one stage imports beyond its `.original` (or lists in `link.deps`)."""

    stage: str
    kind: ImportKind
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WovenFile:
    """A modified file. `path` is relative to the root work tree; `original` is absolute, from the first `//line`
    (fact 7), or None.
    """

    stage: str
    path: str
    original: str | None
    synthetic: bool
    data: bytes
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage directory. `path` is relative to the root work tree (`b002`, `__tmp__/go-build12/b007`).

    `build_id` is that of the compiled package's archive, None when the stage holds none. `wall` and `cpu` are
    seconds, None where no action graph tells (nested trees). `status` is None when nothing tells. `attempt`
    marks a stage whose compile did not end (no archive, or an unfinished one): it is shown and never counts as
    an output.
    """

    path: str
    nested: bool
    package: PackageName | None
    kinds: tuple[StageKind, ...]
    build_id: BuildId | None
    status: StageStatus | None
    wall: float | None
    cpu: float | None
    files: int
    bytes: int
    woven: bool
    attempt: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A package that the built program is made of, with the identity of its archive."""

    package: PackageName
    build_id: BuildId


@dataclass(frozen=True, slots=True)
class Program:
    """A program that the root build linked: `action` is the link's action id, `members` its `importcfg.link`,
    `original_members` the import paths of `importcfg.link.original` (None when nothing was added).
    """

    package: PackageName
    action: str | None
    members: tuple[Member, ...]
    original_members: tuple[str, ...] | None
    linked: bool
    unresolved: tuple[PackageName, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphPackage:
    """A package of the action graph: done when it has a build id, failed with an action id alone, unreached with
    neither (fact 11).
    """

    package: PackageName
    action: str | None
    build_id: BuildId | None
    cached: bool


@dataclass(frozen=True, slots=True)
class TreeReading:
    """Everything that one work tree and its action graph told.

    `go_ended` is the proof that the Go command came to its end: action 0 of the graph has a TimeDone (fact 11).
    `has_graph` is False for an adopted tree. `problems` are sentences about what could not be read.
    """

    stages: tuple[Stage, ...] = ()
    woven: tuple[WovenFile, ...] = ()
    imports: tuple[ImportChange, ...] = ()
    programs: tuple[Program, ...] = ()
    packages: tuple[GraphPackage, ...] = ()
    has_graph: bool = False
    go_ended: bool = False
    problems: tuple[str, ...] = ()
