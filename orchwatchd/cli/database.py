"""`sql`: read-only SQL on the history."""

from __future__ import annotations

import csv
import sys

import click

from orchwatchd.cli.context import Context, pass_context
from orchwatchd.cli.output import json_option, print_json, show
from orchwatchd.cli.reading import open_history


@click.command()
@click.argument("query")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="The most rows to print."
)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="The longest to wait."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@pass_context
def sql(context: Context, query: str, limit: int, seconds: float, as_csv: bool, as_json: bool) -> None:
    """Query the history with read-only SQL; docs/schema.md describes its views. With - it is read from standard input.

    \b
    orchwatchd sql "SELECT id, status, injections FROM v_run ORDER BY id DESC LIMIT 5"
    """  # noqa: D301 - click's mark for lines that stay as they are is the character, not its escape
    if query == "-":
        query = sys.stdin.read()
    with open_history(context) as history:
        answer = history.sql(query, rows=limit, seconds=seconds)
    rows = [[_plain(cell) for cell in row] for row in answer.rows]
    if as_json:
        print_json([dict(zip(answer.columns, row, strict=True)) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(answer.columns)
        writer.writerows(rows)
    else:
        from orchwatchd.render.table import answer_table

        show(answer_table(answer.columns, rows))
    if answer.cut:
        click.echo(f"(cut at {limit} rows; --limit takes more)", err=True)


def _plain(cell: object) -> object:
    """Bytes as hexadecimal: neither JSON nor a terminal takes them."""
    return cell.hex() if isinstance(cell, bytes) else cell
