"""Durations, sizes and log levels as people write them: `1h30m`, `100ms`, `2GB`, `512MiB`, `5%`, `warn`."""

from __future__ import annotations

import re
from decimal import Decimal

from orchwatchd.config.model import Percent

LEVELS = ("NONE", "OFF", "DISABLED", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")
_MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_BYTES = {
    "TB": 1000**4,
    "TiB": 1024**4,
    "GB": 1000**3,
    "GiB": 1024**3,
    "MB": 1000**2,
    "MiB": 1024**2,
    "KB": 1000,
    "KiB": 1024,
    "B": 1,
}
_UNITS = {unit.lower(): size for unit, size in _BYTES.items()}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_duration(value: object) -> float:
    """Seconds of `2s`, `100ms`, `1h30m`, `7d`; raises ValueError with the reason, for bare numbers too."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if not _DURATION.fullmatch(text):
        raise ValueError(f'wants a duration such as "100ms", "2s", "1h30m" or "7d", not {_shown(value)}')
    parts = _PART.findall(text)
    return float(sum(Decimal(number) * _MILLISECONDS[unit] for number, unit in parts)) / 1000


def parse_size(value: object) -> int:
    """Bytes of `2GB`, `512MiB` or a whole number; raises ValueError with the reason."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None or found[2] not in _UNITS:
        raise ValueError(f'wants a size such as "10MB", "2GB" or "512MiB", not {_shown(value)}')
    return int(Decimal(found[1]) * _UNITS[found[2]])


def parse_size_or_percent(value: object) -> int | Percent:
    """Bytes, or the Percent of `5%` (0 to 100, 100 left out); raises ValueError with the reason."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        try:
            return parse_size(value)
        except ValueError as error:
            raise ValueError(f'{error}; a percentage such as "5%" is possible, too') from None
    if float(found[1]) >= 100:
        raise ValueError(f"wants less than 100%, not {_shown(value)}")
    return Percent(float(found[1]))


def parse_level(value: object) -> str:
    """A log level in capitals; raises ValueError for what neither Orchestrion's guide nor its program knows."""
    level = value.strip().upper() if isinstance(value, str) else ""
    if level not in LEVELS:
        raise ValueError(f"wants one of {', '.join(LEVELS)} in any case, not {_shown(value)}")
    return level


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as these seconds (whole milliseconds)."""
    left = round(seconds * 1000)
    text = ""
    for unit, size in _MILLISECONDS.items():
        # Weeks are read but not written: people say 14d and 90d.
        count, left = (0, left) if unit == "w" else divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def format_size(size: int | Percent) -> str:
    """The shortest text with a whole number that is read as this size."""
    if isinstance(size, Percent):
        return f"{size.value:g}%"
    for unit, factor in _BYTES.items():
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return "0B"


def _shown(value: object) -> str:
    return (
        f'"{value}"'
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
