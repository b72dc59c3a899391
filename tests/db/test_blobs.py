"""How bytes are kept: whatever goes in comes out, and damage is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import count, open_store

from orchwatchd.db.blobs import MAX_DEPTH, decode, digest, encode, read_blob
from orchwatchd.errors import DatabaseError
from orchwatchd.store import bytes as stored


@given(st.binary(max_size=3000), st.none() | st.binary(max_size=3000))
def test_bytes_come_back_whole_with_or_without_a_base(data: bytes, base: bytes | None) -> None:
    kept = encode(data, base)
    assert decode(kept.data, base if kept.delta else None) == data
    assert len(kept.data) <= max(len(encode(data).data), len(data) // 16)


def test_a_long_file_with_an_insertion_costs_a_few_bytes() -> None:
    """net/http's server.go: 131,819 bytes become some hundreds."""
    original = b"".join(
        b"\tx%d := f%d(%s)\n" % (n, n * 7919 % 1000, digest(b"%d" % n).hex().encode()) for n in range(1700)
    )
    kept = encode(original[:60_000] + b"injected" + original[60_000:], original)
    assert len(original) > 130_000
    assert len(kept.data) < 200


def test_bytes_are_kept_once_and_chains_stay_short(tmp_path: Path) -> None:
    """A file that is edited again and again is a delta to its predecessor, but never behind a long chain."""
    lines = [digest(b"%d" % n).hex() for n in range(200)]
    with open_store(tmp_path) as store:
        ids: list[int] = []
        texts: list[bytes] = []
        for edit in range(40):
            lines[edit] = f"edited {edit}"
            texts.append("\n".join(lines).encode())
            with store.connection.immediate():
                ids.append(stored.put(store.connection, texts[-1], ids[-1] if ids else None))
                assert stored.put(store.connection, texts[-1]) == ids[-1]
        assert count(store, "blob") == 40
        assert [read_blob(store.connection.raw, blob) for blob in ids] == texts
        depths, large = store.connection.must("SELECT max(depth), sum(length(data) > 2000) FROM blob")
        assert (depths, large) == (MAX_DEPTH - 1, 1)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE blob SET data = zeroblob(length(data)) WHERE id = 1",
        "UPDATE blob SET data = (SELECT data FROM blob WHERE id = 3) WHERE id = 1",
        "UPDATE blob SET base = 3 WHERE id = 2",
        "UPDATE blob SET base = 2 WHERE id = 1",
    ],
)
def test_damage_is_said_never_shown(tmp_path: Path, damage: str) -> None:
    text = b"some text that is long enough to be worth a delta, twice over: " * 4
    with open_store(tmp_path) as store:
        with store.connection.immediate():
            first = stored.put(store.connection, text + digest(b"a"))
            second = stored.put(store.connection, text + digest(b"a") + b"!", first)
            stored.put(store.connection, b"another text")
        with store.connection.immediate():
            store.connection.execute(damage)
        with pytest.raises(DatabaseError, match="damaged") as raised:
            read_blob(store.connection.raw, second)
        assert raised.value.exit_code == 74
        assert any("blob 2" in problem for problem in store.check())
