"""Owns what was in force during a run, read from the documents that it kept: what `compare.causes` explains with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from orchwatchd.models.comparison import RunFacts
from orchwatchd.query import logs, runs

# Flags whose value is a place of the run's own: they never tell two commands apart.
_OWN_FLAGS = ("-debug-actiongraph=", "-work")


def plain_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """A command without its program's path and without what orchwatchd adds to each run."""
    return tuple(argument for argument in argv[1:] if not argument.startswith(_OWN_FLAGS))


def facts(connection: sqlite3.Connection, run: int) -> RunFacts:
    """What was in force during a run; None for what it did not record."""
    row = connection.execute(
        "SELECT kind, argv, orchestrion_version, go_version FROM run WHERE id = ?", (run,)
    ).fetchone()
    command = _json(connection, run, "command") or {}
    modules = _json(connection, run, "modules")
    configuration = runs.document(connection, run, "configuration")
    manifest = runs.document(connection, run, "manifest")
    log = logs.summary(connection, run)
    return RunFacts(
        kind=row[0],
        arguments=tuple(command["packages"])
        if "packages" in command
        else plain_arguments(json.loads(row[1])),
        flags=tuple(command["flags"]) if "flags" in command else None,
        tags=tuple(command["tags"]) if "tags" in command else None,
        orchestrion_version=row[2],
        go_version=row[3],
        toolexec_key=log.toolexec[0] if log is not None and log.toolexec else None,
        modules=None if modules is None else {row["path"]: _version(row) for row in modules},
        environment=_json(connection, run, "environment"),
        configuration=None if configuration is None else _configuration(configuration),
        manifest=None if manifest is None else _manifest(manifest),
    )


def _configuration(text: str) -> Any:
    from orchwatchd.aspects.document import from_json

    return from_json(text)


def _version(row: dict[str, Any]) -> str:
    plain = row.get("version") or "(none)"
    replaced = row.get("replace")
    if not replaced:
        return str(plain)
    return f"{plain} => {replaced['path']}{'@' + replaced['version'] if replaced.get('version') else ''}"


def _manifest(text: str) -> dict[str, str]:
    rows = (line.partition("  ") for line in text.splitlines())
    return {path: digest for digest, _, path in rows if path}


def _json(connection: sqlite3.Connection, run: int, kind: str) -> Any:
    text = runs.document(connection, run, kind)
    return None if text is None else json.loads(text)
