"""Owns the check of a whole database: SQLite's structure, every reference, every blob's hash, every counter."""

from __future__ import annotations

from orchwatchd.db.blobs import read_blob
from orchwatchd.db.connection import Connection
from orchwatchd.db.failures import explained
from orchwatchd.errors import DatabaseError

_COUNTERS = """
    SELECT s.id FROM member_set AS s
    LEFT JOIN (
        SELECT m.member_set, count(*) AS packages, sum(o.state NOT IN ('plain', 'woven')) AS unknown_packages,
               sum(o.state = 'woven') AS instrumented_packages,
               sum(CASE WHEN o.state = 'woven' THEN o.modified_files ELSE 0 END) AS modified_files,
               sum(CASE WHEN o.state = 'woven' THEN o.injections ELSE 0 END) AS injections
        FROM v_set_output AS m JOIN output AS o ON o.id = m.output GROUP BY m.member_set
    ) AS c ON c.member_set = s.id
    WHERE (s.packages, s.unknown_packages, s.instrumented_packages, s.modified_files, s.injections) IS NOT
          (coalesce(c.packages, 0), coalesce(c.unknown_packages, 0), coalesce(c.instrumented_packages, 0),
           coalesce(c.modified_files, 0), coalesce(c.injections, 0))
"""


def problems(connection: Connection) -> tuple[str, ...]:
    """One sentence for each thing that is wrong; () for a sound database."""
    found: list[str] = []
    with explained(connection.path):
        found += [f"SQLite: {row[0]}" for row in connection.all("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"a row of {table} points at a missing row of {parent}"
            for table, _, parent, _ in connection.all("PRAGMA foreign_key_check")
        ]
        if found:
            return tuple(found)
        for (blob,) in connection.all("SELECT id FROM blob"):
            try:
                read_blob(connection.raw, blob)
            except DatabaseError as error:
                found.append(error.message)
        found += [f"the counters of member set {row[0]} are wrong" for row in connection.all(_COUNTERS)]
    return tuple(found)
