"""What a run's index hands to the store: outputs with their modified files, programs, stages; and what reading
gives back.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchwatchd.models.injection import Attribution, Injection
from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.tree import ImportKind, Stage


@dataclass(frozen=True, slots=True)
class AttributedInjection:
    """An injection and who made it."""

    injection: Injection
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A modified file to be kept: `data` is the woven text, `original_data` the text that it was woven from.

    `original_certain` is False when the original changed after the weaving and no stored version explains the
    woven file, or when it is gone; the injections then are those against the best text at hand, and are marked
    uncertain where shown. `generated` is the file of the work tree that was woven, where it is not the user's own
    (cgo): `original` then names the user's file, and `original_data` is the generated text, which was compiled.
    """

    path: str
    stage: str
    nested: bool
    synthetic: bool
    original: str | None
    original_data: bytes | None
    original_certain: bool
    data: bytes
    injections: tuple[AttributedInjection, ...]
    generated: str | None = None


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One compiled package, keyed by its action id. `woven` is judged over all stages of the run with that id
    (`proof.md` rule 2).

    `finished` is False when only attempts were seen: the record then serves rule 2 and is no proof that the
    package was compiled.
    """

    action: str
    content: str | None
    package: PackageName | None
    woven: bool
    finished: bool
    files: tuple[FileRecord, ...]
    imports: tuple[tuple[ImportKind, str], ...]


@dataclass(frozen=True, slots=True)
class ProgramRecord:
    """A program of the root build, with what its `importcfg.link` added to the original.

    `linked` and `failed` are `Program`'s. `complete` is True when `members` names every package of the program: not
    for a link that was skipped (`members` is then empty, and the set kept for `action` holds) or never came to it,
    nor where archives were gone (`unresolved`).
    """

    package: PackageName
    action: str | None
    members: tuple[tuple[PackageName, BuildId], ...]
    added: tuple[str, ...]
    linked: bool
    complete: bool
    failed: bool = False
    unresolved: tuple[PackageName, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The index of one run, stored in one transaction. `members` is the action graph together with all programs'
    members; `unreached` and `failed` name packages of the action graph that have no output in this run. The
    versions are those of the code that found the injections and attributed them. `dependencies` are the packages of the
    action graph with those that each imports.
    """

    stages: tuple[Stage, ...] = ()
    outputs: tuple[OutputRecord, ...] = ()
    members: tuple[tuple[PackageName, BuildId], ...] = ()
    programs: tuple[ProgramRecord, ...] = ()
    failed: tuple[PackageName, ...] = ()
    unreached: tuple[PackageName, ...] = ()
    graph_known: bool = True
    problems: tuple[str, ...] = ()
    weave_version: int = 0
    attribution_version: int = 0
    dependencies: tuple[tuple[PackageName, tuple[PackageName, ...]], ...] = ()
