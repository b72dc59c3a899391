"""Owns how bytes get into the history: once by hash, as a delta to something like them where there is something."""

from __future__ import annotations

from orchwatchd.db import blobs
from orchwatchd.db.connection import Connection


def put(connection: Connection, data: bytes, near: int | None = None, near_data: bytes | None = None) -> int:
    """Keeps `data` and gives its blob's id. `near` is a blob that is likely similar, `near_data` its bytes, where they
    are at hand.
    """
    digest = blobs.digest(data)
    row = connection.one("SELECT id FROM blob WHERE sha256 = ?", (digest,))
    if row:
        return int(row[0])
    base, depth = _base(connection, near)
    text = near_data if base == near else None
    if text is None and base is not None:
        text = blobs.read_blob(connection.raw, base)
    encoded = blobs.encode(data, text)
    if not encoded.delta:
        base, depth = None, 0
    return connection.insert(
        "INSERT INTO blob (sha256, size, base, depth, data) VALUES (?, ?, ?, ?, ?)",
        (digest, len(data), base, depth, encoded.data),
    )


def _base(connection: Connection, near: int | None) -> tuple[int | None, int]:
    """The blob to encode against and the depth that results: `near`, or the end of its chain where that is too long."""
    if near is None:
        return None, 0
    row = connection.one("SELECT base, depth FROM blob WHERE id = ?", (near,))
    if row is None:
        return None, 0
    if row[1] + 1 < blobs.MAX_DEPTH:
        return near, row[1] + 1
    while row is not None and row[0] is not None:
        near = row[0]
        row = connection.one("SELECT base, depth FROM blob WHERE id = ?", (near,))
    return near, 1
