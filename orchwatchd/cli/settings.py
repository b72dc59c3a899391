"""`config`: check the configuration, show what is in force and where it came from, write one to start from."""

from __future__ import annotations

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show


@click.group()
def config() -> None:
    """Check, show or write the configuration (orchwatchd.toml beside go.mod)."""


@config.command()
@pass_context
def check(context: Context) -> None:
    """Say every problem of the configuration at once, with file and key; exit 78 if there is one."""
    from orchwatchd.config.load import warnings

    found = context.config()
    for warning in warnings(found):
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{found.file}: good" if found.file else "no orchwatchd.toml: every key is at its default")


@config.command("show")
@json_option
@pass_context
def show_settings(context: Context, as_json: bool) -> None:
    """Show every key with the value in force, and whether it comes from the file, the environment or the default."""
    from orchwatchd.config.keys import settings

    found = settings(context.config())
    if as_json:
        print_json(
            [{"key": setting.key, "value": setting.value, "source": setting.source} for setting in found]
        )
        return
    from orchwatchd.render.table import Column, table

    columns = ("key", Column("value", text=True), Column("from", leaves=1))
    show(table(columns, [(setting.key, setting.value, setting.source) for setting in found]))


@config.command()
@click.option("--print", "only_print", is_flag=True, help="Print it instead of writing a file.")
@pass_context
def init(context: Context, only_print: bool) -> None:
    """Write orchwatchd.toml beside go.mod, every key at its default with a comment; an existing file is never
    touched.
    """
    from orchwatchd.config.keys import example
    from orchwatchd.config.load import FILE_NAME
    from orchwatchd.errors import UsageError

    if only_print:
        click.echo(example(), nl=False)
        return
    file = context.config_file or context.project().root / FILE_NAME
    try:
        with file.open("x") as out:
            out.write(example())
    except FileExistsError:
        raise UsageError(
            f"{file} exists", hint="`orchwatchd config init --print` shows what it would be"
        ) from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    click.echo(f"{file}: written; every key stands at its default, leave out what you don't change")
