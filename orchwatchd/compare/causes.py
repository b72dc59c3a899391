"""Why two runs can differ: what was in force during each, and what of it is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from orchwatchd.models.comparison import Cause, CauseKind, RunFacts

# Their versions have a kind of their own; as modules they would be named twice.
_ORCHESTRION: Final = "github.com/DataDog/orchestrion"


def causes(a: RunFacts, b: RunFacts) -> tuple[Cause, ...]:
    """What differs in what was in force, from the command to the project's sources; of modules first those that
    `go.mod` requires directly.

    What one of the runs did not record is a cause of kind `unknown` that names it: it may differ.
    """
    return tuple(_causes(a, b))


def _causes(a: RunFacts, b: RunFacts) -> Iterator[Cause]:
    if a.kind != b.kind:
        yield Cause(CauseKind.KIND, "kind of run", a.kind, b.kind)
    yield from _sequence(CauseKind.ARGUMENTS, "arguments", a.arguments, b.arguments)
    yield from _sequence(CauseKind.FLAGS, "flags", a.flags, b.flags)
    yield from _sequence(CauseKind.TAGS, "tags", a.tags, b.tags)
    for kind, name, before, after in (
        (CauseKind.ORCHESTRION, "orchestrion", a.orchestrion_version, b.orchestrion_version),
        (CauseKind.GO, "go", a.go_version, b.go_version),
    ):
        if before is None or after is None:
            yield from _unknown(f"{name} version", before, after)
        elif before != after:
            yield Cause(kind, name, before, after)
    # The key stands only in a log at level TRACE: without one there is nothing to say, and nothing to miss.
    if a.toolexec_key and b.toolexec_key and a.toolexec_key != b.toolexec_key:
        yield Cause(CauseKind.TOOLEXEC, "toolexec key", a.toolexec_key, b.toolexec_key)
    direct = (a.required or frozenset()) | (b.required or frozenset())
    modules = _mapping(CauseKind.MODULE, "modules", _modules(a), _modules(b))
    yield from sorted(modules, key=lambda cause: cause.name not in direct)
    yield from _configuration(a, b)
    yield from _mapping(CauseKind.ENVIRONMENT, "environment", a.environment, b.environment)
    yield from _mapping(CauseKind.SOURCE, "project sources", a.manifest, b.manifest)


def _unknown(name: str, before: object, after: object) -> Iterator[Cause]:
    """One cause that says which side did not record it; none where neither did: there is nothing to compare."""
    if (before is None) is not (after is None):
        yield Cause(
            CauseKind.UNKNOWN,
            name,
            "not recorded" if before is None else "recorded",
            "not recorded" if after is None else "recorded",
        )


def _sequence(
    kind: CauseKind, name: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None
) -> Iterator[Cause]:
    if before is None or after is None:
        yield from _unknown(name, before, after)
    elif before != after:
        yield Cause(kind, name, " ".join(before) or None, " ".join(after) or None)


def _modules(facts: RunFacts) -> Mapping[str, str] | None:
    if facts.modules is None or facts.orchestrion_version is None:
        return facts.modules
    return {path: version for path, version in facts.modules.items() if path != _ORCHESTRION}


def _mapping(
    kind: CauseKind, name: str, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> Iterator[Cause]:
    if before is None or after is None:
        yield from _unknown(name, before, after)
        return
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Cause(kind, key, before.get(key), after.get(key))


def _configuration(a: RunFacts, b: RunFacts) -> Iterator[Cause]:
    from orchwatchd.aspects.document import differences

    if a.configuration is None or b.configuration is None:
        yield from _unknown("configuration", a.configuration, b.configuration)
        return
    found = differences(a.configuration, b.configuration)
    for one in found.integrations_removed:
        yield Cause(CauseKind.INTEGRATION, one.package, one.version or "enabled", None)
    for one in found.integrations_added:
        yield Cause(CauseKind.INTEGRATION, one.package, None, one.version or "enabled")
    for package, before, after in found.integrations_changed:
        yield Cause(CauseKind.INTEGRATION, package, before, after)
    for key in found.removed:
        yield Cause(CauseKind.ASPECT, str(key), "in force", None)
    for key in found.added:
        yield Cause(CauseKind.ASPECT, str(key), None, "in force")
    for key in found.changed:
        yield Cause(CauseKind.ASPECT, str(key), "as before", "changed")
