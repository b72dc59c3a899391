"""The daemon as a process: one a project, requests over its socket, signals, reload, a broken project, a nonsense request."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from program import Program, processes_with, stop, wait_until

from orchwatchd.client import ask
from orchwatchd.models.event import Event, Line

pytestmark = pytest.mark.builds


@contextmanager
def daemon(program: Program, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, ready; it must end with 0 when it is asked to."""
    process = program.start("watch", output=output)
    try:
        wait_until(
            lambda: program.json("status")["state"] in ("idle", "settling", "building"), "a ready daemon"
        )
        yield process
    finally:
        if process.poll() is None:
            code = stop(process)
            assert code == 0, output.read_text()


def idle_after(program: Program, run: int, seconds: float = 90) -> dict:
    """The newest run, once run number `run` has ended and nothing more is due."""

    def settled() -> dict | None:
        rows = program.json("runs")
        if not rows or rows[0]["id"] < run or rows[0]["status"] == "running":
            return None
        status = program.json("status")
        return rows[0] if status["state"] == "idle" and not status["pending_changes"] else None

    return wait_until(settled, f"run {run}", seconds)


def save(program: Program, name: str, old: str, new: str) -> None:
    path = program.project / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_save_is_one_run_that_names_its_file_and_nothing_else_starts_one(
    greeter: Program, tmp_path: Path
) -> None:
    """Inputs are those of the last ok run, so the start builds nothing; reading, touching, same bytes build nothing."""
    with daemon(greeter, tmp_path / "out"):
        source = greeter.project / "greet/greet.go"
        source.read_text()
        os.utime(source)
        source.write_text(source.read_text())
        (greeter.project / "README.md").write_text("no input\n")
        (greeter.project / "greet/greet_test.go").write_text("package greet\n")
        save(greeter, "greet/greet.go", '"hello, "', '"good day, "')
        run = idle_after(greeter, 2)
        assert (run["id"], run["status"], run["trigger"]) == (2, "ok", ["greet/greet.go"])


def test_changes_while_nobody_watched_are_found_at_the_start(greeter: Program, tmp_path: Path) -> None:
    save(greeter, "greet/banner.txt", "greeter", "greeter, anew")
    with daemon(greeter, tmp_path / "out"):
        run = idle_after(greeter, 2)
        assert (run["id"], run["trigger"]) == (2, ["greet/banner.txt"])


def test_a_second_daemon_and_a_second_writer_are_told_who_holds_the_project(
    greeter: Program, tmp_path: Path
) -> None:
    with daemon(greeter, tmp_path / "out") as first:
        second = greeter("watch", code=75)
        assert str(first.pid) in second.err
        pinned = greeter("pin", "@", "kept")
        assert "pinned" in pinned.out
    assert greeter.json("runs")[0]["pins"] == ["kept"]
    assert greeter.json("status")["state"] == "stopped"


def test_build_hands_over_to_the_daemon_and_ctrl_c_cancels_it(greeter: Program, tmp_path: Path) -> None:
    with daemon(greeter, tmp_path / "out"):
        said = greeter("build")
        assert "#2 ok" in said.out
        save(greeter, "trace/trace.go", '"enter"', '"in"')
        idle_after(greeter, 3)
        save(greeter, "trace/trace.go", '"in"', '"enter "')  # every package is compiled anew: time to cancel
        wait_until(lambda: greeter.json("status")["state"] == "building", "a build")
        asked = greeter.start("build", output=tmp_path / "asked")
        idle_after(greeter, 4)
        wait_until(
            lambda: greeter.json("status")["state"] == "building" or asked.poll() is not None,
            "the asked build",
        )
        asked.send_signal(signal.SIGINT)
        assert asked.wait(30) in (130, 0)


def test_stopping_in_mid_build_records_a_cancelled_run_and_leaves_no_process(
    greeter: Program, tmp_path: Path
) -> None:
    process = greeter.start("watch", output=tmp_path / "out")
    wait_until(lambda: greeter.json("status")["state"] == "idle", "a ready daemon")
    save(greeter, "trace/trace.go", '"enter"', '"entered"')
    wait_until(
        lambda: list((greeter.state / "work").glob("run-2/go-build*/b*/_pkg_.a")), "a build that is under way"
    )
    assert stop(process, signal.SIGTERM, 20) == 0
    run = greeter.json("runs")[0]
    assert (run["id"], run["status"]) == (2, "cancelled")
    assert "SIGTERM" in run["reason"]
    assert not processes_with(str(greeter.state))
    greeter("build")
    assert greeter.json("runs")[0]["unknown_packages"] == 0


def test_a_project_that_is_broken_for_a_while_is_built_when_it_is_mended(
    greeter: Program, tmp_path: Path
) -> None:
    gomod = (greeter.project / "go.mod").read_text()
    with daemon(greeter, tmp_path / "out"):
        (greeter.project / "go.mod").write_text("modul example.com/greeter\n")
        wait_until(lambda: greeter.json("status")["problem"], "a problem in the status", 30)
        (greeter.project / "go.mod").write_text(gomod)
        save(greeter, "greet/greet.go", '"hello, "', '"hi, "')
        wait_until(
            lambda: greeter.json("runs")[0]["status"] == "ok" and greeter.json("runs")[0]["id"] > 1,
            "a run",
            60,
        )
        wait_until(lambda: greeter.json("status")["problem"] is None, "an end of the problem")
    assert "go.mod" in (tmp_path / "out").read_text()


def test_a_build_that_could_not_start_is_tried_again_without_another_save(
    greeter: Program, tmp_path: Path
) -> None:
    """Given a history that another program holds locked, when a file is saved, then it is built once that lets go."""
    with daemon(greeter, tmp_path / "out"):
        with closing(sqlite3.connect(greeter.json("status")["paths"]["database"])) as other:
            other.execute("BEGIN IMMEDIATE")
            save(greeter, "greet/greet.go", '"hello, "', '"good day, "')
            wait_until(lambda: greeter.json("status")["problem"], "a problem in the status", 60)
            wait_until(lambda: greeter.json("status")["pending_changes"], "the change, still due", 60)
        run = idle_after(greeter, 2)
        assert (run["id"], run["status"], run["trigger"]) == (2, "ok", ["greet/greet.go"])
        assert greeter.json("status")["problem"] is None


def test_sighup_takes_a_good_configuration_and_keeps_the_old_one_when_it_is_bad(
    greeter: Program, tmp_path: Path
) -> None:
    with daemon(greeter, tmp_path / "out") as process:
        (greeter.project / "orchwatchd.toml").write_text("[watch]\nrset = '1s'\n")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "rset" in (tmp_path / "out").read_text(), "the complaint")
        (greeter.project / "orchwatchd.toml").write_text("[build]\npackages = ['./cmd/greeter']\n")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in (tmp_path / "out").read_text(), "the new configuration")
        save(greeter, "greet/greet.go", '"hello, "', '"hi, "')
        wait_until(
            lambda: len(greeter.json("runs")) > 1 and greeter.json("runs")[0]["status"] == "ok", "a run"
        )
        programs = [program["package"] for program in greeter.json("show", "@")["programs"]]
        assert programs == ["example.com/greeter/cmd/greeter"]


def test_nonsense_on_the_socket_is_answered_and_changes_nothing(greeter: Program, tmp_path: Path) -> None:
    with daemon(greeter, tmp_path / "out"):
        path = greeter.json("status")["paths"]["socket"]
        assert oct(Path(path).stat().st_mode & 0o777) == "0o600"
        for data in (
            b"nonsense\n",
            b"{}\n",
            b'{"command": "frobnicate"}\n',
            b'{"command": "pin", "arguments": {}}\n',
        ):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                connection.sendall(data)
                answer = json.loads(connection.makefile().readline())
                assert answer["exit_code"] != 0, data
        assert greeter.json("status")["state"] == "idle"


def test_a_build_that_is_refused_is_an_error_in_the_answer_not_a_warning(
    greeter: Program, tmp_path: Path
) -> None:
    with daemon(greeter, tmp_path / "out"):
        told: list[Event] = []
        path = Path(greeter.json("status")["paths"]["socket"])
        answer = ask(path, "build", {"arguments": ["./..."]}, on_event=told.append)
        assert answer is not None
        assert answer.exit_code == 2
        assert answer.result["error"].startswith("`go ./...` is no command that orchwatchd records\n  ")
        assert not any(isinstance(event, Line) and event.stream == "warning" for event in told)
    assert "warning: `go ./...`" in (tmp_path / "out").read_text()
