"""What is said of a run when it has ended: its numbers, what it changed against the run before it, its first
errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchwatchd.errors import NotFoundError
from orchwatchd.query import History

if TYPE_CHECKING:
    from pathlib import Path

    from orchwatchd.models.comparison import Comparison
    from orchwatchd.models.rows import RunRow
    from orchwatchd.models.run import CompilerMessage, RunId


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One ended run. `comparison` is against the last good run before it of the same kind, None where there is none;
    `without_output` counts packages that failed or were not reached.
    """

    run: RunRow
    comparison: Comparison | None
    messages: tuple[CompilerMessage, ...]
    inputs_moved: bool
    without_output: int


def summarise(database: Path, run: RunId) -> RunSummary:
    """Reads what is to be said of a run that is in the history."""
    from orchwatchd.compare.comparison import compare

    with History.open(database) as history, history.snapshot():
        row = history.run(run)
        details = history.show(run)
        try:
            before = history.runs(limit=1, kinds=(row.kind,), statuses=("ok",), before=run)
            comparison = compare(*history.sides(before[0].id, run)) if before else None
        except NotFoundError:
            comparison = None
        missing = len(details.failed) + len(details.unreached)
        return RunSummary(row, comparison, details.messages, details.inputs_moved, missing)
