"""Plans of upkeep as tables: what goes, what stays, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from orchwatchd.models.upkeep import ForeignTree
from orchwatchd.render.runs import moment
from orchwatchd.render.table import Column, table
from orchwatchd.render.terminal import size

MOST_KEEPS = 30
PLANNED = (Column("what", text=True), Column("bytes", right=True), Column("why", text=True))


def plan_report(plan: dict[str, Any], report: dict[str, Any] | None) -> Iterator[RenderableType]:
    """A plan, as JSON data carries it, and what was done of it (None: a dry run)."""
    would = "would " if report is None else ""
    actions = (report or {}).get("done") if report is not None else plan["actions"]
    if actions:
        rows = [
            (action["step"], _what(action), size(action["bytes"]), action["reason"]) for action in actions
        ]
        yield table((f"{would}do", *PLANNED), rows)
        yield Text(f"{would}free {size(sum(action['bytes'] for action in actions))}")
    else:
        yield Text("nothing is to be removed")
    keeps = plan.get("keeps") or []
    if keeps and report is None:
        yield Text()
        yield table(("stays", *PLANNED), [_keep(keep) for keep in keeps[:MOST_KEEPS]])
        if len(keeps) > MOST_KEEPS:
            yield Text(f"… and {len(keeps) - MOST_KEEPS} more (--json has them all)", style="dim")
    for short in plan.get("shortfalls") or []:
        yield Text(
            f"{short['limit']} cannot be reached: {size(short['over'])} too many, {short['reason']}",
            style="yellow",
        )
    for sentence in [*(plan.get("warnings") or []), *((report or {}).get("held_back") or [])]:
        yield Text(sentence, style="yellow")


def foreign_report(
    trees: Sequence[ForeignTree], removed: Sequence[ForeignTree], problems: Sequence[str]
) -> Iterator[RenderableType]:
    """What other builds left, and what was removed of it."""
    gone = {tree.path for tree in removed}
    if not trees:
        yield Text("no tree of another build was found")
        return
    rows = [
        (
            str(tree.path),
            size(tree.bytes),
            moment(tree.changed_at),
            "removed" if tree.path in gone else tree.keep_reason or "may go (--remove)",
        )
        for tree in trees
    ]
    columns = (
        Column("tree", text=True),
        Column("size", right=True),
        Column("last change", leaves=1),
        Column("", text=True),
    )
    yield table(columns, rows)
    yield Text(
        f"{size(sum(tree.bytes for tree in trees))} in all, {size(sum(tree.bytes for tree in removed))} removed"
    )
    for problem in problems:
        yield Text(problem, style="yellow")


def _what(action: dict[str, Any]) -> str:
    if action.get("names"):
        return ", ".join(action["names"]) + (f" → {action['to']}" if action.get("to") else "")
    return f"#{action['run']}" if action.get("run") is not None else "all"


def _keep(keep: Any) -> tuple[str, str, str, str]:
    if isinstance(keep, dict):
        run = f"#{keep['run']}" if keep.get("run") is not None else ""
        return keep["what"], run, size(keep["bytes"]), ", ".join(keep["reasons"])
    name, reason = keep
    return "log file", name, "", reason
