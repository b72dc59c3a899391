"""Runs as tables and one run as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from orchwatchd.models.rows import PackageRow, ProgramRow, RunDetails, RunRow, StageRow
from orchwatchd.models.run import CompilerMessage
from orchwatchd.render.code import highlighted
from orchwatchd.render.table import Column, Table, facts, table
from orchwatchd.render.terminal import seconds, status

MOST_MESSAGES = 20


def moment(value: datetime) -> str:
    """A time in the reader's own zone."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def runs_table(rows: Sequence[RunRow]) -> Table:
    """The list of runs, newest first."""
    columns = (
        Column("run"),
        Column("started", leaves=9),
        Column("status"),
        Column("kind", leaves=4),
        Column("took", right=True, leaves=8),
        Column("compiled", right=True, leaves=6),
        Column("packages", right=True, leaves=3),
        Column("unknown", right=True, leaves=7),
        Column("woven", right=True, leaves=2),
        Column("files", right=True, leaves=1),
        Column("injections", right=True, leaves=10),
        Column("trigger", text=True, leaves=5),
    )
    lines = []
    for row in rows:
        unknown = row.unknown_packages
        lines.append(
            (
                f"#{row.id}" + (" 📌" if row.pins else ""),
                moment(row.started_at),
                status(row.status),
                row.kind,
                seconds(row.duration),
                row.compiled,
                row.packages,
                Text(str(unknown), style="yellow") if unknown else unknown,
                row.instrumented_packages,
                row.modified_files,
                row.injections,
                trigger(row.trigger),
            )
        )
    return table(columns, lines)


def trigger(files: Sequence[str]) -> str:
    """What asked for a run, short."""
    if not files:
        return ""
    return files[0] if len(files) == 1 else f"{files[0]} +{len(files) - 1}"


def run_report(
    details: RunDetails, packages: Sequence[PackageRow], slowest: Sequence[StageRow]
) -> Iterator[RenderableType]:
    """One run: facts, messages, what is woven, the slowest stages if asked for, problems of the record itself."""
    yield _facts(details)
    if details.messages:
        yield Text()
        yield messages(details.messages)
    for title, names in (
        ("failed", details.failed),
        ("not reached", details.unreached),
        ("archive gone, so not known", details.unresolved),
    ):
        if names:
            yield Text(f"\n{title}: {', '.join(names[:12])}{' …' if len(names) > 12 else ''} ({len(names)})")
    if packages:
        yield Text("\ninstrumented packages", style="bold")
        yield table(
            (
                Column("package", text=True),
                Column("files", right=True, leaves=1),
                Column("injections", right=True),
                Column("recorded in", leaves=2),
            ),
            [(row.package, row.modified_files, row.injections, f"#{row.recorded_in}") for row in packages],
        )
    if slowest:
        yield Text("\nslowest stages", style="bold")
        yield table(
            (
                Column("package", text=True),
                Column("wall", right=True),
                Column("cpu", right=True, leaves=1),
                Column("status", leaves=3),
                Column("stage", text=True, leaves=2),
            ),
            [(row.package, seconds(row.wall), seconds(row.cpu), row.status, row.path) for row in slowest],
        )
    for problem in details.problems:
        yield Text(f"\nnote: {problem}", style="yellow")


def messages(found: Sequence[CompilerMessage]) -> RenderableType:
    """What the compiler said, with the injected code where that is where it said it."""
    parts: list[RenderableType] = []
    for message in found[:MOST_MESSAGES]:
        place = f"{message.file}:{message.line}" if message.line else message.file
        place += f":{message.column}" if message.column is not None else ""
        parts.append(Text.assemble((f"{place}: " if place else "", "bold"), message.text))
        if message.declaration or message.code:
            parts.append(Text(f"    {_injected(message)}", style="dim"))
        if message.code:
            code = highlighted(message.code)
            parts.extend(Text.assemble("    ", line) for line in code.split("\n"))
    if len(found) > MOST_MESSAGES:
        parts.append(Text(f"… and {len(found) - MOST_MESSAGES} more (--json has them all)", style="dim"))
    return Group(*parts)


def _facts(details: RunDetails) -> Table:
    run = details.run
    rows: list[tuple[str, object]] = [
        ("run", Text.assemble(f"#{run.id} ", status(run.status), f" {run.kind}")),
        ("reason", run.reason),
        ("started", f"{moment(run.started_at)}, took {seconds(run.duration)}"),
        ("trigger", ", ".join(run.trigger)),
        ("command", " ".join(details.argv)),
        ("versions", f"Orchestrion {run.orchestrion_version or 'unknown'}, {run.go_version or 'Go unknown'}"),
        ("git", _git(run)),
        ("packages", _packages(run)),
        ("woven", _woven(run)),
        (
            "programs",
            ", ".join(_program(program, details) for program in details.programs),
        ),
        ("pins", ", ".join(run.pins)),
        ("work tree", f"{details.work_tree} ({run.work_state})" if details.work_tree else run.work_state),
    ]
    if details.inputs_moved:
        rows.insert(3, ("inputs", "changed while the build ran: what it compiled may be of neither state"))
    return facts(rows)


def _packages(run: RunRow) -> str:
    if run.packages is None:
        return "unknown"
    unknown = f", {run.unknown_packages} unknown" if run.unknown_packages else ""
    return (
        f"{run.packages}, {'unknown' if run.compiled is None else run.compiled} compiled in this run{unknown}"
    )


def _git(run: RunRow) -> str:
    if run.git_commit is None:
        return ""
    dirty = {True: ", with changes", False: "", None: ", perhaps with changes"}[run.git_dirty]
    return f"{run.git_commit[:12]}{f' on {run.git_branch}' if run.git_branch else ''}{dirty}"


def _program(program: ProgramRow, details: RunDetails) -> str:
    """A program and what became of its link; `up to date` is said only where the Go command found it so."""
    if program.failed:
        return f"{program.package} (link failed)"
    if program.linked:
        return program.package
    reached = details.run.status == "ok" and program.package not in details.unreached
    return f"{program.package} ({'up to date' if reached else 'not linked'})"


def _woven(run: RunRow) -> str:
    counts = (
        f"{run.injections} injections in {run.modified_files} files of {run.instrumented_packages} packages"
    )
    return counts if run.status == "ok" else f"{counts}, as far as the build got"


def _injected(message: CompilerMessage) -> str:
    """Where injected code stands that does not compile, and who made it."""
    who = f" by {message.aspect} ({message.certainty})" if message.aspect else ""
    where = f" in {message.declaration}" if message.declaration else ""
    return f"injected{who}{where}{f' ({message.package})' if message.package else ''}"
