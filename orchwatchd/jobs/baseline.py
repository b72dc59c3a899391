"""Fills in what was compiled where nobody watched: one cold build of today's sources in a cache that is thrown away.

Build ids are equal in every cache at one path (fact 13), so what the cold build records for an action id is true of
every run that has it. Outputs of older sources, flags or versions stay unknown: no build of today has their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.build.arguments import parse_arguments
from orchwatchd.build.cache import retire, sweep
from orchwatchd.errors import NotFoundError
from orchwatchd.jobs.record import Hooks, record
from orchwatchd.models.event import Line
from orchwatchd.models.request import BuildRequest
from orchwatchd.models.run import RunId, RunStatus
from orchwatchd.query import History

if TYPE_CHECKING:
    from orchwatchd.config.paths import Paths
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.jobs.sources import SourceView

KIND = "baseline"
_RUN_NOTHING = "-exec=true"  # every test program is given to `true`: compiled and linked, and never run
LOWEST = 19
"""The niceness of the cold build: whatever else the developer does comes first."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a baseline came to. `of` is the run whose unknown packages were wanted: `before` and `after` are how many
    there were and are. `run` is the cold build, None where there was nothing to fill.
    """

    of: RunId
    before: int
    after: int
    run: RunId | None = None
    status: RunStatus | None = None
    reason: str | None = None


def fill(recorder: Recorder, arguments: Sequence[str], hooks: Hooks, view: SourceView) -> Filled:
    """Builds once, cold, where the newest run of the same command has unknown packages.

    `arguments` replace the configured command, as for a build. Raises NotFoundError where there is no such run yet,
    and what `record` raises.
    """
    kind = parse_arguments(arguments).kind if arguments else recorder.config.build.command
    with History.open(recorder.paths.database) as history:
        of = RunId(history.resolve("@", kind))
    before = unknown_of(recorder, of)
    if not before:
        return Filled(of, 0, 0)
    hooks.tell(
        Line("note", f"#{of} has {_packages(before)} that nobody recorded: a cold build fills them in")
    )
    with _thrown_away(recorder) as cold:
        request = BuildRequest(arguments=quiet_arguments(arguments), trigger=(f"#{of}",), kind=KIND)
        done = record(cold, request, hooks, view)
    return Filled(of, before, unknown_of(recorder, of), done.run, done.status, done.reason)


def unknown_of(recorder: Recorder, run: RunId) -> int:
    """How many packages of a run nobody recorded."""
    with History.open(recorder.paths.database) as history:
        return history.run(run).unknown_packages or 0


def sentence(filled: Filled) -> str:
    """What is said of it at the end."""
    if filled.run is None:
        return f"#{filled.of} has no unknown packages: nothing to do"
    counts = f"#{filled.of} had {_packages(filled.before)} unknown, now {filled.after}"
    first = f"#{filled.run} baseline {filled.status}: {counts}"
    if filled.status is not RunStatus.OK:
        return f"{first}\n  {filled.reason}"
    if filled.after:
        return (
            f"{first}\n  these were compiled from sources, flags or versions that are not today's;"
            " `orchwatchd build` records today's"
        )
    return first


def cache_of(paths: Paths) -> Path:
    """The throw-away cache: one at a time, as a baseline needs the state lock."""
    return paths.base / "baseline-cache"


def remove_leftovers(paths: Paths) -> None:
    """Removes the cache of a baseline that our own death cut off."""
    retire(cache_of(paths))
    sweep(cache_of(paths))


def unknown_of_last(recorder: Recorder) -> frozenset[str]:
    """The action ids of the newest run's packages that nobody recorded; empty where there is no run yet."""
    kind = recorder.config.build.command
    with History.open(recorder.paths.database) as history:
        try:
            packages = history.packages(history.resolve("@", kind))
        except NotFoundError:
            return frozenset()
    return frozenset(row.action for row in packages if row.state == "unknown" and row.action)


def quiet_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """The same command without what it does besides compiling: no test runs, no program is installed or written. Pure.

    None of these flags is part of an action id: what is compiled has the same ids.
    """
    if not arguments:
        return ()
    kind, *rest = arguments
    words = iter(rest)
    kept: list[str] = []
    for word in words:
        if word == "-args":
            break
        if word in {"-o", "--o"}:
            next(words, None)
        elif not word.startswith(("-o=", "--o=")):
            kept.append(word)
    if kind == "test":
        return (kind, _RUN_NOTHING, *kept)
    return ("build" if kind == "install" else kind, *kept)


@contextmanager
def _thrown_away(recorder: Recorder) -> Iterator[Recorder]:
    """The recorder with an empty cache that is removed whatever happens, and the lowest priority."""
    remove_leftovers(recorder.paths)
    build = replace(recorder.config.build, cache="private", nice=LOWEST)
    if build.command == "test":
        build = replace(build, flags=(*build.flags, _RUN_NOTHING))
    try:
        yield replace(
            recorder,
            config=replace(recorder.config, build=build),
            paths=replace(recorder.paths, cache=cache_of(recorder.paths)),
        )
    finally:
        remove_leftovers(recorder.paths)


def _packages(number: int) -> str:
    return f"{number} package{'s' * (number != 1)}"
