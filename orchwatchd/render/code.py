"""Go source and diffs as people read them: highlighted on a terminal, plain bytes in a pipe."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

CONTEXT = 3


def print_code(text: str, *, lexer: str = "go") -> None:
    """Prints a text: highlighted and whole on a terminal, which breaks its long lines; else exactly its bytes (UTF-8,
    others as surrogates), so that it can be compared and compiled.
    """
    if not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return
    from orchwatchd.render.terminal import console

    code = highlighted(text, lexer=lexer)
    code.rstrip()
    console().print(code, soft_wrap=True)


def unified(before: str, after: str, name_before: str, name_after: str) -> str:
    """A unified diff of two texts, empty when they are equal."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        name_before,
        name_after,
        n=CONTEXT,
    )
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )


def highlighted(code: str, *, lexer: str = "go") -> Text:
    """A short piece of code in colour, for a cell or a line of a report."""
    from rich.syntax import Syntax

    return Syntax(code, lexer, theme="ansi_dark", background_color="default").highlight(code.rstrip("\n"))


def code_change(before: str, after: str) -> Iterator[Text]:
    """Injected code, old against new."""
    from rich.text import Text

    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    code = "\n".join(line[0] + line[2:] for line in lines if not line.startswith("?"))
    for line in highlighted(code, lexer="diff").split("\n"):
        yield Text.assemble("      ", line)
