"""Answers to `why`: of one package in one run, and of a whole run. What is not proven stands in none of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchwatchd.models.comparison import Cause


class WhyCode(StrEnum):
    """Why a package is, or is not, instrumented."""

    INSTRUMENTED = "instrumented"
    NOT_IN_BUILD = "not-in-build"
    FAILED = "failed"
    UNREACHED = "unreached"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXCLUDED = "excluded"
    DIRECTIVE = "directive-without-effect"
    NOT_ENABLED = "not-enabled"
    NO_JOIN_POINT = "no-join-point"
    NO_MATCH = "no-match"
    CALLERS = "callers"


class CompiledCode(StrEnum):
    """Why a package was compiled in a run."""

    NOT_COMPILED = "not-compiled"
    FIRST = "first"
    SAME_INPUTS = "same-inputs"
    KEY = "key"
    OWN_FILES = "own-files"
    DEPENDENCY = "dependency"
    IMPORTS = "imports"
    MODULE = "module"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: a code, a sentence, and the names that it is about (packages, files, aspects, lines to add)."""

    code: str
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class By:
    """What one aspect (None: not known which) left in a package."""

    integration: str | None
    aspect: str | None
    certainty: str
    injections: int
    declarations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyCompiled:
    """Why a package was compiled in a run, against the run `against` (None: there was none that had it)."""

    compiled: bool | None
    against: int | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class WhyPackage:
    """The answer for one package of one run. `instrumented` is None where nobody knows."""

    package: str
    run: int
    state: str
    instrumented: bool | None
    reasons: tuple[Reason, ...]
    by: tuple[By, ...]
    recorded_in: int | None
    compiled: WhyCompiled


@dataclass(frozen=True, slots=True)
class Pair:
    """A package that two runs have: its action and content ids, and whether its woven text is the same (None: not
    recorded on one side, or not woven on either).
    """

    package: str
    actions: tuple[str | None, str | None]
    contents: tuple[str | None, str | None]
    same_text: bool | None

    @property
    def new_action(self) -> bool:
        return self.actions[0] != self.actions[1]

    @property
    def new_content(self) -> bool | None:
        """Whether the compiled bytes differ; None where an id is not known."""
        before, after = self.contents
        return None if before is None or after is None else before != after


@dataclass(frozen=True, slots=True)
class Waited:
    """A stage that took much longer than it computed. `imports` are the packages that injected code brought it."""

    package: str
    wall: float
    cpu: float
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildBuild:
    """A nested work tree: what a child build of Orchestrion compiled."""

    path: str
    stages: int
    compiled: int


@dataclass(frozen=True, slots=True)
class WhyRun:
    """Why a run compiled what it compiled, against the run before it. Counts are of packages that both runs have:
    `new_actions` were to be compiled anew, of these `outputs_changed` got other bytes and `texts_changed` another woven
    text; `outputs_unknown` could not be compared. `key_changed`: every one of them got a new action id.
    """

    run: int
    against: int | None
    packages: int | None
    compiled: int | None
    common: int
    new_actions: int
    outputs_changed: int
    outputs_unknown: int
    texts_changed: int
    key_changed: bool | None
    key_proof: str | None
    causes: tuple[Cause, ...]
    reasons: tuple[Reason, ...]
    changed_packages: tuple[str, ...]
    wall: float | None
    cpu: float | None
    waited: tuple[Waited, ...]
    child_builds: tuple[ChildBuild, ...]
