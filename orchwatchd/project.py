"""Finding the project around a folder: the folder of `go.work`, else of `go.mod`, by the rules of the Go command."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.errors import UnfitError, UsageError

# What makes a module Orchestrion's: its configuration is read from beside the main module's go.mod (fact 23).
_CONFIGURATION = ("orchestrion.tool.go", "orchestrion.yml")


@dataclass(frozen=True, slots=True)
class Project:
    """A Go module or workspace: `root` is where builds run, `gomod` the main module's file, `modules` all folders.

    All paths are absolute with symbolic links resolved. `gomod` in a workspace is the one beside `go.work`, else the
    first of its `use` list that has Orchestrion's configuration, else the first: the same from wherever one asks.
    """

    root: Path
    gowork: Path | None
    gomod: Path
    modules: tuple[Path, ...]


def find_project(start: Path, env: Mapping[str, str] | None = None) -> Project:
    """The project around the folder `start`. `GOWORK` of `env` (default our environment) counts as for the Go command.

    Runs no program. Raises UnfitError where there is no `go.mod`, or a `go.work` that cannot be read.
    """
    folder = start.resolve()
    if not folder.is_dir():
        raise UnfitError(f"{start} is no folder", hint="give the project's folder with -C DIR")
    gowork = _find_gowork(folder, os.environ if env is None else env)
    if gowork is None:
        around = _upwards(folder, "go.mod")
        if around is None:
            raise UnfitError(
                f"no go.mod in {folder} or any folder above it",
                hint="run orchwatchd in a Go module, or name one with -C DIR",
            )
        return Project(around.parent, None, around, (around.parent,))
    modules = _used_modules(gowork)
    beside = [module for module in modules if module == gowork.parent]
    configured = [module for module in modules if any((module / name).is_file() for name in _CONFIGURATION)]
    main = (beside or configured or list(modules))[0]
    return Project(gowork.parent, gowork, main / "go.mod", modules)


def must_write_root(remembered: str | None, root: Path, state: Path) -> bool:
    """Whether a writer has to put down that the history in `state` is that of the project at `root`: nobody has, or
    the remembered project was moved. Raises UsageError where it is the history of another project.
    """
    if remembered == str(root):
        return False
    if remembered is not None and any((Path(remembered) / name).is_file() for name in ("go.work", "go.mod")):
        raise UsageError(
            f"{state} holds the history of {remembered}, not of {root}",
            hint="give each project a state folder of its own (--state DIR, ORCHWATCHD_STATE), or ask with -C "
            + remembered,
        )
    return True


def _find_gowork(folder: Path, env: Mapping[str, str]) -> Path | None:
    setting = env.get("GOWORK", "")
    if setting == "off":
        return None
    if setting not in {"", "auto"}:
        path = Path(setting)
        if not path.is_absolute():
            raise UnfitError(f"GOWORK={setting} is no absolute path", hint="give it whole, or unset it")
        if not path.is_file():
            raise UnfitError(f"GOWORK={setting}: no such file", hint="unset GOWORK, or set it to off")
        return path.resolve()
    return _upwards(folder, "go.work")


def _upwards(folder: Path, name: str) -> Path | None:
    return next((path for parent in (folder, *folder.parents) if (path := parent / name).is_file()), None)


def _used_modules(gowork: Path) -> tuple[Path, ...]:
    try:
        uses = parse_uses(gowork.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnfitError(
            f"cannot read {gowork}: {error}", hint="`go work edit -fmt` shows what is wrong"
        ) from error
    modules = tuple(dict.fromkeys((gowork.parent / use).resolve() for use in uses))
    if not modules:
        raise UnfitError(
            f"{gowork} names no module", hint="add one with `go work use DIR`, or set GOWORK=off"
        )
    for module in modules:
        if not (module / "go.mod").is_file():
            raise UnfitError(
                f"{gowork} uses {module}, which has no go.mod",
                hint=f"drop it with `go work edit -dropuse={module}`, or create it",
            )
    return modules


_TOKEN = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`|\n|[()]|[^\s()"`]+')


def parse_uses(text: str) -> tuple[str, ...]:
    """The folders that a `go.work` uses, in order. Raises ValueError for a block that is not closed."""
    uses: list[str] = []
    directive: str | None = None
    in_block = False
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word.startswith("//"):
            continue
        if word == "\n":
            directive = directive if in_block else None
        elif word == "(" and directive:
            in_block = True
        elif word == ")" and in_block:
            in_block, directive = False, None
        elif directive is None:
            directive = word
        elif directive == "use":
            uses.append(_unquoted(word))
    if in_block:
        raise ValueError("a block is not closed by )")
    return tuple(uses)


def _unquoted(word: str) -> str:
    if word.startswith('"'):
        return str(json.loads(word))
    return word.strip("`")
