"""The resolved configuration as a text that is kept once by its hash, and what differs between two of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from orchwatchd.models.aspect import (
    Advice,
    Aspect,
    AspectKey,
    ConfigFile,
    ConfigProblem,
    ConfigurationDifference,
    Integration,
    JoinPoint,
    ResolvedConfiguration,
    Template,
)


def to_json(configuration: ResolvedConfiguration) -> str:
    """The configuration as JSON; equal configurations give equal texts."""
    return json.dumps(asdict(configuration), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> ResolvedConfiguration:
    """Reads what `to_json` wrote. Raises ValueError, TypeError or KeyError for anything else."""
    data = json.loads(text)
    return ResolvedConfiguration(
        root=data["root"],
        aspects=tuple(_aspect(item) for item in data["aspects"]),
        integrations=tuple(
            Integration(**{**item, "imported_by": tuple(item["imported_by"])})
            for item in data["integrations"]
        ),
        files=tuple(ConfigFile(**item) for item in data["files"]),
        problems=tuple(ConfigProblem(**item) for item in data["problems"]),
    )


def _pairs(items: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in items)


def _join_point(item: dict[str, Any]) -> JoinPoint:
    children = tuple(_join_point(child) for child in item["children"])
    return JoinPoint(item["kind"], item["value"], _pairs(item["fields"]), children)


def _advice(item: dict[str, Any]) -> Advice:
    templates = tuple(
        Template(one["source"], _pairs(one["imports"]), one["lang"]) for one in item["templates"]
    )
    return Advice(**{**item, "templates": templates, "links": tuple(item["links"])})


def _aspect(item: dict[str, Any]) -> Aspect:
    return Aspect(
        key=AspectKey(**item["key"]),
        join_point=_join_point(item["join_point"]),
        advice=tuple(_advice(advice) for advice in item["advice"]),
        tracer_internal=item["tracer_internal"],
    )


def differences(a: ResolvedConfiguration, b: ResolvedConfiguration) -> ConfigurationDifference:
    """What came, went and changed from `a` to `b`, in a stable order.

    An aspect that only moved within its file (another index) is no difference. Aspects that share an id are paired
    by what they do first, by their order then; a changed one is named by its key in `b`.
    """
    added: list[AspectKey] = []
    removed: list[AspectKey] = []
    changed: list[AspectKey] = []
    before, after = _by_name(a), _by_name(b)
    for name in before.keys() | after.keys():
        old, new = _without_equals(before.get(name, []), after.get(name, []))
        both = min(len(old), len(new))
        changed += [aspect.key for aspect in new[:both]]
        removed += [aspect.key for aspect in old[both:]]
        added += [aspect.key for aspect in new[both:]]
    were, are = ({one.package: one for one in side.integrations} for side in (a, b))
    return ConfigurationDifference(
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        changed=tuple(sorted(changed)),
        integrations_added=tuple(are[name] for name in sorted(are.keys() - were.keys())),
        integrations_removed=tuple(were[name] for name in sorted(were.keys() - are.keys())),
        integrations_changed=tuple(
            (name, were[name].version, are[name].version)
            for name in sorted(were.keys() & are.keys())
            if (were[name].module, were[name].version) != (are[name].module, are[name].version)
        ),
    )


def _by_name(configuration: ResolvedConfiguration) -> dict[tuple[str, str, str], list[Aspect]]:
    named: dict[tuple[str, str, str], list[Aspect]] = {}
    for aspect in configuration.aspects:
        named.setdefault((aspect.key.package, aspect.key.file, aspect.key.id), []).append(aspect)
    return named


def _without_equals(old: list[Aspect], new: list[Aspect]) -> tuple[list[Aspect], list[Aspect]]:
    """Both lists without the aspects that do the same."""
    rest = list(new)
    alone = []
    for aspect in old:
        twin = next((other for other in rest if _body(other) == _body(aspect)), None)
        if twin is None:
            alone.append(aspect)
        else:
            rest.remove(twin)
    return alone, rest


def _body(aspect: Aspect) -> tuple[object, ...]:
    return aspect.join_point, aspect.advice, aspect.tracer_internal
