"""Owns removal from the history: runs, then what nothing points at any more."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from orchwatchd.db.connection import Connection
from orchwatchd.models.run import RunId
from orchwatchd.models.stored import Forgotten

_OF_A_RUN = (
    "run_document",
    "run_link",
    "run_package_state",
    "run_attempt",
    "stage",
    "compiler_message",
    "log_range",
    "log_chunk",
    "log_note",
    "log_skip",
    "log_run",
)
_UNUSED_LINKS = "DELETE FROM link WHERE id NOT IN (SELECT link FROM run_link)"
# First the sets that nothing uses, then the bases that were kept for them alone.
_UNUSED_SETS = """
    SELECT id FROM member_set WHERE id NOT IN (
        SELECT members FROM run WHERE members IS NOT NULL
        UNION SELECT companions FROM run WHERE companions IS NOT NULL
        UNION SELECT members FROM link
        UNION SELECT companions FROM output WHERE companions IS NOT NULL
        UNION SELECT base FROM member_set WHERE base IS NOT NULL)
"""
_UNUSED_OUTPUTS = """
    SELECT id, action FROM output AS o WHERE
        NOT EXISTS (SELECT 1 FROM member WHERE output = o.id)
        AND NOT EXISTS (SELECT 1 FROM stage WHERE output = o.id)
        AND NOT EXISTS (SELECT 1 FROM run_attempt WHERE output = o.id)
"""
_UNUSED_BLOBS = """
    WITH RECURSIVE used (id) AS (
        SELECT blob FROM modified_file UNION SELECT original_blob FROM modified_file WHERE original_blob IS NOT NULL
        UNION SELECT blob FROM run_document
        UNION SELECT facts FROM log_run WHERE facts IS NOT NULL
        UNION SELECT stdout FROM run WHERE stdout IS NOT NULL UNION SELECT stderr FROM run WHERE stderr IS NOT NULL
        UNION SELECT b.base FROM used AS u JOIN blob AS b ON b.id = u.id WHERE b.base IS NOT NULL
    )
    SELECT id, length(data) FROM blob WHERE id NOT IN (SELECT id FROM used) ORDER BY depth DESC
"""
_SHARED = (
    "DELETE FROM injection WHERE injection_set NOT IN (SELECT injection_set FROM modified_file)",
    "DELETE FROM injection_set WHERE id NOT IN (SELECT injection_set FROM modified_file)",
    """DELETE FROM snippet WHERE id NOT IN (SELECT text FROM injection UNION SELECT code FROM injection
       UNION SELECT shape FROM injection WHERE shape IS NOT NULL)""",
    "DELETE FROM attribution WHERE id NOT IN (SELECT attribution FROM injection)",
    """DELETE FROM name_set_package WHERE name_set NOT IN
       (SELECT added FROM output_import UNION SELECT added FROM link WHERE added IS NOT NULL)""",
    """DELETE FROM name_set WHERE id NOT IN
       (SELECT added FROM output_import UNION SELECT added FROM link WHERE added IS NOT NULL)""",
    """DELETE FROM package WHERE id NOT IN (
       SELECT package FROM output WHERE package IS NOT NULL UNION SELECT package FROM link
       UNION SELECT package FROM stage WHERE package IS NOT NULL UNION SELECT package FROM run_package_state
       UNION SELECT package FROM name_set_package)""",
)


def forget(connection: Connection, runs: Collection[RunId], cached: Callable[[str], bool]) -> Forgotten:
    """Removes runs and what only they needed; the caller holds the transaction. See Store.forget_runs."""
    wanted = json.dumps(sorted(runs))
    kept = connection.all(
        """SELECT id FROM run WHERE id IN (SELECT value FROM json_each(?))
           AND (status = 'running' OR id IN (SELECT run FROM pin))""",
        (wanted,),
    )
    if kept:
        raise ValueError(f"runs {[row[0] for row in kept]} are pinned or running")
    for table in _OF_A_RUN:
        connection.execute(f"DELETE FROM {table} WHERE run IN (SELECT value FROM json_each(?))", (wanted,))
    gone = connection.execute(
        "DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
    ).rowcount
    connection.execute(_UNUSED_LINKS)
    outputs = _outputs(connection, cached)
    blobs = connection.all(_UNUSED_BLOBS)
    # The scans below are linear in the history and run once a prune; a delete then finds its children by index.
    for statement in _SHARED:
        connection.execute(statement)
    connection.many("DELETE FROM blob WHERE id = ?", ((blob,) for blob, _ in blobs))
    return Forgotten(gone, outputs, len(blobs), sum(size for _, size in blobs))


def _outputs(connection: Connection, cached: Callable[[str], bool]) -> int:
    """Removes sets and outputs until nothing more falls: an output's companions hold a set, which holds outputs."""
    removed = 0
    while True:
        sets = connection.all(_UNUSED_SETS)
        connection.many("DELETE FROM member WHERE member_set = ?", sets)
        connection.many("DELETE FROM member_set WHERE id = ?", sets)
        outputs = [(row[0],) for row in connection.all(_UNUSED_OUTPUTS) if not (row[1] and cached(row[1]))]
        connection.many("DELETE FROM modified_file WHERE output = ?", outputs)
        connection.many("DELETE FROM output_import WHERE output = ?", outputs)
        connection.many("DELETE FROM output WHERE id = ?", outputs)
        removed += len(outputs)
        if not sets and not outputs:
            return removed
