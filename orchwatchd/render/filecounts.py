"""A comparison counted file by file, and what a file is called in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text

from orchwatchd.models.comparison import Comparison
from orchwatchd.render.trees import shown


@dataclass(slots=True)
class FileCounts:
    """How many injections of one file came, went and changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    packages: set[str] = field(default_factory=set)


def stat_report(comparison: Comparison, root: Path | None) -> Iterator[Text]:
    """One line a file with counts, and one for all."""
    counts = file_counts(comparison)
    names = {file: file_name(file, root, *one.packages) for file, one in counts.items()}
    width = max((len(name) for name in names.values()), default=0)
    for file, one in sorted(counts.items(), key=lambda item: names[item[0]]):
        yield Text.assemble(
            f"{names[file]:<{width}} | ",
            (f"+{one.added} ", "green"),
            (f"-{one.removed} ", "red"),
            (f"~{one.changed}", "yellow"),
            f"  {', '.join(sorted(one.packages))}",
        )
    found = comparison.injections
    files = f"{len(counts)} file{'s' * (len(counts) != 1)}" if counts else "no file"
    imports = len(comparison.imports_added), len(comparison.imports_removed)
    yield Text(
        f"{files}, injections +{len(found.added)} -{len(found.removed)} ~{len(found.changed)} ={found.unchanged},"
        f" imports +{imports[0]} -{imports[1]}"
    )
    if not comparison.complete:
        yield Text(f"incomplete: {'; '.join(comparison.incomplete)}", style="yellow")


def changed_files(comparison: Comparison, root: Path | None) -> list[str]:
    """The files with an injection that came, went or changed, as people name them."""
    return sorted(file_name(file, root, *one.packages) for file, one in file_counts(comparison).items())


def file_counts(comparison: Comparison) -> dict[str, FileCounts]:
    """Counts by the path of the original (or of the woven file where there is none)."""
    counts: dict[str, FileCounts] = defaultdict(FileCounts)
    for name in ("added", "removed", "changed"):
        for change in getattr(comparison.injections, name):
            one = counts[change.shown.file]
            setattr(one, name, getattr(one, name) + 1)
            one.packages.add(str(change.package))
    return counts


def file_name(file: str, root: Path | None, *packages: str) -> str:
    """A file as people name it. One that Orchestrion made has no place of its own: its stage's number says nothing."""
    _, made, tail = file.partition("orchestrion/src/")
    if file.startswith("/") or not made:
        return shown(file, root)
    return f"{tail} of {', '.join(packages)}" if packages else tail
