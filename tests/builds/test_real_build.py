"""Real builds: how each ends, what is then left (its work tree) and what is not (processes, temporary folders)."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from build_bench import Bench, _bench, _built, _temp_folder, wait_for  # noqa: F401 - fixtures

from orchwatchd import build
from orchwatchd.models.build import BuildCommand, BuildOutcome, LogSetting, Stop
from orchwatchd.models.run import RunStatus
from orchwatchd.process import members_of

pytestmark = pytest.mark.builds

Built = tuple[Bench, BuildOutcome, list[tuple[int, int]]]


def go_ended(graph: Path) -> bool:
    """Fact 11: a TimeDone on action 0 proves that the Go command came to its end."""
    try:
        first = json.loads(graph.read_bytes())[0]
    except (OSError, ValueError):
        return False
    return not first["TimeDone"].startswith("0001-")


def status(command: BuildCommand, outcome: BuildOutcome) -> RunStatus:
    return build.status_of(outcome, go_ended(command.graph))[0]


def assert_nothing_left(bench: Bench, command: BuildCommand, outcome: BuildOutcome) -> None:
    assert outcome.process
    assert members_of(outcome.process.pgid, mark=command.mark) == ()
    assert outcome.survivors == ()
    assert list(bench.temp.iterdir()) == []
    assert outcome.work_tree
    assert [path.name for path in command.work_parent.iterdir()] == [outcome.work_tree.name]


def test_a_good_build_leaves_its_work_tree_and_nothing_else(built: Built) -> None:
    bench, outcome, seen = built
    assert (outcome.exit_code, outcome.stop, outcome.orphans) == (0, None, 0)
    assert outcome.work_tree
    assert outcome.work_tree.parent == bench.state / "work/run-1"
    assert outcome.work_tree.parent.stat().st_mode & 0o777 == 0o700
    assert ("stderr", f"WORK={outcome.work_tree}") in bench.lines
    assert list(bench.temp.iterdir()) == []
    assert not (bench.folder / "greeter").exists()  # fact 26: no program is written
    assert {path.name for path in (bench.state / "cache").iterdir()} > {"00", "ff"}
    total = seen[-1][1]
    assert total == 67
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert 1 < seen[-1][0] <= total
    assert build.status_of(outcome, go_ended=True) == (RunStatus.OK, None)


def test_a_type_error_is_named_with_its_place_and_package(built: Built) -> None:
    bench, _, _ = built
    restore = bench.edit("greet/greet.go", 'return "hello, "', 'undefinedThing()\n\treturn ""')
    command = bench.plan()
    outcome = bench.run(command)
    restore()

    assert status(command, outcome) is RunStatus.FAILED
    first, *_ = bench.messages(command, outcome)
    assert (first.file, first.line, first.column) == ("greet/greet.go", 16, 2)
    assert (first.text, first.package) == ("undefined: undefinedThing", "example.com/greeter/greet")
    assert_nothing_left(bench, command, outcome)


def test_an_error_in_injected_code_shows_the_code_and_its_declarations(bench: Bench) -> None:
    """The compiler reports one of two equal errors at one line: both functions may be meant, and both are named."""
    bench.edit("orchestrion.yml", "trace.Enter(", "trace.Exit(")
    command = bench.plan(["build", "./greet"])
    outcome = bench.run(command)

    assert status(command, outcome) is RunStatus.FAILED
    (message,) = bench.messages(command, outcome)
    assert (message.file, message.line, message.package) == ("<generated>", 2, "example.com/greeter/greet")
    assert message.text == "undefined: __orchestrion_trace.Exit"
    assert message.declaration == "Hello or Reset"
    assert message.code is not None
    assert '__orchestrion_trace.Exit("Hello")' in message.code


def test_a_configuration_that_cannot_be_read_fails_the_build_and_is_named(built: Built) -> None:
    """The Go command gives up before its first action: that is a failure, not a kill from outside."""
    bench, _, _ = built
    restore = bench.edit("orchestrion.yml", "prepend-statements", "prepend-nothing")
    command = bench.plan()
    outcome = bench.run(command)
    restore()

    assert status(command, outcome) is RunStatus.FAILED
    (message,) = bench.messages(command, outcome)
    assert message.file == "orchestrion.yml"
    assert "unknown advice type" in message.text


def test_orchestrion_killed_by_term_exits_0_and_is_not_ok(bench: Bench) -> None:
    """Its job server ends the process with 0; the Go command below it would run on."""
    nbt: list[Path] = []

    def kill_orchestrion(done: int, total: int) -> None:
        if done:
            nbt.extend(command.temp.glob("orchestrion.nbt-*"))
            assert bench.process
            os.kill(bench.process.pgid, signal.SIGTERM)

    command = bench.plan(cache="empty")
    outcome = bench.run(command, progress=kill_orchestrion)

    assert (outcome.exit_code, outcome.stop) == (0, None)
    assert outcome.orphans >= 1
    assert nbt  # so there was something to leave behind
    assert status(command, outcome) is RunStatus.INTERRUPTED
    assert_nothing_left(bench, command, outcome)


def test_the_go_command_killed_from_outside_is_interrupted_not_failed(bench: Bench) -> None:
    def kill_go(done: int, total: int) -> None:
        if done:
            assert bench.process
            for member in members_of(bench.process.pgid):
                try:
                    argv = Path(f"/proc/{member.pid}/cmdline").read_bytes().split(b"\0")
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it has ended meanwhile
                if argv[0].endswith(b"/go") and argv[1] == b"build":
                    os.kill(member.pid, signal.SIGKILL)

    command = bench.plan(cache="empty")
    outcome = bench.run(command, progress=kill_go)

    assert status(command, outcome) is RunStatus.INTERRUPTED
    assert "killed" in (build.status_of(outcome, go_ended=False)[1] or "")
    assert_nothing_left(bench, command, outcome)


def test_cancelling_ends_the_whole_group(bench: Bench) -> None:
    cancel = threading.Event()
    command = bench.plan(cache="empty")
    outcome = bench.run(command, cancel=cancel, progress=lambda done, _: cancel.set() if done else None)

    assert outcome.stop is Stop.CANCELLED
    assert outcome.duration < 20
    assert status(command, outcome) is RunStatus.CANCELLED
    assert_nothing_left(bench, command, outcome)


def test_the_time_limit_cancels_and_is_named(bench: Bench) -> None:
    now = [0.0]

    def hour_passes(done: int, total: int) -> None:
        now[0] += 3600.0

    command = bench.plan(cache="empty")
    outcome = bench.run(command, time_limit=3600, clock=lambda: now[0], progress=hour_passes)

    assert outcome.stop is Stop.TIME_LIMIT
    assert build.status_of(outcome, go_ended=False) == (
        RunStatus.CANCELLED,
        "cancelled: the time limit was reached after 3600 s",
    )
    assert_nothing_left(bench, command, outcome)


def test_what_a_dead_orchwatchd_left_is_ended_and_cleared(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a build whose recorder died, when the next one clears up, even with another TMPDIR, nothing of it is left."""
    command = bench.plan(cache="empty")
    outcomes: list[BuildOutcome] = []
    running = threading.Event()
    recorder = threading.Thread(
        target=lambda: outcomes.append(
            bench.run(command, progress=lambda done, _: running.set() if done else None)
        )
    )
    recorder.start()
    assert running.wait(60)
    assert bench.process
    os.kill(bench.process.pgid, signal.SIGSTOP)  # so that the recorder sees no end of its own
    monkeypatch.setattr("tempfile.tempdir", "/somewhere/else")

    assert list(command.temp.glob("orchestrion.nbt-*"))
    ended = build.end_interrupted(bench.process, command.work_parent)
    assert ended
    assert (ended.signalled, ended.survivors) == (True, ())
    assert not command.temp.exists()
    recorder.join(60)
    assert build.find_work_tree(command.work_parent) == outcomes[0].work_tree


def test_a_callback_that_fails_ends_the_build(bench: Bench) -> None:
    def broken(done: int, total: int) -> None:
        raise RuntimeError("disk full")

    command = bench.plan(cache="empty")
    with pytest.raises(RuntimeError, match="disk full"):
        bench.run(command, progress=broken)
    assert bench.process
    wait_for(lambda: members_of(bench.process.pgid, mark=command.mark) == ())
    assert list(bench.temp.iterdir()) == []


def test_the_log_setting_reaches_every_process_of_the_build(built: Built) -> None:
    bench, _, _ = built
    restore = bench.edit("greet/greet.go", "hello, ", "hallo, ")
    log = build.plan_log(
        str(bench.state / "logs/debug.jsonl"), "debug", root=bench.folder, disabled="DISABLED"
    )
    assert log.file
    Path(log.file).parent.mkdir(mode=0o700, exist_ok=True)
    Path(log.file).write_text("earlier\n")
    outcome = bench.run(bench.plan(log=log))
    restore()

    assert outcome.exit_code == 0
    earlier, *lines = [line for line in Path(log.file).read_text().splitlines() if line]
    assert earlier == "earlier"
    assert {"debug"} <= {json.loads(line)["level"] for line in lines}
    assert len({json.loads(line)["pid"] for line in lines}) > 2


def test_log_lines_on_stderr_are_told_from_the_compilers(built: Built) -> None:
    """And what the Go command prints again from its cache, lines of an earlier build, is neither."""
    bench, _, _ = built
    log = build.plan_log("stderr", "INFO", root=bench.folder, disabled="DISABLED")
    restore = bench.edit("greet/greet.go", 'return "hello, "', 'undefinedThing()\n\treturn ""')
    command = bench.plan(log=LogSetting(None, "TRACE"))
    outcome = bench.run(command)
    restore()
    again = bench.run(bench.plan(log=log))

    assert log.file is None
    assert outcome.log_lines
    assert all(line[:4].isdigit() and "\x1b" not in line for line in outcome.log_lines)
    assert b" TRC " not in outcome.stderr
    assert [message.text for message in bench.messages(command, outcome)] == ["undefined: undefinedThing"]
    assert again.exit_code == 0
    assert not [line for line in again.log_lines if " TRC " in line]
