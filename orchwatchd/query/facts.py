"""Owns what was in force during a run, read from the documents that it kept: what `compare.causes` explains with."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from typing import Any

from orchwatchd.models.comparison import NO_VERSION, RunFacts
from orchwatchd.query import runs

# Flags whose value is a place of the run's own: they never tell two commands apart.
_OWN_FLAGS = ("-debug-actiongraph=", "-work")


# Variables that orchwatchd sets to places of the run's own.
_OWN_VARIABLES = frozenset({"GOTMPDIR", "TMPDIR", "ORCHESTRION_LOG_FILE"})


def plain_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """A command without its program's path and without what orchwatchd adds to each run."""
    return tuple(argument for argument in argv[1:] if not argument.startswith(_OWN_FLAGS))


def facts(connection: sqlite3.Connection, run: int) -> RunFacts:
    """What was in force during a run; None for what it did not record."""
    from orchwatchd.query import logs

    row = connection.execute(
        "SELECT kind, argv, orchestrion_version, go_version FROM run WHERE id = ?", (run,)
    ).fetchone()
    command = _json(connection, run, "command") or {}
    argv = json.loads(row[1])
    flags, tags = _flags(argv, command["packages"]) if "packages" in command else (None, None)
    environment = _json(connection, run, "environment")
    modules = _json(connection, run, "modules")
    gomod = runs.document(connection, run, "gomod")
    configuration = runs.document(connection, run, "configuration")
    manifest = runs.document(connection, run, "manifest")
    log = logs.summary(connection, run)
    return RunFacts(
        kind=row[0],
        arguments=tuple(command["packages"]) if "packages" in command else plain_arguments(argv),
        flags=flags,
        tags=tags,
        orchestrion_version=row[2],
        go_version=row[3],
        toolexec_key=log.toolexec[0] if log is not None and log.toolexec else None,
        modules=None if modules is None else {row["path"]: _version(row) for row in modules},
        required=None if gomod is None else _required(gomod),
        environment=None
        if environment is None
        else {name: value for name, value in environment.items() if name not in _OWN_VARIABLES},
        configuration=None if configuration is None else _configuration(configuration),
        manifest=None if manifest is None else _manifest(manifest),
    )


def _flags(argv: Sequence[str], packages: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The flags of a command as it ran, and its build tags; what orchwatchd adds of its own is left out."""
    rest = list(plain_arguments(argv))[2:]
    if packages and rest[-len(packages) :] == list(packages):
        del rest[-len(packages) :]
    tags: tuple[str, ...] = ()
    flags: list[str] = []
    words = iter(rest)
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if name == "tags" and word.startswith("-"):
            tags = tuple(filter(None, (value if equals else next(words, "")).replace(" ", ",").split(",")))
        elif word == "-o":
            target = next(words, "")
            flags += [] if target == os.devnull else [word, target]
        else:
            flags.append(word)
    return tuple(flags), tags


def _configuration(text: str) -> Any:
    from orchwatchd.aspects.document import from_json

    return from_json(text)


def _version(row: dict[str, Any]) -> str:
    plain = row.get("version") or NO_VERSION
    replaced = row.get("replace")
    if not replaced:
        return str(plain)
    return f"{plain} => {replaced['path']}{'@' + replaced['version'] if replaced.get('version') else ''}"


def _required(gomod: str) -> frozenset[str]:
    """The modules that a `go.mod` requires and does not mark as needed by others only (`// indirect`)."""
    found = set()
    inside = False
    for line in gomod.splitlines():
        code, _, comment = line.partition("//")
        words = code.replace("(", " ( ").split()
        if inside and words == [")"]:
            inside = False
        elif words == ["require", "("]:
            inside = True
        elif (
            len(words) > 1
            and (inside or words[0] == "require")
            and comment.split(";")[0].strip() != "indirect"
        ):
            found.add(words[not inside].strip('"`'))
    return frozenset(found)


def _manifest(text: str) -> dict[str, str]:
    rows = (line.partition("  ") for line in text.splitlines())
    return {path: digest for digest, _, path in rows if _is_source(path)}


def _is_source(path: str) -> bool:
    """Whether an input is the user's own: no program, and no file of a module's version, which other causes name."""
    return bool(path) and (not path.startswith("/") or ("@v" not in path and "." in path.rpartition("/")[2]))


def _json(connection: sqlite3.Connection, run: int, kind: str) -> Any:
    text = runs.document(connection, run, kind)
    return None if text is None else json.loads(text)
