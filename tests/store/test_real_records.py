"""Real builds of greeter, indexed and stored: what a cold and a warm run say of one program."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RawBuild
from records import NOON, Build, open_store, start

from orchwatchd.compare.comparison import compare
from orchwatchd.jobs.index import index_reading
from orchwatchd.models.run import RunEnd, RunStatus
from orchwatchd.query import History
from orchwatchd.store import Store
from orchwatchd.tree import read_tree

pytestmark = pytest.mark.builds


def index(store: Store, build: RawBuild) -> int:
    run = store.begin(start(Build()))
    record = index_reading(read_tree(build.work, build.graph), original_versions=store.original_versions)
    store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0, work_tree=str(build.work)), record)
    return run


def used(store: Store) -> int:
    """Bytes that rows take, free room in pages left out."""
    return int(store.connection.must("SELECT sum(pgsize - unused) FROM dbstat")[0])


def test_a_warm_run_is_whole_and_costs_next_to_nothing(
    greeter_cold: RawBuild, greeter_warm: RawBuild, tmp_path: Path
) -> None:
    with open_store(tmp_path) as store, History.open(store.connection.path) as before_any:
        assert before_any.runs() == ()
        cold = index(store, greeter_cold)
        size = used(store)
        warm = index(store, greeter_warm)
        assert used(store) - size < 1024
        assert store.check() == ()
        with History.open(store.connection.path) as history:
            found = {file.path for file in history.files(cold)}
            assert found == {
                str(path.relative_to(greeter_cold.work))
                for path in greeter_cold.work.rglob("orchestrion/src/**/*.go")
            }
            assert history.files(warm) == history.files(cold)
            row, again = history.run(cold), history.run(warm)
            assert (row.unknown_packages, again.unknown_packages, again.compiled) == (0, 0, 0)
            assert (row.packages, row.injections) == (again.packages, again.injections)
            assert (row.compiled or 0) > 50
            told = compare(*history.sides(cold, warm))
            assert told.complete
            assert not told.differs
            assert told.injections.unchanged == row.injections
            for file in history.files(warm):
                source = history.source(warm, file.path)
                assert source.woven == (greeter_cold.work / file.path).read_bytes()
                assert source.original is None or source.original == Path(file.original or "").read_bytes()
