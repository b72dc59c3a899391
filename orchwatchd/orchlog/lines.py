"""Reads one line of Orchestrion's log: JSON whose keys may stand twice (fact 20), or text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orchwatchd.models.log import LogLine
from orchwatchd.models.package import PackageName

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "panic")
"""Orchestrion's levels, lowest first."""

_WARN = LEVELS.index("warn")
_START = b'{"level":"'
_SUBJECTS = (
    "original",
    "path",
    "transitive",
    "lock-file",
    "url-file",
    "pattern",
    "version",
    "url",
    "dir",
    "flag",
)


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it was written: its pairs in order, repeated keys included."""

    __slots__ = ()


def level_rank(level: str) -> int:
    """How severe a level is; text lines and levels that a newer Orchestrion may have count as warnings."""
    return LEVELS.index(level) if level in LEVELS else _WARN


def level_bit(level: str) -> int:
    """The bit of a level in a chunk's mask; text lines have one of their own above the levels."""
    return 1 << (LEVELS.index(level) if level in LEVELS else len(LEVELS))


def lowest_rank(level: str) -> int:
    """The rank of a configured level name, in any case (`DEBUG`, `warn`); raises ValueError for others."""
    return LEVELS.index(level.lower())


def split_glued(raw: bytes) -> Iterator[bytes]:
    """The lines in one stretch between newlines: a process that was killed while it wrote leaves half a line, and
    the next one's line follows it without a newline.
    """
    at = raw.rfind(_START)
    if at > 0 and _pairs(raw) is None and _pairs(raw[at:]) is not None:
        yield raw[:at]
        yield raw[at:]
    elif raw.strip():
        yield raw


def parse_line(raw: bytes, number: int = 0) -> LogLine:
    """Reads one line without its newline; what is no JSON object with a level becomes a text line."""
    text = raw.decode(errors="replace")
    pairs = _pairs(raw)
    first = dict(reversed(pairs)) if pairs is not None else {}
    level = first.get("level")
    if pairs is None or not isinstance(level, str):
        return LogLine(number, "", None, None, None, text.strip("\r"), None, None, None, None, (), text)
    paths = [value for key, value in pairs if key == "import-path" and isinstance(value, str)]
    name = _text(first.get("TOOLEXEC_IMPORTPATH")) or (paths[0] if paths else None)
    pid = first.get("pid")
    return LogLine(
        number=number,
        level=level.lower(),
        time=_text(first.get("time")),
        package=PackageName.parse(name) if name else None,
        phase=_text(first.get("phase")),
        message=_text(first.get("message")) or "",
        subject=_subject(first, paths, name),
        detail=_text(first.get("error")),
        pid=pid if isinstance(pid, int) else None,
        orchestrion=_text(first.get("orchestrion")),
        fields=tuple((key, _plain(value)) for key, value in pairs),
        raw=text,
    )


def is_orchestrions(raw: bytes) -> bool:
    """Whether a line bears Orchestrion's fields, beyond those that any program's log may have."""
    line = parse_line(raw)
    return bool(line.level) and (line.orchestrion is not None or line.package is not None)


def _pairs(raw: bytes) -> _Pairs | None:
    try:
        value = json.loads(raw, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, _Pairs) else None


def _subject(first: dict[str, Any], paths: list[str], name: str | None) -> str | None:
    """The dependency that a second `import-path` names, else a file, a version or a URL."""
    plain = PackageName.parse(name).path if name else None
    for path in paths[1:] or paths:
        if path not in (name, plain):
            return path
    return next((text for key in _SUBJECTS if (text := _text(first.get(key)))), None)


def _plain(value: Any) -> Any:
    """A JSON value with nested objects as plain dicts."""
    if isinstance(value, _Pairs):
        return {key: _plain(item) for key, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
