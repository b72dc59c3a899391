"""What was in force when a build began: where Git stood, and which module versions the build list has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from orchwatchd.build.environment import masked
from orchwatchd.build.gomod import read_gomod
from orchwatchd.errors import OrchwatchdError
from orchwatchd.models.build import Toolchain
from orchwatchd.models.run import GitState
from orchwatchd.process import ProgramMissingError, ProgramTimeoutError, child_environment, run_short
from orchwatchd.project import Project

# Folders of the run's own: asking anew for each run would hold up every build by `go list`'s time.
_OWN = frozenset({"GOTMPDIR", "GOCACHE"})
_FORMAT = (
    "{{.Path}}\t{{.Version}}\t{{if .Main}}main{{end}}"
    "\t{{with .Replace}}{{.Path}}{{end}}\t{{with .Replace}}{{.Version}}{{end}}"
)


def git_state(folder: Path, env: Mapping[str, str] | None = None, *, timeout: float = 10) -> GitState:
    """Commit, branch and whether anything in the repository is not committed; all None where Git cannot tell.

    Takes no lock that could get into the way of the developer's own Git.
    """
    whole = {**child_environment(env), "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "-z"]
    try:
        done = run_short(command, cwd=folder, env=whole, timeout=timeout)
    except (ProgramMissingError, ProgramTimeoutError):
        return GitState()
    if done.returncode != 0:
        return GitState()
    commit = branch = None
    dirty = False
    for record in done.stdout.split("\0"):
        if record.startswith("# branch.oid "):
            commit = record.removeprefix("# branch.oid ")
        elif record.startswith("# branch.head "):
            branch = record.removeprefix("# branch.head ")
        elif record and not record.startswith("# "):
            dirty = True
    return GitState(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=dirty,
    )


def modules_document(project: Project, toolchain: Toolchain, env: Mapping[str, str]) -> str | None:
    """The build list as JSON: `[{path, version, main?, replace?}]`, sorted by path; None where the Go command
    cannot tell.

    Asked anew only when `go.mod`, `go.sum` or `go.work` changed; without network (what is not at hand was not built
    either).
    """
    files = [project.gowork] if project.gowork else []
    files += [module / name for module in project.modules for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.is_file() else b"")
        digest.update(b"\0")
    relevant = tuple(
        sorted(
            (name, value)
            for name, value in env.items()
            if (name.startswith("GO") and name not in _OWN) or name == "PATH"
        )
    )
    return _modules(toolchain.go, project.gomod.parent, relevant, digest.hexdigest()) or _required_modules(
        project, toolchain, env
    )


@lru_cache(maxsize=4)
def _modules(go: Path, folder: Path, env: tuple[tuple[str, str], ...], _digest: str) -> str | None:
    import os

    whole = {**os.environ, **dict(env), "GOPROXY": "off"}
    for flags in (["-mod=readonly"], []):
        done = run_short([go, "list", *flags, "-m", "-f", _FORMAT, "all"], cwd=folder, env=whole, timeout=60)
        if done.returncode == 0:
            rows = [_module(line) for line in done.stdout.splitlines() if line]
            return json.dumps(sorted(rows, key=lambda row: str(row["path"])), separators=(",", ":"))
    return None


def _required_modules(project: Project, toolchain: Toolchain, env: Mapping[str, str]) -> str | None:
    """What the `go.mod` itself requires, where the whole module graph cannot be had (a `go.mod` of a module that no
    package comes from is not at hand): since Go 1.17 that names every module that a package of the build comes from.
    """
    try:
        found = read_gomod(toolchain.go, project.gomod, env)
    except OrchwatchdError:
        return None
    rows: list[dict[str, object]] = [{"path": found.path, "version": None, "main": True}]
    for path, version in found.requires.items():
        row: dict[str, object] = {"path": path, "version": version}
        if path in found.replaces:
            new_path, new_version = found.replaces[path]
            row["replace"] = {"path": masked(new_path), "version": new_version}
        rows.append(row)
    return json.dumps(sorted(rows, key=lambda row: str(row["path"])), separators=(",", ":"))


def _module(line: str) -> dict[str, object]:
    path, version, main, new_path, new_version = line.split("\t")
    row: dict[str, object] = {"path": path, "version": version or None}
    if main:
        row["main"] = True
    if new_path:
        row["replace"] = {"path": masked(new_path), "version": new_version or None}
    return row
