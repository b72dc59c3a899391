"""What is watched and what changed: inputs and their reasons, states of files, changes, and a watcher's health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


class InputKind(StrEnum):
    """Why the build reads a file."""

    SOURCE = "source"
    NATIVE = "native source"
    EMBEDDED = "embedded"
    TESTDATA = "test data"
    PROFILE = "profile"
    MODULE = "module"
    WORKSPACE = "workspace"
    VENDOR = "vendor list"
    CONFIGURATION = "orchestrion configuration"
    PROGRAM = "program"
    FLAG = "named by a flag"
    INCLUDED = "included by configuration"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for which a file is an input; `packages` are those that it is compiled or embedded into."""

    kind: InputKind
    packages: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a path is an input, and why; where it is not, `why_not` is one sentence."""

    path: str
    reasons: tuple[Reason, ...]
    why_not: str | None = None

    @property
    def is_input(self) -> bool:
        return bool(self.reasons)


class FileState(NamedTuple):
    """One input as it was read: its identity on disk, the SHA-256 of its content, and `shape`, a hash of what decides
    which other files belong to the build (imports, embeds, build constraints; for other files the whole content).

    `racy`: it was written so shortly before it was read that a later write may show the same times.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: bytes
    shape: int
    racy: bool


class DirectoryRule(Protocol):
    """Which entries of one directory matter."""

    def wants(self, name: str) -> bool:
        """Whether a file of this name would be an input."""
        ...

    def descends(self, name: str) -> bool:
        """Whether inputs may lie in the subdirectory of this name."""
        ...

    def follows(self, name: str) -> bool:
        """Whether a symbolic link of this name to a directory is followed."""
        ...

    def is_foreign(self, names: frozenset[str]) -> bool:
        """Whether a directory with these entries belongs to another module, and so is none of the build's."""
        ...


class Rules(Protocol):
    """A set of inputs as the watcher sees it: pure answers about paths, no input or output."""

    @property
    def root(self) -> str:
        """The project's folder, absolute."""
        ...

    @property
    def starts(self) -> tuple[str, ...]:
        """The directories where the walk over all inputs starts."""
        ...

    @property
    def extras(self) -> Mapping[str, str]:
        """What else decides over the build: environment, flags, versions."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the inputs are wider than the truth, one sentence each; empty when they are exact."""
        ...

    def rule(self, directory: str) -> DirectoryRule | None:
        """The rule of a directory, None when it holds no input."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All inputs at one moment, by absolute path; `digest` covers paths, contents and the rules' extras."""

    files: Mapping[str, FileState]
    digest: str


@dataclass(frozen=True, slots=True)
class Differences:
    """How two snapshots differ in content, by path, sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def paths(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted((*self.added, *self.removed, *self.changed)))


class Cause(StrEnum):
    """Why a build is due."""

    FIRST = "first build"
    CHANGED = "inputs changed"
    WHILE_STOPPED = "inputs changed while orchwatchd was stopped"
    DURING_BUILD = "inputs moved during the build"
    ENVIRONMENT = "environment, flags or versions changed"
    NOT_BUILT = "the last build did not come to its start"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A build is due: the inputs that differ from what the last build started from (sorted, absolute; empty where
    that is not known), the digest of all inputs now, and why.
    """

    files: tuple[str, ...]
    digest: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class BuiltInputs:
    """What a build was made from: the digest at its start and at its end, and the inputs that moved meanwhile."""

    digest_start: str
    digest_end: str
    moved: tuple[str, ...] = ()

    @property
    def inputs_moved(self) -> bool:
        return bool(self.moved) or self.digest_start != self.digest_end


@dataclass(frozen=True, slots=True)
class WatchCounters:
    """What a watcher counts. `directories` are all that hold inputs, `watched` of them by events, `polled` the
    rest.
    """

    inputs: int = 0
    directories: int = 0
    watched: int = 0
    polled: int = 0
    rescans: int = 0
    overflows: int = 0
    restarts: int = 0
    faults: int = 0
    refreshes: int = 0


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """How a watcher fares. `degraded` holds one sentence a reason, `notes` what the Go command complains of;
    `waiting` says what holds a due build back; `failed` why watching has ended for good (None: it lives).
    """

    ready: bool = False
    degraded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waiting: str | None = None
    failed: str | None = None
    counters: WatchCounters = field(default_factory=WatchCounters)
