"""Every key of the configuration with its default and its one comment; plain data, cheap to import.

Durations are seconds, sizes are bytes. The comments are what `config init` writes and `config.example.toml` shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal


class Form(StrEnum):
    """How a value is written in the file, where that is not how it is kept."""

    PLAIN = "plain"
    DURATION = "duration"
    SIZE = "size"
    SIZE_OR_PERCENT = "size or percent"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Key:
    """What a person reads about a key, and what its value must keep to (`low` and `high` are allowed values)."""

    about: str
    form: Form = Form.PLAIN
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of the file system that something lies on."""

    value: float

    def of(self, total: int) -> int:
        """The share of `total`, in whole bytes."""
        return int(total * self.value / 100)


def bytes_of(limit: int | Percent, total: int) -> int:
    """A limit in bytes, for a file system of `total` bytes."""
    return limit.of(total) if isinstance(limit, Percent) else limit


_MS = 0.001
_HOUR = 3600.0
_DAY = 24 * _HOUR
_MB = 1000**2
_GB = 1000**3


@dataclass(frozen=True, slots=True)
class Build:
    """How a build is run."""

    orchestrion: Annotated[
        str, Key("Orchestrion's program; empty: the project's `go tool`, else the one on the PATH.")
    ] = ""
    go: Annotated[str, Key("Go's program; empty: the one on the PATH.")] = ""
    command: Annotated[
        Literal["build", "test", "install"], Key("The Go command to run: build, test or install.")
    ] = "build"
    packages: Annotated[tuple[str, ...], Key("What to build, as the Go command takes it.")] = ("./...",)
    tags: Annotated[tuple[str, ...], Key("Build tags.")] = ()
    flags: Annotated[tuple[str, ...], Key('More flags of the Go command, such as "-trimpath".')] = ()
    env: Annotated[Mapping[str, str], Key('Environment of the build, such as { GOARCH = "arm64" }.')] = field(
        default_factory=dict
    )
    nice: Annotated[int, Key("How far builds stand back for other programs: 0 to 19.", low=0, high=19)] = 5
    time_limit: Annotated[float, Key("A build that takes longer is cancelled.", Form.DURATION, low=1)] = _HOUR
    cache: Annotated[
        Literal["private", "shared"],
        Key(
            "private: a Go build cache of orchwatchd's own, so that every package is seen;"
            " shared: yours, where runs may hold unknown packages."
        ),
    ] = "private"


@dataclass(frozen=True, slots=True)
class Log:
    """Orchestrion's own log, set for every build."""

    file: Annotated[
        str,
        Key(
            "Orchestrion's log file ($PID and ${PID} give one a process); empty: ORCHESTRION_LOG_FILE,"
            ' else a file in the state folder; "stderr": no file.'
        ),
    ] = ""
    level: Annotated[
        str,
        Key(
            "NONE, OFF, ERROR, WARN, INFO, DEBUG or TRACE; DEBUG and TRACE slow builds down."
            " Where the key is absent, ORCHESTRION_LOG_LEVEL counts.",
            Form.LEVEL,
        ),
    ] = "WARN"


@dataclass(frozen=True, slots=True)
class Watch:
    """When a change becomes a build."""

    rest: Annotated[
        float, Key("A build starts when no file has changed for so long.", Form.DURATION, low=10 * _MS)
    ] = 100 * _MS
    longest_wait: Annotated[
        float, Key("And after so long when files keep changing.", Form.DURATION, low=10 * _MS)
    ] = 2.0
    on_change: Annotated[
        Literal["queue", "cancel"],
        Key("A change during a build: queue one more build after it, or cancel it and start anew."),
    ] = "queue"
    include: Annotated[
        tuple[str, ...], Key("Patterns of further files (as in .gitignore) whose change starts a build.")
    ] = ()
    exclude: Annotated[
        tuple[str, ...], Key("Patterns of files (as in .gitignore) whose change starts none.")
    ] = ()
    poll: Annotated[
        Literal["auto", "always", "never"],
        Key("Look at the files on a schedule: where the system sends no events (auto), always or never."),
    ] = "auto"
    poll_interval: Annotated[float, Key("How often, when polling.", Form.DURATION, low=0.1)] = 2.0
    rescan: Annotated[
        float, Key("How often all inputs are looked at, in case an event was lost.", Form.DURATION, low=1)
    ] = 300.0
    git_lock_limit: Annotated[
        float, Key("How long a Git operation may hold builds back.", Form.DURATION, low=0)
    ] = 30.0


@dataclass(frozen=True, slots=True)
class KeepTrees:
    """Which work trees stay whole; any of the rules keeps one, then the limits count."""

    keep_last: Annotated[int, Key("Whole work trees: of the last runs that built.", low=0)] = 3
    keep_failed: Annotated[int, Key("Of the last runs that failed.", low=0)] = 2
    keep_daily: Annotated[int, Key("Of the last run of each of so many days.", low=0)] = 0
    keep_within: Annotated[float, Key("Of every run not older than this.", Form.DURATION, low=0)] = 0.0
    max_used: Annotated[int, Key("All whole trees together.", Form.SIZE, low=1)] = 2 * _GB
    min_free: Annotated[
        int | Percent,
        Key(
            "Free space to leave on their disk (a size or a percentage); a build that would go below is cancelled.",
            Form.SIZE_OR_PERCENT,
            low=0,
        ),
    ] = Percent(5)


@dataclass(frozen=True, slots=True)
class KeepThin:
    """Which work trees stay without archives and programs, once they are not kept whole."""

    keep_last: Annotated[
        int, Key("Thin trees (sources and import configurations): of the last runs.", low=0)
    ] = 50
    keep_failed: Annotated[int, Key("Of the last runs that failed.", low=0)] = 20
    keep_daily: Annotated[int, Key("Of the last run of each of so many days.", low=0)] = 14
    keep_within: Annotated[float, Key("Of every run not older than this.", Form.DURATION, low=0)] = 7 * _DAY
    max_used: Annotated[int, Key("All thin trees together.", Form.SIZE, low=1)] = _GB


@dataclass(frozen=True, slots=True)
class KeepHistory:
    """Which runs stay in the history; it needs no work tree."""

    keep_last: Annotated[int, Key("The history itself: the last runs.", low=0)] = 1000
    keep_failed: Annotated[int, Key("The last runs that failed.", low=0)] = 200
    keep_daily: Annotated[int, Key("The last run of each of so many days.", low=0)] = 365
    keep_within: Annotated[float, Key("Every run not older than this.", Form.DURATION, low=0)] = 90 * _DAY
    max_used: Annotated[int, Key("The database.", Form.SIZE, low=1)] = _GB


@dataclass(frozen=True, slots=True)
class KeepCache:
    """The private Go build cache."""

    max_used: Annotated[int, Key("The private Go build cache.", Form.SIZE, low=1)] = 4 * _GB


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept and for how long; pins keep whatever they name."""

    trees: KeepTrees = field(default_factory=KeepTrees)
    thin: KeepThin = field(default_factory=KeepThin)
    history: KeepHistory = field(default_factory=KeepHistory)
    cache: KeepCache = field(default_factory=KeepCache)


@dataclass(frozen=True, slots=True)
class Rotate:
    """When Orchestrion's log files are rotated, and which old ones stay."""

    max_size: Annotated[int, Key("A log file that is larger is rotated.", Form.SIZE, low=1)] = 10 * _MB
    max_age: Annotated[float, Key("One that is older, too.", Form.DURATION, low=1)] = 7 * _DAY
    keep: Annotated[int, Key("Rotated files that stay.", low=1)] = 20
    max_total: Annotated[int, Key("All rotated files together.", Form.SIZE, low=1)] = 100 * _MB
    merge_pid: Annotated[bool, Key("Merge the files of a $PID family into one a run.")] = True


@dataclass(frozen=True, slots=True)
class Logs:
    """Which of Orchestrion's log lines become searchable."""

    keep_runs: Annotated[int, Key("Log lines are searchable for so many runs.", low=0)] = 200
    max_lines: Annotated[int, Key("Lines of one run at most.", low=1)] = 20_000
    level: Annotated[
        str, Key("The lowest level that is indexed: ERROR, WARN, INFO, DEBUG or TRACE.", Form.LEVEL)
    ] = "DEBUG"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Cold builds that fill in unknown packages."""

    when: Annotated[
        Literal["never", "idle"],
        Key('With build.cache = "shared": fill in unknown packages by a cold build when idle, or never.'),
    ] = "never"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Upkeep between builds."""

    prune: Annotated[float, Key("How often old trees and runs are pruned.", Form.DURATION, low=1)] = _HOUR
    rotate: Annotated[float, Key("How often log files are looked at.", Form.DURATION, low=1)] = 600.0
    check: Annotated[float, Key("How often the database's integrity is checked.", Form.DURATION, low=1)] = (
        _DAY
    )


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. `file` is where they were read, `given` the keys that stood there, `from_environment` those
    that the environment gave because the file was silent; the rest are defaults.
    """

    build: Build = field(default_factory=Build)
    log: Log = field(default_factory=Log)
    watch: Watch = field(default_factory=Watch)
    keep: Keep = field(default_factory=Keep)
    rotate: Rotate = field(default_factory=Rotate)
    logs: Logs = field(default_factory=Logs)
    baseline: Baseline = field(default_factory=Baseline)
    schedule: Schedule = field(default_factory=Schedule)
    file: Path | None = field(default=None, compare=False)
    given: frozenset[str] = field(default=frozenset(), compare=False)
    from_environment: frozenset[str] = field(default=frozenset(), compare=False)

    def source_of(self, key: str) -> Literal["file", "environment", "default"]:
        """Where the value of a dotted key (`log.file`) came from."""
        if key in self.given:
            return "file"
        return "environment" if key in self.from_environment else "default"
