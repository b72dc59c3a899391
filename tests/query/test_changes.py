"""The history of a package, a file, an integration; and what two runs are compared by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from records import ROOT, Build, Package, open_store, record

from orchwatchd.compare.comparison import compare
from orchwatchd.errors import NotFoundError
from orchwatchd.models.run import RunStatus
from orchwatchd.query import History
from orchwatchd.store import Store

STD = tuple(Package(f"std{n}") for n in range(20))
MAIN = Package("app/cmd")


def build(*packages: Package, compiled: bool = True, **rest: object) -> Build:
    made = Build(
        packages=(MAIN, *packages, *STD), compiled=packages if compiled else (), programs=("app/cmd",)
    )
    return replace(made, **rest)


def lib(version: int, spans: int) -> Package:
    return Package("app/lib", version=version, spans=spans)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        record(opened, Build(packages=(MAIN, *STD), compiled=(MAIN, *STD)))
        yield opened


@pytest.fixture
def history(store: Store) -> Iterator[History]:
    with History.open(store.connection.path) as opened:
        yield opened


def test_one_row_a_change_and_not_a_run(store: Store, history: History) -> None:
    for number, (version, spans) in enumerate([(1, 1), (1, 1), (2, 1), (3, 2), (3, 2), (4, 0), (5, 2)]):
        record(store, build(lib(version, spans)), number + 1)
    rows = history.changes("app/lib")
    assert [(row.run, row.change, len(row.added), len(row.removed), row.injections) for row in rows] == [
        (8, "changed", 2, 0, 2),
        (7, "changed", 0, 2, 0),
        (5, "changed", 1, 0, 2),
        (2, "first", 1, 0, 1),
    ]
    assert rows[2].added[0].declaration == "F1"
    assert history.changes("lib/lib.go", root=Path(ROOT)) == history.changes(f"{ROOT}/app/lib/lib.go") == rows
    assert history.changes("example.com/trace") == rows
    assert history.changes("trace", limit=2) == rows[:2]


def test_what_nobody_recorded_changes_nothing(store: Store, history: History) -> None:
    record(store, build(lib(1, 1)), 1)
    record(store, build(lib(2, 5), compiled=False), 2)
    record(store, build(lib(3, 1)), 3)
    assert [(row.run, row.change) for row in history.changes("app/lib")] == [(2, "first")]


def test_gone_is_said_only_within_the_same_programs(store: Store, history: History) -> None:
    record(store, build(lib(1, 1)), 1)
    record(store, Build(packages=STD, status=RunStatus.FAILED, failed=("app/cmd",)), 2)
    record(store, Build(packages=STD, kind="test"), 3)
    assert [(row.run, row.change) for row in history.changes("app/lib")] == [(2, "first")]
    record(store, build(), 4)
    record(store, build(), 5)
    record(store, build(lib(1, 1)), 6)
    assert [(row.run, row.change) for row in history.changes("app/lib")] == [
        (7, "again"),
        (5, "gone"),
        (2, "first"),
    ]


def test_an_unknown_name_is_told_what_is_near(store: Store, history: History) -> None:
    record(store, build(lib(1, 1)), 1)
    with pytest.raises(NotFoundError) as raised:
        history.changes("app/lbi")
    assert "app/lib" in (raised.value.hint or "")


def firsts(history: History, what: str = "app/lib") -> list[tuple[int, str, bool]]:
    return [(row.run, row.change, row.or_earlier) for row in history.changes(what)]


def test_what_is_first_seen_in_the_oldest_kept_run_may_be_older(store: Store, history: History) -> None:
    for number in range(3):
        record(store, build(lib(1, 1)), number)
    assert firsts(history) == [(2, "first", False)]
    assert history.changes("app/lib")[0].pruned_before is False
    store.forget_runs([1, 2], cached=lambda _: True)
    assert firsts(history) == firsts(history, "trace") == [(3, "first", True)]
    assert history.changes("app/lib")[0].pruned_before is True


def test_what_a_kept_run_was_without_is_not_older(store: Store, history: History) -> None:
    record(store, build(lib(1, 0)), 1)
    record(store, build(lib(2, 0)), 2)
    record(store, build(lib(2, 1)), 3)
    store.forget_runs([1, 2], cached=lambda _: True)
    assert firsts(history) == [(4, "first", False)]
    assert history.changes("app/lib")[0].pruned_before is True


def test_a_gap_before_the_first_may_have_had_it(store: Store, history: History) -> None:
    record(store, build(lib(1, 0)), 1)
    record(store, build(lib(2, 1)), 2)
    record(store, build(lib(2, 1)), 3)
    store.forget_runs([3], cached=lambda _: True)
    assert firsts(history) == [(4, "first", True)]


def test_a_run_of_the_same_programs_without_the_package_was_without_it(
    store: Store, history: History
) -> None:
    record(store, build(), 1)
    record(store, build(), 2)
    record(store, build(lib(1, 1)), 3)
    store.forget_runs([1, 2], cached=lambda _: True)
    assert firsts(history) == [(4, "first", False)]
    store.forget_runs([3], cached=lambda _: True)
    record(store, Build(packages=STD, kind="test"), 4)
    assert firsts(history) == [(4, "first", True)]


def test_a_name_that_is_a_package_and_an_integration_is_both(store: Store, history: History) -> None:
    """The integration's own package is linked into what it instruments, as dd-trace-go's are."""
    own = Package("example.com/trace")
    record(store, build(lib(1, 2), own), 1)
    rows = history.changes("example.com/trace")
    assert [(row.package, row.change, row.injections) for row in rows] == [("app/lib", "first", 2)]
    assert rows == history.changes("trace")
    record(store, build(lib(1, 2), Package("example.com/trace", version=2, spans=1)), 2)
    rows = history.changes("example.com/trace")
    assert [(row.run, row.package) for row in rows] == [(3, "example.com/trace"), (2, "app/lib")]
    assert history.changes("example.com/trace", limit=1) == rows[:1]


def test_a_plain_package_has_no_changes(history: History) -> None:
    assert history.changes("std1") == ()


def test_only_what_differs_is_compared_and_the_rest_is_counted(store: Store, history: History) -> None:
    other = Package("app/other", spans=3)
    a = record(store, build(lib(1, 1), other), 1)
    b = record(store, build(lib(2, 2), other), 2)
    left, right, common = history.sides(a, b)
    assert ([str(one.name) for one in left.packages], [str(one.name) for one in right.packages]) == (
        ["app/lib"],
        ["app/lib"],
    )
    assert (common.packages, common.injections) == (1, 3)
    told = compare(left, right, common)
    assert (
        len(told.injections.added),
        told.injections.unchanged,
        told.packages.unchanged,
        told.complete,
    ) == (1, 4, 1, True)


def test_equal_runs_differ_in_nothing(store: Store, history: History) -> None:
    a, b = record(store, build(lib(1, 1)), 1), record(store, build(lib(1, 1), compiled=False), 2)
    told = compare(*history.sides(a, b))
    assert not told.differs
    assert (told.complete, told.injections.unchanged, told.packages.unchanged) == (True, 1, 1)


def test_a_package_unknown_on_both_sides_is_not_called_complete(store: Store, history: History) -> None:
    runs = [record(store, build(lib(9, 3), compiled=False), number) for number in (1, 2)]
    told = compare(*history.sides(*runs))
    assert not told.complete
    assert [str(one) for one in told.packages.unknown] == ["app/lib"]
    assert not told.differs


def test_a_package_that_is_gone_from_a_program_is_removed(store: Store, history: History) -> None:
    a, b = record(store, build(lib(1, 2)), 1), record(store, build(), 2)
    told = compare(*history.sides(a, b))
    assert [str(one) for one in told.packages.removed] == ["app/lib"]
    assert len(told.injections.removed) == 2
    back = compare(*history.sides(b, a))
    assert [str(one) for one in back.packages.added] == ["app/lib"]


def test_a_whole_side_says_the_same_as_the_difference(store: Store, history: History) -> None:
    a, b = record(store, build(lib(1, 2)), 1), record(store, build(lib(2, 1)), 2)
    whole = compare(history.side(a), history.side(b))
    assert whole == compare(*history.sides(a, b))
