"""`inputs`: what the build reads, and why; needs no daemon."""

from __future__ import annotations

import os

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show


@click.command()
@click.argument("path", required=False, metavar="[PATH]")
@json_option
@pass_context
def inputs(context: Context, path: str | None, as_json: bool) -> int:
    """List every file whose change starts a build, or say of one PATH whether it is such a file, and why.

    Exit code 1 when PATH is no input.
    """
    from orchwatchd.jobs.preparation import Preparation
    from orchwatchd.jobs.sources import find_sources
    from orchwatchd.models.rows import to_jsonable

    project = context.project()
    found = find_sources(Preparation(project, context.config(), os.environ), context.paths())
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    if path is not None:
        explanation = found.explain(os.path.abspath(context.directory / path))  # noqa: PTH100 - links stay as named
        if as_json:
            print_json({**to_jsonable(explanation), "is_input": explanation.is_input})
        elif explanation.is_input:
            for reason in explanation.reasons:
                packages = f" of {', '.join(reason.packages)}" if reason.packages else ""
                click.echo(f"{path}: {reason.kind}{packages}{f' ({reason.detail})' if reason.detail else ''}")
        else:
            click.echo(f"{path}: no input: {explanation.why_not}")
        return 0 if explanation.is_input else 1
    from orchwatchd.watch.snapshot import take

    files = sorted(take(found).files)
    rows = [(file, found.explain(file)) for file in files]
    if as_json:
        print_json([to_jsonable(explanation) for _, explanation in rows])
        return 0
    from orchwatchd.render.table import Column, table
    from orchwatchd.render.trees import shown

    cells = [
        (
            shown(file, project.root),
            ", ".join(dict.fromkeys(str(reason.kind) for reason in explanation.reasons)),
            ", ".join(dict.fromkeys(name for reason in explanation.reasons for name in reason.packages)),
        )
        for file, explanation in rows
    ]
    columns = (
        Column("input", text=True),
        Column("why", text=True, leaves=2),
        Column("packages", text=True, leaves=1),
    )
    show(table(columns, cells))
    return 0
