"""`why` and `integrations`: what made a run, or one package of it, as it is."""

from __future__ import annotations

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import kind_option, open_history, resolve, run_argument
from orchwatchd.errors import UsageError


@click.command()
@click.argument("package", required=False, metavar="[PACKAGE]")
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--run", "whole", metavar="RUN", help="Explain this whole run: why so much was compiled, what waited."
)
@kind_option
@json_option
@pass_context
def why(
    context: Context, package: str | None, run: str | None, whole: str | None, kind: str, as_json: bool
) -> None:
    """Say why a package is instrumented or not, and why it was compiled; or why a whole run was (`why @`).

    What the history does not prove is unknown, and it says how to find out.
    """
    from orchwatchd.models.rows import to_jsonable

    if package is not None and run is None and whole is None and package.startswith(("@", "#")):
        package, whole = None, package
    if (package is None) is (whole is None):
        raise UsageError(
            "give a package, or a run with --run", hint="orchwatchd why net/http; orchwatchd why @"
        )
    from orchwatchd.jobs.explain import explain_package, explain_run

    with open_history(context) as history:
        if package is None:
            answer = explain_run(history, resolve(history, whole or "@", kind))
            if as_json:
                print_json(to_jsonable(answer))
                return
            from orchwatchd.render.why import run_report

            show(*run_report(answer))
            return
        number = resolve(history, run or "@", kind)
        found = explain_package(history, package, number, context.root_or_none())
        if as_json:
            print_json(to_jsonable(found))
            return
        from orchwatchd.render.why import package_report

        show(*package_report(found))


@click.command()
@run_argument
@kind_option
@click.option("--unused", is_flag=True, help="Only those that left nothing in the run.")
@json_option
@pass_context
def integrations(context: Context, run: str, kind: str, unused: bool, as_json: bool) -> None:
    """List the integrations that were enabled in a run, with what they wove and where, or that they wove nothing."""
    from orchwatchd.compare.integrations import integrations_of
    from orchwatchd.models.rows import to_jsonable

    with open_history(context) as history:
        number = resolve(history, run, kind)
        configuration = history.facts(number).configuration
        if configuration is None:
            if as_json:
                print_json([])
            click.echo(f"run #{number} kept no configuration: what was enabled is unknown", err=True)
            return
        details = history.run(number)
        complete = details.status == "ok" and details.unknown_packages == 0
        uses = integrations_of(configuration, history.attributed(number), complete=complete)
        if unused:
            uses = tuple(one for one in uses if one.matched is not True)
        if as_json:
            print_json([{**to_jsonable(one), "packages": list(one.packages)} for one in uses])
            return
        from orchwatchd.render.integrations import integrations_report

        show(*integrations_report(uses))
        for problem in configuration.problems:
            click.echo(f"the configuration could not be read whole: {problem}", err=True)
        if not complete:
            click.echo(
                f"run #{number} is not known whole: what wove nothing may have, where it is unknown", err=True
            )
