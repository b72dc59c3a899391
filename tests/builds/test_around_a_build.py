"""What surrounds a build: its log, its cache, its temporary folder, Git and the build list."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from build_bench import Bench, _bench, _temp_folder  # noqa: F401 - fixtures

from orchwatchd import build
from orchwatchd.build import state
from orchwatchd.build.cache import ensure_cache, retire
from orchwatchd.build.log import split_log_lines
from orchwatchd.build.temp import make_temp, noted_temp, remove_temp, temp_of
from orchwatchd.errors import ConfigurationError, OrchwatchdError
from orchwatchd.models.build import BuildOutcome, Stop
from orchwatchd.models.run import GitState, RunStatus

NOW = datetime(2026, 11, 23, 22, 9, 22, 900000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("level", "expected"),
    [("warn", "WARN"), ("NONE", "DISABLED"), ("off", "DISABLED"), ("Trace", "TRACE"), ("ERROR", "ERROR")],
)
def test_levels_in_any_case_become_what_orchestrion_takes(level: str, expected: str, tmp_path: Path) -> None:
    assert build.plan_log("o.jsonl", level, root=tmp_path, disabled="DISABLED").level == expected
    assert build.plan_log("o.jsonl", level, root=tmp_path, disabled="DISABLED").file == str(
        tmp_path / "o.jsonl"
    )


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
def test_slow_levels_are_said_to_be_slow(level: str, tmp_path: Path) -> None:
    assert f"{level} slows builds" in build.plan_log("o", level, root=tmp_path, disabled="x").notes[0]
    assert build.plan_log("o", "INFO", root=tmp_path, disabled="x").notes == ()


@pytest.mark.parametrize("file", ["/l/o-$PID.jsonl", "/l/${PID}/o.jsonl", "/l/$PID-${PID}"])
def test_a_file_a_process_is_allowed(file: str, tmp_path: Path) -> None:
    assert build.plan_log(file, "WARN", root=tmp_path, disabled="x").file == file


@pytest.mark.parametrize("file", ["/l/$HOME/o", "/l/$PIDX", "/l/${PID", "/l/$", "/l/${HOME}$PID"])
def test_any_other_dollar_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="only"):
        build.plan_log(file, "WARN", root=tmp_path, disabled="x")


def test_log_lines_are_told_from_output_and_echoes_of_earlier_builds_are_dropped() -> None:
    """The Go command prints what a compile said again when its cache serves the package."""
    stderr = (
        "WORK=/tmp/go-build1\n"
        "\x1b[90m2026-11-23T22:09:22Z\x1b[0m DBG Starting job server goroutine \x1b[36mx=\x1b[0m1\n"
        "# p\n\x1b[90m2026-11-20T10:00:00Z\x1b[0m WRN of an earlier build\n"
        "2026-11-23T22:10:00Z \x1b[31mERR\x1b[0m late\na.go:1:1: bad\n2026-11-23 is no log line\n"
    )
    rest, lines = split_log_lines(stderr, NOW)
    assert rest == "WORK=/tmp/go-build1\n# p\na.go:1:1: bad\n2026-11-23 is no log line\n"
    assert lines == (
        "2026-11-23T22:09:22Z DBG Starting job server goroutine x=1",
        "2026-11-23T22:10:00Z ERR late",
    )


def outcome(
    code: int | None, *, stop: Stop | None = None, graph: bool = True, stderr: bytes = b""
) -> BuildOutcome:
    return BuildOutcome(
        exit_code=code,
        stop=stop,
        orphans=0,
        survivors=(),
        process=None,
        started_at=NOW,
        ended_at=NOW,
        duration=1.0,
        work_tree=None,
        graph_written=graph,
        stderr=stderr,
    )


@pytest.mark.parametrize(
    ("code", "go_ended", "more", "expected"),
    [
        (0, True, {}, RunStatus.OK),
        (0, False, {}, RunStatus.INTERRUPTED),
        (0, True, {"stop": Stop.CANCELLED}, RunStatus.CANCELLED),
        (0, True, {"stop": Stop.TIME_LIMIT}, RunStatus.CANCELLED),
        (1, True, {}, RunStatus.FAILED),
        (1, False, {}, RunStatus.FAILED),
        (1, False, {"graph": False}, RunStatus.FAILED),
        (-9, False, {}, RunStatus.INTERRUPTED),
        (-15, True, {}, RunStatus.INTERRUPTED),
        (255, False, {"stderr": b"signal: killed\n"}, RunStatus.INTERRUPTED),
        (1, True, {"stderr": b"signal: killed\n"}, RunStatus.FAILED),
        (None, False, {}, RunStatus.FAILED),
    ],
)
def test_only_proof_makes_a_run_ok(
    code: int | None, go_ended: bool, more: dict[str, object], expected: RunStatus
) -> None:
    status, reason = build.status_of(outcome(code, **more), go_ended)
    assert status is expected
    assert (reason is None) == (status is RunStatus.OK)


def test_a_cache_belongs_to_one_history(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert ensure_cache(cache, "first") is False
    assert cache.stat().st_mode & 0o777 == 0o700
    (cache / "00").mkdir()
    assert ensure_cache(cache, "first") is False
    assert (cache / "00").is_dir()

    assert ensure_cache(cache, "second") is True
    assert [path.name for path in cache.iterdir()] == ["orchwatchd-history"]
    assert ensure_cache(cache, "second") is False
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_cache_without_a_marker_is_never_used(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "00").mkdir(parents=True)
    assert ensure_cache(cache, "mine") is True
    assert not (cache / "00").exists()


def test_a_retired_cache_is_gone_and_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ensure_cache(cache, "mine")
    (tmp_path / "cache.retired-0123").mkdir()
    (tmp_path / "cache.new-0123").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").touch()
    (tmp_path / "cache.retired-link").symlink_to(tmp_path / "elsewhere")
    retire(cache)
    retire(cache)
    assert not cache.exists()
    assert ensure_cache(cache, "mine") is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "elsewhere"]
    assert (tmp_path / "elsewhere/kept").exists()


def test_a_runs_temporary_folder_is_found_again_with_another_tmpdir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, temp = tmp_path / "run-1", temp_of(tmp_path / "run-1")
    work.mkdir()
    make_temp(temp, work)
    (temp / "orchestrion.nbt-1").mkdir()
    monkeypatch.setattr("tempfile.tempdir", "/somewhere/else")
    assert noted_temp(work) == temp
    remove_temp(work)
    assert not temp.exists()
    assert list(work.iterdir()) == []


def test_a_note_that_names_another_folder_is_not_believed(bench: Bench, tmp_path: Path) -> None:
    work, precious = tmp_path / "run-1", tmp_path / "precious"
    work.mkdir()
    precious.mkdir()
    (work / "tmpdir").write_text(str(precious))
    remove_temp(work)
    assert precious.exists()


def test_a_link_in_place_of_a_temporary_folder_is_refused_and_kept(bench: Bench, tmp_path: Path) -> None:
    work, victim = tmp_path / "run-1", tmp_path / "victim"
    work.mkdir()
    victim.mkdir()
    (victim / "file").touch()
    temp = temp_of(work)
    temp.symlink_to(victim)
    with pytest.raises(OrchwatchdError, match="cannot make"):
        make_temp(temp, work)
    remove_temp(work)
    assert (victim / "file").exists()


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_state_follows_the_repository(tmp_path: Path) -> None:
    assert build.git_state(tmp_path) == GitState()
    git(tmp_path, "init", "-b", "trunk")
    assert build.git_state(tmp_path) == GitState(None, "trunk", dirty=False)
    (tmp_path / "a").touch()
    assert build.git_state(tmp_path).dirty is True
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "one")
    clean = build.git_state(tmp_path)
    assert (clean.branch, clean.dirty) == ("trunk", False)
    assert clean.commit is not None
    assert len(clean.commit) == 40
    git(tmp_path, "checkout", "--detach")
    assert build.git_state(tmp_path) == GitState(clean.commit, None, dirty=False)


def test_without_git_nothing_is_known(tmp_path: Path) -> None:
    assert build.git_state(tmp_path, {"PATH": str(tmp_path)}) == GitState()


def test_the_build_list_has_versions_and_replacements(bench: Bench) -> None:
    found = bench.toolchain()
    text = build.modules_document(bench.project, found, bench.env)
    assert text is not None
    modules = {row["path"]: row for row in json.loads(text)}
    assert modules["github.com/DataDog/orchestrion"]["version"] == "v1.15.0"
    assert modules["example.com/greeter"] == {"path": "example.com/greeter", "version": None, "main": True}
    assert list(modules) == sorted(modules)

    (bench.folder / "here").mkdir()
    (bench.folder / "here/go.mod").write_text("module github.com/DataDog/sketches-go\n\ngo 1.26.0\n")
    bench.edit("go.mod", "go 1.26.0", "go 1.26.0\n\nreplace github.com/DataDog/sketches-go => ./here")
    text = build.modules_document(bench.project, found, bench.env)
    assert text is not None
    modules = {row["path"]: row for row in json.loads(text)}
    assert modules["github.com/DataDog/sketches-go"]["replace"] == {"path": "./here", "version": None}


def test_the_build_list_is_asked_for_once_though_every_run_has_folders_of_its_own(bench: Bench) -> None:
    found = bench.toolchain()
    first = build.modules_document(
        bench.project, found, {**bench.env, "GOTMPDIR": "/run-1", "GOCACHE": "/one"}
    )
    known = state._modules.cache_info().misses
    again = build.modules_document(
        bench.project, found, {**bench.env, "GOTMPDIR": "/run-2", "GOCACHE": "/two"}
    )
    assert first is not None
    assert (again, state._modules.cache_info().misses) == (first, known)
