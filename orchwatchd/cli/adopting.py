"""`index` and `baseline`: what other builds compiled."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.handing import hand_over
from orchwatchd.cli.output import json_option, print_json
from orchwatchd.cli.reading import open_history
from orchwatchd.errors import NotFoundError

if TYPE_CHECKING:
    from orchwatchd.models.rows import RunRow

_WORK = re.compile(r"^WORK=(?P<tree>.+?)\r?$")
_MOST_OUTPUT = 256 * 1024
_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("work", metavar="WORK")
@click.option("--log", type=_file, default=None, help="The log that Orchestrion wrote for the build.")
@click.option("--actiongraph", type=_file, default=None, help="What the build's -debug-actiongraph wrote.")
@json_option
@pass_context
def index(context: Context, work: str, log: Path | None, actiongraph: Path | None, as_json: bool) -> int:
    """Adopt a work tree that someone else's build left, as a run of kind index.

    WORK is the folder that `orchestrion go build -work` named; with - it is read from the build's output:
    `orchestrion go build -work ./... 2>&1 | orchwatchd index -`. The tree is only read, and never removed.
    """
    tree, output = _from_input() if work == "-" else (work, "")
    words = {
        "tree": os.path.abspath(tree),  # noqa: PTH100  a daemon stands elsewhere, and links stay as they were given
        "log": str(log.absolute()) if log else None,
        "graph": str(actiongraph.absolute()) if actiongraph else None,
        "output": output,
    }
    done = hand_over(context, "index", words)
    if done.exit_code != 0:
        return done.exit_code
    if as_json:
        print_json(done.result)
        return 0
    with open_history(context) as history:
        click.echo(_told(history.run(done.result["run"])))
    return 0


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("go_args", nargs=-1, type=click.UNPROCESSED, metavar="[-- GO ARGS]")
@pass_context
def baseline(context: Context, go_args: tuple[str, ...]) -> int:
    """Fill in packages that nobody recorded: one cold build of today's sources, in a cache that is thrown away.

    Only with `cache = "shared"` are there any: those that a build of your own compiled. GO ARGS are those of the runs
    that have them: `orchwatchd baseline -- test ./...`. A change, another request or Ctrl-C cancels it.
    """
    return hand_over(context, "baseline", {"arguments": list(go_args)}, cancellable=True).exit_code


def _from_input() -> tuple[str, str]:
    """The tree that a build names in what it prints, and what it printed. It is passed on as it comes."""
    tree: str | None = None
    kept: list[str] = []
    size = 0
    for line in sys.stdin:
        found = _WORK.match(line)
        if found and tree is None:
            tree = found["tree"]  # the root build names its tree before its children name theirs
            continue
        click.echo(line, nl=False, err=True)
        size += len(line)
        if size <= _MOST_OUTPUT:
            kept.append(line)
    if tree is None:
        raise NotFoundError(
            "no line WORK=… came in", hint="give the build -work, and both its outputs: `… -work 2>&1 | …`"
        )
    return tree, "".join(kept)


def _told(run: RunRow) -> str:
    """One line on what was adopted."""
    if run.packages is None:
        packages = "packages unknown"
    else:
        packages = f"{run.packages} packages, {run.unknown_packages} unknown"
    woven = (
        ""
        if run.injections is None
        else f", {run.injections} injections in {run.instrumented_packages} packages"
    )
    reason = f"\n  {run.reason}" if run.reason else ""
    return f"#{run.id} adopted  {run.status}  {packages}{woven}{reason}"
