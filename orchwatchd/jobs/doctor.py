"""Is this machine fit to record: one finding a question, each with the next step where the answer is no."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.errors import OrchwatchdError
from orchwatchd.jobs.preparation import Preparation
from orchwatchd.query import History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchwatchd.config.model import Config
    from orchwatchd.config.paths import Paths
    from orchwatchd.project import Project

# Two connections that write and checkpoint at one moment can damage a database in WAL mode before this version
# (sqlite.org, WAL-reset bug); we have one writer, so it is a hint and no more.
SAFE_SQLITE = (3, 51, 3)
WATCH_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
FEW_WATCHES = 8192


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is `good`, `hint` (works, could be better) or `bad`; `step` is what to do about it."""

    what: str
    state: str
    text: str
    step: str | None = None


def examine(project: Project, config: Config, paths: Paths, env: Mapping[str, str]) -> tuple[Finding, ...]:
    """Looks at everything that recording needs; changes nothing, needs no daemon and no network."""
    preparation = Preparation(project, config, env)
    return tuple(_findings(preparation, paths))


def _findings(preparation: Preparation, paths: Paths) -> Iterator[Finding]:
    yield _try("Go and Orchestrion", lambda: _toolchain(preparation))
    yield _try("Orchestrion's configuration", lambda: _configuration(preparation))
    yield _try("history", lambda: _history(paths))
    yield _sqlite()
    yield _disk(preparation.config, paths)
    yield from _watches()


def _try(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except OrchwatchdError as error:
        return Finding(what, "bad", error.message, error.hint)


def _toolchain(preparation: Preparation) -> Finding:
    found = preparation.toolchain()
    orchestrion = f"Orchestrion {found.orchestrion_version} ({found.orchestrion}, {found.origin})"
    text = f"{found.go_version} ({found.go}), {orchestrion}"
    return Finding(
        "Go and Orchestrion", "good" if found.verified else "hint", "; ".join((text, *found.notes))
    )


def _configuration(preparation: Preparation) -> Finding:
    found = preparation.configuration()
    text = f"{len(found.aspects)} aspects of {len(found.integrations)} packages from {len(found.files)} files"
    if found.problems:
        first = found.problems[0]
        return Finding(
            "Orchestrion's configuration", "hint", f"{text}; {len(found.problems)} could not be read: {first}"
        )
    return Finding("Orchestrion's configuration", "good", text)


def _history(paths: Paths) -> Finding:
    with History.open(paths.database) as history:
        if not history.exists:
            return Finding(
                "history", "hint", f"nothing is recorded yet in {paths.database}", "run `orchwatchd build`"
            )
        runs = history.runs(limit=1)
        checked = next((job for job in history.jobs() if job.job == "check"), None)
    last = f"last run #{runs[0].id}" if runs else "no run yet"
    outcome = f"; last check: {checked.outcome}" if checked and checked.outcome else ""
    return Finding("history", "good", f"{paths.database}, {last}{outcome}")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < SAFE_SQLITE:
        return Finding(
            "SQLite",
            "hint",
            f"{version}: safe with our one writer; let no other program write to the history",
        )
    return Finding("SQLite", "good", version)


def _disk(config: Config, paths: Paths) -> Finding:
    from orchwatchd.config.model import bytes_of

    folder = paths.work
    while not folder.exists():
        folder = folder.parent
    disk = shutil.disk_usage(folder)
    floor = bytes_of(config.keep.trees.min_free, disk.total)
    text = f"{disk.free / 1e9:.1f} GB free where work trees lie; builds stop below {floor / 1e9:.1f} GB"
    if disk.free < floor:
        return Finding("disk", "bad", text, "free room, or lower keep.trees.min_free")
    return Finding("disk", "good", text)


def _watches() -> Iterator[Finding]:
    try:
        limit = int(WATCH_LIMIT.read_text())
    except (OSError, ValueError):
        return  # no inotify here
    if limit < FEW_WATCHES:
        step = "sudo sysctl fs.inotify.max_user_watches=524288"
        yield Finding(
            "watches", "hint", f"this user may watch {limit} folders; above that files are polled", step
        )
    else:
        yield Finding("watches", "good", f"this user may watch {limit} folders")
