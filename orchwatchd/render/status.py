"""`status` as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from rich.console import RenderableType
from rich.text import Text

from orchwatchd.render.table import Column, Table, facts, table
from orchwatchd.render.terminal import size


def status_report(found: dict[str, Any]) -> Iterator[RenderableType]:
    """The state, what is degraded and why, the last run, the counts of the watcher, the room that everything
    takes.
    """
    yield facts(tuple(_facts(found)))
    yield Text()
    paths, disk = found["paths"], found["disk"]
    rows = [
        ("history", size(disk["database"]), paths["database"]),
        ("work trees", size(disk["work"]), paths["work"]),
        ("Go cache", size(disk["cache"]), paths["cache"]),
        ("logs", size(disk["logs"]), paths["logs"]),
        ("free", size(disk["free"]), ""),
    ]
    yield table(("what", Column("size", right=True), Column("where", text=True)), rows)
    if found["jobs"]:
        yield Text()
        yield table(
            (
                "job",
                Column("last start", leaves=2),
                Column("last success", leaves=1),
                Column("outcome", text=True),
                Column("next", leaves=3),
            ),
            [
                (job["job"], job.get("last_start"), job.get("last_ok"), job.get("outcome"), job.get("next"))
                for job in found["jobs"]
            ],
        )


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, Text | str | None]]:
    state = found["state"]
    pid = f" (process {found['pid']})" if found["pid"] else ""
    yield "daemon", Text(f"{state}{pid}", style="" if state == "stopped" else "green")
    yield "project", found["project"]
    yield "degraded", Text("; ".join(found["degraded"]), style="yellow") if found["degraded"] else None
    yield "waiting", found.get("waiting")
    yield "problem", Text(found["problem"], style="red") if found.get("problem") else None
    yield "pending changes", ", ".join(found["pending_changes"][:10])
    run = found["last_run"]
    yield (
        "last run",
        f"#{run['id']} {run['status']} {run['kind']}, {run['started_at']}" if run else "none yet",
    )
    counts = found.get("inputs") or {}
    yield (
        "inputs",
        ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "inputs"),
    )


MARKS = {"good": ("✓", "green"), "hint": ("·", "yellow"), "bad": ("✗", "red")}


class Found(Protocol):
    """A finding of `doctor`."""

    @property
    def what(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def step(self) -> str | None: ...


def findings_table(found: Sequence[Found]) -> Table:
    """What `doctor` found, each with the next step where one is needed."""
    rows = [
        (
            Text(MARKS[finding.state][0], style=MARKS[finding.state][1]),
            finding.what,
            finding.text + (f"\n→ {finding.step}" if finding.step else ""),
        )
        for finding in found
    ]
    return table(("", "what", Column("finding", text=True)), rows)
