"""The terminal itself: whether it takes colour, how wide it is, and what stands in for progress where there is
none.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.text import Text

PIPE_WIDTH = 200


class _Console(Console):
    """Rich exits with 1 where a reader goes away (`orchwatchd runs | head`); for us that is no failure."""

    def on_broken_pipe(self) -> None:
        """Leaves it to the program's entry, which ends quietly."""
        raise BrokenPipeError


def console(file: IO[str] | None = None) -> Console:
    """A console on `file` (default: standard output): colour only on a terminal and never with NO_COLOR set (no-
    color.org).
    """
    file = file or sys.stdout
    terminal = file.isatty()
    return _Console(
        file=file,
        force_terminal=terminal,
        no_color=bool(os.environ.get("NO_COLOR")) or not terminal,
        highlight=False,
        soft_wrap=not terminal,
        width=shutil.get_terminal_size().columns if terminal else PIPE_WIDTH,
        legacy_windows=False,
    )


def print_parts(parts: Iterable[RenderableType]) -> None:
    """Prints what makes up an answer, all at once: hundreds of lines take a third of the time that they take one by
    one.
    """
    console().print(Group(*parts), crop=False)


STATUS_STYLE = {
    "ok": "green",
    "failed": "red",
    "cancelled": "yellow",
    "interrupted": "yellow",
    "running": "cyan",
    "unknown": "dim",
}


def status(text: str) -> Text:
    """A run's status in its colour."""
    return Text(text, style=STATUS_STYLE.get(text, ""))


def seconds(value: float | None) -> str:
    """A duration as people read it: `0.8s`, `12.3s`, `1m38s`, `1h02m`; `–` when unknown."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.1f}s"
    if value < 3600:
        return f"{int(value) // 60}m{int(value) % 60:02d}s"
    return f"{int(value) // 3600}h{int(value) % 3600 // 60:02d}m"


def size(value: int | None) -> str:
    """Bytes as people read them, in powers of 1000: `940 B`, `3.1 kB`, `440.2 MB`; `–` when unknown."""
    if value is None:
        return "–"
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
