"""`files`, `stages`, `imports`, `source`: what a run's trees held, whether they still exist or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import kind_option, open_history, resolve, run_argument
from orchwatchd.errors import NotFoundError, OrchwatchdError, UsageError

if TYPE_CHECKING:
    from orchwatchd.models.rows import SourceRow
    from orchwatchd.query import History


@click.command()
@run_argument
@kind_option
@click.option("--package", metavar="PACKAGE", help="Only files of this package.")
@json_option
@pass_context
def files(context: Context, run: str, kind: str, package: str | None, as_json: bool) -> None:
    """List the modified files that a run is made of, with the run that recorded each.

    A warm build compiles almost nothing and is as instrumented as before: files that earlier runs recorded count.
    """
    with open_history(context) as history:
        number = resolve(history, run, kind)
        rows = history.files(number, package=package)
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(rows))
            return
        unknown = history.why_unknown(number, package)
        if rows:
            from orchwatchd.render.trees import files_table

            show(files_table(rows, context.root_or_none()))
        inside = "" if package is None else f" in {package}"
        if unknown:
            which = "more modified files" if rows else "a modified file"
            click.echo(f"whether run #{number} has {which}{inside} is unknown: {unknown}", err=True)
        elif not rows:
            click.echo(f"run #{number} has no modified file{inside}", err=True)


@click.command()
@run_argument
@kind_option
@json_option
@pass_context
def stages(context: Context, run: str, kind: str, as_json: bool) -> None:
    """List every stage directory of a run's work trees, nested ones included."""
    with open_history(context) as history:
        number = resolve(history, run, kind)
        rows = history.stages(number)
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(rows))
        elif rows:
            from orchwatchd.render.trees import stages_table

            show(stages_table(rows))
        else:
            click.echo(f"run #{number} had no stage directory", err=True)


@click.command()
@run_argument
@kind_option
@json_option
@pass_context
def imports(context: Context, run: str, kind: str, as_json: bool) -> None:
    """List what was added to import configurations, links and sources of a run's packages."""
    with open_history(context) as history:
        number = resolve(history, run, kind)
        rows = history.imports(number)
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(rows))
        elif rows:
            from orchwatchd.render.trees import imports_table

            show(imports_table(rows))
        else:
            click.echo(f"nothing was added to the imports of run #{number}", err=True)


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("file", metavar="FILE[:LINE]")
@kind_option
@click.option("--original", "form", flag_value="original", help="The text that it was woven from.")
@click.option("--diff", "form", flag_value="diff", help="What Orchestrion changed, as a unified diff.")
@click.option("--annotate", "form", flag_value="annotate", help="Each line with what put it there.")
@json_option
@pass_context
def source(context: Context, run: str, file: str, kind: str, form: str | None, as_json: bool) -> None:
    """Print a modified file as it was compiled then; work tree and source may be long gone or changed.

    FILE is `original` or `path` as `files` prints it, a path in the project, or the end of one that only one
    file has. With :LINE (a line of the woven file) it says who made that line.
    """
    name, line = _place(file)
    with open_history(context) as history:
        number = resolve(history, run, kind)
        found = _find(history, number, name, context.root_or_none())
        if as_json:
            from orchwatchd.models.rows import to_jsonable

            print_json(to_jsonable(found))
            return
        if not found.file.original_certain and form in {"original", "diff"}:
            click.echo(
                "note: the original was changed or gone before it could be kept; this one is not certain",
                err=True,
            )
        _print(found, form, line)


def _place(file: str) -> tuple[str, int | None]:
    name, colon, number = file.rpartition(":")
    if colon and number.isdigit():
        return name, int(number)
    return file, None


def _find(history: History, run: int, name: str, root: Path | None) -> SourceRow:
    """The file, or an error that says why a failed run has none (fact 29)."""
    from orchwatchd.query.contents import NoSuchFileError

    try:
        return history.source(run, name, root=root)
    except NoSuchFileError as error:
        if history.run(run).status != "failed":
            raise
        hint = (
            f"run #{run} failed: of a package that does not type-check Orchestrion writes no modified file, "
            "so none was written that could be kept"
        )
        raise NotFoundError(error.message, hint=hint) from error


def _print(found: SourceRow, form: str | None, line: int | None) -> None:
    from orchwatchd.render.code import print_code, unified

    woven = found.woven.decode("utf-8", "surrogateescape")
    if form == "annotate" or line is not None:
        from orchwatchd.render.annotate import lines_of, print_annotated

        count = len(lines_of(found.woven))
        if line is not None and not 1 <= line <= count:
            raise UsageError(
                f"{found.file.path} has {count} line{'s' * (count != 1)}, no line {line}",
                hint="lines are counted in the woven file, as --annotate shows it",
            )
        print_annotated(found, line)
        return
    if form is None:
        print_code(woven)
        return
    if found.original is None:
        what = (
            "it is synthetic: Orchestrion made it from nothing"
            if found.file.synthetic
            else "none could be kept"
        )
        raise NoOriginalError(f"{found.file.path} has no original: {what}")
    original = found.original.decode("utf-8", "surrogateescape")
    if form == "original":
        print_code(original)
        return
    name = found.file.original or found.file.path
    print_code(unified(original, woven, name, f"{name} (woven)"), lexer="diff")


class NoOriginalError(OrchwatchdError):
    """A modified file without an original was asked for its original."""

    exit_code = 4
