"""The action graph that `-debug-actiongraph` writes twice, read as far as it goes (fact 11)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_NEVER = "0001-"
_STAGE = re.compile(r"/(b\d+)/?$")
_TEST_FILE = re.compile(r'_test\.go(?=["\s]|$)')
_COVERED_FILE = re.compile(r'\.cover\.go(?=["\s]|$)')
_TEST_STEPS = ("test run", "test print", "test clean", "test barrier")


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the graph. `stage` is the `b###` of its Objdir. `start` and `done` are seconds since
    the epoch, None for never; `cpu` is in seconds. `ran` is False where no command ran: served by the
    cache, failed before, or not reached. `test_files` says whether its command compiled `_test.go`
    files, None where no command tells.
    """

    id: int
    mode: str
    package: str
    stage: str | None
    action: str | None
    build_id: str | None
    ran: bool
    needed: bool
    start: float | None
    done: float | None
    cpu: float
    test_files: bool | None
    deps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ActionGraph:
    """All actions that could be read. `complete` is False for a file that was cut; `ended` is the proof
    that the Go command ended.
    """

    actions: tuple[Action, ...] = ()
    root: str | None = None
    complete: bool = False

    @property
    def ended(self) -> bool:
        """True when action 0 is done and the file was written to its end: a cut second writing proves
        nothing.
        """
        return self.complete and any(action.id == 0 and action.done is not None for action in self.actions)

    @property
    def tests(self) -> bool:
        """True for a graph of `go test`, where packages can have variants."""
        return any(action.mode == "go test" or action.mode in _TEST_STEPS for action in self.actions)

    def of(self, mode: str) -> Iterator[Action]:
        """The actions of one mode (`build`, `link`), in the order of the file."""
        return (action for action in self.actions if action.mode == mode)


def read_graph(path: Path) -> ActionGraph:
    """Reads the action graph at `path`, of which a killed build may have left only a part. Raises OSError
    when the file cannot be read.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    entries, complete = _entries(text)
    objects = [entry for entry in entries if isinstance(entry, dict)]
    root = next((found for entry in objects if (found := _root(entry.get("Objdir")))), None)
    return ActionGraph(tuple(_action(entry) for entry in objects), root, complete)


def _entries(text: str) -> tuple[list[Any], bool]:
    try:
        data = json.loads(text)
    except ValueError:
        return list(_leading_objects(text)), False
    except RecursionError:
        return [], False
    return (data, True) if isinstance(data, list) else ([], False)


def _leading_objects(text: str) -> Iterator[Any]:
    """The whole objects at the beginning of a cut array."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        try:
            entry, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield entry
        position = text.find("{", end)


def _action(entry: dict[str, Any]) -> Action:
    command = entry.get("Cmd")
    lines = [line for line in command if isinstance(line, str)] if isinstance(command, list) else []
    found = _STAGE.search(_text(entry.get("Objdir")).replace("\\", "/"))
    deps = entry.get("Deps")
    return Action(
        id=_number(entry.get("ID")),
        mode=_text(entry.get("Mode")),
        package=_text(entry.get("Package")),
        stage=found[1] if found else None,
        action=_text(entry.get("ActionID")) or None,
        build_id=_text(entry.get("BuildID")) or None,
        ran=bool(lines),
        needed=entry.get("NeedBuild") is True,
        start=_seconds(entry.get("TimeStart")) if lines or entry.get("ID") == 0 else None,
        done=_seconds(entry.get("TimeDone")) if lines or entry.get("ID") == 0 else None,
        cpu=(_number(entry.get("CmdUser")) + _number(entry.get("CmdSys"))) / 1e9,
        test_files=_compiles_tests(lines),
        deps=tuple(dep for dep in deps if isinstance(dep, int)) if isinstance(deps, list) else (),
    )


def _compiles_tests(lines: list[str]) -> bool | None:
    if not lines:
        return None
    if any("_test.go" in line and _TEST_FILE.search(line) for line in lines):
        return True
    return None if any(".cover.go" in line and _COVERED_FILE.search(line) for line in lines) else False


def _root(objdir: Any) -> str | None:
    found = _STAGE.search(_text(objdir).replace("\\", "/"))
    return _text(objdir)[: found.start()] if found else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _seconds(value: Any) -> float | None:
    text = _text(value)
    if not text or text.startswith(_NEVER):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
