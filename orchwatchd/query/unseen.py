"""Owns why something of a run is unknown: packages that nobody saw compiled, runs that do not name all of theirs."""

from __future__ import annotations

import sqlite3

from orchwatchd.query.runs import details, packages


def why_unknown(connection: sqlite3.Connection, run: int, package: str | None = None) -> str | None:
    """Why it is not known which modified files a run has, or its `package` (all variants) where one is named; None
    where that is known.
    """
    rows = packages(connection, run)
    unseen = [row.package for row in rows if row.state in {"unknown", "unresolved"}]
    named = [name for name in unseen if name is not None]
    if package is None:
        reason = f"nobody saw {_listed(named, len(unseen))} compiled" if unseen else None
        return reason or _not_whole(connection, run)
    if mine := [name for name in named if package in {name, name.partition(" [")[0]}]:
        return f"nobody saw {'it' if mine == [package] else ', '.join(mine)} compiled"
    if any(package in {row.package, (row.package or "").partition(" [")[0]} for row in rows):
        return None
    if len(named) < len(unseen):
        return (
            f"nobody saw {len(unseen) - len(named)} of its packages compiled, and their names are not known"
        )
    return _not_whole(connection, run)


def _listed(named: list[str], count: int) -> str:
    return f"its package {named[0]}" if count == len(named) == 1 else f"{count} of its packages"


def _not_whole(connection: sqlite3.Connection, run: int) -> str | None:
    found = details(connection, run)
    failed = found.run.status == "failed"
    # A program that a failed build did not come to is made of nothing that could have a modified file.
    programs = all(one.complete or (failed and not one.linked) for one in found.programs)
    if (failed or found.run.status == "ok") and found.graph_known and programs:
        return None
    return f"the run ({found.run.status}) does not tell all its packages"
