"""Declarations found by the layout of the text are those that the parser finds, or none are said to be found."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from conftest import Tools
from hypothesis import given, settings
from hypothesis import strategies as st

from orchwatchd.weave.cuts import cut
from orchwatchd.weave.declarations import Declaration, parse_declarations, read_declarations
from orchwatchd.weave.syntax import parse

# Packages of Go's own library with raw strings, labels, tables, generated code, cgo and assembly stubs among them.
PACKAGES = (
    "net/http",
    "runtime",
    "go/types",
    "log/slog",
    "encoding/json",
    "text/template",
    "os/user",
    "math/big",
)

Place = tuple[str, int, int, int]


def places(declarations: list[Declaration]) -> list[Place]:
    return [(one.keyword, one.start, one.end, one.line) for one in declarations]


def go(text: str) -> bytes:
    """Go text without the indent that it has here, tabs in place of four blanks."""
    return dedent(text).replace("    ", "\t").lstrip("\n").encode()


def texts(data: bytes) -> list[bytes] | None:
    """The declarations after the package clause, None where the layout does not tell."""
    found = cut(data)
    return None if found is None else [data[one.start : one.end] for one in found[1:]]


@pytest.fixture(scope="session")
def library(tools: Tools) -> list[Path]:
    source = tools.go.resolve().parent.parent / "src"
    files = [file for name in PACKAGES for file in sorted((source / name).glob("*.go"))]
    assert len(files) > 500
    return files


def test_in_go_s_own_library_the_layout_tells_what_the_parser_tells(library: list[Path]) -> None:
    refused = []
    for file in library:
        data = file.read_bytes()
        if cut(data) is None:
            refused.append(file.name)
        elif not parse(data).root_node.has_error:
            assert places(read_declarations(data)) == places(parse_declarations(data)), file
        parse.cache_clear()
    assert not refused


def test_a_name_read_from_the_first_words_is_the_one_that_the_parser_gives(library: list[Path]) -> None:
    for file in library:
        data = file.read_bytes()
        by_layout = {one.start: one.key for one in read_declarations(data)}
        for one in parse_declarations(data):
            if one.keyword != "error" and not one.node.has_error:
                parsed = Declaration(
                    one.keyword, one.start, one.end, one.line, one.data, one.generated, one.node
                )
                assert by_layout.get(one.start) == parsed.key, file
        parse.cache_clear()


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        (
            "a keyword within a raw string",
            """
            package p

            var page = `
            func no() {}
            `

            func yes() {}
            """,
            [b"var page = `\nfunc no() {}\n`", b"func yes() {}"],
        ),
        (
            "a keyword within a comment",
            """
            package p

            /*
            func no() {}
            */
            func yes() {}
            """,
            [b"func yes() {}"],
        ),
        (
            "a backquote in a rune, a string and a comment",
            """
            package p

            var a = '`' // `
            var b = "`"

            func yes() {}
            """,
            [b"var a = '`'", b'var b = "`"', b"func yes() {}"],
        ),
        (
            "comments behind and between",
            """
            package p

            var a = 1 // one

            // Of yes.
            func yes() {
                x() // "}
            } // end

            // The last word.
            """,
            [b"var a = 1", b'func yes() {\n\tx() // "}\n}'],
        ),
        (
            "a label in the first column",
            """
            package p

            func f() {
            again:
                goto again
            }
            """,
            [b"func f() {\nagain:\n\tgoto again\n}"],
        ),
        (
            "brackets in strings, and a line that goes on",
            """
            package p

            var open = "{" +
                "("

            func f(
                a int,
            ) {
            }
            """,
            [b'var open = "{" +\n\t"("', b"func f(\n\ta int,\n) {\n}"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_what_begins_in_the_first_column_is_told_apart(title: str, text: str, expected: list[bytes]) -> None:
    data = go(text)
    assert texts(data) == expected
    assert places(read_declarations(data)) == places(parse_declarations(data))


@pytest.mark.parametrize(
    "text",
    [
        "package p\n\nfunc f() {\nvar x int\n_ = x\n}\n",
        "package p\n\nfunc f() {\n}\n\tfunc g() {\n\t}\n",
        'package p\n\nimport "a"\n\tfunc f() {\n}\n',
        "package p\n\nvar a = 1; func f() {\n}\n",
        "package p\n\nfunc f() {\n}; func g() {\n}\n",
        "package p\n\ntype F =\nfunc(int) string\n",
        "package p\n\nvar c chan\nfunc()\n",
        "x := 1\n\npackage p\n",
        "\tpackage p\n\nfunc f() {}\n",
    ],
)
def test_a_text_that_gofmt_would_change_is_left_to_the_parser(text: str) -> None:
    data = text.encode()
    assert cut(data) is None
    assert places(read_declarations(data)) == places(parse_declarations(data))


_BLOCKS = st.sampled_from(
    [
        "func f() {\n\tx()\n}\n",
        "func (t *T) m(a int) (string, error) { return t.x(a) }\n",
        "func f(\n\ta int,\n) error {\n\treturn nil\n}\n",
        'type T struct {\n\ta int `json:"a"`\n}\n',
        "type F = func(int) string\n",
        "var a, b = 1, 2\n",
        "var (\n\ta = 1\n\tb = `x\nfunc y() {\n`\n)\n",
        "const c = 1 +\n\t2\n",
        'import "a"\n',
        "// A comment.\n",
        "/* Another\nfunc one() {} */\n",
        "//line /src/p.go:3\n",
        "\n",
        "\tvar indented = 1\n",
        "}\n",
        'var s = "{"\n',
        "func g() { a(); b() }\n",
    ]
)
_SCARS = st.sampled_from(["", "`", "/*", "*/", '"', "'", "{", "}", "(", ")", "\n", "\t", ";", "\r\n"])


@given(blocks=st.lists(_BLOCKS, max_size=8), scar=_SCARS, at=st.integers(0, 400))
@settings(max_examples=400, deadline=None)
def test_whatever_is_put_together_the_layout_never_tells_otherwise_than_the_parser(
    blocks: list[str], scar: str, at: int
) -> None:
    text = "package p\n\n" + "".join(blocks)
    data = (text[: at % len(text)] + scar + text[at % len(text) :]).encode()
    parsed = parse_declarations(data)
    if (
        cut(data) is not None
        and not parse(data).root_node.has_error
        and all(one.keyword != "error" for one in parsed)
    ):
        assert places(read_declarations(data)) == places(parsed)
