"""A comparison as the JSON that others may build on (`diff --json`)."""

from __future__ import annotations

from typing import Any

from orchwatchd.models.comparison import Cause, Comparison, ImportChange, InjectionChange


def to_jsonable(comparison: Comparison, causes: tuple[Cause, ...] = ()) -> dict[str, Any]:
    """The contract's `diff`: its fields, and more: `incomplete` (sentences), `packages.unreached`,
    `injections.following` and `.uncertain`, and for each injection where it was before and its code on
    either side.
    """
    packages, injections = comparison.packages, comparison.injections
    return {
        "from": comparison.a,
        "to": comparison.b,
        "complete": comparison.complete,
        "incomplete": list(comparison.incomplete),
        "causes": [
            {"kind": cause.kind.value, "name": cause.name, "from": cause.before, "to": cause.after}
            for cause in causes
        ],
        "packages": {
            **{
                state: [str(name) for name in getattr(packages, state)]
                for state in ("added", "removed", "changed", "unknown", "unreached", "out_of_scope")
            },
            "unchanged": packages.unchanged,
        },
        "injections": {
            **{
                state: [_injection(change) for change in getattr(injections, state)]
                for state in ("added", "removed", "changed", "moved", "following", "uncertain")
            },
            "unchanged": injections.unchanged,
        },
        "imports": {
            "added": [_import(change) for change in comparison.imports_added],
            "removed": [_import(change) for change in comparison.imports_removed],
        },
    }


def _injection(change: InjectionChange) -> dict[str, Any]:
    shown = change.shown
    before, after = change.before, change.after
    return {
        "package": str(change.package),
        "file": shown.file,
        "declaration": shown.injection.declaration,
        "kind": shown.injection.kind.value,
        "integration": shown.attribution.integration,
        "aspect": shown.attribution.aspect,
        "certainty": shown.attribution.certainty.value,
        "line": shown.injection.line,
        "from_file": before.file if before else None,
        "from_declaration": before.injection.declaration if before else None,
        "from_code": before.injection.code if before else None,
        "code": after.injection.code if after else None,
    }


def _import(change: ImportChange) -> dict[str, str]:
    return {"package": str(change.package), "import": change.path, "kind": change.kind.value}
