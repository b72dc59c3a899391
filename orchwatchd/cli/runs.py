"""`runs` and `show`: the list of runs, and one of them."""

from __future__ import annotations

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import kind_option, open_history, resolve, run_argument

STATUSES = ("ok", "failed", "cancelled", "interrupted", "running", "unknown")


@click.command()
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first."
)
@click.option("--all", "everything", is_flag=True, help="All runs.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only runs that ended so."
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only runs of this kind (build, test, …)."
)
@json_option
@pass_context
def runs(
    context: Context,
    limit: int,
    everything: bool,
    statuses: tuple[str, ...],
    kinds: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the recorded runs, newest first.

    Counts are of the whole run, what it carried from earlier ones included; COMPILED is what it compiled itself.
    """
    with open_history(context) as history:
        wanted = None if everything or as_json else limit
        rows = history.runs(limit=wanted, kinds=kinds, statuses=statuses)
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(rows))
            return
        if not rows:
            click.echo(_nothing(bool(statuses or kinds)), err=True)
            return
        from orchwatchd.render.runs import runs_table

        show(runs_table(rows))
        if wanted is not None and len(rows) == wanted:
            click.echo(f"(the newest {wanted}; --all shows every run)", err=True)


@click.command("show")
@run_argument
@kind_option
@click.option(
    "--slowest", type=click.IntRange(0), default=0, metavar="N", help="The N stages that took longest."
)
@click.option("--output", is_flag=True, help="What the build printed.")
@json_option
@pass_context
def show_run(context: Context, run: str, kind: str, slowest: int, output: bool, as_json: bool) -> None:
    """Show one run: how it was made, how it ended, what it wove."""
    with open_history(context) as history:
        number = resolve(history, run, kind)
        if output:
            out, err = history.output(number)
            click.echo(out.decode("utf-8", "replace") + err.decode("utf-8", "replace"), nl=False)
            return
        details = history.show(number)
        stages = (
            sorted(history.stages(number), key=lambda stage: -(stage.wall or 0.0))[:slowest]
            if slowest
            else []
        )
        packages = [row for row in history.packages(number) if row.state == "woven"]
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json({**to_jsonable(details.run), **to_jsonable(details), "slowest": to_jsonable(stages)})
            return
        from orchwatchd.render.runs import run_report

        show(*run_report(details, packages, stages))


def _nothing(filtered: bool) -> str:
    if filtered:
        return "no such run (orchwatchd runs --all shows every run)"
    return "nothing is recorded yet: `orchwatchd build` records one build, `orchwatchd watch` one after each change"
