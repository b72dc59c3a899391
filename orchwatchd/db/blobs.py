"""Owns how bytes are kept: zstd, as a delta against similar bytes where that pays, checked by hash on reading."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchwatchd.errors import DatabaseError

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

# A read decodes the whole chain: eight small files at most. Measured on manifests of 500 lines, a longer chain saves
# nothing more, as each eighth delta is one to the chain's full text.
MAX_DEPTH = 8
# Measured on the 19 files of the shop: whole texts at 3 take a third of 7's time (4.5 ms) for 8 % more bytes, deltas at
# 4 less than half of it (1.0 ms) for 6 % more.
_LEVEL, _DELTA_LEVEL = 3, 4


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes as they are kept. `delta` tells whether `data` needs the base's bytes to be decoded."""

    delta: bool
    data: bytes


def digest(data: bytes) -> bytes:
    """The SHA-256 by which bytes are found."""
    return hashlib.sha256(data).digest()


def encode(data: bytes, base: bytes | None = None) -> Encoded:
    """Compresses `data`, as a delta against `base` where that is smaller than compressing it alone."""
    if base is not None and len(base) >= 8:
        against = zstd.compress(
            data, zstd_dict=_dictionary(base), options=_delta_options(len(base) + len(data))
        )
        # Nothing compresses source text by this much alone, so that the second attempt is saved.
        if len(against) < len(data) // 16 or len(against) < len(plain := zstd.compress(data, level=_LEVEL)):
            return Encoded(delta=True, data=against)
        return Encoded(delta=False, data=plain)
    return Encoded(delta=False, data=zstd.compress(data, level=_LEVEL))


def decode(data: bytes, base: bytes | None) -> bytes:
    """Undoes `encode`; `base` is the bytes that a delta was made against. Raises zstd.ZstdError on damage."""
    if base is None:
        return zstd.decompress(data)
    return zstd.decompress(
        data,
        zstd_dict=_dictionary(base),
        options={
            zstd.DecompressionParameter.window_log_max: zstd.DecompressionParameter.window_log_max.bounds()[1]
        },
    )


def compress_log(data: bytes) -> bytes:
    """A piece of a log, compressed fast; `decode(…, None)` undoes it."""
    return zstd.compress(data, level=3)


def read_blob(connection: sqlite3.Connection, blob: int) -> bytes:
    """The bytes of a blob, checked against their hash.

    Raises DatabaseError when the blob is missing or its bytes are not those that were stored.
    """
    chain: list[tuple[bytes, bytes]] = []
    current: int | None = blob
    while current is not None:
        row = connection.execute("SELECT sha256, base, data FROM blob WHERE id = ?", (current,)).fetchone()
        if row is None or len(chain) > MAX_DEPTH:
            raise _damaged(blob)
        chain.append((row[0], row[2]))
        current = row[1]
    text: bytes | None = None
    try:
        for _, data in reversed(chain):
            text = decode(data, text)
    except (zstd.ZstdError, ValueError) as error:
        raise _damaged(blob) from error
    if text is None or digest(text) != chain[0][0]:
        raise _damaged(blob)
    return text


def _dictionary(base: bytes) -> Any:
    return zstd.ZstdDict(base, is_raw=True).as_prefix


def _delta_options(reach: int) -> dict[int, int]:
    """The window has to reach over base and data, else matches of long files are lost (as zstd's --patch-from)."""
    low, high = zstd.CompressionParameter.window_log.bounds()
    window = max(low, min(max(reach.bit_length(), 10), 27, high))
    return {
        zstd.CompressionParameter.compression_level: _DELTA_LEVEL,
        zstd.CompressionParameter.window_log: window,
    }


def _damaged(blob: int) -> DatabaseError:
    return DatabaseError(
        f"the history is damaged: blob {blob} does not hold the bytes that were stored",
        hint="move the database aside and start anew, or put back a copy; `orchwatchd doctor` checks all of it",
    )
