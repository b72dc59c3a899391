"""`status`: whether the daemon lives, what it does, and what lies where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show

if TYPE_CHECKING:
    from orchwatchd.config.paths import Paths

PATIENCE = 15.0


@click.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Say whether the daemon is alive, what it is doing, and what lies where. Exit code 0 when it is stopped, too."""
    paths = context.paths()
    found = _status(context, paths)
    if as_json:
        print_json(found)
        return
    from orchwatchd.render.status import status_report

    show(*status_report(found))


def _status(context: Context, paths: Paths) -> dict[str, Any]:
    from orchwatchd.client import ask
    from orchwatchd.jobs.space import space_used
    from orchwatchd.models.rows import to_jsonable
    from orchwatchd.query import History

    # Answered at once by a daemon that lives; one that is stopped or stuck must not hang this command, too.
    answer = ask(paths.socket, "status", patience=PATIENCE)
    root = context.root_or_none()
    report: dict[str, Any] = {
        "state": "stopped",
        "degraded": [],
        "pid": None,
        "project": str(root) if root else None,
        "waiting": None,
        "problem": None,
        "pending_changes": [],
        "inputs": {},
    }
    if answer is not None and isinstance(answer.result, dict):
        report |= answer.result
    with History.open(paths.database) as history, history.snapshot():
        runs = history.runs(limit=1)
        jobs = to_jsonable(history.jobs())
    return {
        **report,
        "last_run": to_jsonable(runs[0]) if runs else None,
        "paths": {
            name: str(getattr(paths, name))
            for name in ("state", "database", "work", "cache", "logs", "socket")
        },
        "disk": space_used(paths),
        "jobs": _with_next(jobs, report.get("jobs", ())),
    }


def _with_next(jobs: list[dict[str, Any]], planned: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each job with its last outcome and, where a daemon lives, its next turn."""
    rows = {job["job"]: {**job, "next": None} for job in jobs}
    for job in planned:
        name = job["job"]
        rows[name] = {
            "job": name,
            "last_start": None,
            "last_ok": None,
            "outcome": None,
            **rows.get(name, {}),
            **job,
        }
    return [rows[name] for name in sorted(rows)]
