"""Orchestrion's own log as a build sets it: where it goes, how much it says, and its lines on stderr."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from orchwatchd.errors import ConfigurationError
from orchwatchd.models.build import LogSetting

STDERR = "stderr"
_PID = re.compile(r"\$(?:PID\b|\{PID\})")
# What Orchestrion's console writer begins a line with: time, then the level in three letters, both perhaps coloured.
_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
_LINE = re.compile(
    rf"^{_COLOUR}(?P<time>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)){_COLOUR} "
    rf"{_COLOUR}(?:TRC|DBG|INF|WRN|ERR|FTL|PNC|\?\?\?){_COLOUR} "
)
_ANY_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def plan_log(file: str, level: str, *, root: Path, disabled: str) -> LogSetting:
    """Orchestrion's log setting for `file` (relative to the project, `stderr` for none) and `level` (any case).

    `disabled` is the word by which the installed version turns its log off. Raises ConfigurationError for a `$`
    that Orchestrion would rewrite.
    """
    word = level.upper()
    notes = []
    if word in {"DEBUG", "TRACE"}:
        notes.append(f"log level {word} slows builds down and writes megabytes a build")
    chosen = disabled if word in {"NONE", "OFF", "DISABLED"} else word
    if file == STDERR:
        return LogSetting(None, chosen or None, tuple(notes))
    if "$" in _PID.sub("", file):
        raise ConfigurationError(
            f"log.file: {file}: only $PID and ${{PID}} are replaced, any other $ would end up in the file's name",
            hint="give the path without $",
        )
    return LogSetting(str(root / Path(file).expanduser()), chosen or None, tuple(notes))


def log_environment(setting: LogSetting) -> dict[str, str]:
    """The variables that make a build log so; a name that is not set must not be inherited either."""
    values = {"ORCHESTRION_LOG_FILE": setting.file, "ORCHESTRION_LOG_LEVEL": setting.level}
    return {name: value for name, value in values.items() if value}


def split_log_lines(stderr: str, started: datetime) -> tuple[str, tuple[str, ...]]:
    """Takes Orchestrion's log lines out of what a build printed: (the rest, the log lines without colours).

    The Go command keeps what a compile printed with its archive and prints it again whenever it serves that from
    its cache: lines from before `started` are such echoes of earlier builds, and belong to neither part.
    """
    rest, lines = [], []
    for line in stderr.splitlines(keepends=True):
        found = _LINE.match(line)
        if found is None:
            rest.append(line)
        elif datetime.fromisoformat(found["time"]) >= started.replace(microsecond=0):
            lines.append(_ANY_COLOUR.sub("", line.rstrip("\r\n")))
    return "".join(rest), tuple(lines)
