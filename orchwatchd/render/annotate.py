"""A modified file line by line: which are the user's, which were injected, and by whom."""

from __future__ import annotations

import sys

from orchwatchd.models.rows import InjectionRow, SourceRow
from orchwatchd.weave import annotate


def print_annotated(found: SourceRow, line: int | None) -> None:
    """Prints every line, or one, behind what made it: `original line` or the injection with integration and
    aspect.
    """
    origins = annotate(found.original, found.woven, synthetic=found.file.synthetic)
    by_ordinal = {injection.ordinal: injection for injection in found.injections}
    text = lines_of(found.woven)
    width = max((len(_maker(by_ordinal[number])) for number in by_ordinal), default=0)
    for number, (code, origin) in enumerate(zip(text, origins, strict=False), start=1):
        if line is not None and number != line:
            continue
        makers = [_maker(by_ordinal[each]) for each in origin.injections if each in by_ordinal]
        before = (
            f"{origin.original_line:>5}"
            if origin.original_line is not None
            else "    +"
            if makers
            else "     "
        )
        sys.stdout.write(f"{number:>5} {before} {' '.join(makers):<{width}} │ {code}\n")


def lines_of(data: bytes) -> list[str]:
    """The lines of a source as Go counts them: only a line feed ends one."""
    lines = data.decode("utf-8", "replace").split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _maker(injection: InjectionRow) -> str:
    """Who made an injection, with how sure that is."""
    if injection.aspect:
        name = injection.aspect
    elif injection.candidates:
        name = f"one of {len(injection.candidates)} aspects"
    elif injection.unexplained:
        name = "no aspect of the configuration"
    else:
        name = injection.integration or "unknown aspect"
    return f"{injection.kind} by {name} ({injection.certainty})"
