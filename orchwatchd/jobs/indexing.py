"""From a run's work tree to its record: reads tree and action graph, finds originals, injections and who made
them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build import build_folder, lookup_in
from orchwatchd.build.messages import parse
from orchwatchd.compare.attribution import ATTRIBUTION_VERSION, FileContext, attribute
from orchwatchd.jobs.index import Attribute, index_reading
from orchwatchd.jobs.variants import Names, logged_names
from orchwatchd.models.injection import Attribution
from orchwatchd.models.log import IndexedLog
from orchwatchd.models.tree import TreeReading
from orchwatchd.orchlog.index import index_lines
from orchwatchd.orchlog.index import index_run as index_log
from orchwatchd.orchlog.ranges import RangeLostError, read_range
from orchwatchd.tree import read_tree
from orchwatchd.weave import WEAVE_VERSION

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.injection import Injection
    from orchwatchd.models.package import PackageName
    from orchwatchd.models.record import FileRecord, RunRecord
    from orchwatchd.models.run import CompilerMessage, LogRange, RunId
    from orchwatchd.models.watching import FileState


@dataclass(frozen=True, slots=True)
class Left:
    """What a build left: its root work tree (None: none was made), what it printed with log lines taken out, the log
    lines that it printed, and what it appended to log files.
    """

    tree: Path | None
    stdout: bytes
    stderr: bytes
    log_lines: tuple[str, ...] = ()
    logs: tuple[LogRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """What a run's tree, output and log told."""

    reading: TreeReading
    record: RunRecord
    messages: tuple[CompilerMessage, ...]
    log: IndexedLog


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Python's cycle collector, kept from a few hundred milliseconds of work that makes objects by the hundred thousand
    and no garbage in cycles; each of its runs would look at everything that the daemon holds.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collector_resting()
def index_run(
    recorder: Recorder,
    run: RunId,
    left: Left,
    *,
    before: Mapping[str, FileState] | None,
    configuration: ResolvedConfiguration | None,
    names: Names | None = None,
) -> Index:
    """Indexes what a run left whose build has ended. `before` is what its inputs held before it, `configuration`
    Orchestrion's in force, each None where it is not known; `names` are packages by action id that someone else
    could name.
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
    found = index_reading(
        reading,
        original_versions=recorder.store.original_versions,
        snapshot=before,
        attribute=None if configuration is None else attributor(configuration),
        names={**(names or {}), **_names_in_log(recorder, left, reading)},
    )
    record = replace(found, weave_version=WEAVE_VERSION, attribution_version=ATTRIBUTION_VERSION)
    named = tuple(with_maker(message, record) for message in messages)
    return Index(reading, record, named, _index_log(recorder, left))


def attributor(configuration: ResolvedConfiguration) -> Attribute:
    """Says who made a file's injections, under one configuration."""

    def makers(
        package: PackageName | None, file: FileRecord, injections: Sequence[Injection]
    ) -> Sequence[Attribution]:
        if package is None:
            return [Attribution()] * len(injections)
        context = FileContext(
            package=package.path,
            original=file.original_data if file.original_certain else None,
            woven=file.data,
            synthetic=file.synthetic,
            test_main=package.path.endswith(".test"),
        )
        return attribute(configuration, context, injections)

    return makers


def _names_in_log(recorder: Recorder, left: Left, reading: TreeReading) -> Names:
    """What a DEBUG log names; only test variants are worth a second reading of the log."""
    if not any(package.package.path.endswith(".test") for package in reading.packages):
        return {}
    return logged_names(_log_lines(recorder, left))


def _log_lines(recorder: Recorder, left: Left) -> Iterable[bytes]:
    yield from (line.encode("utf-8", "surrogateescape") for line in left.log_lines)
    family = recorder.log_family
    if family is None or left.log_lines:
        return
    for wanted in left.logs:
        try:
            yield from read_range(family, wanted)
        except (RangeLostError, OSError, EOFError):
            continue  # told as a problem of the log's index


def with_maker(message: CompilerMessage, record: RunRecord) -> CompilerMessage:
    """A message about injected code with who made that code; as it is where several could have, or nobody is known."""
    if message.code is None or message.package is None:
        return message
    wanted, places = _squeezed(message.code), (message.declaration or "").split(" or ")
    makers = {
        one.attribution
        for output in record.outputs
        if output.package is not None and message.package in (str(output.package), output.package.path)
        for file in output.files
        for one in file.injections
        if one.injection.declaration in places
        and (wanted in _squeezed(one.injection.code) or _squeezed(one.injection.code) in wanted)
    }
    if len(makers) != 1:
        return message
    (maker,) = makers
    return replace(
        message, integration=maker.integration, aspect=maker.aspect, certainty=str(maker.certainty)
    )


def _squeezed(code: str) -> str:
    """Code without layout and without the marks of the compiler's lines."""
    return "".join(line.strip() for line in code.splitlines() if not line.lstrip().startswith("//line "))


def _index_log(recorder: Recorder, left: Left) -> IndexedLog:
    limits = recorder.config.logs
    if left.log_lines:
        lines = (line.encode("utf-8", "surrogateescape") for line in left.log_lines)
        return index_lines(lines, max_lines=limits.max_lines, level=limits.level)
    family = recorder.log_family
    if family is None:
        return IndexedLog()
    return index_log(family, left.logs, max_lines=limits.max_lines, level=limits.level)
