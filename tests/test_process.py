"""Process groups end whole, whatever their members do; short calls leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchwatchd.models.run import RunProcess
from orchwatchd.process import (
    Group,
    ProgramMissingError,
    ProgramTimeoutError,
    boot_id,
    end_group,
    identity_of,
    members_of,
    run_short,
    start_group,
    start_ticks,
)
from orchwatchd.process.members import parse_ps

# A leader that starts a child which ignores TERM, and one which ignores TERM in a session of its own; then does `then`.
STUBBORN = """
import os, signal, subprocess, sys, time
stay = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
for apart in (False, True):
    child = subprocess.Popen([sys.executable, "-c", stay], start_new_session=apart, stdout=subprocess.PIPE)
    child.stdout.readline()
print("all ready", flush=True)
"""
DEADLINE = 20.0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.01)


class Running:
    """Starts groups of Python programs and ends them after the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.groups: list[Group] = []
        self.lines: list[tuple[str, bytes]] = []

    def start(self, program: str, *, mark: str | None = None, **more: object) -> Group:
        env = {**os.environ, "NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1"}
        if mark:
            name, _, value = mark.partition("=")
            env[name] = value
        group = start_group(
            [sys.executable, "-c", program],
            cwd=self.folder,
            env=env,
            on_line=lambda stream, line: self.lines.append((stream, line)),
            mark=mark,
            **more,
        )
        self.groups.append(group)
        return group

    def said(self, text: bytes) -> Callable[[], bool]:
        return lambda: any(line == text for _, line in self.lines)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    for group in started.groups:
        group.close()


def test_terminate_ends_children_that_ignore_term_even_in_a_session_of_their_own(running: Running) -> None:
    group = running.start(STUBBORN + "time.sleep(600)", mark="TEST_MARK=stubborn-1")
    wait_for(running.said(b"all ready"))
    assert len(group.members()) == 3

    began = time.monotonic()
    ended = group.terminate(grace=0.3)

    assert (ended.signalled, ended.killed, ended.survivors) == (True, True, ())
    assert time.monotonic() - began < 5
    assert group.empty()


def test_members_outlive_their_leader_and_are_still_ended(running: Running) -> None:
    group = running.start(STUBBORN, mark="TEST_MARK=stubborn-2")
    wait_for(lambda: group.poll() is not None)

    assert group.poll() == 0
    assert len(group.members()) == 2
    assert group.terminate(grace=0.1).killed
    assert group.empty()


def test_output_is_complete_and_closing_does_not_wait_for_a_pipe_that_an_orphan_holds_open(
    running: Running,
) -> None:
    """An orphan without the mark in a session of its own is out of reach: it keeps the pipe open for ever."""
    orphan = "import time; time.sleep(600)"
    group = running.start(
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {orphan!r}], start_new_session=True);"
        "print(p.pid); print('x' * 200000); sys.stderr.write('no newline at the end')"
    )
    try:
        wait_for(lambda: group.poll() is not None)
        began = time.monotonic()
        group.close()
        assert time.monotonic() - began < 5
        assert group.output("stdout").splitlines()[1] == b"x" * 200000
        assert running.lines[-1] == ("stderr", b"no newline at the end")
    finally:
        os.kill(int(running.lines[0][1]), signal.SIGKILL)


def test_lines_come_while_the_program_runs(running: Running) -> None:
    group = running.start("import time; print('first', flush=True); time.sleep(600)")
    wait_for(running.said(b"first"))
    assert group.poll() is None


def test_what_the_line_callback_raises_is_raised_by_close_and_the_group_is_gone(tmp_path: Path) -> None:
    def broken(stream: str, line: bytes) -> None:
        raise ValueError(line)

    group = start_group(
        [sys.executable, "-c", "import time; print('boo', flush=True); time.sleep(600)"],
        cwd=tmp_path,
        env=os.environ,
        on_line=broken,
    )
    wait_for(lambda: group._reader._failure is not None)
    with pytest.raises(ValueError, match="boo"):
        group.close()
    assert group.empty()


def test_the_child_gets_niceness_and_umask_and_nothing_of_systemd(running: Running) -> None:
    group = running.start(
        "import os; print(os.getpriority(os.PRIO_PROCESS, 0), oct(os.umask(0)), os.environ.get('NOTIFY_SOCKET'),"
        " os.environ.get('WATCHDOG_USEC'), os.getsid(0) == os.getpid())",
        nice=3,
        umask=0o027,
    )
    wait_for(lambda: group.poll() is not None)
    group.close()
    wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)
    assert running.lines == [("stdout", f"{wanted} 0o27 None None True".encode())]


def test_a_group_of_an_earlier_orchwatchd_is_ended_by_its_identity(running: Running) -> None:
    group = running.start(STUBBORN + "time.sleep(600)", mark="TEST_MARK=earlier")
    wait_for(running.said(b"all ready"))

    assert end_group(group.identity, mark="TEST_MARK=earlier", grace=0.1).survivors == ()
    assert group.empty()


def test_without_its_leader_only_marked_members_of_an_earlier_group_are_ended(running: Running) -> None:
    """The leader's number may have been another's session since: without the mark, members are reported, never killed."""
    group = running.start(STUBBORN, mark="TEST_MARK=leaderless")
    wait_for(lambda: group.poll() is not None)

    untouched = end_group(group.identity, grace=0.1)
    assert not untouched.signalled
    assert len(untouched.survivors) == 1  # who left the session is only known by the mark
    assert not end_group(group.identity, mark="TEST_MARK=another", grace=0.1).signalled
    assert end_group(group.identity, mark="TEST_MARK=leaderless", grace=0.1).survivors == ()
    assert group.empty()


@pytest.mark.parametrize(
    "changed",
    [{"boot_id": "another boot"}, {"boot_id": None}, {"start_ticks": None}, {"start_ticks": 1}],
    ids=["other boot", "unknown boot", "unknown start", "other start"],
)
def test_a_number_that_has_a_new_owner_is_left_alone(running: Running, changed: dict[str, object]) -> None:
    group = running.start("import time; print('up', flush=True); time.sleep(600)")
    wait_for(running.said(b"up"))

    assert not end_group(replace(group.identity, **changed), mark="TEST_MARK=nobody").signalled
    assert group.poll() is None


def test_a_group_that_is_gone_is_no_error() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    identity = identity_of(child.pid)
    child.wait()
    assert end_group(identity) == end_group(RunProcess(child.pid, 1, boot_id()))
    assert not end_group(identity).signalled
    assert start_ticks(child.pid) is None


def test_a_zombie_is_no_member() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    wait_for(lambda: b") Z " in Path(f"/proc/{child.pid}/stat").read_bytes())
    assert members_of(child.pid) == ()
    child.wait()


def test_without_proc_and_ps_a_group_is_still_ended(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchwatchd.process.members.HAS_PROC", False)
    group = running.start("import time; print('up', flush=True); time.sleep(600)")
    wait_for(running.said(b"up"))
    monkeypatch.setenv("PATH", "")

    assert len(group.members()) == 1
    assert group.terminate().survivors == ()
    assert group.empty()


def test_the_group_is_read_from_ps_where_there_is_no_proc() -> None:
    listing = "    1     1 Ss\n   77    77 Z\n   78    77 S+\n   79    77 R\n  770   770 S\n"
    assert [member.pid for member in parse_ps(listing, 77)] == [78, 79]


def test_a_short_call_gives_what_was_printed_and_a_failure_is_a_result() -> None:
    done = run_short(
        [sys.executable, "-c", "import sys; print(input()); print('bad', file=sys.stderr); sys.exit(3)"],
        stdin="é",
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "é\n", "bad\n")


def test_a_short_call_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, os, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "open('pids', 'w').write(f'{os.getpid()} {p.pid}'); os.rename('pids', 'done'); time.sleep(600)"
    )
    with pytest.raises(ProgramTimeoutError, match="within 2 s"):
        run_short([sys.executable, "-c", program], cwd=tmp_path, timeout=2)
    leader = int((tmp_path / "done").read_text().split()[0])
    wait_for(lambda: members_of(leader) == ())


@pytest.mark.parametrize(("program", "cwd"), [("no-such-program-here", None), ("ls", "/no/such/folder")])
def test_a_program_that_cannot_start_is_named(program: str, cwd: str | None) -> None:
    with pytest.raises(
        ProgramMissingError, match="/no/such/folder: no such folder" if cwd else "no-such-program-here"
    ):
        run_short([program], cwd=cwd)
    with pytest.raises(ProgramMissingError):
        start_group([program], cwd=cwd or "/", env={})
