"""The comparison of two runs as people read it: causes first, then the effect from coarse to fine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from orchwatchd.models.comparison import Cause, CauseKind, Comparison, ImportChange, InjectionChange
from orchwatchd.models.rows import RunRow
from orchwatchd.models.tree import ImportKind
from orchwatchd.render.code import code_change
from orchwatchd.render.filecounts import file_counts, file_name
from orchwatchd.render.makers import aspect_name, maker
from orchwatchd.render.runs import moment
from orchwatchd.render.terminal import status

MOST_CAUSES = 20
MOST_NAMES = 20
MOST_IMPORTERS = 4
SIGNS = (("added", "+", "green"), ("removed", "-", "red"), ("changed", "~", "yellow"))
# What is no change of instrumentation, but was looked at: shown apart, so that nothing is hidden.
OTHERS = (
    ("moved", "moved to another place, the same otherwise"),
    ("following", "differ only as far as they follow an edit"),
    ("uncertain", "may be the user's own edit: an original is not certain"),
)
CONFIGURATIONS = (ImportKind.IMPORTCFG, ImportKind.IMPORTCFG_LINK)


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a comparison is printed, for which project's folder."""

    root: Path | None = None
    patch: bool = False
    everything: bool = False


def diff_report(
    a: RunRow, b: RunRow, comparison: Comparison, causes: Sequence[Cause], how: Shown
) -> Iterator[RenderableType]:
    """The whole page."""
    yield _heading(a, b)
    if a.kind != b.kind:
        yield Text(
            f"these are runs of two kinds ({a.kind}, {b.kind}): what only one of them builds is out of scope",
            style="yellow",
        )
    for sentence in comparison.incomplete:
        yield Text(f"incomplete: {sentence}", style="yellow")
    yield from _causes(causes, how)
    yield from _packages(comparison, how)
    yield from _injections(comparison, how)
    yield from _imports(comparison, how)
    yield from _files(comparison, how)
    if not comparison.differs:
        yield Text(
            "\nthe instrumentation is the same"
            if comparison.complete
            else "\nno difference was seen in what both runs can tell",
            style="bold",
        )


def _heading(a: RunRow, b: RunRow) -> Text:
    parts: list[str | Text | tuple[str, str]] = []
    for run in (a, b):
        commit = f", {run.git_commit[:12]}{'+' if run.git_dirty else ''}" if run.git_commit else ""
        parts += [f"#{run.id} ", status(run.status), f" {run.kind} ({moment(run.started_at)}{commit})"]
        parts.append(" → " if run is a else "")
    return Text.assemble(*parts, style="bold")


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _causes(causes: Sequence[Cause], how: Shown) -> Iterator[Text]:
    if not causes:
        yield Text("\nnothing is known to differ in what was in force")
        return
    yield _title("causes")
    kinds: dict[CauseKind, list[Cause]] = defaultdict(list)
    for cause in causes:
        kinds[cause.kind].append(cause)
    for kind, found in kinds.items():
        most = len(found) if how.everything else MOST_CAUSES
        for cause in found[:most]:
            yield Text.assemble(
                (f"  {kind.value:<12}", "cyan"), f"{_named(cause)}  {_change(cause)}".rstrip()
            )
        if len(found) > most:
            yield Text(f"  {kind.value:<12}… {len(found) - most} more (--all)", style="dim")


def _named(cause: Cause) -> str:
    return aspect_name(cause.name) if cause.kind is CauseKind.ASPECT else cause.name


def _change(cause: Cause) -> str:
    """What became of it; hashes of sources and keys say nothing to people."""
    before, after = cause.before, cause.after
    if cause.kind in {CauseKind.SOURCE, CauseKind.ASPECT}:
        return "added" if before is None else "removed" if after is None else "changed"
    if cause.kind is CauseKind.INTEGRATION:
        if before is None:
            return f"enabled ({after})" if after != "enabled" else "enabled"
        if after is None:
            return f"no longer enabled ({before})" if before != "enabled" else "no longer enabled"
    if cause.kind is CauseKind.TOOLEXEC:
        return f"{(before or '')[:16]}… → {(after or '')[:16]}…"
    return cause.change


def _packages(comparison: Comparison, how: Shown) -> Iterator[Text]:
    found = comparison.packages
    yield _title(
        f"packages  +{len(found.added)} -{len(found.removed)} ~{len(found.changed)}, {found.unchanged} unchanged"
    )
    for name, sign, style in SIGNS:
        for package in getattr(found, name):
            yield Text(f"  {sign} {package}", style=style)
    for names, what in (
        (found.unknown, "unknown: left out of the comparison"),
        (found.unreached, "not built by a run that failed: left out of the comparison"),
        (found.out_of_scope, "instrumented, but not in both runs' scope"),
    ):
        if names:
            most = len(names) if how.everything else MOST_NAMES
            listed = ", ".join(str(one) for one in names[:most])
            yield Text(f"  {len(names)} {what}: {listed}{' …' if len(names) > most else ''}", style="yellow")


def _injections(comparison: Comparison, how: Shown) -> Iterator[RenderableType]:
    found = comparison.injections
    yield _title(
        f"injections  +{len(found.added)} -{len(found.removed)} ~{len(found.changed)}, {found.unchanged} unchanged"
    )
    rows = [(change, sign, style) for name, sign, style in SIGNS for change in getattr(found, name)]
    yield from _grouped(rows, how)
    for name, what in OTHERS:
        changes: Sequence[InjectionChange] = getattr(found, name)
        if changes:
            yield Text(f"  {len(changes)} {what}", style="dim")
            if how.everything:
                yield from _grouped([(change, " ", "dim") for change in changes], how)


def _grouped(rows: Iterable[tuple[InjectionChange, str, str]], how: Shown) -> Iterator[RenderableType]:
    files: dict[tuple[str, str], list[tuple[InjectionChange, str, str]]] = defaultdict(list)
    for change, sign, style in rows:
        files[str(change.package), change.shown.file].append((change, sign, style))
    for (package, file), changes in sorted(files.items()):
        yield Text.assemble("  ", (package, "bold"), f"  {file_name(file, how.root)}")
        for change, sign, style in sorted(changes, key=lambda row: row[0].shown.injection.ordinal):
            yield Text.assemble(
                (f"    {sign} {_what(change)}", style), f"  {maker(change.shown.attribution)}"
            )
            if how.patch:
                before, after = change.before, change.after
                yield from code_change(
                    before.injection.code if before else "", after.injection.code if after else ""
                )


def _what(change: InjectionChange) -> str:
    injection = change.shown.injection
    where = injection.declaration or "file"
    before = change.before.injection.declaration if change.before and change.after else where
    was = f" (was in {before or 'file'})" if before != where and before else ""
    return f"{where}: {injection.kind.value}, line {injection.line}{was}"


def _imports(comparison: Comparison, how: Shown) -> Iterator[Text]:
    sides = (("+", "green", comparison.imports_added), ("-", "red", comparison.imports_removed))
    if not any(changes for _, _, changes in sides):
        return
    yield _title(f"imports  +{len(comparison.imports_added)} -{len(comparison.imports_removed)}")
    for sign, style, changes in sides:
        groups: dict[tuple[str, ImportKind], list[ImportChange]] = defaultdict(list)
        for one in changes:
            if how.everything or one.kind not in CONFIGURATIONS:
                groups[one.path, one.kind].append(one)
        for (path, kind), found in sorted(groups.items()):
            yield Text(f"  {sign} {path} ({kind.value}){_importers(found, how)}", style=style)
        for kind in CONFIGURATIONS:
            counted = [one for one in changes if one.kind is kind]
            if counted and not how.everything:
                yield Text(f"  {sign} {_counted(counted, kind)}", style=style)


def _importers(changes: Sequence[ImportChange], how: Shown) -> str:
    names = [str(one.package) for one in changes]
    if how.everything or len(names) <= MOST_IMPORTERS:
        return f" in {', '.join(names)}"
    return f" in {len(names)} packages: {', '.join(names[:MOST_IMPORTERS])} …"


def _counted(changes: Sequence[ImportChange], kind: ImportKind) -> str:
    packages = Counter(str(one.package) for one in changes)
    what = "entries of programs" if kind is ImportKind.IMPORTCFG_LINK else "entries of packages"
    names = ", ".join(f"{name} ({count})" for name, count in packages.most_common(4))
    more = f" and {len(packages) - 4} more" if len(packages) > 4 else ""
    return f"{len(changes)} {kind.value} {what}: {names}{more}"


def _files(comparison: Comparison, how: Shown) -> Iterator[Text]:
    counts = file_counts(comparison)
    if not counts:
        return
    yield _title(f"files  {len(counts)}")
    for file, one in sorted(counts.items()):
        yield Text(
            f"  {file_name(file, how.root, *one.packages)}  +{one.added} -{one.removed} ~{one.changed}"
        )
