"""Can any enabled aspect weave a package at all, or its users? What `why` says before it looks at a build."""

from __future__ import annotations

from dataclasses import dataclass

from orchwatchd.compare.attribution.facts import allowed
from orchwatchd.compare.attribution.packages import Sure, package_may_match
from orchwatchd.models.aspect import Aspect, AspectKey, JoinPoint, ResolvedConfiguration

_NAMING = frozenset({"import-path", "struct-definition", "declaration-of", "receiver"})
_USING = frozenset({"function-call", "method-call", "struct-literal"})


@dataclass(frozen=True, slots=True)
class JoinScan:
    """What the configuration says of one package, by its import path alone.

    `named`: aspects whose join point names this package or something declared in it. `possible`: others that may match
    in it, by what its files hold (a directive, a call, a signature). `callers`: aspects that weave calls and literals
    of this package where others use it. `excluded`: aspects that name it, or may match in it, but that Orchestrion
    keeps out of packages like this one. `complete` is False when a part of the configuration could not be read.
    """

    package: str
    named: tuple[AspectKey, ...]
    possible: tuple[AspectKey, ...]
    callers: tuple[AspectKey, ...]
    excluded: tuple[AspectKey, ...]
    complete: bool


def scan_package(configuration: ResolvedConfiguration, package: str) -> JoinScan:
    """Sorts the aspects of a configuration by what they can do to a package. Pure; asks nobody."""
    named: list[AspectKey] = []
    possible: list[AspectKey] = []
    callers: list[AspectKey] = []
    excluded: list[AspectKey] = []
    for aspect in configuration.aspects:
        if _mentions(aspect.join_point, package, _USING):
            callers.append(aspect.key)
        if package_may_match(aspect.join_point, package, configuration.root) is Sure.NO:
            continue
        if not allowed(aspect, package):
            excluded.append(aspect.key)
        elif _mentions(aspect.join_point, package, _NAMING):
            named.append(aspect.key)
        else:
            possible.append(aspect.key)
    return JoinScan(
        package, tuple(named), tuple(possible), tuple(callers), tuple(excluded), configuration.complete
    )


def directives(configuration: ResolvedConfiguration) -> dict[str, tuple[Aspect, ...]]:
    """The directives that aspects look for (`dd:span`), each with its aspects."""
    found: dict[str, list[Aspect]] = {}
    for aspect in configuration.aspects:
        for name in dict.fromkeys(_values(aspect.join_point, "directive")):
            found.setdefault(name, []).append(aspect)
    return {name: tuple(aspects) for name, aspects in found.items()}


def _mentions(point: JoinPoint, package: str, kinds: frozenset[str]) -> bool:
    if point.kind == "not":
        return False
    if point.kind in kinds and package in _paths(point):
        return True
    return any(_mentions(child, package, kinds) for child in point.children)


def _paths(point: JoinPoint) -> set[str]:
    if point.kind == "import-path":
        return {point.value}
    names = (point.value, point.get("type"), point.get("receiver"))
    return {name.lstrip("*").rpartition(".")[0] for name in names if name}


def _values(point: JoinPoint, kind: str) -> list[str]:
    own = [point.value] if point.kind == kind else []
    return own + [value for child in point.children for value in _values(child, kind)]
