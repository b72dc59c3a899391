"""What history keeps of a run's log, and finding lines in it."""

from __future__ import annotations

import json
import random
import time

import pytest
from backports import zstd
from conftest import raw_build
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.errors import UsageError
from orchwatchd.models.log import LogFilter, SkipReason
from orchwatchd.orchlog.family import LogFamily
from orchwatchd.orchlog.index import index_lines, index_run
from orchwatchd.orchlog.lines import level_rank
from orchwatchd.orchlog.ranges import mark, ranges_since
from orchwatchd.orchlog.search import Follower, lines_of, select


def line(level="debug", message="m", package="a/b", at="2026-11-23T21:44:37Z", **more):
    return json.dumps(
        {"level": level, "TOOLEXEC_IMPORTPATH": package, **more, "time": at, "message": message},
        separators=(",", ":"),
    ).encode()


def kept(indexed):
    return [item for chunk in indexed.chunks for item in lines_of(chunk)]


def test_all_lines_come_back_as_they_were_written():
    raw = [line(n=n) for n in range(5000)] + [b"plain text"]
    indexed = index_lines(raw, max_lines=10_000, level="DEBUG")
    assert [item.raw.encode() for item in kept(indexed)] == raw
    assert [item.number for item in kept(indexed)] == list(range(5001))
    assert len(indexed.chunks) > 1
    assert indexed.counts.seen == {"debug": 5000, "": 1}
    assert indexed.counts.left_out == {}
    assert [note.message for note in indexed.notes] == ["plain text"]


def test_severe_lines_stay_when_there_are_too_many():
    raw = [line(n=n) for n in range(100)] + [line("error", "bad")] + [line(n=n) for n in range(100, 200)]
    indexed = index_lines(raw, max_lines=11, level="DEBUG")
    assert [item.number for item in kept(indexed)] == [0, 1, 2, 3, 4, 100, 196, 197, 198, 199, 200]
    assert indexed.counts.left_out == {"debug": 190}
    assert (indexed.counts.lines, indexed.counts.kept) == (201, 11)
    assert [(note.number, note.message) for note in indexed.notes] == [(100, "bad")]


def test_levels_below_the_policy_are_counted_and_their_facts_kept():
    raw = [
        line("trace", "Complete version output", version="go version 1;orchestrion@v1.15.0;abc="),
        line(
            "trace",
            "Adding module to fingerprint...",
            module={"Path": "x", "Version": "v1.2.3", "Replace": {"Path": "../x"}, "Files": {}},
        ),
        line("info", "kept"),
    ]
    indexed = index_lines(raw, max_lines=10, level="INFO")
    assert [item.message for item in kept(indexed)] == ["kept"]
    assert indexed.counts.left_out == {"trace": 2}
    assert indexed.toolexec == ("go version 1;orchestrion@v1.15.0;abc=",)
    assert indexed.modules == ("x@v1.2.3 => ../x",)


def test_what_orchestrion_left_alone_has_its_reason():
    raw = [
        line(message="No files to inject in package after filtering on imports and files", package="a"),
        line(message="No files to inject in package after filtering on imports and files", package="a"),
        line("warn", "Skipping injectrion due to type checking error", "b [b.test]", error="undefined: x"),
        line(message="Not weaving aspects to prevent circular instrumentation", package="c"),
    ]
    found = index_lines(raw, max_lines=10, level="ERROR").skips
    assert [(str(skip.package), skip.reason, skip.detail, skip.line) for skip in found] == [
        ("a", SkipReason.NO_MATCH, None, 0),
        ("b [b.test]", SkipReason.TYPE_ERROR, "undefined: x", 2),
        ("c", SkipReason.CIRCULAR, None, 3),
    ]


@given(
    st.lists(st.sampled_from(["trace", "debug", "info", "warn", "error", ""]), max_size=60),
    st.integers(1, 40),
    st.sampled_from(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]),
)
def test_bounds_hold_and_nothing_is_unaccounted_for(levels, limit, lowest):
    raw = [line(level, n=n) if level else b"text %d" % n for n, level in enumerate(levels)]
    indexed = index_lines(raw, max_lines=limit, level=lowest)
    found = kept(indexed)
    assert len(found) == indexed.counts.kept <= limit
    assert indexed.counts.lines == len(levels)
    assert [item.raw.encode() for item in found] == [raw[item.number] for item in found]
    ranks = [level_rank(level) for level in levels]
    allowed = sorted((rank for rank in ranks if rank >= level_rank(lowest.lower())), reverse=True)
    assert sorted((level_rank(item.level) for item in found), reverse=True) == allowed[:limit]


def test_the_files_of_many_processes_are_merged_in_time(tmp_path):
    family = LogFamily(str(tmp_path / "o-$PID.jsonl"))
    (tmp_path / "o-1.jsonl").write_bytes(
        b"\n".join([line(at="2026-01-01T00:00:01Z", n=1), line(at="2026-01-01T00:00:03Z", n=3), b"of 3", b""])
    )
    (tmp_path / "o-2.jsonl").write_bytes(line(at="2026-01-01T00:00:02Z", n=2) + b"\n")
    indexed = index_run(family, ranges_since(family, ()))
    assert [dict(item.fields).get("n") for item in kept(indexed)] == [1, 2, 3, None]
    assert indexed.problems == ()


def test_a_range_that_is_lost_is_a_problem_and_the_rest_is_read(tmp_path):
    family = LogFamily(str(tmp_path / "o-$PID.jsonl"))
    (tmp_path / "o-1.jsonl").write_bytes(line() + b"\n")
    (tmp_path / "o-2.jsonl").write_bytes(line() + b"\n")
    ranges = ranges_since(family, ())
    (tmp_path / "o-1.jsonl").unlink()
    indexed = index_run(family, ranges)
    assert indexed.counts.lines == 1
    assert len(indexed.problems) == 1
    assert "o-1.jsonl is gone" in indexed.problems[0]


def test_lines_are_found_by_level_package_and_text():
    raw = [
        line("debug", package="net/http"),
        line("warn", package="net/http [net/http.test]"),
        line("error", "needle [1]", package="net"),
        b"text",
        line("info", package="net/http/httptest"),
    ]
    chunks = index_lines(raw, max_lines=100, level="TRACE").chunks

    def numbers(**wanted):
        return [item.number for item in select(chunks, LogFilter(**wanted))]

    assert numbers() == [0, 1, 2, 3, 4]
    assert numbers(level="WARN") == [1, 2, 3], "a line that is no JSON has no level that could hide it"
    assert numbers(package="net/http") == [0, 1]
    assert numbers(package="net/http [net/http.test]") == [1]
    assert numbers(package="net/http/...") == [0, 1, 4]
    assert numbers(package="net/...") == [0, 1, 2, 4]
    assert numbers(grep=r"needle \[\d\]") == [2]
    assert numbers(level="error", package="net", grep="needle") == [2]
    with pytest.raises(UsageError, match="no level"):
        numbers(level="loud")
    with pytest.raises(UsageError, match="no regular expression"):
        numbers(grep="(")


def test_following_gives_whole_lines_through_a_rotation(tmp_path):
    live = tmp_path / "o.jsonl"
    family = LogFamily(str(live))
    live.write_bytes(b"before\n")
    follower = Follower(family, mark(family))
    assert follower.poll() == []
    with live.open("ab") as file:
        file.write(b"one\nhal")
    assert [item.message for item in follower.poll()] == ["one"]
    assert follower.poll() == []
    with live.open("ab") as file:
        file.write(b"f\n")
    live.rename(tmp_path / f"o-20261123T215501.000001Z-i{live.stat().st_ino}.jsonl")
    live.write_bytes(b"new file\n")
    found = follower.poll()
    assert [item.message for item in found] == ["half", "new file"]
    assert [item.number for item in found] == [1, 2]


def trace_like(count):
    """Lines as TRACE writes them, about 520 bytes each, a new random hash in every one."""
    chance = random.Random(6)
    flags = ["-complete", "-lang=go1.26", "-std", "-c=2", "-nolocalimports", "-importcfg", "x" * 180]
    return [
        line(
            "trace",
            f"message {n % 40}",
            f"example.com/service/internal/package{n % 500}",
            pid=n,
            command=flags,
            archive=f"/home/someone/.cache/orchwatchd/{'d' * 40}/{chance.randbytes(32).hex()}-d",
        )
        for n in range(count)
    ]


def test_a_trace_log_costs_little_time_and_room():
    """6,000 lines and 3 MB: under a second, and under 1 MB of database."""
    raw = trace_like(6000)
    assert sum(map(len, raw)) > 3_000_000
    start = time.monotonic()
    indexed = index_lines(raw, max_lines=20_000, level="TRACE")
    stored = sum(len(zstd.compress(chunk.data)) for chunk in indexed.chunks)
    assert time.monotonic() - start < 1
    assert indexed.counts.kept == 6000
    assert stored < 700_000, "leaves room for the rows beside"


@pytest.mark.builds
def test_a_real_trace_log_is_told_in_full(tools, greeter_cold, tmp_path):
    """Given a cold TRACE build of the greeter, then every line is read, and the facts of fact 21 are there."""
    build = raw_build(
        tools, greeter_cold.project, cache=tmp_path / "cache", out=tmp_path / "out", level="TRACE"
    )
    assert build.returncode == 0, build.stderr
    family = LogFamily(str(build.log))
    start = time.monotonic()
    indexed = index_run(family, ranges_since(family, ()), level="TRACE")
    stored = sum(len(zstd.compress(chunk.data)) for chunk in indexed.chunks)
    assert time.monotonic() - start < 1
    assert stored < 1_000_000
    assert indexed.counts.lines == len(build.log.read_bytes().splitlines())
    assert "" not in indexed.counts.seen
    assert indexed.problems == ()
    updated = {item.updated for item in indexed.replacements}
    woven = {
        str(path)
        for path in build.work.rglob("orchestrion/src/**/*.go")
        if path.is_file() and "/synthetic/" not in str(path)
    }
    assert updated == woven
    assert any(";" in key and "orchestrion@v1.15.0" in key for key in indexed.toolexec)
    assert any(name.startswith("example.com/greeter") for name in indexed.modules)
    assert any(skip.reason is SkipReason.NO_MATCH for skip in indexed.skips)
