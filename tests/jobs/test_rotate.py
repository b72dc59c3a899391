"""Rotation of real files: under writers, under kills, and where it must be refused."""

from __future__ import annotations

import collections
import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchwatchd.config.model import Rotate
from orchwatchd.errors import ConfigurationError
from orchwatchd.jobs import rotate
from orchwatchd.jobs.rotate import apply_rotate, family_to_rotate, has_writer, location_problem, survey_logs
from orchwatchd.jobs.rotation import plan_rotate
from orchwatchd.models.upkeep import LogPhase
from orchwatchd.orchlog.family import LogFamily
from orchwatchd.orchlog.index import index_run
from orchwatchd.orchlog.ranges import mark, ranges_since

ROOT = Path(__file__).resolve().parents[2]
POLICY = Rotate(max_size=200, max_age=10**9, keep=1000, max_total=10**9)


def rotate_once(family, policy=POLICY, *, busy=False, needed=()):
    files, problems = survey_logs(family, needed)
    assert problems == ()
    return apply_rotate(plan_rotate(files, family, policy, now=datetime.now(UTC), busy=busy), family)


def all_lines(family):
    """Every line of every file of the log, in the order of the files' names, the live ones last."""
    names = sorted(
        (path for path in family.folder.iterdir()), key=lambda path: (path.name == family.name, path.name)
    )
    lines = []
    for path in names:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines += data.splitlines()
    return lines


def phases(family):
    return collections.Counter(file.phase for file in survey_logs(family)[0])


@pytest.fixture
def family(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o700)
    return LogFamily(str(folder / "o.jsonl"))


def line(number, *, at="2026-11-23T21:44:37Z", pad=30):
    found = {"level": "debug", "n": number, "pad": "x" * pad, "time": at, "message": "m"}
    return json.dumps(found, separators=(",", ":")).encode()


def write(path, *lines):
    with path.open("ab", buffering=0) as file:
        for text in lines:
            file.write(text + b"\n")


def test_a_full_file_is_renamed_compressed_and_readable(family):
    live = Path(family.path)
    lines = [line(number) for number in range(10)]
    write(live, *lines)
    marks_before = mark(family)
    report = rotate_once(family)
    assert report.held_back == ()
    assert phases(family) == {LogPhase.COMPRESSED: 1}
    assert all_lines(family) == lines
    (packed,) = family.folder.iterdir()
    assert packed.stat().st_mode & 0o777 == 0o600
    write(live, line(10))
    assert [item.start for item in ranges_since(family, marks_before)] == [0], "only the new file grew"
    assert rotate_once(family).done == ()


def test_a_file_that_a_process_holds_waits_until_it_ends(family):
    """Given a process that has the file open, then it is renamed at once and compressed once the process is gone."""
    live = Path(family.path)
    write(live, *[line(number) for number in range(10)])
    writer = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(live)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout.readline() == b"open\n"
    report = rotate_once(family)
    assert len(report.held_back) == 1
    assert "still writes" in report.held_back[0]
    assert phases(family) == {LogPhase.RENAMED: 1}
    writer.communicate(b"go\n")
    assert rotate_once(family).held_back == ()
    assert phases(family) == {LogPhase.COMPRESSED: 1}
    assert len(all_lines(family)) == 11


WAITING = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print("open", flush=True)
sys.stdin.readline()
os.write(fd, b'{"level":"debug","n":99,"message":"late"}\\n')
"""

WRITER = """
import os, sys, time
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
for number in range(count):
    os.write(fd, b'{"level":"debug","pid":%s,"n":%d,"pad":"%s","message":"m"}\\n' % (name.encode(), number, b"x" * 280))
"""


def run_writers(path, count, each, *, meanwhile, at_once=8):
    """Runs `count` processes, some at a time, each of which opens the file, appends `each` lines, and ends."""
    waiting, running = list(range(count)), []
    while waiting or running:
        running = [process for process in running if process.poll() is None]
        while waiting and len(running) < at_once:
            name = waiting.pop()
            running.append(
                subprocess.Popen([sys.executable, "-S", "-E", "-c", WRITER, str(path), str(name), str(each)])
            )
        meanwhile()


def lost_and_torn(lines, count, each):
    seen = set()
    torn = 0
    for text in lines:
        try:
            found = json.loads(text)
            seen.add((found["pid"], found["n"]))
        except (ValueError, KeyError, TypeError):
            torn += 1
    return count * each - len(seen), torn


@pytest.mark.parametrize("compress", [True, False])
def test_300_writers_lose_nothing_to_rotations(family, compress):
    """45,000 lines of 300 processes while the file is rotated at 50 kB: none lost, none torn, none twice."""
    policy = Rotate(max_size=50_000, max_age=10**9, keep=1000, max_total=10**9)
    live = Path(family.path)
    rotations = collections.Counter()

    def meanwhile():
        report = rotate_once(family, policy, busy=not compress)
        rotations.update(action.step.value for action in report.done)

    run_writers(live, 300, 150, meanwhile=meanwhile)
    meanwhile()
    lines = all_lines(family)
    assert lost_and_torn(lines, 300, 150) == (0, 0)
    assert len(lines) == 45_000
    assert rotations["rename"] > 20
    assert (rotations["compress"] > 20) == compress
    assert phases(family)[LogPhase.PARTIAL] == 0
    indexed = index_run(family, ranges_since(family, ()), max_lines=50_000)
    assert indexed.counts.seen == {"debug": 45_000}, "and every line is found for the run"


def test_the_same_writers_lose_lines_to_copying_and_cutting(family):
    """The control: what `copytruncate` does loses lines under the same load, so the test above can see loss."""
    live = Path(family.path)
    copies = 0

    def meanwhile():
        nonlocal copies
        if live.exists() and live.stat().st_size > 200_000:
            shutil.copyfile(live, live.with_name(f"copy{copies}"))
            os.truncate(live, 0)
            copies += 1

    # A line is lost when it comes between a copy and its cut: where the machine is slow, not in every round.
    for rounds in range(1, 11):
        run_writers(live, 300, 150, meanwhile=meanwhile)
        if len(all_lines(family)) < 300 * 150 * rounds:
            return
    pytest.fail("no line was lost in ten rounds")


@pytest.mark.faults
def test_the_same_writers_lose_lines_to_logrotate(family, tmp_path):
    """The control with the real program: `copytruncate` loses lines. Needs logrotate."""
    live = Path(family.path)
    settings = tmp_path / "logrotate.conf"
    settings.write_text(f"{live} {{\n size 200k\n rotate 1000\n copytruncate\n}}\n")
    settings.chmod(0o600)

    def meanwhile():
        if live.exists():
            subprocess.run(["logrotate", "-s", tmp_path / "state", settings], check=True)

    run_writers(live, 300, 150, meanwhile=meanwhile)
    assert lost_and_torn(all_lines(family), 300, 150)[0] > 0


def test_the_files_of_a_runs_processes_are_merged_in_time(tmp_path):
    """Given a file a process, when the run is over, then one file holds all lines by time, each process's in order."""
    family = LogFamily(str(tmp_path / "o-$PID.jsonl"))
    write(tmp_path / "o-10.jsonl", *[line(n, at=f"2026-11-23T21:44:{n:02}Z") for n in (10, 12, 14)])
    write(tmp_path / "o-9.jsonl", *[line(n, at=f"2026-11-23T21:44:{n:02}Z") for n in (11, 13)])
    with (tmp_path / "o-9.jsonl").open("ab") as file:
        file.write(b"half a li")
    (tmp_path / "o-x.jsonl").write_text("a stranger")
    report = rotate_once(family)
    assert report.held_back == ()
    (packed,) = (path for path in tmp_path.iterdir() if path.suffix == ".gz")
    found = gzip.decompress(packed.read_bytes()).splitlines()
    assert [json.loads(text)["n"] for text in found if text.startswith(b"{")] == [10, 11, 12, 13, 14]
    assert found[4:] == [b"half a li", line(14, at="2026-11-23T21:44:14Z")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [packed.name, "o-x.jsonl"]


def test_files_of_runs_that_are_not_indexed_are_not_merged(tmp_path):
    family = LogFamily(str(tmp_path / "o-$PID.jsonl"))
    write(tmp_path / "o-10.jsonl", line(1))
    needed = ranges_since(family, ())
    rotate_once(family, needed=needed)
    assert phases(family) == {LogPhase.RENAMED: 1}
    assert index_run(family, needed).counts.lines == 1
    rotate_once(family)
    assert phases(family) == {LogPhase.COMPRESSED: 1}


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from jobs.test_rotate import POLICY, fill, make_family
from orchwatchd.jobs.rotate import apply_rotate, survey_logs
from orchwatchd.jobs.rotation import plan_rotate

def rotate_and_die(family, left):
    plan = plan_rotate(survey_logs(family)[0], family, POLICY, now=datetime.now(UTC), busy=False)

    def hook(event, args):
        nonlocal left
        if event in ("os.rename", "os.remove") or (event == "open" and ".part" in str(args[0])):
            left -= 1
            if left < 0:
                os._exit(9)

    sys.addaudithook(hook)
    apply_rotate(plan, family)

kind, base = sys.argv[1], Path(sys.argv[2])
for count in range(100):
    family = make_family(kind, base / str(count))
    fill(family)
    child = os.fork()
    if child == 0:
        try:
            rotate_and_die(family, count)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(count, status, flush=True)
    if status != 9:
        break
"""


def make_family(kind, folder):
    folder.mkdir(exist_ok=True)
    return LogFamily(str(folder / ("o.jsonl" if kind == "one" else "o-$PID.jsonl")))


def fill(family):
    """A log in the middle of its life: a full live file (or three), one renamed before, a compression cut off."""
    for pid in (3, 1, 2) if family.per_process else (0,):
        name = f"o-{pid}.jsonl" if pid else "o.jsonl"
        write(family.folder / name, *[line(100 * pid + number) for number in range(10)])
    before = family.rotated_name(datetime(2026, 1, 1, tzinfo=UTC), 7, 4 if family.per_process else 0)
    write(family.folder / before, *[line(900 + number) for number in range(3)])
    (family.folder / f"{before}.gz.part").write_bytes(b"\x1f\x8bhalf")


@pytest.mark.parametrize("kind", ["one", "many"])
def test_a_kill_at_any_step_loses_nothing_and_is_finished(tmp_path, kind):
    """Given a rotation killed before each rename, unlink and write in turn, then the next one ends with every line once."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, kind, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = [int(text.split()[1]) for text in done.stdout.splitlines()]
    assert codes == [9] * (len(codes) - 1) + [0]
    assert len(codes) > 5
    expected = {100 * pid + number for pid in ((1, 2, 3) if kind == "many" else (0,)) for number in range(10)}
    expected |= {900, 901, 902}
    for count in range(len(codes)):
        family = make_family(kind, tmp_path / str(count))
        rotate_once(family)
        # Members that a kill kept from being renamed together become a second merged file.
        assert set(phases(family)) == {LogPhase.COMPRESSED}
        assert phases(family).total() in ((2,) if kind == "one" else (2, 3))
        assert sorted(json.loads(text)["n"] for text in all_lines(family)) == sorted(expected)
        assert rotate_once(family).done == ()


def test_what_is_not_ours_is_left_alone(family, tmp_path):
    """Given a link, a second name, a FIFO in place of the log, then nothing is renamed and it is said why."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"x" * 1000)
    live = Path(family.path)
    for place in (live.symlink_to, live.hardlink_to):
        place(victim)
        files, problems = survey_logs(family)
        assert (files, len(problems)) == ((), 1)
        live.unlink()
    os.mkfifo(live)
    assert survey_logs(family)[0] == ()
    assert victim.read_bytes() == b"x" * 1000


def test_a_link_that_appears_between_plan_and_rename_is_not_renamed(family, tmp_path):
    live = Path(family.path)
    write(live, *[line(number) for number in range(10)])
    plan = plan_rotate(survey_logs(family)[0], family, POLICY, now=datetime.now(UTC), busy=False)
    victim = tmp_path / "victim"
    live.rename(victim)
    live.symlink_to(victim)
    report = apply_rotate(plan, family)
    assert report.done == ()
    assert live.is_symlink()


def test_writers_are_told_apart_from_readers(family):
    live = Path(family.path)
    write(live, line(1))
    assert has_writer(live) is False
    with live.open("rb"):
        assert has_writer(live) is False
    with live.open("ab"):
        assert has_writer(live) is True
    assert has_writer(live) is False


def test_without_leases_a_file_must_rest(family, monkeypatch):
    """Given a system without leases, then a file counts as held until nobody wrote to it for ten minutes."""
    live = Path(family.path)
    write(live, line(1))
    monkeypatch.delattr(fcntl, "F_SETLEASE")
    assert rotate.has_writer(live) is True
    os.utime(live, (time.time() - 700, time.time() - 700))
    assert rotate.has_writer(live) is False


def test_a_log_that_only_the_environment_names_is_never_rotated(tmp_path):
    own = tmp_path / "o.jsonl"
    assert family_to_rotate(str(own), "file", tmp_path / "logs") == LogFamily(str(own))
    assert family_to_rotate(str(own), "environment", tmp_path / "logs") is None
    assert family_to_rotate(None, "file", tmp_path / "logs") is None
    with pytest.raises(ConfigurationError, match="others may write"):
        family_to_rotate("/tmp/o.jsonl", "file", tmp_path / "logs")


def test_a_log_is_rotated_only_where_nobody_else_can_write(tmp_path):
    logs = tmp_path / "state" / "logs"
    logs.mkdir(parents=True)
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    assert location_problem(logs / "o.jsonl", logs) is None
    assert location_problem(own / "o-$PID.jsonl", logs) is None
    assert location_problem(own / "not" / "yet" / "o.jsonl", logs) is None
    assert "others may write" in location_problem(Path("/tmp/o.jsonl"), logs)
    assert "last part" in location_problem(own / "$PID" / "o.jsonl", logs)
    (own / "o-1.jsonl").write_text("x")
    (own / "o-1.jsonl").chmod(0o666)
    assert "others may write" in location_problem(own / "o-$PID.jsonl", logs)
    own.chmod(0o777)
    assert "others may write" in location_problem(own / "p.jsonl", logs)
