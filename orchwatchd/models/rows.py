"""What reading the history gives: rows with the fields of the JSON contract, and `to_jsonable` for all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from orchwatchd.models.run import CompilerMessage, LogRange


def to_jsonable(value: Any) -> Any:
    """What `json.dumps` takes: dataclasses become objects with their fields, moments ISO 8601 in UTC, tuples
    lists.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_jsonable(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_jsonable(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list. Counts are of the whole run, carried outputs included, None where the run cannot tell."""

    id: int
    status: str
    reason: str | None
    kind: str
    trigger: tuple[str, ...]
    started_at: datetime
    duration: float | None
    packages: int | None
    compiled: int | None
    unknown_packages: int | None
    instrumented_packages: int | None
    modified_files: int | None
    injections: int | None
    orchestrion_version: str | None
    go_version: str | None
    git_commit: str | None
    git_branch: str | None
    git_dirty: bool | None
    ended_at: datetime | None
    pins: tuple[str, ...]
    work_state: str
    cache: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One modified file of a run. `member` is False for a file of a package that was compiled for the run (by its
    child builds, or before it was cancelled) and is not known to be part of it; `attempt` marks one whose compile did
    not end.
    """

    id: int
    package: str | None
    path: str
    original: str | None
    original_certain: bool
    nested: bool
    synthetic: bool
    recorded_in: int
    injections: int
    member: bool
    attempt: bool
    generated: str | None


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage directory of a run's trees. Times are seconds."""

    path: str
    nested: bool
    package: str | None
    kinds: tuple[str, ...]
    build_id: str | None
    status: str | None
    wall: float | None
    cpu: float | None
    files: int
    bytes: int
    woven: bool
    attempt: bool


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What one package imports or links beyond its original configuration."""

    package: str | None
    kind: str
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InjectionRow:
    """One injection of a stored file, with who is held to have made it. `file` is the original (the woven file where
    there is none), where rows of several files stand together.
    """

    ordinal: int
    kind: str
    declaration: str
    text: str
    code: str
    line: int
    last_line: int
    original_line: int
    integration: str | None
    aspect: str | None
    certainty: str
    candidates: tuple[str, ...]
    also: tuple[str, ...] = ()
    unexplained: bool = False
    shape: str = ""
    by_marks: bool = False
    file: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A modified file with its bytes as they were compiled. `original` is None where no original was to be had."""

    file: FileRow
    woven: bytes
    original: bytes | None
    injections: tuple[InjectionRow, ...]


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program of a run. `linked` is True when it is there, linked now or up to date; `complete` is False where the
    history does not know all that is linked into it.
    """

    package: str
    action: str | None
    linked: bool
    failed: bool
    complete: bool
    packages: int
    unknown_packages: int
    instrumented_packages: int
    modified_files: int
    injections: int


@dataclass(frozen=True, slots=True)
class PackageRow:
    """One package of a run: `state` is woven, plain, unknown (nobody recorded it), failed, unreached or
    unresolved.
    """

    package: str | None
    state: str
    recorded_in: int | None
    action: str | None
    content: str | None
    modified_files: int
    injections: int


@dataclass(frozen=True, slots=True)
class RunDetails:
    """Everything that the history knows of one run beyond its lists."""

    run: RunRow
    argv: tuple[str, ...]
    exit_code: int | None
    signal: int | None
    inputs_moved: bool
    input_digest: str | None
    work_parent: str
    work_tree: str | None
    graph_known: bool | None
    programs: tuple[ProgramRow, ...]
    failed: tuple[str, ...]
    unreached: tuple[str, ...]
    unresolved: tuple[str, ...]
    messages: tuple[CompilerMessage, ...]
    logs: tuple[LogRange, ...]
    documents: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change in the history of a package, file or integration. `change` is `first`, `changed`, `again` (after
    it was gone) or `gone` (out of a run that has the same programs). `added` and `removed` are the injections
    that came and went, `changed` those whose code changed, each before and after. `injections` are then there.
    `pruned_before` says that runs before it are gone; `or_earlier` that it may have been so in one of them: no kept run
    in between had it otherwise.
    """

    run: int
    started_at: datetime
    git_commit: str | None
    package: str
    change: str
    added: tuple[InjectionRow, ...]
    removed: tuple[InjectionRow, ...]
    injections: int
    changed: tuple[tuple[InjectionRow, InjectionRow], ...] = ()
    pruned_before: bool = False
    or_earlier: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """The answer to `history`: its rows; what was asked for, `package`, `file` or `integration` with the whole name, or
    the first and the last, and which of these have rows, cut ones included; and the packages that nobody saw compiled
    in some runs, with these runs.
    """

    rows: tuple[ChangeRow, ...]
    meanings: dict[str, str]
    found: frozenset[str]
    unknown: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class JobRow:
    """A scheduled job's last runs."""

    job: str
    last_start: datetime | None
    last_ok: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a SQL query gave. `cut` is True where there were more rows than the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What is kept of a run's log: lines seen and kept, by level what was seen and left out, facts that TRACE
    told.
    """

    lines: int
    kept: int
    bytes: int
    seen: dict[str, int]
    left_out: dict[str, int]
    problems: tuple[str, ...]
    toolexec: tuple[str, ...]
    modules: tuple[str, ...]
