"""Which aspect made an injection: inferred, since no log line names one (fact 22), and never guessed.

`ATTRIBUTION_VERSION` goes up whenever the same file and configuration could be attributed otherwise than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchwatchd.compare.attribution import declared, expressions
from orchwatchd.compare.attribution.decide import Candidate, decide
from orchwatchd.compare.attribution.facts import FileContext, FileFacts
from orchwatchd.models.aspect import ResolvedConfiguration
from orchwatchd.models.injection import Attribution, Injection, InjectionKind

__all__ = ["ATTRIBUTION_VERSION", "FileContext", "attribute"]

ATTRIBUTION_VERSION = 1

_FINDERS = {
    InjectionKind.STATEMENTS: declared.statements,
    InjectionKind.DECLARATION: declared.declarations,
    InjectionKind.LINKNAME: declared.linknames,
    InjectionKind.FIELD: declared.fields,
    InjectionKind.SIGNATURE: declared.signatures,
    InjectionKind.EXPRESSION: expressions.expressions,
    InjectionKind.IMPORT: declared.imports,
}


def attribute(
    configuration: ResolvedConfiguration, context: FileContext, injections: Sequence[Injection]
) -> tuple[Attribution, ...]:
    """Who made each of the injections of one file, in their order.

    `exact` is said only of the one aspect whose join point certainly matches there and whose template explains every
    token. With an incomplete configuration nothing is exact, and nothing is called unexplained.
    """
    facts = FileFacts(configuration, context, injections)
    return tuple(
        decide(_candidates(facts, injection), complete=configuration.complete and bool(configuration.aspects))
        for injection in injections
    )


def _candidates(facts: FileFacts, injection: Injection) -> Iterable[Candidate]:
    if facts.context.synthetic:
        return declared.linked(facts, injection)
    return _FINDERS[injection.kind](facts, injection)
