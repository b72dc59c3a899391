"""Runs as they are stored and read back: members carried forward, records that replace each other, counters."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from records import NOON, Build, Package, count, open_store, record, start

from orchwatchd.models.record import RunRecord
from orchwatchd.models.run import RunEnd, RunProcess, RunStatus
from orchwatchd.query import History
from orchwatchd.store import Store

APP = Package("app/cmd", spans=1)
LIB = Package("app/lib", spans=2)
STD = tuple(Package(f"std{n}") for n in range(60))
ALL = (APP, LIB, *STD)
COLD = Build(packages=ALL, compiled=(APP, LIB, *STD[:50]), nested=STD[50:], programs=("app/cmd",))
WARM = Build(packages=ALL, programs=("app/cmd",))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def history(store: Store) -> History:
    with History.open(store.connection.path) as opened:
        yield opened


def counters(history: History, run: int) -> tuple[int | None, ...]:
    row = history.run(run)
    return (
        row.packages,
        row.compiled,
        row.unknown_packages,
        row.instrumented_packages,
        row.modified_files,
        row.injections,
    )


def test_files_and_folder_are_private(store: Store) -> None:
    path = store.connection.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_a_warm_run_is_as_instrumented_as_the_cold_one(store: Store, history: History) -> None:
    cold, warm = record(store, COLD), record(store, WARM, 1)
    assert counters(history, cold) == (62, 62, 0, 2, 2, 3)
    assert counters(history, warm) == (62, 0, 0, 2, 2, 3)
    assert history.files(warm) == history.files(cold)
    assert {row.recorded_in for row in history.files(warm)} == {cold}
    assert history.imports(warm) == history.imports(cold)


def test_equal_runs_share_their_sets(store: Store) -> None:
    record(store, COLD)
    before = {
        table: count(store, table)
        for table in ("member_set", "member", "output", "blob", "injection", "link", "name_set_package")
    }
    record(store, WARM, 1)
    assert {table: count(store, table) for table in before} == before


def test_an_edited_package_costs_a_difference(store: Store, history: History) -> None:
    record(store, COLD)
    edited = Package("app/lib", version=2, spans=2)
    sets, rows = count(store, "member_set"), count(store, "member")
    run = record(store, Build(packages=(APP, edited, *STD), compiled=(edited,), programs=("app/cmd",)), 1)
    assert (count(store, "member_set") - sets, count(store, "member") - rows) == (1, 2)
    assert counters(history, run) == (62, 1, 0, 2, 2, 3)
    assert sorted(row.recorded_in for row in history.files(run)) == [1, run]
    assert store.check() == ()


def test_the_same_packages_in_another_tree_change_nothing(store: Store, history: History) -> None:
    """Which tree a package is compiled in is a race (fact 2)."""
    first = record(store, COLD)
    second = record(store, Build(packages=ALL, nested=ALL, programs=("app/cmd",)), 1)
    assert history.files(second) == history.files(first)


def test_what_nobody_recorded_is_unknown_until_someone_does(store: Store, history: History) -> None:
    """A developer's own build in a shared cache; then a baseline."""
    edited = Package("app/lib", version=2, spans=4)
    seen = record(store, Build(packages=(APP, *STD), compiled=(APP, *STD)))
    unknown = record(store, Build(packages=(APP, edited, *STD)), 1)
    again = record(store, Build(packages=(edited, *STD)), 2)
    assert counters(history, unknown) == (62, 0, 1, 1, 1, 1)
    assert [row.state for row in history.packages(unknown) if row.package == "app/lib"] == ["unknown"]
    record(store, Build(packages=(edited,), compiled=(edited,), kind="baseline"), 3)
    assert counters(history, seen)[2:] == (0, 1, 1, 1)
    assert counters(history, unknown)[2:] == (0, 2, 2, 5)
    assert counters(history, again)[2:] == (0, 1, 1, 4)
    assert store.check() == ()


def test_an_attempt_is_shown_and_is_no_output(store: Store, history: History) -> None:
    """A compile that failed on injected code leaves its woven file (fact 29)."""
    failed = record(
        store,
        Build(packages=STD, compiled=STD, attempts=(LIB,), failed=("app/lib",), status=RunStatus.FAILED),
    )
    assert counters(history, failed) == (61, 60, 0, 0, 0, 0)
    (file,) = history.files(failed)
    assert (file.member, file.attempt, file.package) == (False, True, "app/lib")
    assert history.source(failed, "lib.go").woven == LIB.sources()[1]
    assert history.show(failed).failed == ("app/lib",)


def test_a_finished_copy_of_a_woven_attempt_is_woven(store: Store, history: History) -> None:
    """A stage that a kill left unfinished and its finished copy in another tree are one output (proof, rule 1)."""
    record(store, Build(attempts=(LIB,), status=RunStatus.INTERRUPTED))
    plain_copy = LIB.output()
    plain_copy = type(plain_copy)(plain_copy.action, plain_copy.content, LIB.name, False, True, (), ())
    run = store.begin(start(WARM, 1))
    record_ = RunRecord(outputs=(plain_copy,), members=((LIB.name, LIB.build),))
    store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), record_)
    assert counters(history, run)[2:] == (0, 1, 1, 2)
    assert [row.recorded_in for row in history.files(run)] == [1]
    assert store.check() == ()


@pytest.mark.parametrize("poorer_first", [True, False])
def test_a_woven_record_wins_over_an_unwoven_copy(store: Store, history: History, poorer_first: bool) -> None:
    copy = LIB.output()
    copy = type(copy)(copy.action, copy.content, None, False, True, (), ())
    records = [
        RunRecord(outputs=(copy,), members=((LIB.name, LIB.build),)),
        Build(packages=(LIB,), compiled=(LIB,)).record(),
    ]
    for number, one in enumerate(records if poorer_first else reversed(records)):
        run = store.begin(start(WARM, number))
        store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), one)
    assert [counters(history, run)[2:] for run in (1, 2)] == [(0, 1, 1, 2)] * 2
    assert store.check() == ()


def test_a_library_shows_what_its_child_builds_wove_in_every_run(store: Store, history: History) -> None:
    """No program links what the child builds of a library compiled; it is shown as compiled for it."""
    lib = Package("lib", spans=1, imports=("example.com/tracer",))
    tracer = Package("example.com/tracer", spans=3)
    members = (lib, *STD)
    cold = record(store, Build(packages=members, compiled=(lib, *STD), nested=(tracer,)))
    warm = record(store, Build(packages=members), 1)
    edited = Package("lib", version=2, spans=1, imports=("example.com/tracer",))
    after = record(store, Build(packages=(edited, *STD), compiled=(edited,)), 2)
    assert [(row.package, row.member) for row in history.files(cold)] == [
        ("example.com/tracer", False),
        ("lib", True),
    ]
    assert history.files(warm) == history.files(cold)
    assert [(row.package, row.member, row.recorded_in) for row in history.files(after)] == [
        ("example.com/tracer", False, cold),
        ("lib", True, after),
    ]
    assert counters(history, cold)[2:] == counters(history, after)[2:] == (0, 1, 1, 1)


def test_a_skipped_link_takes_the_set_that_was_stored(store: Store, history: History) -> None:
    """`-o DIR/` with a program up to date leaves an empty tree (fact 26)."""
    record(store, COLD)
    program = COLD.program("app/cmd")
    skipped = type(program)(program.package, program.action, (), (), False, False)
    run = store.begin(start(WARM, 1))
    store.finish(
        run,
        RunEnd(RunStatus.OK, None, NOON, 0),
        RunRecord(members=((APP.name, APP.build),), programs=(skipped,)),
    )
    assert counters(history, run)[0] == 62
    (row,) = history.programs(run)
    assert (row.linked, row.complete, row.packages) == (False, True, 62)


def test_a_name_that_is_learnt_later_is_filled_in(store: Store, history: History) -> None:
    nameless = LIB.output(nested=True)
    nameless = type(nameless)(nameless.action, nameless.content, None, True, True, nameless.files, ())
    run = store.begin(start(WARM))
    store.finish(run, RunEnd(RunStatus.INTERRUPTED, "killed", NOON, None), RunRecord(outputs=(nameless,)))
    assert [row.package for row in history.files(run)] == [None]
    later = record(store, Build(packages=(LIB,)), 1)
    assert [row.package for row in history.files(run)] == ["app/lib"]
    assert counters(history, later)[2:] == (0, 1, 1, 2)


def test_a_run_that_died_is_found_with_its_process(store: Store) -> None:
    run = store.begin(start(COLD))
    store.started(run, RunProcess(4711, 99, "boot"))
    store.close()
    with Store.open(store.connection.path) as again:
        (left,) = again.unfinished()
        assert (left.id, left.process) == (run, RunProcess(4711, 99, "boot"))
        again.finish(run, RunEnd(RunStatus.INTERRUPTED, "the daemon died", NOON, None), COLD.record())
        assert again.unfinished() == ()


def test_a_run_is_finished_once(store: Store) -> None:
    run = record(store, COLD)
    with pytest.raises(ValueError, match="not running"):
        store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), COLD.record())


def test_a_clock_set_back_gives_no_negative_duration(store: Store, history: History) -> None:
    run = store.begin(start(COLD, 5))
    store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), RunRecord())
    assert history.run(run).duration == 0.0


def test_an_original_is_kept_in_all_its_versions(store: Store) -> None:
    for number, version in enumerate((1, 2, 3, 2)):
        one = Package("app/lib", version=version, spans=1, lines=40 + number)
        record(store, Build(packages=(one,), compiled=(one,)), number)
    found = list(store.original_versions(LIB.original))
    assert [text.split(b"\n")[0] for text in found] == [
        b"package p // version 2",
        b"package p // version 3",
        b"package p // version 2",
        b"package p // version 1",
    ]
