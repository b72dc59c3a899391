"""Long work as it goes: lines as they come, and on a terminal one line of progress below them."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchwatchd.models.event import Event, Line, Progress

if TYPE_CHECKING:
    from rich.status import Status

STYLES = {"ok": "green", "failed": "red", "cancelled": "yellow", "interrupted": "yellow"}


class Live:
    """Prints events: results and notes to standard output, what the build prints and warnings to standard error.

    Used from several threads: a build's lines come from the one that reads them.
    """

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty() and sys.stderr.isatty()
        self._status: Status | None = None
        self._printing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._end_progress()

    def tell(self, event: Event) -> None:
        """Shows one event. Where nobody can see it any more (a closed pipe, a terminal that is gone) nothing happens:
        that must not end a build that is to be recorded.
        """
        with self._printing, suppress(OSError):
            match event:
                case Progress():
                    self._show_progress(event)
                case Line("result", text):
                    self._end_progress()
                    self._print_result(text)
                case Line("note", text):
                    self._out(text)
                case Line("warning", text):
                    self._err(f"warning: {text}")
                case Line(_, text):
                    self._err(text)

    def _print_result(self, text: str) -> None:
        if not self._terminal:
            self._out(text)
            return
        from rich.text import Text

        from orchwatchd.render.terminal import console

        line = Text(text)
        for word, style in STYLES.items():
            line.highlight_regex(rf"^#\d+ {word}\b", style=f"bold {style}")
        line.highlight_regex(r"^  \+ .*", style="green")
        line.highlight_regex(r"^  - .*", style="red")
        line.highlight_regex(r"^  ~ .*", style="yellow")
        console().print(line, soft_wrap=True)

    def _show_progress(self, event: Progress) -> None:
        if not self._terminal:
            return
        count = f" {event.done} of {event.total} packages" if event.total else ""
        text = f"{event.phase}{count}"
        if self._status is None:
            from orchwatchd.render.terminal import console

            self._status = console(sys.stderr).status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _end_progress(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _out(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _err(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
