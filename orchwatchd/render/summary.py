"""The one line that is said of a run when it has ended, and what follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchwatchd.models.comparison import Comparison, InjectionChange
    from orchwatchd.models.rows import RunRow
    from orchwatchd.models.run import CompilerMessage

MOST_CHANGES = 6
MOST_MESSAGES = 5


class Summary(Protocol):
    """What is to be said of an ended run (`jobs.report`)."""

    @property
    def run(self) -> RunRow: ...
    @property
    def comparison(self) -> Comparison | None: ...
    @property
    def messages(self) -> Sequence[CompilerMessage]: ...
    @property
    def inputs_moved(self) -> bool: ...
    @property
    def without_output(self) -> int: ...


def summary_lines(summary: Summary) -> list[str]:
    """The lines: id, status, time, packages, instrumentation; then the changes, or the first errors of a failed run."""
    run, comparison, messages = summary.run, summary.comparison, summary.messages
    lines = [
        f"#{run.id} {run.status} {_time(run.duration)}  {_packages(summary)}  {_instrumentation(run, comparison)}"
    ]
    if run.status != "ok" and run.reason:
        lines.append(f"  {run.reason}")
    if comparison is not None:
        changes = comparison.injections
        for sign, found in (("+", changes.added), ("-", changes.removed), ("~", changes.changed)):
            lines += [f"  {sign} {_change(change)}" for change in found[:MOST_CHANGES]]
            if len(found) > MOST_CHANGES:
                lines.append(f"  {sign} … {len(found) - MOST_CHANGES} more (orchwatchd diff)")
    if run.status != "ok":
        for message in messages[:MOST_MESSAGES]:
            lines += _message(message)
        if len(messages) > MOST_MESSAGES:
            lines.append(f"  … {len(messages) - MOST_MESSAGES} more (orchwatchd show {run.id})")
    if summary.inputs_moved:
        lines.append("  inputs changed while it was built: what it compiled may be of neither state")
    return lines


def _time(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.1f}s"


def _packages(summary: Summary) -> str:
    run = summary.run
    if run.packages is None or run.compiled is None:
        return "packages unknown"
    unknown = f", {run.unknown_packages} unknown" if run.unknown_packages else ""
    missing = f", {summary.without_output} without output" if summary.without_output else ""
    return f"compiled {run.compiled} of {run.packages} packages{unknown}{missing}"


def _instrumentation(run: RunRow, comparison: Comparison | None) -> str:
    whole = f"{run.injections} injections" if run.injections is not None else "injections unknown"
    if comparison is None:
        return f"{whole} in {run.instrumented_packages} packages"
    changes, packages = comparison.injections, comparison.packages
    since = f"since #{comparison.a}"
    missing = "" if comparison.complete else " in what could be compared"
    if comparison.differs:
        counts = f"+{len(changes.added)} -{len(changes.removed)} ~{len(changes.changed)}"
        if not (changes.added or changes.removed or changes.changed):
            imports = len(comparison.imports_added) + len(comparison.imports_removed)
            counts = f"{imports} imports changed" if imports else f"{len(packages.changed)} packages changed"
        return f"instrumentation {counts} {since}{missing}"
    if not comparison.complete:
        return f"no change of instrumentation seen {since}{missing}"
    return f"instrumentation unchanged {since} ({whole})"


def _change(change: InjectionChange) -> str:
    shown = change.shown
    injection, by = shown.injection, shown.attribution
    who = by.aspect or by.integration
    where = f"{injection.declaration} " if injection.declaration else ""
    return f"{change.package}: {where}{injection.kind.value}{f' by {who}' if who else ''}"


def _message(message: CompilerMessage) -> list[str]:
    place = f"{message.file}:{message.line}" if message.line else message.file
    place += f":{message.column}" if message.column is not None else ""
    first, *more = message.text.splitlines() or [""]
    lines = [f"  {place}: {first}" if place else f"  {first}", *(f"      {line}" for line in more[:3])]
    if message.declaration:
        who = f" by {message.aspect}" if message.aspect else ""
        lines.append(f"      injected{who} into {message.declaration}")
    return lines
