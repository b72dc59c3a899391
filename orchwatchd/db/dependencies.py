"""Owns the text in which the imports among a run's packages are kept: equal for equal graphs, so that it is kept
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchwatchd.models.package import PackageName


def dependencies_text(graph: Iterable[tuple[PackageName, tuple[PackageName, ...]]]) -> str:
    """One line a package in the order of names: its name, a tab, the line numbers (from 0) of those that it imports.

    A package that stands twice (a variant that nothing could name) has the imports of both.
    """
    merged: dict[PackageName, set[PackageName]] = {}
    for package, dependencies in graph:
        merged.setdefault(package, set()).update(dependencies)
    names = sorted(merged.keys() | {one for found in merged.values() for one in found})
    numbers = {name: number for number, name in enumerate(names)}
    return "".join(
        f"{name}\t{' '.join(str(number) for number in sorted(numbers[one] for one in merged.get(name, ())))}\n"
        for name in names
    )


def read_dependencies(text: str) -> Mapping[str, tuple[str, ...]]:
    """Reads what `dependencies_text` wrote: names of packages, each with the names of those that it imports."""
    rows = [line.partition("\t") for line in text.splitlines()]
    names = [row[0] for row in rows]
    return {
        name: tuple(names[int(number)] for number in row[2].split())
        for name, row in zip(names, rows, strict=True)
    }
