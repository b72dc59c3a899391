"""`prune`, `pin`, `unpin`, `rotate`: what is kept and what goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.handing import hand_over
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import kind_option, open_history, resolve

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would go and what would stay, and why."
)


@click.command()
@dry_run_option
@click.option(
    "--foreign",
    is_flag=True,
    help="List what builds that are not orchwatchd's left in the temporary folders.",
)
@click.option("--remove", is_flag=True, help="With --foreign: remove what is old, yours and open nowhere.")
@json_option
@pass_context
def prune(context: Context, dry_run: bool, foreign: bool, remove: bool, as_json: bool) -> int:
    """Remove old work trees, old runs and old cache files, as [keep] in the configuration says.

    Pinned runs, the newest good run and trees that are not indexed yet always stay.
    """
    if foreign:
        return _foreign(context, remove=remove and not dry_run, as_json=as_json)
    if remove:
        raise click.UsageError("--remove goes with --foreign")
    done = hand_over(context, "prune", {"dry_run": dry_run})
    if done.exit_code == 0:
        _print_plan(done.result, as_json)
    return done.exit_code


@click.command()
@dry_run_option
@json_option
@pass_context
def rotate(context: Context, dry_run: bool, as_json: bool) -> int:
    """Rotate Orchestrion's log files now, as [rotate] in the configuration says."""
    done = hand_over(context, "rotate", {"dry_run": dry_run})
    if done.exit_code == 0:
        _print_plan(done.result, as_json)
    return done.exit_code


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("name", default="", metavar="[NAME]")
@kind_option
@pass_context
def pin(context: Context, run: str, name: str, kind: str) -> int:
    """Keep a run for ever, under a name if you give one: `orchwatchd pin @ok v1.4`; then `diff v1.4 @`."""
    with open_history(context) as history:
        number = resolve(history, run, kind)
    done = hand_over(context, "pin", {"run": number, "name": name})
    if done.exit_code == 0:
        click.echo(f"#{number} is pinned{f' as {name}' if name else ''}")
    return done.exit_code


@click.command()
@click.argument("run", metavar="RUN")
@kind_option
@pass_context
def unpin(context: Context, run: str, kind: str) -> int:
    """Take the pins from a run; given a pin's name, only that one."""
    with open_history(context) as history:
        number = resolve(history, run, kind)
        names = history.run(number).pins
    name = run if run in names else None
    done = hand_over(context, "unpin", {"run": number, "name": name})
    if done.exit_code == 0:
        click.echo(f"#{number}: {done.result} pin{'' if done.result == 1 else 's'} taken away")
    return done.exit_code


def _print_plan(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    from orchwatchd.render.upkeep import plan_report

    show(*plan_report(result["plan"], result["report"]))


def _foreign(context: Context, *, remove: bool, as_json: bool) -> int:
    """Trees of other builds: never removed but by --remove."""
    from orchwatchd.jobs.foreign import find_foreign, remove_foreign, temporary_folders
    from orchwatchd.models.rows import to_jsonable

    now = datetime.now(UTC)
    trees = find_foreign(temporary_folders(), now=now, ours=context.paths().work)
    removed, problems = remove_foreign(trees, now=now) if remove else ([], [])
    if as_json:
        print_json({"found": to_jsonable(trees), "removed": to_jsonable(removed), "problems": problems})
        return 0
    from orchwatchd.render.upkeep import foreign_report

    show(*foreign_report(trees, removed, problems))
    return 0
