"""From a run's work tree to its record: reads tree and action graph, finds originals, injections and who made
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build import build_folder, lookup_in
from orchwatchd.build.messages import parse
from orchwatchd.jobs.index import index_reading
from orchwatchd.models.record import RunRecord
from orchwatchd.models.tree import TreeReading
from orchwatchd.tree import read_tree
from orchwatchd.weave import WEAVE_VERSION

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.run import CompilerMessage, RunId
    from orchwatchd.models.watching import FileState


@dataclass(frozen=True, slots=True)
class Left:
    """What a build left: its root work tree (None: none was made) and what it printed, log lines taken out."""

    tree: Path | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Index:
    """What a run's tree and output told."""

    reading: TreeReading
    record: RunRecord
    messages: tuple[CompilerMessage, ...]


def index_run(recorder: Recorder, run: RunId, left: Left, *, before: Mapping[str, FileState] | None) -> Index:
    """Indexes the tree of a run whose build has ended. `before` is what its inputs held before it, if that is
    known.
    """
    graph = recorder.files_of(run) / "graph.json"
    reading = (
        read_tree(left.tree, graph) if left.tree else TreeReading(problems=("the build left no work tree",))
    )
    messages = parse(
        left.stderr.decode("utf-8", "replace"),
        left.stdout.decode("utf-8", "replace"),
        folder=build_folder(recorder.project),
        root=recorder.project.root,
        lookup=lookup_in(left.tree) if left.tree else None,
    )
    found = index_reading(reading, original_versions=recorder.store.original_versions, snapshot=before)
    return Index(reading, replace(found, weave_version=WEAVE_VERSION), messages)
