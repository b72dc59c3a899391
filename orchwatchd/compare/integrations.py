"""Each enabled integration of a run: which of its aspects left injections, in which packages, and which did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchwatchd.models.aspect import AspectKey, ResolvedConfiguration
from orchwatchd.models.injection import Attribution


@dataclass(frozen=True, slots=True)
class AspectUse:
    """One aspect in a run. `matched` is True when an injection is attributed to it, exactly or likely; None when it is
    one of several candidates at best, or when unknown packages may hold its work; False when it left nothing.

    An aspect that matches and changes nothing (`{{ . }}`) leaves nothing. `packages` have its injections.
    """

    key: AspectKey
    matched: bool | None
    packages: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    injections: int = 0

    @property
    def id(self) -> str:
        return self.key.id


@dataclass(frozen=True, slots=True)
class IntegrationUse:
    """One integration in a run; `matched` as for its aspects, over all of them. One without aspects brings others."""

    package: str
    module: str | None
    version: str | None
    name: str
    imported_by: tuple[str, ...]
    aspects: tuple[AspectUse, ...]
    matched: bool | None

    @property
    def packages(self) -> tuple[str, ...]:
        return tuple(sorted({package for aspect in self.aspects for package in aspect.packages}))


def integrations_of(
    configuration: ResolvedConfiguration,
    attributed: Iterable[tuple[str, Attribution]],
    *,
    complete: bool = True,
) -> tuple[IntegrationUse, ...]:
    """How each integration of the configuration was used, in the configuration's order.

    `attributed` are (package, attribution) of the run's injections, carried ones included and those of synthetic files
    left out; `complete` is False when the run has unknown packages.
    """
    made, possible = _places(attributed)
    uses: dict[str, list[AspectUse]] = {}
    for aspect in configuration.aspects:
        uses.setdefault(aspect.key.package, []).append(_use(aspect.key, made, possible, complete=complete))
    return tuple(
        IntegrationUse(
            one.package,
            one.module,
            one.version,
            one.name,
            one.imported_by,
            tuple(uses.get(one.package, ())),
            _overall(uses.get(one.package, ())),
        )
        for one in configuration.integrations
    )


def _places(
    attributed: Iterable[tuple[str, Attribution]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    made: dict[str, list[str]] = {}
    possible: dict[str, list[str]] = {}
    for package, one in attributed:
        named = {one.aspect, *one.also} - {None}
        for key in named:
            made.setdefault(str(key), []).append(package)
        for key in set(one.candidates) - named:
            possible.setdefault(key, []).append(package)
    return made, possible


def _use(
    key: AspectKey, made: Mapping[str, list[str]], possible: Mapping[str, list[str]], *, complete: bool
) -> AspectUse:
    here, maybe = made.get(str(key), []), possible.get(str(key), [])
    matched = True if here else None if maybe or not complete else False
    return AspectUse(key, matched, tuple(sorted(set(here))), tuple(sorted(set(maybe) - set(here))), len(here))


def _overall(uses: Iterable[AspectUse]) -> bool | None:
    answers = {use.matched for use in uses}
    return True if True in answers else None if None in answers else False
