"""How commands print: JSON for programs, tables for people; nothing on standard output but the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from orchwatchd.cli.streams import holds

if TYPE_CHECKING:
    from rich.console import RenderableType

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with the fields of docs/json.md."
)


def print_json(data: Any) -> None:
    """Prints data as JSON, indented, for people who look at it and for `jq` alike. What standard output's encoding
    cannot hold is escaped.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    click.echo(text if holds(text) else json.dumps(data, indent=2))


def show(*parts: RenderableType) -> None:
    """Prints what `render` made."""
    from orchwatchd.render.terminal import print_parts

    print_parts(parts)
