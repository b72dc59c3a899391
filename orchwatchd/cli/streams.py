"""The standard streams as the program is given them, made safe once, at its entry: closed, full, gone, or in an
encoding that cannot hold what is printed. Whoever prints need not know.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

_REPLACE = "orchwatchd.replace"
# Encoders that would fail, or hide, what a stream cannot hold; another one is the user's own choice (PYTHONIOENCODING).
_DEFAULT_ERRORS = {"strict", "surrogateescape"}


class OutputLostError(OSError):
    """Standard output cannot be written: its disk is full, its device fails. A reader that is gone is no failure."""


class _Output(io.FileIO):
    """Standard output. It knows its own failures from those of every other file."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]  # None: it would block
        """As FileIO does; raises OutputLostError, or a BrokenPipeError that click does not take for a failure."""
        try:
            return super().write(data)
        except BrokenPipeError as error:
            raise BrokenPipeError from error
        except OSError as error:
            raise OutputLostError(error.errno, error.strerror) from error


class _Messages(io.FileIO):
    """Standard error. A message that cannot be written is lost, and changes nothing about what was done."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """As FileIO does; what cannot be written is dropped."""
        try:
            return super().write(data)
        except OSError:
            return len(data)


def make_safe() -> None:
    """Replaces the process's standard streams by ones that take everything. Streams that someone else has put in
    their place already are left alone.
    """
    _open_missing()
    codecs.register_error(_REPLACE, _replaced)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _rewrapped(sys.stdout, _Output)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _rewrapped(sys.stderr, _Messages)


def abandon_output() -> None:
    """Sends what is still to be written to standard output nowhere, so that Python's own flush at exit is quiet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def holds(text: str) -> bool:
    """Whether standard output's encoding can hold a text as it is."""
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _open_missing() -> None:
    """Stands in for streams that were closed (`>&-`). Their numbers are taken: a file of ours under one of them would
    get what a child process prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            os.set_inheritable(descriptor, True)
            stream = open(descriptor, mode, encoding="utf-8", errors="replace")  # noqa: SIM115, PTH123 - for good
            setattr(sys, name, stream)


def _rewrapped(stream: Any, raw: type[io.FileIO]) -> Any:
    """The same stream on a raw file of ours."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=_REPLACE if stream.errors in _DEFAULT_ERRORS else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a file name that was no text go out as they came in; every other character that the encoding lacks is
    a question mark.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    try:
        return part.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return "?" * len(part), error.end
