"""A build that was due and never came to its start: it stays due, and is tried again without anybody's doing."""

from __future__ import annotations

from pathlib import Path

import pytest
from watch_bench import Bench, wait_for, watching

from orchwatchd.models.watching import Cause
from orchwatchd.watch import WatchSettings
from orchwatchd.watch.policy import LONGEST_PAUSE, Act, Policy, State

pytest_plugins = ["watch_fixtures"]

SOON = WatchSettings(retry=0.05)
LATE = WatchSettings(retry=3600.0)


def never_start(bench: Bench) -> None:
    """What the daemon does for a build that fails after it looked at the inputs."""
    bench.watcher.note_build_started()
    bench.watcher.note_build_finished(built=False)


def test_it_is_tried_again_with_the_files_that_it_was_due_for(root: Path) -> None:
    with watching(root, settings=SOON) as bench:
        bench.build_first()
        (root / "main.go").write_text("package main // 1\n")
        bench.wait_change(1)
        never_start(bench)
        again = bench.wait_change(2)
        assert (bench.names(again), again.cause) == ({"main.go"}, Cause.NOT_BUILT)
        never_start(bench)
        bench.wait_change(3)
        bench.build()
        bench.assert_quiet_after(3)
        assert bench.watcher.pending() == ()


def test_the_first_build_is_tried_again_too(root: Path) -> None:
    with watching(root, settings=SOON) as bench:
        bench.wait_change(1)
        never_start(bench)
        assert bench.wait_change(2).cause is Cause.NOT_BUILT


def test_one_that_fails_before_the_inputs_are_looked_at_is_tried_again(root: Path) -> None:
    with watching(root, settings=SOON) as bench:
        bench.build_first()
        (root / "main.go").write_text("package main // 1\n")
        bench.wait_change(1)
        bench.watcher.note_build_finished(built=False)
        assert bench.names(bench.wait_change(2)) == {"main.go"}


def test_a_save_does_not_wait_for_the_retry_and_names_what_was_due_before_it(root: Path) -> None:
    with watching(root, settings=LATE) as bench:
        bench.build_first()
        (root / "main.go").write_text("package main // 1\n")
        bench.wait_change(1)
        never_start(bench)
        wait_for(lambda: not bench.watcher.settling, "it comes to rest")
        assert bench.names_pending() == {"main.go"}
        (root / "other.go").write_text("package main\n")
        assert bench.names(bench.wait_change(2)) == {"main.go", "other.go"}


def test_what_is_put_back_is_built_all_the_same(root: Path) -> None:
    """Only a build tells that what kept the last one from its start is mended."""
    with watching(root, settings=LATE) as bench:
        bench.build_first()
        (root / "main.go").write_text("broken")
        bench.wait_change(1)
        never_start(bench)
        (root / "main.go").write_text("package main\n")
        bench.wait_change(2)
        bench.build()
        bench.assert_quiet_after(2)


def test_a_build_that_somebody_asked_for_in_vain_makes_nothing_due(root: Path) -> None:
    with watching(root, settings=SOON) as bench:
        bench.build_first()
        never_start(bench)
        bench.assert_quiet()
        assert bench.watcher.pending() == ()


def failing(policy: Policy, now: float) -> float:
    """One start that fails at `now`; when the next one is due."""
    policy.started()
    assert policy.finished(now, owed=True) is Act.NOTHING
    assert policy.until is not None
    return policy.until


def test_pauses_between_retries_grow_to_the_longest() -> None:
    policy = Policy(retry=10.0)
    policy.changed(["a.go"])
    now, pauses = 0.0, []
    for _ in range(12):
        due = failing(policy, now)
        pauses.append(due - now)
        assert policy.tick(due - 0.001) is Act.NOTHING
        assert policy.tick(due) is Act.START
        now = due
    assert pauses[:3] == [10.0, 20.0, 40.0]
    assert pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_build_that_started_makes_the_next_pause_short_again(cancelled: bool) -> None:
    policy = Policy(retry=10.0)
    policy.changed(["a.go"])
    for now in (0.0, 100.0, 200.0):
        failing(policy, now)
        policy.tick(now + 90)
    policy.started()
    policy.finished(300.0, cancelled=cancelled)
    assert policy.state is State.IDLE
    policy.changed(["a.go"])
    assert failing(policy, 400.0) == 410.0


def test_a_request_that_fails_before_it_looks_does_not_end_the_waiting() -> None:
    policy = Policy(retry=10.0)
    policy.changed(["a.go"])
    failing(policy, 0.0)
    assert policy.finished(5.0, owed=True) is Act.NOTHING
    assert policy.tick(25.0) is Act.START


def test_a_change_while_a_start_fails_is_tried_at_once() -> None:
    policy = Policy()
    policy.changed(["a.go"])
    policy.started()
    policy.changed(["b.go"])
    assert policy.finished(1.0, owed=True) is Act.START
