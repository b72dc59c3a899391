"""`logs`: Orchestrion's log lines of a run, also after rotation and after the file is gone."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json
from orchwatchd.cli.reading import kind_option, open_history, resolve, run_argument
from orchwatchd.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from orchwatchd.models.log import LogFilter, LogLine

LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
POLL = 0.3


@click.command()
@run_argument
@kind_option
@click.option("--level", type=click.Choice(LEVELS, case_sensitive=False), help="This level and above.")
@click.option(
    "--package", metavar="PACKAGE", help="Only lines of this package (`path [variant]`, or with `...`)."
)
@click.option("--grep", metavar="REGEXP", help="Only lines in which this is found.")
@click.option("-f", "--follow", is_flag=True, help="Print what is being written now, until Ctrl-C.")
@click.option("--raw", is_flag=True, help="The lines as Orchestrion wrote them.")
@json_option
@pass_context
def logs(
    context: Context,
    run: str,
    kind: str,
    level: str | None,
    package: str | None,
    grep: str | None,
    follow: bool,
    raw: bool,
    as_json: bool,
) -> None:
    """Search Orchestrion's log lines of a run. Without a level set in [log] it writes warnings and errors only."""
    from orchwatchd.models.log import LogFilter

    wanted = LogFilter(level, package, grep)
    _check(wanted)
    if follow and as_json:
        raise UsageError("--follow prints lines as they come, --json one list: give one of them")
    if follow:
        _print(_followed(context, wanted), raw=raw)
        return
    from orchwatchd.orchlog.search import select

    with open_history(context) as history:
        number = resolve(history, run, kind)
        summary = history.log_summary(number)
        if summary is None and as_json:
            print_json([])
            return
        if summary is None:
            raise NotFoundError(
                f"run #{number} has no log lines", hint="it wrote none, or they were dropped since"
            )
        found = list(select(history.log_chunks(number), wanted))
    if as_json:
        from orchwatchd.models.rows import to_jsonable

        print_json(to_jsonable(found))
        return
    _print(found, raw=raw)


def _check(wanted: LogFilter) -> None:
    import re

    from orchwatchd.orchlog.search import compile_filter

    try:
        compile_filter(wanted)
    except re.error as error:
        raise UsageError(f"--grep: {wanted.grep!r} is no regular expression: {error}") from error


def _followed(context: Context, wanted: LogFilter) -> Iterator[LogLine]:
    """Lines as they are written, from now on; from whichever process writes them."""
    from orchwatchd.orchlog.family import LogFamily
    from orchwatchd.orchlog.ranges import mark
    from orchwatchd.orchlog.search import Follower, compile_filter

    config, paths = context.config(), context.paths()
    if config.log.file == "stderr":
        raise UsageError("Orchestrion logs to stderr here: there is no file to follow")
    family = LogFamily(config.log.file or str(paths.logs / "orchestrion.jsonl"))
    passes, follower = compile_filter(wanted), Follower(family, mark(family))
    while True:
        yield from filter(passes, follower.poll())
        time.sleep(POLL)


def _print(lines: Iterable[LogLine], *, raw: bool) -> None:
    for line in lines:
        sys.stdout.write((line.raw if raw else _shown(line)) + "\n")
        sys.stdout.flush()


def _shown(line: LogLine) -> str:
    parts = [
        line.time or "",
        line.level.upper(),
        str(line.package or ""),
        line.phase or "",
        line.message,
        line.subject or "",
        line.detail or "",
    ]
    return " ".join(part for part in parts if part)
