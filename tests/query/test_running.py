"""A run that is marked `running`: it runs as long as somebody holds the project's lock, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Here, Program
from records import Build, Package, open_store, record, start

from orchwatchd import lock
from orchwatchd.models.run import RunEnd, RunStatus
from orchwatchd.query import History
from orchwatchd.store import Store

STD = tuple(Package(f"std{n}") for n in range(6))
BUILD = Build(packages=STD, compiled=STD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One run that ended, and one that began and was never finished."""
    with open_store(tmp_path) as opened:
        record(opened, BUILD, 1)
        opened.begin(start(BUILD, 2))
        yield opened


@pytest.fixture
def history(store: Store) -> Iterator[History]:
    with History.open(store.connection.path) as opened:
        yield opened


def test_an_unfinished_run_of_a_dead_writer_is_interrupted(history: History) -> None:
    run = history.run(2)
    assert run.status == "interrupted"
    assert run.reason == "it ended without saying how; its tree is indexed by the next build"
    assert (run.ended_at, run.duration) == (None, None)
    assert [row.status for row in history.runs()] == ["interrupted", "ok"]
    assert history.show(2).run == run
    assert history.runs(statuses=("running",)) == ()
    assert history.runs(statuses=("interrupted", "failed")) == (run,)
    assert [row.id for row in history.runs(statuses=("ok",))] == [1]


@pytest.mark.parametrize("purpose", ["watch", "build"])
def test_it_runs_while_somebody_holds_the_lock(store: Store, history: History, purpose: str) -> None:
    with lock.acquire(store.connection.path.parent, purpose):
        assert (history.run(2).status, history.run(2).reason) == ("running", None)
        assert [row.id for row in history.runs(statuses=("running",))] == [2]
        assert history.runs(statuses=("interrupted",)) == ()
    assert history.run(2).status == "interrupted"


def test_a_run_that_ends_while_it_is_read_is_not_called_interrupted(store: Store, history: History) -> None:
    """The moment that is read has it running; the lock was given back after the run's end was written."""
    with history.snapshot():
        assert history.runs(limit=1)[0].status == "interrupted"
        begun = start(BUILD, 2)
        store.finish(2, RunEnd(RunStatus.OK, None, begun.started_at, 0), BUILD.record())
        assert history.runs(limit=1)[0].status == "running"
    assert history.runs(limit=1)[0].status == "ok"


def test_where_the_lock_cannot_be_looked_at_nothing_is_said_to_be_over(tmp_path: Path) -> None:
    assert not lock.is_free(tmp_path / "nowhere")
    assert lock.is_free(tmp_path)


def test_looking_at_the_lock_never_keeps_a_writer_out(tmp_path: Path) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            lock.is_free(tmp_path)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(300):
            lock.acquire(tmp_path, "build").release()
    finally:
        done.set()
        for reader in readers:
            reader.join()


def test_every_reading_command_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text("module app\n")
    program: Program = Here(project, tmp_path / "state", {}, monkeypatch, capsys)
    said = program.json("status")
    assert (said["state"], said["last_run"]["status"]) == ("stopped", "interrupted")
    assert "interrupted" in program("runs").out
    assert "its tree is indexed by the next build" in program("show", "2").out
    assert program.json("show", "2")["status"] == "interrupted"
