"""One line of Orchestrion's log."""

from __future__ import annotations

import pytest

from orchwatchd.models.package import PackageName
from orchwatchd.orchlog.lines import is_orchestrions, level_rank, parse_line, split_glued

TWICE = (
    b'{"level":"debug","orchestrion":"v1.15.0","pid":10549,"ppid":8368,"TOOLEXEC_IMPORTPATH":"example.com/shop/store",'
    b'"phase":"compile","import-path":"example.com/shop/store","kind":"ImportStatement",'
    b'"import-path":"github.com/DataDog/dd-trace-go/v2/ddtrace/tracer","time":"2026-11-23T21:44:52Z",'
    b'"message":"Recording synthetic link.deps dependency"}'
)


def test_both_import_paths_of_one_line_are_kept():
    line = parse_line(TWICE, 7)
    assert line.number == 7
    assert [value for key, value in line.fields if key == "import-path"] == [
        "example.com/shop/store",
        "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer",
    ]
    assert line.package == PackageName("example.com/shop/store")
    assert line.subject == "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
    assert (line.level, line.phase, line.pid, line.orchestrion) == ("debug", "compile", 10549, "v1.15.0")


def test_a_test_variant_is_told_from_its_package():
    line = parse_line(
        b'{"level":"info","TOOLEXEC_IMPORTPATH":"a/b [a/b.test]","import-path":"a/b","message":"x"}'
    )
    assert line.package == PackageName("a/b", "a/b.test")
    assert line.subject is None


def test_the_import_path_names_the_package_where_the_job_server_writes():
    line = parse_line(
        b'{"level":"debug","import-path":"bufio","error":null,"message":"Compile task finished"}'
    )
    assert (line.package, line.detail) == (PackageName("bufio"), None)


def test_an_error_is_the_detail_and_a_file_the_subject():
    line = parse_line(b'{"level":"error","error":"boom","path":"/a/b.go","message":"os.Remove failed"}')
    assert (line.level, line.detail, line.subject) == ("error", "boom", "/a/b.go")


@pytest.mark.parametrize(
    "raw",
    [
        b"panic: no json",
        b'{"level":3}',
        b"[1, 2]",
        b'{"level":"debug","mess',
        b"\xff\xfe",
        b'"text"',
        b"[" * 5000,
    ],
)
def test_what_is_no_json_line_is_kept_as_text(raw):
    line = parse_line(raw, 1)
    assert line.level == ""
    assert line.message == line.raw == raw.decode(errors="replace")
    assert line.package is None


def test_a_line_that_follows_half_a_line_is_found():
    """Given a process killed while it wrote, when the next line follows without a newline, then both are there."""
    half = b'{"level":"debug","orches'
    assert list(split_glued(half + TWICE)) == [half, TWICE]
    assert list(split_glued(TWICE)) == [TWICE]
    assert list(split_glued(b"  ")) == []
    assert list(split_glued(half)) == [half]


def test_a_line_that_holds_another_one_as_text_is_one_line():
    quoted = b'{"level":"warn","error":"got {\\"level\\":\\"x\\"}","message":"m"}'
    assert list(split_glued(quoted)) == [quoted]


def test_levels_are_ordered_and_unknown_ones_count_as_warnings():
    order = ["trace", "debug", "info", "warn", "error", "fatal", "panic"]
    assert sorted(order, key=level_rank) == order
    assert level_rank("") == level_rank("newer") == level_rank("warn")


@pytest.mark.parametrize(
    ("line", "is_its"),
    [
        (TWICE, True),
        (b'{"level":"warn","orchestrion":"v1.15.0","message":"m"}', True),
        (b'{"level":"debug","import-path":"bufio","message":"Compile task finished"}', True),
        (b'{"level":"info","message":"of another program","time":"2026-11-23T21:44:52Z"}', False),
        (b'{"orchestrion":"v1.15.0"}', False),
        (b'["level","orchestrion"]', False),
        (b"root:x:0:0:root:/root:/bin/bash", False),
        (b"", False),
    ],
)
def test_a_line_of_orchestrions_is_known_by_its_fields(line, is_its):
    assert is_orchestrions(line) is is_its
