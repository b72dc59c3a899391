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

    What was woven may itself have been generated in the stage (by cgo, for a test main, for coverage): `generated`
    is then that file, relative to the root work tree, `generated_data` its text, which is what was compiled, and
    `original` the user's file that it names, if any.
    """

    stage: str
    path: str
    original: str | None
    synthetic: bool
    data: bytes
    mtime_ns: int
    generated: str | None = None
    generated_data: bytes | None = None


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
    """A program of the root build. `action` is the link's action id, None where nothing tells it.

    `linked` is True when the program is there: linked now, or found up to date and not linked again (fact 26);
    `members` is then empty, and the set that was kept for `action` holds. `failed` is True when its link failed.
    `members` are the packages of its `importcfg.link`, `unresolved` those whose archive is gone, `original_members`
    the import paths of `importcfg.link.original` (None when nothing was added).
    """

    package: PackageName
    action: str | None
    members: tuple[Member, ...]
    original_members: tuple[str, ...] | None
    linked: bool
    unresolved: tuple[PackageName, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class GraphPackage:
    """A package of the action graph: done when it has a build id, failed with an action id alone or where cgo ran and
    no compile followed, unreached with neither (fact 11). Of a killed build none is known to have failed.

    `needed` is False where the build had no use for the package's output (`go vet`): without a build id it then
    neither failed nor is it missing. `stage` names its stage directory, whether that exists or not. `dependencies` are
    the packages that it imports by its sources as they were before weaving.
    """

    package: PackageName
    action: str | None
    build_id: BuildId | None
    cached: bool
    needed: bool = True
    stage: str | None = None
    failed: bool = False
    dependencies: tuple[PackageName, ...] = ()


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
