"""One piece of code that Orchestrion added to a file, and who is held to have added it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InjectionKind(StrEnum):
    """What was added, in the words of Orchestrion's advices."""

    IMPORT = "import"
    DECLARATION = "declaration"
    STATEMENTS = "statements"
    FIELD = "field"
    SIGNATURE = "signature"
    EXPRESSION = "expression"
    LINKNAME = "linkname"


class Certainty(StrEnum):
    """How sure an attribution is; only `exact` and `likely` name one aspect."""

    EXACT = "exact"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The integration and aspect that made an injection. `candidates` are the keys of the aspects that all fit,
    when several do; of an unknown one, those that match there and may have made it. `also` are aspects that
    certainly made a part of it as well. `unexplained`: the configuration is known whole, and no aspect made this.
    """

    integration: str | None = None
    aspect: str | None = None
    certainty: Certainty = Certainty.UNKNOWN
    candidates: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unexplained: bool = False


@dataclass(frozen=True, slots=True)
class Injection:
    """One injection of one modified file.

    `declaration` is the enclosing declaration with its receiver (`(*Server).Serve`, `type Handler`, `init#2`
    for the second init of the file), or empty at file level (imports). `text` is the canonical form that is
    compared: tokens joined by one blank, the user's own tokens as `…`, aliases of merged imports normalised.
    `code` is the piece as it stands in the woven file, for people. Lines count from 1; `line` to `last_line`
    are lines of the woven file, `original_line` is the line of the original before which, or at which, it was
    added (0 where there is no original). `ordinal` numbers the injections of a file in the order in which they
    stand.

    `shape` is `text` with the names that a template took over from the user (parameters, receiver, the function's
    name) as what they stand for, empty where it equals `text`: injections of equal shape differ only by the user's
    renaming. `by_marks` says that no original was at hand, and that only marks tell what was added.
    """

    kind: InjectionKind
    declaration: str
    text: str
    code: str
    line: int
    last_line: int
    original_line: int
    ordinal: int
    shape: str = ""
    by_marks: bool = False
