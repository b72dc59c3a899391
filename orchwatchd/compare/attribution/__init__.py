"""Which aspect made an injection: inferred, since no log line names one (fact 22), and never guessed.

`ATTRIBUTION_VERSION` goes up whenever the same file and configuration could be attributed otherwise than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from orchwatchd.compare.attribution import declared, expressions
from orchwatchd.compare.attribution.decide import Candidate, decide
from orchwatchd.compare.attribution.facts import FileContext, FileFacts
from orchwatchd.models.aspect import Aspect, ResolvedConfiguration
from orchwatchd.models.injection import Attribution, Injection, InjectionKind

__all__ = ["ATTRIBUTION_VERSION", "FileContext", "attribute"]

ATTRIBUTION_VERSION = 2

_FINDERS = {
    InjectionKind.STATEMENTS: declared.statements,
    InjectionKind.DECLARATION: declared.declarations,
    InjectionKind.LINKNAME: declared.linknames,
    InjectionKind.FIELD: declared.fields,
    InjectionKind.SIGNATURE: declared.signatures,
    InjectionKind.EXPRESSION: expressions.expressions,
    InjectionKind.IMPORT: declared.imports,
}

_TEMPLATED = ("prepend-statements", "wrap-expression", "append-args")
_ADVICE = {
    InjectionKind.STATEMENTS: ("prepend-statements",),
    InjectionKind.DECLARATION: ("inject-declarations",),
    InjectionKind.LINKNAME: ("inject-declarations",),
    InjectionKind.FIELD: ("add-struct-field",),
    InjectionKind.SIGNATURE: _TEMPLATED,
    InjectionKind.EXPRESSION: ("assign-value", "replace-function", *_TEMPLATED),
    InjectionKind.IMPORT: (
        "add-blank-import",
        "add-struct-field",
        "replace-function",
        "inject-declarations",
        *_TEMPLATED,
    ),
}
_FILE_LEVEL = frozenset({InjectionKind.DECLARATION, InjectionKind.LINKNAME, InjectionKind.IMPORT})


def attribute(
    configuration: ResolvedConfiguration, context: FileContext, injections: Sequence[Injection]
) -> tuple[Attribution, ...]:
    """Who made each of the injections of one file, in their order.

    `exact` is said only of the one aspect whose join point certainly matches there and whose template explains every
    token. With an incomplete configuration nothing is exact, and nothing is called unexplained.
    """
    facts = FileFacts(configuration, context, injections)
    complete = configuration.complete and bool(configuration.aspects)
    found = [
        decide(_candidates(facts, one), complete=complete, possible=partial(_possible, facts, one))
        for one in injections
    ]
    return tuple(declared.without_double_claims(facts, found))


def _candidates(facts: FileFacts, injection: Injection) -> Iterable[Candidate]:
    if facts.context.synthetic:
        return declared.linked(facts, injection)
    return _FINDERS[injection.kind](facts, injection)


def _possible(facts: FileFacts, injection: Injection) -> list[Aspect]:
    """Aspects that match in the injection's declaration (or file) and have an advice that can make its kind."""
    kinds = _ADVICE[injection.kind]
    if facts.context.synthetic or not injection.declaration or injection.kind in _FILE_LEVEL:
        declaration = ""
    else:
        declaration = injection.declaration.partition("#")[0]
    found = {
        str(aspect.key): aspect for aspect, _ in facts.advice(*kinds) if facts.exists(aspect, declaration)
    }
    return list(found.values())
