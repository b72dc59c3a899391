"""The history of a package, file or integration: one line a change, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rich.console import RenderableType
from rich.text import Text

from orchwatchd.models.injection import Attribution, Certainty
from orchwatchd.models.rows import ChangeRow, InjectionRow
from orchwatchd.render.code import code_change
from orchwatchd.render.makers import maker
from orchwatchd.render.runs import moment
from orchwatchd.render.trees import shown

STYLE = {"first": "green", "again": "green", "gone": "red", "changed": "yellow"}
MOST_NAMES = 3


def history_report(
    rows: Sequence[ChangeRow],
    root: Path | None,
    *,
    patch: bool,
    whole: bool,
    meanings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[RenderableType]:
    """The changes, and, where they are all there (`whole`), a last line that sums them up for each package.

    `meanings` are what was asked for, kind by name: of an integration's own package all changes are shown, of others
    what the integration wove.
    """
    integration, package = meanings.get("integration"), meanings.get("package")
    for row in rows:
        commit = f"  {row.git_commit[:12]}" if row.git_commit else ""
        yield Text.assemble(
            (f"#{row.run}", "bold"),
            f"  {moment(row.started_at)}{commit}  ",
            (f"{_word(row)}", STYLE[row.change]),
            f"  {row.package}  {_counts(row)}{_names(row)}",
        )
        if patch:
            yield from _patch(row, root)
    for name in dict.fromkeys(row.package for row in reversed(rows)) if whole else ():
        own = integration is None or name.partition(" [")[0] == package
        yield Text(
            _sum([row for row in rows if row.package == name], "" if own else f" by {integration}"),
            style="dim",
        )


def _word(row: ChangeRow) -> str:
    word = "first seen" if row.change == "first" else row.change
    return f"{word}, here or earlier" if row.or_earlier else word


def _counts(row: ChangeRow) -> str:
    if row.change == "gone":
        return f"with {len(row.removed)} injection{'s' * (len(row.removed) != 1)}"
    return f"+{len(row.added)} -{len(row.removed)} ~{len(row.changed)} → {row.injections}"


def _names(row: ChangeRow) -> str:
    """The declarations that it is about, shortened."""
    every = [*row.added, *row.removed, *(after for _, after in row.changed)]
    names = list(dict.fromkeys(one.declaration or one.kind for one in every))
    if row.change == "gone" or not names:
        return ""
    return f"  ({', '.join(names[:MOST_NAMES])}{', …' if len(names) > MOST_NAMES else ''})"


def _patch(row: ChangeRow, root: Path | None) -> Iterator[Text]:
    changes: list[tuple[str, str, InjectionRow | None, InjectionRow | None]] = [
        *(("+", "green", None, one) for one in row.added),
        *(("-", "red", one, None) for one in row.removed),
        *(("~", "yellow", before, after) for before, after in row.changed),
    ]
    for sign, style, before, after in changes:
        one = after or before
        if one is None:
            continue
        where = one.declaration or "file"
        yield Text.assemble(
            (f"    {sign} {where}: {one.kind}", style),
            f"  {shown(one.file or '', root)}:{one.line}  {maker(_attribution(one))}",
        )
        yield from code_change(before.code if before else "", after.code if after else "")


def _attribution(row: InjectionRow) -> Attribution:
    return Attribution(
        row.integration, row.aspect, Certainty(row.certainty), row.candidates, row.also, row.unexplained
    )


def _sum(rows: Sequence[ChangeRow], by: str) -> str:
    newest, oldest = rows[0], rows[-1]
    last = f"#{newest.run}{' or earlier' if newest.or_earlier else ''}"
    end = (
        f"gone since {last}"
        if newest.change == "gone"
        else f"last changed in {last}; {newest.injections} injection{'s' * (newest.injections != 1)} since then"
    )
    first = f"#{oldest.run}"
    if oldest.or_earlier:
        first += " or earlier (older runs were pruned)"
    elif oldest.pruned_before:
        first += " (of the kept runs; older ones were pruned)"
    return f"{oldest.package}: first seen instrumented{by} in {first}, {end}"
