"""Asks the Go command where packages are: one short offline call for many, which never edits go.mod."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchwatchd.errors import OrchwatchdError
from orchwatchd.models.aspect import PackageLocation
from orchwatchd.process import run_short
from orchwatchd.project import find_project


class GoLocator:
    """Locates packages as the build in `root` sees them, by import path or by absolute folder.

    Offline (`GOPROXY=off`): a module that the build has not fetched yet is reported as missing. The answer has an
    entry for every question; a call that fails altogether gives each of them its reason.
    """

    def __init__(self, root: Path, go: str | Path = "go", env: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._go = str(go)
        base = {k: v for k, v in (env or os.environ).items() if not k.startswith("ORCHESTRION_")}
        self._env = {**base, "GOPROXY": "off", "GOSUMDB": "off"}

    def __call__(self, packages: Sequence[str]) -> Mapping[str, PackageLocation]:
        if not packages:
            return {}
        argv = [self._go, "list", "-find", "-e", "-toolexec=", _module_mode(self._root, self._env)]
        argv += ["-json=ImportPath,Dir,Module,Error,GoFiles,CgoFiles,IgnoredGoFiles", "--", *packages]
        try:
            done = run_short(argv, cwd=self._root, env=self._env, timeout=60)
        except OrchwatchdError as error:
            return {name: PackageLocation(name, None, error=error.message) for name in packages}
        found = list(_documents(done.stdout))
        by_path = {str(item.get("ImportPath")): item for item in found}
        by_folder = {str(item.get("Dir")): item for item in found}
        reason = (done.stderr.strip().splitlines() or ["the Go command did not find it"])[-1]
        return {name: _location(name, by_path.get(name) or by_folder.get(name), reason) for name in packages}


def _module_mode(root: Path, env: Mapping[str, str]) -> str:
    """The flag that keeps the Go command from editing go.mod even where GOFLAGS says `-mod=mod`."""
    try:
        project = find_project(root, env)
    except OrchwatchdError:
        return "-mod=readonly"
    vendored = (project.root if project.gowork else project.gomod.parent) / "vendor/modules.txt"
    return "-mod=vendor" if vendored.is_file() else "-mod=readonly"


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield document


def _location(name: str, item: dict[str, Any] | None, reason: str) -> PackageLocation:
    if item is None:
        return PackageLocation(name, None, error=reason)
    module = item.get("Module") or {}
    replaced = module.get("Replace") or {}
    version = replaced.get("Version") if replaced else module.get("Version")
    folder = item.get("Dir")
    error = (item.get("Error") or {}).get("Err")
    has_files = any(item.get(kind) for kind in ("GoFiles", "CgoFiles", "IgnoredGoFiles"))
    if folder and has_files:
        error = None  # "build constraints exclude all Go files" is usual for a folder with a tool file alone
    return PackageLocation(
        str(item.get("ImportPath", name)),
        Path(folder) if folder else None,
        module.get("Path"),
        version,
        error,
    )
