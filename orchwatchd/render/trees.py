"""What lies in work trees, as tables: modified files, stage directories, imports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from orchwatchd.models.rows import FileRow, ImportRow, StageRow
from orchwatchd.render.table import Column, Table, table
from orchwatchd.render.terminal import seconds, size

STATUS = {"compiled": "green", "cached": "dim", "reused": "cyan", "failed": "red"}
MOST_IMPORTS = 8


def files_table(rows: Sequence[FileRow], root: Path | None) -> Table:
    """Modified files; those that are no part of the run itself are marked."""
    lines = []
    for row in rows:
        notes = [
            word
            for word, given in (
                ("nested", row.nested),
                ("synthetic", row.synthetic),
                ("compiled for it, not part of it", not row.member),
                ("compile did not end", row.attempt),
                ("original uncertain", not row.original_certain and not row.synthetic),
            )
            if given
        ]
        name = shown(row.original, root) if row.original else row.path
        lines.append((row.package, name, row.injections, f"#{row.recorded_in}", ", ".join(notes)))
    columns = (
        Column("package", text=True),
        Column("file", text=True),
        Column("injections", right=True, leaves=3),
        Column("recorded in", leaves=1),
        Column("notes", text=True, leaves=2),
    )
    return table(columns, lines)


def stages_table(rows: Sequence[StageRow]) -> Table:
    """Stage directories with what was done in each."""
    lines = [
        (
            row.path,
            row.package or Text("unknown", style="dim"),
            "+".join(row.kinds),
            Text(row.status or "unknown", style=STATUS.get(row.status or "", "dim")),
            seconds(row.wall),
            seconds(row.cpu),
            row.files,
            size(row.bytes),
            "woven" if row.woven else "",
        )
        for row in rows
    ]
    columns = (
        Column("stage", text=True),
        Column("package", text=True),
        Column("kinds", leaves=4),
        Column("status", leaves=7),
        Column("wall", right=True, leaves=6),
        Column("cpu", right=True, leaves=2),
        Column("files", right=True, leaves=1),
        Column("size", right=True, leaves=3),
        Column("notes", leaves=5),
    )
    return table(columns, lines)


def imports_table(rows: Sequence[ImportRow]) -> Table:
    """What was added to imports, long lists cut."""
    lines = []
    for row in rows:
        more = f"\n… {len(row.added) - MOST_IMPORTS} more" if len(row.added) > MOST_IMPORTS else ""
        lines.append((row.package, row.kind, len(row.added), "\n".join(row.added[:MOST_IMPORTS]) + more))
    columns = (
        Column("package", text=True),
        Column("kind", leaves=2),
        Column("added", right=True, leaves=1),
        Column("imports", text=True),
    )
    return table(columns, lines)


def shown(path: str, root: Path | None) -> str:
    """A path as people name it: from the project's folder if it lies there."""
    if root is not None and path.startswith(str(root) + os.sep):
        return os.path.relpath(path, root)
    return path
