"""Faults that want a machine of one's own: kills at exact system calls, failing writes, a full disk (make faults)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jobs.ledger import Ledger
from jobs.test_prune import check_honest, prune, six_runs
from jobs.test_rotate import all_lines, fill, make_family, phases, rotate_once

from orchwatchd.jobs.prune import apply_prune, survey
from orchwatchd.jobs.retention import plan_finish
from orchwatchd.models.upkeep import LogPhase

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"}

PRUNE = """
import sys
from pathlib import Path
from jobs.ledger import Ledger
from jobs.test_prune import prune
base = Path(sys.argv[1])
prune(Ledger(base / "ledger.json"), make_paths(base))
"""

ROTATE = """
import sys
from pathlib import Path
from jobs.test_rotate import make_family, rotate_once
print(rotate_once(make_family(sys.argv[2], Path(sys.argv[1]))).held_back)
"""


def traced(script, *arguments, inject):
    """Runs a script with faults put into its system calls; gives what it printed and its exit code."""
    return subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            f"inject={inject}",
            sys.executable,
            "-c",
            script,
            *arguments,
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("call", ["unlinkat", "rename,renameat,renameat2", "fsync"])
def test_a_prune_killed_in_a_system_call_is_finished(tmp_path, call):
    """Given a prune killed in its n-th call, for n over the whole prune, then the record is true and it is finished."""
    kills = 0
    for number in [*range(1, 12), *range(12, 80, 7)]:
        base = tmp_path / str(number)
        base.mkdir()
        paths, _ = six_runs(base, archives=1)
        done = traced(PRUNE, str(base), inject=f"{call}:signal=SIGKILL:when={number}")
        ledger = Ledger(base / "ledger.json")
        check_honest(paths, ledger)
        apply_prune(plan_finish(survey(ledger, paths)), ledger, paths)
        check_honest(paths, ledger)
        prune(ledger, paths)
        assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
        if done.returncode == 0:
            break
        kills += 1
    assert kills > 5


@pytest.mark.parametrize("kind", ["one", "many"])
@pytest.mark.parametrize("call", ["unlink", "rename", "fsync"])
def test_a_rotation_killed_in_a_system_call_loses_nothing(tmp_path, kind, call):
    for number in range(1, 30):
        family = make_family(kind, tmp_path / str(number))
        fill(family)
        before = sorted(line for line in all_lines_written(family))
        done = traced(ROTATE, str(family.folder), kind, inject=f"{call}:signal=SIGKILL:when={number}")
        rotate_once(family)
        assert set(phases(family)) == {LogPhase.COMPRESSED}
        assert sorted(all_lines(family)) == before
        if done.returncode == 0:
            break
    assert 1 < number < 29, "some were killed, and one was not"


@pytest.mark.parametrize(
    "inject", ["fsync:error=EIO:when=1..3", "rename:error=EACCES:when=2+", "unlink:error=EPERM:when=2+"]
)
def test_a_rotation_that_fails_says_so_and_loses_nothing(tmp_path, inject):
    family = make_family("one", tmp_path)
    fill(family)
    before = sorted(all_lines_written(family))
    done = traced(ROTATE, str(tmp_path), "one", inject=inject)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() != "()", "what could not be done is reported"
    rotate_once(family)
    assert sorted(all_lines(family)) == before


def all_lines_written(family):
    """The lines of a log before it is rotated: half a compressed file holds none of its own."""
    return [
        line
        for path in family.folder.iterdir()
        if not path.name.endswith(".part")
        for line in path.read_bytes().splitlines()
    ]


FULL = """
import os, subprocess, sys
from pathlib import Path
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", sys.argv[1]], check=True)
from jobs.test_prune import KEEP, NOW
from jobs.test_prune_history import six_runs
from orchwatchd.errors import DatabaseError
from orchwatchd.jobs.prune import apply_prune, survey
from orchwatchd.jobs.reserve import keep_reserve, release_if_full
from orchwatchd.jobs.retention import plan_prune
from orchwatchd.store import Store

base = Path(sys.argv[1]) / "base"
paths = six_runs(base)
assert keep_reserve(paths)
fd = os.open(base / "fill", os.O_WRONLY | os.O_CREAT)
try:
    while True:
        os.write(fd, b"x" * 4096)
except OSError:
    os.close(fd)
try:
    Store.open(paths.database)
    raise SystemExit("the disk is not full")
except DatabaseError:
    pass
assert release_if_full(paths)
with Store.open(paths.database) as store:
    report = apply_prune(plan_prune(survey(store, paths), KEEP, keep_logs=2, now=NOW), store, paths)
    assert not report.held_back, report
    assert store.check() == ()
assert sorted(path.name for path in paths.work.iterdir()) == ["run-1", "run-5", "run-6"]
os.unlink(base / "fill")
assert not release_if_full(paths) and keep_reserve(paths)
print("pruned", report.bytes)
"""


def test_a_full_disk_is_pruned_with_the_help_of_the_reserve(tmp_path):
    """Given a disk without a free page, then the history opens once the reserve is given up, and the prune frees it."""
    done = subprocess.run(
        ["unshare", "-m", "--propagation=private", sys.executable, "-c", FULL, str(tmp_path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pruned ")
