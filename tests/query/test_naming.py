"""What a user may call a run, and what is said when there is none of that name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from records import Build, open_store, record, start

from orchwatchd.errors import NotFoundError, UsageError
from orchwatchd.models.run import GitState, RunStatus
from orchwatchd.query import History
from orchwatchd.store import Store

CLEAN, DIRTY = (GitState("1234567890abcdef" * 2 + "00000000", "main", dirty) for dirty in (False, True))
OTHER = GitState("abcdef1234567890" * 2 + "00000000", "main", True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def history(store: Store) -> Iterator[History]:
    """Runs 1 ok clean, 2 ok dirty, 3 failed, 4 a test run, 5 of another commit, 6 running; 2 is pinned as `before`."""
    record(store, Build(git=CLEAN), 1)
    record(store, Build(git=DIRTY), 2)
    record(store, Build(status=RunStatus.FAILED, git=CLEAN), 3)
    record(store, Build(kind="test", git=CLEAN), 4)
    record(store, Build(status=RunStatus.CANCELLED, git=OTHER), 5)
    store.begin(start(Build(git=CLEAN), 6))
    store.pin(2, "before")
    with History.open(store.connection.path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("@", 5), ("@-1", 3), ("@-2", 2), ("@ok", 2), ("@ok-1", 1), ("4", 4), ("#4", 4), ("6", 6),
        ("before", 2), ("1234567", 4), (str(CLEAN.commit), 4),
    ],
)  # fmt: skip
def test_names(history: History, name: str, run: int) -> None:
    assert history.resolve(name) == run


def test_at_counts_runs_of_a_kind(history: History) -> None:
    assert history.resolve("@", kind="test") == 4
    assert history.resolve("@-1", kind=None) == 4


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("@-9", "only 4 finished runs of kind build", "runs"),
        ("41", "no run 41", "near it: 6; recorded are runs 1 to 6"),
        ("befor", "no run befor", "did you mean before?"),
        ("abcdef1", "no ok run with a clean tree", "5 (cancelled, dirty)"),
        ("fffffff", "no run fffffff", "a run is @"),
        ("99999999999999999999999", "no run 9", "recorded are runs 1 to 6"),
        ("", "no run ", "a run is @"),
        ("'; DROP TABLE run", "no run", "a run is @"),
    ],
)
def test_what_is_no_run_is_told_what_comes_near(history: History, name: str, message: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        history.resolve(name)
    assert message in raised.value.message
    assert hint in (raised.value.hint or "")


def test_two_commits_with_one_beginning_are_listed(store: Store, history: History) -> None:
    record(store, Build(git=GitState("1234567f" * 5, "main", dirty=False)), 7)
    with pytest.raises(NotFoundError, match="beginning of 2") as raised:
        history.resolve("1234567")
    assert "1234567890ab" in (raised.value.hint or "")


def test_an_empty_history_says_how_to_begin(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.db") as empty:
        for name in ("@", "@ok", "3", "abcdef1", "name"):
            with pytest.raises(NotFoundError) as raised:
                empty.resolve(name)
            assert "orchwatchd build" in (raised.value.hint or "")


@pytest.mark.parametrize("name", ["41", "@ok", "a..b", "a b", "-x", ".hidden", "a/b"])
def test_a_pin_cannot_be_called_what_means_something_else(store: Store, name: str) -> None:
    run = record(store, Build())
    with pytest.raises(UsageError, match="cannot name a pin"):
        store.pin(run, name)


def test_pins_are_shown_and_taken_off(store: Store, history: History) -> None:
    store.pin(1)
    store.pin(2, "v2.12.0")
    assert [row.pins for row in history.runs() if row.pins] == [("before", "v2.12.0"), ("",)]
    with pytest.raises(UsageError, match="run 2 is pinned as 'before'"):
        store.pin(1, "before")
    assert store.unpin(2, "before") == 1
    store.pin(1, "before")
    assert history.resolve("before") == 1
    assert store.unpin(1) == 2
    with pytest.raises(NotFoundError):
        store.pin(99)
