"""Owns what upkeep asks of the history: what each run takes, and what the database takes."""

from __future__ import annotations

from orchwatchd.db.connection import Connection
from orchwatchd.db.times import from_text
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import RunUse

# What a run's own rows take, measured with dbstat on runs of the shop: the run with its documents, a stage directory,
# a package without output. Outputs and blobs are shared, and freed only when the last run that has them goes.
_RUN_BYTES = 900
_STAGE_BYTES = 90
_STATE_BYTES = 20

_USES = f"""
    SELECT r.id, r.kind, r.status, r.started_at, r.work_state, r.work_parent, r.work_bytes,
           {_RUN_BYTES} + coalesce(s.stages, 0) * {_STAGE_BYTES} + r.without_output * {_STATE_BYTES}
               + coalesce(length(o.data), 0) + coalesce(length(e.data), 0) AS own,
           coalesce(l.bytes, 0) AS log
    FROM run AS r
    LEFT JOIN (SELECT run, count(*) AS stages FROM stage GROUP BY run) AS s ON s.run = r.id
    LEFT JOIN (SELECT run, sum(length(data)) AS bytes FROM log_chunk GROUP BY run) AS l ON l.run = r.id
    LEFT JOIN blob AS o ON o.id = r.stdout
    LEFT JOIN blob AS e ON e.id = r.stderr
    ORDER BY r.id
"""


def run_uses(connection: Connection) -> tuple[RunUse, ...]:
    """Every run with what it takes; `tree_bytes` as last measured. Only a finished run is indexed."""
    pins: dict[int, tuple[str, ...]] = {}
    for run, name in connection.all("SELECT run, name FROM pin ORDER BY run, name"):
        pins[run] = (*pins.get(run, ()), name)
    return tuple(
        RunUse(
            run=RunId(row[0]),
            kind=row[1],
            status=RunStatus(row[2]),
            started_at=from_text(row[3]),
            pins=pins.get(row[0], ()),
            work=WorkState(row[4]),
            indexed=row[2] != RunStatus.RUNNING,
            work_parent=row[5],
            tree_bytes=row[6],
            row_bytes=row[7] + row[8],
            log_bytes=row[8],
        )
        for row in connection.all(_USES)
    )


def database_bytes(connection: Connection) -> int:
    """What the database takes, free pages left out."""
    pages, free, size = (
        connection.must(f"PRAGMA {name}")[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
