"""Prune on real folders: what is measured, what is done, and what a kill leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobs.ledger import Ledger, make_paths, make_tree

from orchwatchd.config.model import Keep, KeepHistory, KeepThin, KeepTrees
from orchwatchd.jobs.deletion import measure_tree
from orchwatchd.jobs.prune import apply_prune, mark_lost, survey
from orchwatchd.jobs.retention import plan_finish, plan_prune
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import PruneStep, RunUse

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEEP = Keep(
    KeepTrees(keep_last=1, keep_failed=0, min_free=0),
    KeepThin(keep_last=2, keep_failed=0, keep_daily=0, keep_within=0.0),
    KeepHistory(keep_last=4, keep_failed=0, keep_daily=0, keep_within=0.0),
)


def use(paths, number, **more):
    return RunUse(
        RunId(number),
        "build",
        more.pop("status", RunStatus.OK),
        NOW - timedelta(hours=100 - number),
        work=more.pop("work", WorkState.KEPT),
        work_parent=str(paths.work / f"run-{number}"),
        row_bytes=100,
        **more,
    )


def six_runs(base, archives=3):
    """Six runs with whole trees; the first is pinned. KEEP thins 5, drops 2, 3, 4, and forgets 2."""
    paths = make_paths(base)
    ledger = Ledger(base / "ledger.json")
    for number in range(1, 7):
        make_tree(paths, number, archives=archives)
    ledger.add(*(use(paths, number, pins=("first",) if number == 1 else ()) for number in range(1, 7)))
    return paths, ledger


def prune(ledger, paths):
    usage = survey(ledger, paths)
    return apply_prune(plan_prune(usage, KEEP, keep_logs=10, now=NOW), ledger, paths)


def whole(paths, number):
    root = paths.work / f"run-{number}"
    stages = len(list(root.rglob("b0*")))
    return stages > 0 and len(list(root.rglob("_pkg_.a"))) == len(list(root.rglob("a.go"))) == stages


def test_a_prune_does_what_the_plan_says(tmp_path):
    paths, ledger = six_runs(tmp_path)
    plan = plan_prune(survey(ledger, paths), KEEP, keep_logs=10, now=NOW)
    before = measure_tree(paths.base, "work").bytes
    told = []
    report = apply_prune(plan, ledger, paths, done=told.append)
    assert [(action.step.value, action.run) for action in report.done] == [
        ("tree", 2),
        ("tree", 3),
        ("tree", 4),
        ("thin", 5),
        ("rows", 2),
    ]
    assert report.held_back == ()
    assert tuple(told) == report.done
    assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
    assert whole(paths, 1)
    assert whole(paths, 6)
    assert not list((paths.work / "run-5").rglob("_pkg_.a"))
    assert len(list((paths.work / "run-5").rglob("a.go"))) == 6
    assert list(paths.trash.iterdir()) == []
    freed = sum(action.bytes for action in report.done if action.step is not PruneStep.ROWS)
    assert before - measure_tree(paths.base, "work").bytes == freed
    assert freed == sum(action.bytes for action in plan.actions if action.step is not PruneStep.ROWS)
    states = {run: (item.work, item.tree_bytes) for run, item in ledger.runs.items()}
    assert states[5] == (WorkState.THIN, measure_tree(paths.work, "run-5").bytes)
    assert states[3] == (WorkState.PRUNED, 0)
    assert 2 not in ledger.runs


def test_a_second_prune_does_nothing(tmp_path):
    paths, ledger = six_runs(tmp_path)
    prune(ledger, paths)
    assert prune(ledger, paths).done == ()


def test_outputs_in_the_cache_are_not_forgotten(tmp_path):
    paths, ledger = six_runs(tmp_path)
    other = tmp_path / "shared-cache"
    for cache, digit in ((paths.cache, "00"), (other, "ff")):
        (cache / digit).mkdir(parents=True)
        (cache / digit / (digit * 32 + "-a")).write_text("v1")
    plan = plan_prune(survey(ledger, paths), KEEP, keep_logs=10, now=NOW)
    apply_prune(plan, ledger, paths, caches=(paths.cache, other))
    assert ledger.asked("A" * 20)
    assert ledger.asked("_" * 20)
    assert not ledger.asked("B" * 20)


def test_a_tree_that_cannot_be_told_to_be_ours_stays_with_its_record(tmp_path):
    """Given a link where a run's folder should be, then it is reported, the run stays, and the rest is done."""
    paths, ledger = six_runs(tmp_path)
    precious = tmp_path / "precious"
    (paths.work / "run-2").rename(precious)
    (paths.work / "run-2").symlink_to(precious)
    report = prune(ledger, paths)
    assert any("run-2" in sentence for sentence in report.held_back)
    assert len(list(precious.rglob("_pkg_.a"))) == 6
    assert 2 in ledger.runs
    assert not (paths.work / "run-3").exists()


def test_a_folder_that_no_run_names_is_not_touched(tmp_path):
    paths, ledger = six_runs(tmp_path)
    make_tree(paths, 99)
    ledger.change(3, work_parent="/somewhere/else")
    (paths.trash / "not ours").mkdir()
    prune(ledger, paths)
    assert whole(paths, 99)
    assert whole(paths, 3)
    assert (paths.trash / "not ours").exists()


def test_a_tree_that_someone_removed_is_lost(tmp_path):
    paths, ledger = six_runs(tmp_path)
    (paths.work / "run-6").rename(tmp_path / "elsewhere")
    usage = survey(ledger, paths)
    assert usage.lost == (6,)
    mark_lost(usage, ledger)
    assert ledger.runs[6].work is WorkState.LOST
    assert survey(ledger, paths).lost == ()


def test_what_a_build_left_that_never_named_its_tree_goes_too(tmp_path):
    paths, ledger = six_runs(tmp_path)
    ledger.change(3, work=WorkState.NONE)
    prune(ledger, paths)
    assert not (paths.work / "run-3").exists()
    assert ledger.runs[3].work is WorkState.PRUNED


def test_the_tree_of_a_running_build_is_not_even_walked(tmp_path):
    paths, ledger = six_runs(tmp_path)
    ledger.change(6, status=RunStatus.RUNNING)
    (paths.work / "run-6" / "go-build123" / "b000").chmod(0o000)
    usage = survey(ledger, paths)
    assert usage.problems == ()
    prune(ledger, paths)
    assert (paths.work / "run-6" / "go-build123" / "b000").stat().st_mode & 0o777 == 0


KILLED = """
import os, sys
from pathlib import Path
from jobs.ledger import Ledger, make_paths
from jobs.test_prune import KEEP, NOW, six_runs
from orchwatchd.jobs.prune import apply_prune, survey
from orchwatchd.jobs.retention import plan_prune

def prune_and_die(base, left):
    paths, ledger = make_paths(base), Ledger(base / "ledger.json")
    plan = plan_prune(survey(ledger, paths), KEEP, keep_logs=10, now=NOW)

    def hook(event, args):
        nonlocal left
        if event in ("os.rename", "os.remove", "os.rmdir"):
            left -= 1
            if left < 0:
                os._exit(9)

    sys.addaudithook(hook)
    apply_prune(plan, ledger, paths)

base, counts = Path(sys.argv[1]), [int(text) for text in sys.argv[2:]]
for count in counts or range(1000):
    folder = base if counts else base / str(count)
    if not counts:
        folder.mkdir()
        six_runs(folder, archives=1)
    child = os.fork()
    if child == 0:
        try:
            prune_and_die(folder, count)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(count, status, flush=True)
    if status != 9:
        break
"""


def killed(base, *counts):
    """Prunes `base` in processes that die before their rename, unlink or rmdir number `counts`; without counts, prunes
    new folders in `base`, named by the count, until one prune comes to its end. Gives the exit codes.
    """
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(base), *map(str, counts)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(line.split()[1]) for line in done.stdout.splitlines()]


def check_honest(paths, ledger):
    """No pinned tree gone, no half tree listed as whole, no tree without a record, nothing needed removed."""
    for run, item in ledger.runs.items():
        if item.work is WorkState.KEPT:
            assert whole(paths, run), f"run {run} is listed as whole"
        if item.work is WorkState.THIN:
            assert len(list((paths.work / f"run-{run}").rglob("a.go"))) == 2
            if item.tree_bytes is not None:
                assert not list((paths.work / f"run-{run}").rglob("_pkg_.a")), "listed as thinned to the end"
    assert ledger.runs[1].work is WorkState.KEPT
    assert ledger.runs[6].work is WorkState.KEPT
    assert {int(path.name[4:]) for path in paths.work.iterdir()} <= set(ledger.runs)


def test_a_kill_at_any_step_is_finished_at_the_next_start(tmp_path):
    """Given a prune killed before each rename and unlink in turn, then the record is true, and the start finishes it."""
    codes = killed(tmp_path)
    assert codes == [9] * (len(codes) - 1) + [0]
    assert len(codes) > 60
    for count in range(len(codes)):
        base = tmp_path / str(count)
        paths, ledger = make_paths(base), Ledger(base / "ledger.json")
        check_honest(paths, ledger)
        begun = {run for run, item in ledger.runs.items() if item.work is not WorkState.KEPT}
        apply_prune(plan_finish(survey(ledger, paths)), ledger, paths)
        check_honest(paths, ledger)
        assert {run for run, item in ledger.runs.items() if item.work is not WorkState.KEPT} == begun
        assert list(paths.trash.iterdir()) == []
        assert plan_finish(survey(ledger, paths)).actions == ()
        prune(ledger, paths)
        assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
        assert set(ledger.runs) == {1, 3, 4, 5, 6}


def test_a_prune_that_was_interrupted_twice_still_ends(tmp_path):
    paths, _ = six_runs(tmp_path)
    assert killed(tmp_path, 3, 5) == [9, 9]
    prune(Ledger(tmp_path / "ledger.json"), paths)
    assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
