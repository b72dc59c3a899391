"""What reading commands share: opening the history, and naming a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context

if TYPE_CHECKING:
    from orchwatchd.query import History

run_argument = click.argument("run", default="@", metavar="[RUN]")
kind_option = click.option(
    "--kind",
    default="build",
    show_default=True,
    metavar="KIND",
    help="The kind of runs that @ counts (test, …; any).",
)


@contextmanager
def open_history(context: Context) -> Iterator[History]:
    """The project's history, of one moment: what a running daemon writes meanwhile is not half seen."""
    from orchwatchd.query import History

    with History.open(context.paths().database) as history, history.snapshot():
        yield history


def resolve(history: History, run: str, kind: str = "build") -> int:
    """The run that the user means. Raises NotFoundError, which says what comes near."""
    return history.resolve(run, None if kind == "any" else kind)
