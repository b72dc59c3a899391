"""Why a package is instrumented, or why it is not: as far as what was recorded proves it, and never further."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from orchwatchd.aspects.catalogue import Catalogue, integrations_for
from orchwatchd.compare.join_scan import JoinScan, directives, scan_package
from orchwatchd.models.aspect import Aspect, AspectKey, ResolvedConfiguration
from orchwatchd.models.comparison import SideInjection
from orchwatchd.models.log import LogSkip, SkipReason
from orchwatchd.models.why import By, Reason, WhyCode
from orchwatchd.weave.gofile import read_nodes
from orchwatchd.weave.nodes import GoNode

_SKIPPED = {
    SkipReason.NO_MATCH: "Orchestrion's log says that none of its files can match an aspect, by their imports and text",
    SkipReason.CIRCULAR: "Orchestrion's log says that it weaves nothing here, to prevent circular instrumentation",
    SkipReason.TYPE_ERROR: "Orchestrion's log says that it skipped an injection, for the package did not type-check",
    SkipReason.NO_MODULE: "Orchestrion's log says that it was compiled outside of any module, where nothing is woven",
}
_CALLED = {"value": "variable or constant", "struct": "type", "literal": "function literal"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the package as it was compiled: its name for people, its bytes, and what was injected into it."""

    name: str
    data: bytes
    injections: tuple[SideInjection, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a package whose record tells that nothing, or something, was woven into it. `configuration` and
    `catalogue` are None where none was recorded or found; `sources` are those whose bytes are proven.
    """

    package: str
    configuration: ResolvedConfiguration | None = None
    catalogue: Catalogue | None = None
    skips: tuple[LogSkip, ...] = ()
    sources: tuple[SourceFile, ...] = ()


def makers(injections: Sequence[SideInjection]) -> tuple[By, ...]:
    """What wove a package: one entry for each aspect, the most injections first."""
    groups: dict[tuple[str | None, str | None, str], list[SideInjection]] = defaultdict(list)
    for one in injections:
        by = one.attribution
        groups[by.integration, by.aspect, by.certainty.value].append(one)
    found = [
        By(
            *key,
            len(group),
            tuple(dict.fromkeys(one.injection.declaration for one in group if one.injection.declaration)),
        )
        for key, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda by: (-by.injections, by.aspect or "", by.certainty)))


def why_not(known: Known) -> tuple[Reason, ...]:
    """Why nothing was woven into a package that was recorded without injections, what is most surely so first."""
    reasons = [*directive_reasons(known), *_logged(known)]
    if known.configuration is None:
        return (
            *reasons,
            Reason(WhyCode.UNKNOWN, "the run kept no configuration: which aspects were in force is unknown"),
        )
    scan = scan_package(known.configuration, known.package)
    reasons += _not_enabled(known, known.configuration)
    reasons += _scanned(scan)
    return tuple(reasons)


def directive_reasons(known: Known) -> list[Reason]:
    """Directives that an enabled aspect looks for, and that left nothing where they stand."""
    if known.configuration is None:
        return []
    looked_for = directives(known.configuration)
    reasons = []
    for source in known.sources:
        file = read_nodes(source.data)
        for number, line in enumerate(source.data.decode("utf-8", "replace").splitlines(), start=1):
            name = _directive(line, looked_for)
            if name is None:
                continue
            node = _behind(file.nodes, name, number)
            if not _left_something(source, looked_for[name], node):
                where = f"{source.name}:{number}"
                text = f"//{name} at {where}{_on(node)} has no effect: no aspect that looks for it wove anything there"
                reasons.append(Reason(WhyCode.DIRECTIVE, text, (where,)))
    return reasons


def _directive(line: str, looked_for: dict[str, tuple[Aspect, ...]]) -> str | None:
    text = line.strip()
    if not text.startswith("//"):
        return None
    word = text[2:].split(" ")[0].rstrip()
    return word if word in looked_for else None


def _behind(nodes: Sequence[GoNode], name: str, number: int) -> GoNode | None:
    """The first place behind a directive's line that has it."""
    fitting = [
        node
        for node in nodes
        if node.line > number
        and any(one == name or one.startswith(name + " ") for one in node.directives | node.doubtful)
    ]
    return min(fitting, key=lambda node: (node.line, -node.last_line), default=None)


def _on(node: GoNode | None) -> str:
    if node is None:
        return ""
    name = node.name or ", ".join(node.names)
    return f" on {_CALLED.get(node.kind, node.kind)}{f' {name}' if name else ''}"


def _left_something(source: SourceFile, aspects: Sequence[Aspect], node: GoNode | None) -> bool:
    """Whether an injection in that place is, or may be, of one of these aspects."""
    keys = {str(aspect.key) for aspect in aspects}
    for one in source.injections:
        by = one.attribution
        named = {by.aspect, *by.candidates, *by.also} - {None}
        if named and not named & keys:
            continue
        # Without a place of its own, or with a doubtful line, an injection of the aspect is enough.
        line = one.injection.original_line
        if node is None or line == 0 or node.line <= line <= node.last_line + 1:
            return True
    return False


def _logged(known: Known) -> list[Reason]:
    reasons = [skip.reason for skip in known.skips if skip.reason in _SKIPPED]
    return [Reason(WhyCode.SKIPPED, _SKIPPED[reason], (reason.value,)) for reason in dict.fromkeys(reasons)]


def _not_enabled(known: Known, configuration: ResolvedConfiguration) -> list[Reason]:
    if known.catalogue is None:
        return []
    enabled = [one.package for one in configuration.integrations]
    found = [one for one in integrations_for(known.catalogue, known.package, enabled) if one.woven]
    version = known.catalogue.version or "the version in use"
    return [
        Reason(
            WhyCode.NOT_ENABLED,
            f"dd-trace-go {version} has an integration for {one.traced} that is not enabled:"
            f" add {one.line} to orchestrion.tool.go",
            (one.line,),
        )
        for one in found
    ]


def _scanned(scan: JoinScan) -> list[Reason]:
    """What the configuration says of the package by its import path."""
    reasons = []
    if scan.excluded and not scan.named:
        text = "Orchestrion keeps these aspects out of packages like this one"
        reasons.append(Reason(WhyCode.EXCLUDED, text, _names(scan.excluded)))
    if scan.named:
        text = "aspects in force name this package, and nothing in it matched them in this build"
        reasons.append(Reason(WhyCode.NO_MATCH, text, _names(scan.named)))
    if scan.callers:
        text = "aspects weave its use in other packages, where it is called: look at these"
        reasons.append(Reason(WhyCode.CALLERS, text, _names(scan.callers)))
    if not scan.named and not scan.complete:
        text = "a part of the configuration could not be read: an aspect in it may name this package"
        reasons.append(Reason(WhyCode.UNKNOWN, text))
    elif not scan.named:
        text = "no enabled integration has a join point that names it"
        if scan.possible:
            aspects = f"{len(scan.possible)} aspect{'s' * (len(scan.possible) != 1)}"
            text += f"; {aspects} could match in any package, and matched nothing in it"
        reasons.append(Reason(WhyCode.NO_JOIN_POINT, text, _names(scan.possible)))
    return reasons


def _names(keys: Sequence[AspectKey]) -> tuple[str, ...]:
    return tuple(str(key) for key in keys)
