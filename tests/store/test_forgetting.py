"""Removal of runs: what a kept run needs stays, what is in the cache stays, the rest goes and nothing dangles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import Build, Package, count, open_store, record

from orchwatchd.models.run import Documents, WorkState
from orchwatchd.query import History
from orchwatchd.store import Store

MAIN = Package("app/cmd", spans=1)
STD = tuple(Package(f"std{n}") for n in range(40))
SHARED = ("meta", "_sqlite_migrations", "sqlite_sequence", "job_run")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def lib(version: int) -> Package:
    return Package("app/lib", version=version, spans=2, imports=("example.com/trace",))


def build(version: int, *, compiled: bool = True) -> Build:
    one = lib(version)
    documents = Documents(manifest=f"{version:064}  lib.go\n" + "f" * 64 + "  main.go\n")
    return Build(
        packages=(MAIN, one, *STD),
        compiled=(one,) if compiled else (),
        programs=("app/cmd",),
        documents=documents,
    )


def rows(store: Store) -> dict[str, int]:
    tables = [row[0] for row in store.connection.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: count(store, table) for table in tables if table not in SHARED}


def never(_action: str) -> bool:
    return False


def test_what_a_kept_run_is_made_of_stays_though_another_run_recorded_it(store: Store) -> None:
    first = record(
        store, Build(packages=(MAIN, lib(1), *STD), compiled=(MAIN, lib(1), *STD), programs=("app/cmd",))
    )
    second = record(store, build(2), 1)
    with History.open(store.connection.path) as history:
        before = history.files(second)
        gone = store.forget_runs([first], cached=never)
        assert gone.runs == 1
        assert history.files(second) == before
        assert {row.recorded_in for row in before} == {first, second}
        assert history.source(second, "cmd.go").woven == MAIN.sources()[1]
        assert history.run(second).unknown_packages == 0
    assert store.check() == ()


def test_an_output_that_no_kept_run_has_goes(store: Store) -> None:
    """But for those in the whole set that kept sets are differences to: these go with that set."""
    for version in (1, 2, 3):
        record(store, build(version), version)
    outputs = count(store, "output")
    gone = store.forget_runs([2], cached=never)
    assert (gone.outputs, outputs - count(store, "output")) == (1, 1)
    left = {row[0] for row in store.connection.all("SELECT action FROM output")}
    assert [lib(version).build.action in left for version in (1, 2, 3)] == [True, False, True]
    assert store.check() == ()


def test_an_output_stays_while_its_archive_is_cached(store: Store) -> None:
    """Else the next build, which does not compile it again, would have an unknown package."""
    record(store, build(1))
    record(store, build(2), 1)
    kept = lib(1).build.action
    store.forget_runs([1], cached=lambda action: action == kept)
    back = record(store, build(1, compiled=False), 2)
    with History.open(store.connection.path) as history:
        states = {row.package: row.state for row in history.packages(back)}
        assert states["app/lib"] == "woven"
        assert history.source(back, "lib.go").woven == lib(1).sources()[1]
    assert store.check() == ()


def test_the_last_run_takes_everything_with_it(store: Store) -> None:
    for version in range(1, 5):
        record(store, build(version), version)
    store.forget_runs([1, 2, 3, 4], cached=never)
    assert {table: number for table, number in rows(store).items() if number} == {}
    assert store.check() == ()
    assert record(store, build(1)) == 5, "ids are never given twice"


def test_pinned_and_running_runs_are_refused(store: Store) -> None:
    run = record(store, build(1))
    store.pin(run)
    with pytest.raises(ValueError, match="pinned or running"):
        store.forget_runs([run], cached=never)
    assert len(store.run_uses()) == 1


def test_removal_gives_the_room_back(store: Store) -> None:
    for version in range(1, 30):
        record(store, Build(packages=(lib(version),), compiled=(lib(version),)), version)
    before = store.database_bytes()
    store.forget_runs(range(1, 29), cached=never)
    assert store.database_bytes() < before
    assert store.check() == ()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    versions=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=8),
    gone=st.sets(st.integers(1, 8), max_size=6),
    cached=st.booleans(),
)
def test_whatever_goes_the_rest_answers_as_before(
    tmp_path_factory: pytest.TempPathFactory, versions: list[tuple[int, bool]], gone: set[int], cached: bool
) -> None:
    with open_store(tmp_path_factory.mktemp("history")) as store:
        runs = [record(store, build(version, compiled=done), n) for n, (version, done) in enumerate(versions)]
        kept = [run for run in runs if run not in gone]
        with History.open(store.connection.path) as history:
            before = [
                (
                    history.run(run),
                    history.files(run),
                    history.imports(run),
                    history.document(run, "manifest"),
                )
                for run in kept
            ]
            store.forget_runs([run for run in runs if run in gone], cached=lambda _: cached)
            after = [
                (
                    history.run(run),
                    history.files(run),
                    history.imports(run),
                    history.document(run, "manifest"),
                )
                for run in kept
            ]
            assert after == before
        assert store.check() == ()


def test_what_each_run_takes_is_told_to_upkeep(store: Store) -> None:
    record(store, build(1))
    store.pin(1, "base")
    store.set_work_state(1, WorkState.THIN, 4096)
    (use,) = store.run_uses()
    assert (use.pins, use.work, use.tree_bytes, use.indexed) == (("base",), WorkState.THIN, 4096, True)
    assert use.row_bytes > 0
