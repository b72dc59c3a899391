"""What is left of someone else's build, found and checked before any of it goes into the history."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.errors import NotFoundError, UsageError
from orchwatchd.jobs.places import belongs, same_folder
from orchwatchd.orchlog.lines import is_orchestrions
from orchwatchd.tree.actiongraph import ActionGraph, read_graph

if TYPE_CHECKING:
    from orchwatchd.models.tree import TreeReading

_STAGE = re.compile(r"b\d{3,}")
_TREE = re.compile(r"go-build\d+")
_A_TREE = re.compile(rb"/[^\"\s=]*?/go-build\d+(?=/)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be adopted: a work tree, and what else is left of its build; `output` is what it printed."""

    tree: Path
    graph: Path | None = None
    log: Path | None = None
    output: str = ""


def find_tree(given: Path, *, ours: Path) -> Path:
    """The work tree that is meant, links resolved. Raises NotFoundError where there is none, UsageError for a folder
    that is none, and for one of our own runs', which are recorded already.
    """
    tree = Path(os.path.realpath(given))
    if not tree.is_dir():
        raise NotFoundError(
            f"{given} is {'no folder' if tree.exists() else 'not there'}",
            hint="`go build -work` prints the tree as WORK=…; without -work it is removed when the build ends",
        )
    if tree.is_relative_to(os.path.realpath(ours)):
        raise UsageError(f"{given} is the tree of a run that orchwatchd made itself, and recorded")
    try:
        names = os.listdir(tree)  # noqa: PTH208  a list of names is all that is wanted
    except OSError as error:
        raise NotFoundError(f"{given} cannot be read: {error.strerror}") from error
    if names and not any(_STAGE.fullmatch(name) or name == "__tmp__" for name in names):
        trees = sorted(name for name in names if _TREE.fullmatch(name))
        raise UsageError(
            f"{given} is no work tree: it has no stage directory (b001 …)",
            hint=f"did you mean {' or '.join(str(tree / name) for name in trees[:3])}?" if trees else None,
        )
    return tree


def read_graph_of(file: Path) -> ActionGraph:
    """The action graph in a file. Raises NotFoundError where it cannot be read, UsageError for another file."""
    try:
        graph = read_graph(file)
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read: {error.strerror}") from error
    if not graph.actions:
        raise UsageError(
            f"{file} holds no action graph", hint="`go build -debug-actiongraph=FILE` writes one"
        )
    return graph


def read_lines(file: Path) -> list[bytes]:
    """The lines of a log, none for one in which nothing was written. Raises NotFoundError where it cannot be read,
    UsageError where it is not Orchestrion's.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read: {error.strerror}") from error
    if any(map(bytes.strip, lines)) and not any(map(is_orchestrions, lines)):
        raise UsageError(
            f"{file} is no log of Orchestrion: no line of it is JSON with Orchestrion's fields",
            hint="give the file that ORCHESTRION_LOG_FILE named during the build",
        )
    return lines


def check_finding(
    tree: Path,
    reading: TreeReading,
    graph: ActionGraph | None,
    root: str | None,
    modules: Mapping[str, Path],
) -> None:
    """Refuses, by UsageError, what would put something false into the history: a tree of another project, the action
    graph of another build. `root` is where the tree's own import configurations say that it was built.
    """
    if not reading.stages and graph is None:
        raise UsageError(f"{tree} is empty: it tells nothing without --actiongraph")
    if not belongs(reading, modules):
        raise UsageError(
            f"no package of {tree} is of {', '.join(sorted(modules)) or 'this project'}",
            hint="run orchwatchd in the project that was built, or name it with -C DIR",
        )
    if graph is None:
        return
    ids = {stage.path: stage.build_id for stage in reading.stages if not stage.nested}
    for package in reading.packages:
        there = ids.get(package.stage or "")
        if package.build_id and there and there.content and there != package.build_id:
            raise UsageError(f"the action graph is of another build: {package.stage} holds another archive")
    at = root or str(tree)
    if graph.root is None or not same_folder(graph.root, at):
        raise UsageError(
            f"nothing proves that the action graph is of this tree: it names {graph.root or 'no tree'}"
            + (f", the tree {root}" if root else "")
        )


def may_be_of(line: bytes, root: str | None) -> bool:
    """Whether a line of a log that several builds may share can be of this one: it names no tree, or this one."""
    if root is None:
        return True
    named = set(_A_TREE.findall(line))
    return not named or os.fsencode(root) in named
