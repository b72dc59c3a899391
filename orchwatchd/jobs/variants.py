"""Names of test variants that the work tree alone cannot tell: from Orchestrion's DEBUG log, and from the sources that
were compiled.

`go list -test -export` would name them all, but it may compile packages that nobody would see. A plain `go list`
compiles nothing, and tells the one thing that the action graph leaves open: whether a package has test files of its
own, and so is a variant in the program of its test (`tree.variants`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchwatchd.models.package import UNKNOWN_VARIANT, PackageName
from orchwatchd.process import run_short
from orchwatchd.tree.actiongraph import ActionGraph, read_graph
from orchwatchd.tree.variants import package_names

if TYPE_CHECKING:
    from orchwatchd.models.build import BuildCommand

Names = Mapping[str, PackageName]
"""Packages by action id."""

_COMMAND = b'"Toolexec original command"'
_TEST = ".test"
_FIELDS = "ImportPath,Dir,TestGoFiles,XTestGoFiles,IgnoredGoFiles"
# Flags that decide which files are a package's: they count for `go list` as they do for `go test`.
_OF_SOURCES = ("tags", "mod", "modfile", "overlay", "compiler")
_BARE_OF_SOURCES = ("race", "msan", "asan")


@dataclass(frozen=True, slots=True)
class TestedPackage:
    """A package under test, as `go list` shows it: the files that decide whether it has tests of its own."""

    path: str
    folder: Path
    own_tests: bool
    files: tuple[str, ...]


def logged_names(lines: Iterable[bytes]) -> dict[str, PackageName]:
    """What a DEBUG log names: each compile of every tree, nested ones included, by its action id (fact 21)."""
    found: dict[str, PackageName] = {}
    for raw in lines:
        if _COMMAND not in raw:
            continue
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and (action := _action(line.get("command"))):
            name = line.get("TOOLEXEC_IMPORTPATH")
            if isinstance(name, str) and name:
                found[action] = PackageName.parse(name)
    return found


def listed_names(graph: ActionGraph, own_tests: Mapping[str, bool]) -> dict[str, PackageName]:
    """The names of a test build's packages by action id, as far as they are certain once it is known which packages
    have test files of their own (`own_tests`, by import path). Pure.
    """
    told = tuple(
        replace(action, test_files=own_tests[action.package])
        if action.mode == "build" and action.test_files is None and action.package in own_tests
        else action
        for action in graph.actions
    )
    names = package_names(replace(graph, actions=told))
    return {
        action.action: names[action.id]
        for action in told
        if action.mode == "build" and action.action and names[action.id].variant != UNKNOWN_VARIANT
    }


def tested_paths(graph: ActionGraph) -> tuple[str, ...]:
    """The packages that a build of tests made test programs of."""
    mains = {action.package for action in graph.of("build") if action.package.endswith(_TEST)}
    return tuple(sorted(main.removesuffix(_TEST) for main in mains))


def names_of_tests(
    command: BuildCommand, go: Path, started_at: datetime, *, moved: bool
) -> dict[str, PackageName]:
    """What the sources that were just built tell of a test build's variants; nothing where they may have changed
    since it started (`moved`, or by their times).
    """
    if moved:
        return {}
    try:
        graph = read_graph(command.graph)
    except OSError:
        return {}
    paths = tested_paths(graph) if graph.tests else ()
    if not paths:
        return {}
    packages = _list(command, go, paths)
    since = started_at.timestamp()
    own_tests = {package.path: package.own_tests for package in packages if _untouched(package, since)}
    return listed_names(graph, own_tests)


def _action(command: Any) -> str | None:
    """The action id that a compile is for: both halves of `-buildid` are it then."""
    if not isinstance(command, list) or "-buildid" not in command:
        return None
    if str(command[0]).rpartition("/")[2].removesuffix(".exe") != "compile":
        return None
    at = command.index("-buildid") + 1
    value = command[at] if at < len(command) else None
    return value.partition("/")[0] or None if isinstance(value, str) else None


def _list(command: BuildCommand, go: Path, paths: Iterable[str]) -> Iterator[TestedPackage]:
    """Asks the Go command, which compiles nothing for this; nothing where it refuses."""
    # The build's TMPDIR is gone by now, and its GOTMPDIR is for the build alone.
    env = {name: value for name, value in command.env.items() if name not in {"GOTMPDIR", "TMPDIR"}}
    argv: list[str | Path] = [
        go,
        "list",
        "-e",
        f"-json={_FIELDS}",
        *_source_flags(command.argv),
        "--",
        *paths,
    ]
    done = run_short(argv, cwd=command.folder, env=env)
    if done.returncode != 0:
        return
    decoder, text = json.JSONDecoder(), done.stdout.strip()
    while text:
        entry, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        own, more = entry.get("TestGoFiles") or [], (entry.get("XTestGoFiles") or [])
        files = (*own, *more, *(entry.get("IgnoredGoFiles") or []))
        if entry.get("Dir"):
            yield TestedPackage(entry["ImportPath"], Path(entry["Dir"]), bool(own), files)


def _source_flags(argv: Iterable[str]) -> Iterator[str]:
    words = iter(argv)
    for word in words:
        if word in {"-args", "--args"}:
            return
        name, equals, _ = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in (*_OF_SOURCES, *_BARE_OF_SOURCES):
            continue
        yield word
        if name in _OF_SOURCES and not equals:
            yield next(words, "")


def _untouched(package: TestedPackage, since: float) -> bool:
    """Whether no file came, went or was written in the package's folder since then (seconds since the epoch)."""
    try:
        found = [path.stat() for path in (package.folder, *(package.folder / name for name in package.files))]
    except OSError:
        return False
    return all(max(one.st_mtime, one.st_ctime) < since for one in found)
