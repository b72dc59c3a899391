"""The reserve that makes a prune possible on a full disk (the full disk itself is in `test_upkeep_faults`)."""

from __future__ import annotations

import shutil
from typing import NamedTuple

from jobs.ledger import make_paths

from orchwatchd.jobs import reserve


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_the_reserve_takes_its_room(tmp_path):
    paths = make_paths(tmp_path)
    assert reserve.keep_reserve(paths)
    assert (paths.state / "reserve").stat().st_blocks * 512 >= reserve.SIZE
    assert not reserve.release_if_full(paths)
    assert reserve.keep_reserve(paths)


def test_it_is_given_up_on_a_full_disk_and_not_made_on_one_that_is_nearly_full(tmp_path, monkeypatch):
    paths = make_paths(tmp_path)
    assert reserve.keep_reserve(paths)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(10**11, 10**11 - 5000, 5000))
    assert reserve.release_if_full(paths)
    assert not (paths.state / "reserve").exists()
    assert not reserve.release_if_full(paths)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(10**11, 10**11, 3 * reserve.SIZE))
    assert not reserve.keep_reserve(paths)
