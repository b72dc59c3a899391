"""Prune with the real history: what stays readable, what a log costs, and a kill between its steps."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from jobs.ledger import make_paths, make_tree
from jobs.test_prune import KEEP, NOW

from orchwatchd.config.model import Keep, KeepHistory, KeepThin, KeepTrees
from orchwatchd.jobs.prune import apply_prune, survey
from orchwatchd.jobs.retention import plan_finish, plan_prune
from orchwatchd.models.log import LogFilter
from orchwatchd.models.package import PackageName
from orchwatchd.models.record import OutputRecord, RunRecord
from orchwatchd.models.run import RunEnd, RunStart, RunStatus, WorkState
from orchwatchd.orchlog.index import index_lines
from orchwatchd.orchlog.search import select
from orchwatchd.query import History
from orchwatchd.store import Store
from orchwatchd.store.logs import write_log

ROOT = Path(__file__).resolve().parents[2]


def record_run(store, paths, *, log=None, archives=1, output=None):
    """A finished run with a whole tree, one output, and log lines."""
    run = store.next_run()
    make_tree(paths, run, archives=archives)
    started = NOW - timedelta(hours=100 - run)
    start = RunStart(
        "build", ("test",), started, ("go",), str(paths.work / f"run-{run}"), "1", "1", str(paths.cache)
    )
    assert store.begin(start) == run
    action = output or f"action{run:014}"
    record = RunRecord(
        outputs=(OutputRecord(action, "c" * 20, PackageName("example.com/p"), False, True, (), ()),),
    )
    end = RunEnd(RunStatus.OK, None, started, 0, work_tree=str(paths.work / f"run-{run}" / "go-build123"))
    store.finish(run, end, record, log)
    return run


def six_runs(base):
    """Six runs, the first pinned; KEEP thins 5, drops the trees of 2, 3 and 4, and forgets 2."""
    paths = make_paths(base)
    log = index_lines([b'{"level":"warn","message":"m"}'], max_lines=10, level="TRACE")
    with Store.open(paths.database) as store:
        for _ in range(6):
            record_run(store, paths, log=log)
        store.pin(1, "first")
    return paths


def uses(store):
    return {item.run: item for item in store.run_uses()}


def test_a_prune_leaves_a_sound_history(tmp_path):
    """Given KEEP, then runs, trees and the database agree, and outputs of the cache outlive their run."""
    paths = six_runs(tmp_path)
    with Store.open(paths.database) as store:
        cached = "action" + "2".zfill(14)
        report = apply_prune(plan_prune(survey(store, paths), KEEP, keep_logs=2, now=NOW), store, paths)
        assert [(action.step.value, action.run) for action in report.done] == [
            ("tree", 2),
            ("tree", 3),
            ("tree", 4),
            ("thin", 5),
            ("log", 3),
            ("log", 4),
            ("rows", 2),
        ]
        found = uses(store)
        assert {run: item.work for run, item in found.items()} == {
            1: WorkState.KEPT,
            3: WorkState.PRUNED,
            4: WorkState.PRUNED,
            5: WorkState.THIN,
            6: WorkState.KEPT,
        }
        left = store.connection.all("SELECT action FROM output")
        assert (cached,) not in left, "nothing points at it and no cache has it"
        assert store.check() == ()
        assert plan_prune(survey(store, paths), KEEP, keep_logs=2, now=NOW).actions == ()
        assert [run for run, item in found.items() if item.log_bytes] == [1, 5, 6]


def test_the_history_is_forgotten_by_shares_until_it_fits(tmp_path):
    """Given a database a tenth over its limit, then a tenth of the runs go, not all of them."""
    paths = make_paths(tmp_path)
    text = [b'{"level":"debug","n":%d,"pad":"%s"}' % (n, os.urandom(60).hex().encode()) for n in range(50)]
    with Store.open(paths.database) as store:
        for _ in range(40):
            record_run(store, paths, log=index_lines(text, max_lines=100, level="TRACE"))
        size = store.database_bytes()
        keep = Keep(
            KeepTrees(min_free=0),
            KeepThin(keep_last=0, keep_failed=0, keep_daily=0, keep_within=0.0),
            KeepHistory(max_used=int(size * 0.9)),
        )
        plan = plan_prune(survey(store, paths), keep, keep_logs=100, now=NOW)
        forgotten = [action.run for action in plan.actions if action.step.value == "rows"]
        assert forgotten == list(range(1, len(forgotten) + 1))
        assert 3 <= len(forgotten) <= 8
        apply_prune(plan, store, paths)
        assert store.database_bytes() < size


def test_a_trace_log_costs_less_than_a_second_and_a_megabyte(tmp_path):
    """Given 6,000 lines and 3 MB of TRACE, when they are kept, then they cost that, and are found again."""
    from orchlog.test_log_index import trace_like

    paths = make_paths(tmp_path)
    raw = trace_like(6000)
    assert sum(map(len, raw)) > 3_000_000
    with Store.open(paths.database) as store:
        run = record_run(store, paths)
        store.checkpoint()
        before = store.database_bytes()
        start = time.process_time()
        log = index_lines(raw, max_lines=20_000, level="TRACE")
        with store.connection.immediate():
            write_log(store.connection, run, log)
        assert time.process_time() - start < 1
        assert store.database_bytes() - before < 1_000_000
    with History.open(paths.database) as history:
        found = list(
            select(history.log_chunks(run), LogFilter(package="example.com/service/internal/package7"))
        )
        assert len(found) == 12
        assert [item.raw.encode() for item in found] == [raw[item.number] for item in found]


KILLED = """
import os, sys
from pathlib import Path
from jobs.ledger import make_paths
from jobs.test_prune import KEEP, NOW
from jobs.test_prune_history import six_runs
from orchwatchd.jobs.prune import apply_prune, survey
from orchwatchd.jobs.retention import plan_prune
from orchwatchd.store import Store

base = Path(sys.argv[1])
for count in range(200):
    paths = six_runs(base / str(count))
    child = os.fork()
    if child == 0:
        left = count

        def hook(event, args):
            global left
            # Every rename and rmdir, and of the unlinks those of archives: the others are alike.
            if event in ("os.rename", "os.rmdir") or (event == "os.remove" and args[0] == "_pkg_.a"):
                left -= 1
                if left < 0:
                    os._exit(9)

        try:
            with Store.open(paths.database) as store:
                plan = plan_prune(survey(store, paths), KEEP, keep_logs=2, now=NOW)
                sys.addaudithook(hook)
                apply_prune(plan, store, paths)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(count, status, flush=True)
    if status != 9:
        break
"""


def test_a_kill_leaves_a_true_history_that_the_next_start_finishes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert codes == [9] * (len(codes) - 1) + [0]
    assert len(codes) > 30
    for count in range(len(codes)):
        paths = make_paths(tmp_path / str(count))
        with Store.open(paths.database) as store:
            for run, item in uses(store).items():
                if item.work is WorkState.KEPT:
                    assert len(list((paths.work / f"run-{run}").rglob("_pkg_.a"))) == 2
            assert uses(store)[1].work is uses(store)[6].work is WorkState.KEPT
            apply_prune(plan_finish(survey(store, paths)), store, paths)
            assert plan_finish(survey(store, paths)).actions == ()
            apply_prune(plan_prune(survey(store, paths), KEEP, keep_logs=2, now=NOW), store, paths)
            assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
            assert set(uses(store)) == {1, 3, 4, 5, 6}
        with sqlite3.connect(paths.database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
