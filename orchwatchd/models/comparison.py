"""Two runs side by side: what is compared, and what the comparison says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from orchwatchd.models.injection import Attribution, Injection, InjectionKind
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import RunId, RunStatus
from orchwatchd.models.tree import ImportKind

if TYPE_CHECKING:
    from orchwatchd.models.aspect import ResolvedConfiguration


class PackageState(StrEnum):
    """What a run knows of one of its packages: recorded by some run, by none, not compiled for an error,
    not reached.
    """

    KNOWN = "known"
    UNKNOWN = "unknown"
    FAILED = "failed"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True)
class SideInjection:
    """An injection of a package, the file that it stands in (as `files` prints it), and who made it.

    `certain` is False where the original was uncertain: it may then be the user's edit.
    """

    file: str
    injection: Injection
    attribution: Attribution = field(default_factory=Attribution)
    certain: bool = True


@dataclass(frozen=True, slots=True)
class SidePackage:
    """A package of one run. Where two sides have one action id their output is the same, and nothing else
    is looked at.
    """

    name: PackageName
    state: PackageState = PackageState.KNOWN
    action: str | None = None
    content: str | None = None
    injections: tuple[SideInjection, ...] = ()
    imports: tuple[tuple[ImportKind, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SideProgram:
    """A program of one run. `members` need name only packages that the side has.

    `linked` is False when the link failed or was not reached, `complete` when its members are not all known.
    `injected_only` are packages that injected code alone brought into it, and that the other run's program has not.
    """

    name: PackageName
    members: frozenset[PackageName]
    linked: bool = True
    complete: bool = True
    injected_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One run as it is compared. A package that both runs have with the same action id may be left out on
    both sides; it is then counted in `Common`. `graph_known` is False where no action graph tells all
    packages (adopted and killed runs). `members` are the import paths of all its packages, those left out included;
    None where `packages` has all of them.
    """

    run: RunId
    status: RunStatus = RunStatus.OK
    kind: str = "build"
    arguments: tuple[str, ...] = ()
    packages: tuple[SidePackage, ...] = ()
    programs: tuple[SideProgram, ...] = ()
    graph_known: bool = True
    members: frozenset[str] | None = None

    def may_have(self, path: str) -> bool:
        """Whether a package of that import path is, or may be, a part of the run; a run that did not end well may."""
        if self.status is not RunStatus.OK or not self.graph_known:
            return True
        if self.members is not None:
            return path in self.members
        return any(package.name.path == path for package in self.packages)


@dataclass(frozen=True, slots=True)
class Common:
    """How much of the instrumentation both runs have with the same action ids, and so was not handed over."""

    packages: int = 0
    injections: int = 0


@dataclass(frozen=True, slots=True)
class InjectionChange:
    """An injection that differs, with what is known of either side; one of both may be None."""

    package: PackageName
    before: SideInjection | None
    after: SideInjection | None

    @property
    def shown(self) -> SideInjection:
        """The side that is named: the later one where there is one."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change of nothing")
        return found

    @property
    def same_declaration(self) -> bool:
        """Whether it stands in the same declaration as before, wherever that went (an `init` gets another number)."""
        if self.before is None or self.after is None:
            return False
        before, after = self.before.injection.declaration, self.after.injection.declaration
        return before.partition("#")[0] == after.partition("#")[0]


@dataclass(frozen=True, slots=True)
class InjectionChanges:
    """`following` are those that differ only as far as they follow the user's edit (a renamed parameter);
    `uncertain` those that may be the user's own edit, for their original is not certain. Neither is a
    change of instrumentation.
    """

    added: tuple[InjectionChange, ...] = ()
    removed: tuple[InjectionChange, ...] = ()
    changed: tuple[InjectionChange, ...] = ()
    moved: tuple[InjectionChange, ...] = ()
    following: tuple[InjectionChange, ...] = ()
    uncertain: tuple[InjectionChange, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True, order=True)
class ImportChange:
    """An import that came or went."""

    package: PackageName
    path: str
    kind: ImportKind


@dataclass(frozen=True, slots=True)
class PackageChanges:
    """Packages by their instrumentation; plain ones are in none of these. `unreached` of either side are
    named apart.
    """

    added: tuple[PackageName, ...] = ()
    removed: tuple[PackageName, ...] = ()
    changed: tuple[PackageName, ...] = ()
    unknown: tuple[PackageName, ...] = ()
    unreached: tuple[PackageName, ...] = ()
    out_of_scope: tuple[PackageName, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs. `incomplete` says, one sentence each, what could not be compared."""

    a: RunId
    b: RunId
    packages: PackageChanges = field(default_factory=PackageChanges)
    injections: InjectionChanges = field(default_factory=InjectionChanges)
    imports_added: tuple[ImportChange, ...] = ()
    imports_removed: tuple[ImportChange, ...] = ()
    incomplete: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.incomplete

    @property
    def differs(self) -> bool:
        """Whether the instrumentation differs; what followed an edit, or moved with its declaration, does
        not.
        """
        packages, injections = self.packages, self.injections
        lists = (packages.added, packages.removed, packages.changed, self.imports_added, self.imports_removed)
        return any(lists) or any((injections.added, injections.removed, injections.changed))


# What stands for the version of a module that has none, and for whatever is not there.
NO_VERSION = "(none)"


class CauseKind(StrEnum):
    """What can make two runs differ."""

    KIND = "kind"
    ARGUMENTS = "arguments"
    FLAGS = "flags"
    TAGS = "tags"
    ORCHESTRION = "orchestrion"
    GO = "go"
    MODULE = "module"
    TOOLEXEC = "toolexec"
    INTEGRATION = "integration"
    ASPECT = "aspect"
    ENVIRONMENT = "environment"
    SOURCE = "source"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs: `before` and `after` are None where there was none. `unknown` names what a
    run did not record.
    """

    kind: CauseKind
    name: str
    before: str | None
    after: str | None

    @property
    def change(self) -> str:
        """What became of it, for people: a main module has no version, and came or went all the same."""
        if self.kind is CauseKind.MODULE and None in (self.before, self.after):
            word, version = ("added", self.after) if self.before is None else ("removed", self.before)
            return word if version == NO_VERSION else f"{word} ({version})"
        before, after = (NO_VERSION if one is None else one for one in (self.before, self.after))
        return f"{before} → {after}"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was in force during a run. None: it was not recorded, and nothing can be said about it.

    `modules` is path to version (a replacement shows in it), `required` those of them that `go.mod` requires directly,
    `manifest` project-relative path to hash.
    """

    kind: str
    arguments: tuple[str, ...] | None = None
    flags: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    orchestrion_version: str | None = None
    go_version: str | None = None
    toolexec_key: str | None = None
    modules: Mapping[str, str] | None = None
    required: frozenset[str] | None = None
    environment: Mapping[str, str] | None = None
    configuration: ResolvedConfiguration | None = None
    manifest: Mapping[str, str] | None = None


__all__ = [
    "Cause",
    "CauseKind",
    "Common",
    "Comparison",
    "ImportChange",
    "InjectionChange",
    "InjectionChanges",
    "InjectionKind",
    "PackageChanges",
    "PackageState",
    "RunFacts",
    "Side",
    "SideInjection",
    "SidePackage",
    "SideProgram",
]
