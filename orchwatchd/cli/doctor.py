"""`doctor`: is this machine fit to record."""

from __future__ import annotations

import os

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show


@click.command()
@json_option
@pass_context
def doctor(context: Context, as_json: bool) -> int:
    """Say whether this machine is fit to record this project, and what to do where it is not; exit 69 then."""
    from orchwatchd.jobs.doctor import examine
    from orchwatchd.models.rows import to_jsonable

    found = examine(context.project(), context.config(), context.paths(), os.environ)
    if as_json:
        print_json(to_jsonable(found))
    else:
        from orchwatchd.render.status import findings_table

        show(findings_table(found))
    return 69 if any(finding.state == "bad" for finding in found) else 0
