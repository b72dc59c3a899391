"""Owns how a set of outputs is kept: whole, or as the difference to one earlier whole set. Pure, but for `read_set`."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Outputs = frozenset[int]


@dataclass(frozen=True, slots=True)
class SetPlan:
    """How to keep a set: `base` is None for a whole one. `rows` are (output, present)."""

    base: int | None
    rows: tuple[tuple[int, int], ...]


def set_hash(outputs: Outputs) -> bytes:
    """What equal sets share: 16 bytes over the sorted ids."""
    import hashlib

    ids = sorted(outputs)
    return hashlib.sha256(struct.pack(f"<{len(ids)}q", *ids)).digest()[:16]


def plan_set(outputs: Outputs, bases: Mapping[int, Outputs]) -> SetPlan:
    """Chooses the base with the smallest difference; a set that differs by more than a quarter is kept whole.

    The bound keeps reading linear in the set's size, and lets a history that drifts away from an old base start anew.
    """
    best: SetPlan | None = None
    for base, members in bases.items():
        difference = outputs ^ members
        if len(difference) <= len(outputs) // 4 and (best is None or len(difference) < len(best.rows)):
            best = SetPlan(base, tuple((output, int(output in outputs)) for output in sorted(difference)))
    return best or SetPlan(None, tuple((output, 1) for output in sorted(outputs)))


def apply_rows(base: Outputs, rows: Iterable[tuple[int, int]]) -> Outputs:
    """The set that `rows` make of `base` (empty for a whole set)."""
    added: set[int] = set()
    gone: set[int] = set()
    for output, present in rows:
        (added if present else gone).add(output)
    return frozenset((base - gone) | added)


def read_set(connection: sqlite3.Connection, member_set: int) -> Outputs:
    """The outputs of a stored set."""
    row = connection.execute("SELECT base FROM member_set WHERE id = ?", (member_set,)).fetchone()
    base = read_set(connection, row[0]) if row is not None and row[0] is not None else frozenset()
    rows = connection.execute(
        "SELECT output, present FROM member WHERE member_set = ?", (member_set,)
    ).fetchall()
    return apply_rows(base, rows)
