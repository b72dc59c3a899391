"""Lines of a source, numbered as the compiler numbers them."""

from __future__ import annotations

from orchwatchd.render.annotate import lines_of


def test_only_a_line_feed_ends_a_line() -> None:
    assert lines_of("a\x0cb\u2028c\r\nd\n\ne".encode()) == ["a\x0cb\u2028c", "d", "", "e"]
    assert lines_of(b"a\n") == ["a"]
    assert lines_of(b"") == []
