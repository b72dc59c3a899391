"""`diff`, `history`, `why`, `integrations`: what differs between runs, and what made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import kind_option, open_history, resolve
from orchwatchd.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchwatchd.models.comparison import Comparison
    from orchwatchd.query import History

MOST_RUNS = 6


@click.command()
@click.argument("first", default="@-1", metavar="[A]")
@click.argument("second", default=None, required=False, metavar="[B]")
@kind_option
@click.option("-p", "--patch", is_flag=True, help="With the code of each changed injection, old against new.")
@click.option("--stat", "form", flag_value="stat", help="Only counts, one line a file.")
@click.option("--name-only", "form", flag_value="names", help="Only the files with changed injections.")
@click.option(
    "--all", "everything", is_flag=True, help="Cut no list; show what merely moved or followed an edit."
)
@click.option(
    "--package", "packages", multiple=True, metavar="PACKAGE", help="Only this package, or `path/...`."
)
@click.option("--integration", metavar="NAME", help="Only injections of this integration.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit 1 where they differ, 5 where nothing does but a side is incomplete.",
)
@json_option
@pass_context
def diff(
    context: Context,
    first: str,
    second: str | None,
    kind: str,
    patch: bool,
    form: str | None,
    everything: bool,
    packages: tuple[str, ...],
    integration: str | None,
    exit_code: bool,
    as_json: bool,
) -> int:
    """Compare the instrumentation of two runs: what changed, and what could have made it change.

    A and B are runs (default: @-1 @), or A..B in one word. An edit of the project is a cause, never an effect:
    injections are compared, not files. What a run cannot tell is named, and never called added or removed.
    """
    a_name, b_name = _pair(first, second)
    with open_history(context) as history:
        a, b = resolve(history, a_name, kind), resolve(history, b_name, kind)
        comparison = _compare(history, (a, b), packages, integration)
        if as_json or form is None:
            _print_whole(history, comparison, context, patch=patch, everything=everything, as_json=as_json)
        elif form == "stat":
            from orchwatchd.render.filecounts import stat_report

            show(*stat_report(comparison, context.root_or_none()))
        else:
            from orchwatchd.render.filecounts import changed_files

            for name in changed_files(comparison, context.root_or_none()):
                click.echo(name)
    if not exit_code:
        return 0
    return 1 if comparison.differs else 0 if comparison.complete else 5


def _pair(first: str, second: str | None) -> tuple[str, str]:
    """The two names: `A B`, `A..B`, `A` against the last, or the last two."""
    if ".." in first and second is None:
        before, _, after = first.partition("..")
        return before or "@", after or "@"
    if second is not None and (".." in first or ".." in second):
        raise UsageError(f"{first} {second}: give A B or A..B")
    return first, second or "@"


def _compare(
    history: History, runs: tuple[int, int], packages: tuple[str, ...], integration: str | None
) -> Comparison:
    from orchwatchd.compare.comparison import compare

    if not packages and integration is None:
        return compare(*history.sides(*runs))
    from orchwatchd.compare import narrow

    a, b = history.whole_sides(*runs)
    if packages:
        _require_packages(packages, {str(one.name) for side in (a, b) for one in side.packages})
        a, b = narrow.narrow_to_packages(a, packages), narrow.narrow_to_packages(b, packages)
    if integration is not None:
        known = narrow.integrations_of_side(a) | narrow.integrations_of_side(b)
        name = _integration(integration, known, history, runs)
        if missing := narrow.unattributed(a) + narrow.unattributed(b):
            click.echo(f"note: {missing} injections name no integration and are left out here", err=True)
        a, b = narrow.narrow_to_integration(a, name), narrow.narrow_to_integration(b, name)
    return compare(a, b)


def _require_packages(patterns: tuple[str, ...], known: set[str]) -> None:
    """Raises NotFoundError for a pattern that no package of either run fits: an empty answer would look like none
    changed.
    """
    from orchwatchd.compare.narrow import package_test
    from orchwatchd.models.package import PackageName

    names = [PackageName.parse(name) for name in known]
    for pattern in patterns:
        if not any(map(package_test((pattern,)), names)):
            from difflib import get_close_matches

            near = (
                get_close_matches(pattern, known, n=3)
                or [name for name in sorted(known) if pattern in name][:3]
            )
            raise NotFoundError(
                f"neither run has a package {pattern}", hint=f"near it: {', '.join(near)}" if near else None
            )


def _integration(name: str, known: frozenset[str], history: History, runs: tuple[int, int]) -> str:
    from orchwatchd.compare.narrow import resolve_integration

    enabled = {
        one.package
        for run in runs
        if (configuration := history.facts(run).configuration) is not None
        for one in configuration.integrations
    }
    fits = resolve_integration(name, known) or resolve_integration(name, frozenset(enabled))
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise NotFoundError(f"several integrations fit {name}", hint="which one? " + ", ".join(fits[:8]))
    listed = ", ".join(sorted(known | enabled)[:8])
    raise NotFoundError(
        f"neither run has an integration {name}", hint=f"there are: {listed}" if listed else None
    )


def _print_whole(
    history: History,
    comparison: Comparison,
    context: Context,
    *,
    patch: bool,
    everything: bool,
    as_json: bool,
) -> None:
    from orchwatchd.compare.causes import causes
    from orchwatchd.compare.document import to_jsonable

    found = causes(history.facts(comparison.a), history.facts(comparison.b))
    if as_json:
        print_json(to_jsonable(comparison, found))
        return
    from orchwatchd.render.diff import Shown, diff_report

    how = Shown(context.root_or_none(), patch, everything)
    show(*diff_report(history.run(comparison.a), history.run(comparison.b), comparison, found, how))


@click.command("history")
@click.argument("what", metavar="PACKAGE|FILE|INTEGRATION")
@click.option("-n", "--limit", type=click.IntRange(1), default=None, help="Only the newest changes.")
@click.option("-p", "--patch", is_flag=True, help="With the code that came and went.")
@json_option
@pass_context
def history_of(context: Context, what: str, limit: int | None, patch: bool, as_json: bool) -> None:
    """Show when the instrumentation of a package, a file or by an integration changed: one line a change, not a run.

    Runs that failed, built something else, or did not record the package say nothing; `gone` is said only where the
    same programs were linked without it. A name that is a package and an integration shows both.
    """
    root = context.root_or_none()
    with open_history(context) as history:
        found = history.changes_of(what, root=root, limit=limit)
        rows = found.rows
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(rows))
            return
        if rows:
            from orchwatchd.render.history import history_report

            show(*history_report(rows, root, patch=patch, whole=limit is None, meanings=found.meanings))
        else:
            click.echo(f"no run has recorded an injection in {what}", err=True)
        if {"package", "integration"} <= found.meanings.keys():
            click.echo(_both(what, own="package" in found.found), err=True)
        for package, unknown in found.unknown.items():
            click.echo(f"{package} is unknown in {_runs(unknown)}: nobody saw it compiled", err=True)


def _both(what: str, *, own: bool) -> str:
    if own:
        return (
            f"{what} is a package and an integration: shown are the package's own injections, and what the"
            " integration wove elsewhere"
        )
    return (
        f"{what} is a package without recorded injections, and an integration: shown is what the"
        " integration wove"
    )


def _runs(numbers: Sequence[int]) -> str:
    """Runs as people name them, the newest of many."""
    listed = [f"#{number}" for number in numbers]
    return ", ".join(listed) if len(listed) <= MOST_RUNS else f"{len(listed)} runs, the last {listed[-1]}"
