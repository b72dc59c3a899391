"""Owns what a user may call a run: `@`, `@-3`, `@ok`, `41`, `#41`, a pin's name, a git commit."""

from __future__ import annotations

import re
import sqlite3

from orchwatchd.errors import NotFoundError
from orchwatchd.query.running import ended_unrecorded

_LAST = re.compile(r"@(?:-(\d+))?")
_OK = re.compile(r"@ok(?:-(\d+))?")
_NUMBER = re.compile(r"#?(\d+)")
_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")


def resolve(connection: sqlite3.Connection, name: str, kind: str | None = "build") -> int:
    """The id of the run that `name` means. `kind` limits what `@` counts; None counts all.

    Raises NotFoundError, which lists what comes near.
    """
    if last := _LAST.fullmatch(name):
        return _counted(connection, kind, int(last[1] or 0), ok=False)
    if good := _OK.fullmatch(name):
        return _counted(connection, kind, int(good[1] or 0), ok=True)
    if (number := _NUMBER.fullmatch(name)) and _exists(connection, int(number[1])):
        return int(number[1])
    pinned = connection.execute("SELECT run FROM pin WHERE name = ? AND name <> ''", (name,)).fetchone()
    if pinned:
        return int(pinned[0])
    if _COMMIT.fullmatch(name) and (found := _commit(connection, name.lower())) is not None:
        return found
    raise _near(connection, name)


def _counted(connection: sqlite3.Connection, kind: str | None, back: int, *, ok: bool) -> int:
    where = "status = 'ok'" if ok else "status <> 'running'"
    rows = connection.execute(
        f"SELECT id FROM run WHERE {where} AND (? IS NULL OR kind = ?) ORDER BY id DESC LIMIT 1 OFFSET ?",
        (kind, kind, min(back, 2**62)),
    ).fetchall()
    if rows:
        return int(rows[0][0])
    of_kind = f" of kind {kind}" if kind else ""
    (have,) = connection.execute(
        f"SELECT count(*) FROM run WHERE {where} AND (? IS NULL OR kind = ?)", (kind, kind)
    ).fetchone()
    (any_run,) = connection.execute("SELECT count(*) FROM run").fetchone()
    word = "ok" if ok else "finished"
    if have:
        raise NotFoundError(
            f"there are only {have} {word} runs{of_kind}", hint="`orchwatchd runs` lists them"
        )
    if any_run:
        raise NotFoundError(
            f"there is no {word} run{of_kind} yet", hint="`orchwatchd runs` lists what there is"
        )
    raise NotFoundError(
        "there are no runs yet", hint="record one with `orchwatchd build` or start `orchwatchd watch`"
    )


def _exists(connection: sqlite3.Connection, run: int) -> bool:
    return run < 2**63 and connection.execute("SELECT 1 FROM run WHERE id = ?", (run,)).fetchone() is not None


def _commit(connection: sqlite3.Connection, prefix: str) -> int | None:
    rows = connection.execute(
        """SELECT id, git_commit, status, git_dirty FROM run
           WHERE git_commit >= ? AND git_commit < ? ORDER BY id DESC""",
        (prefix, prefix + "g"),
    ).fetchall()
    if not rows:
        return None
    commits = sorted({row[1] for row in rows})
    if len(commits) > 1:
        raise NotFoundError(
            f"{prefix} is the beginning of {len(commits)} recorded commits",
            hint="which one? " + ", ".join(commit[:12] for commit in commits[:8]),
        )
    for run, _, status, dirty in rows:
        if status == "ok" and dirty == 0:
            return int(run)
    ended = ended_unrecorded(connection)
    rows = [
        (run, commit, "interrupted" if run in ended else status, dirty) for run, commit, status, dirty in rows
    ]
    listed = ", ".join(
        f"{run} ({status}{', dirty' if dirty else '' if dirty == 0 else ', state unknown'})"
        for run, _, status, dirty in rows[:8]
    )
    raise NotFoundError(
        f"no ok run with a clean tree was recorded for commit {commits[0][:12]}", hint=f"its runs: {listed}"
    )


def _near(connection: sqlite3.Connection, name: str) -> NotFoundError:
    from difflib import get_close_matches

    pins = [row[0] for row in connection.execute("SELECT name FROM pin WHERE name <> ''").fetchall()]
    low, high = connection.execute("SELECT min(id), max(id) FROM run").fetchone()
    near = get_close_matches(name, pins, n=3, cutoff=0.5)
    if low is None:
        hint = "there are no runs yet: record one with `orchwatchd build`"
    elif number := _NUMBER.fullmatch(name):
        wanted = min(int(number[1]), 2**62)
        below = connection.execute("SELECT max(id) FROM run WHERE id < ?", (wanted,)).fetchone()[0]
        above = connection.execute("SELECT min(id) FROM run WHERE id > ?", (wanted,)).fetchone()[0]
        near = [str(run) for run in (below, above) if run is not None]
        hint = f"near it: {', '.join(near)}; recorded are runs {low} to {high}"
    elif near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"a run is @, @-1, @ok, a number ({low} to {high}), a pin's name or a git commit"
    return NotFoundError(f"there is no run {name}", hint=hint)
