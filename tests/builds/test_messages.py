"""Compiler messages; every text here was printed by a real build (Orchestrion v1.15.0, Go 1.26.8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchwatchd.build.generated import pieces
from orchwatchd.build.messages import parse
from orchwatchd.models.run import CompilerMessage

HERE = Path("/home/dev/greeter")
GREET = "example.com/greeter/greet"

WOVEN = b"""//line /home/dev/greeter/greet/greet.go:1:1
// Package greet says hello.
package greet

import (
	_ "embed"

//line <generated>:1
	__orchestrion_trace "example.com/greeter/trace"
)

// Banner returns the embedded banner.
func Banner() string { return banner }

//greeter:span
func (g *Greeter) Hello(name string) string {
//line <generated>:1
	{
		var q int = "x"
		__orchestrion_trace.Exit("Hello")
	}
//line /home/dev/greeter/greet/greet.go:16
	return "hello, " + name
}

func Reset(what string) string {
//line <generated>:1
	{
		var q int = "x"
		__orchestrion_trace.Exit("Reset")
	}
//line /home/dev/greeter/greet/greet.go:23
	return "reset " + what + suffix
}
//line <generated>:1
func injected() { nowhere() }
"""


def one(stderr: str, stdout: str = "") -> CompilerMessage:
    (message,) = parse(stderr, stdout, folder=HERE)
    return message


def place(message: CompilerMessage) -> tuple[str, int, int | None, str | None]:
    return message.file, message.line, message.column, message.package


def test_type_errors_carry_place_and_package() -> None:
    messages = parse(
        "WORK=/tmp/go-build1\n# example.com/greeter/greet\n"
        'greet/greet.go:29:13: cannot use "a" (untyped string constant) as int value in variable declaration\n'
        "greet/greet.go:30:12: undefined: undefinedThing\nexit status 2\nexit status 1\n",
        folder=HERE,
    )
    assert [place(message) for message in messages] == [
        ("greet/greet.go", 29, 13, GREET),
        ("greet/greet.go", 30, 12, GREET),
    ]
    assert messages[1].text == "undefined: undefinedThing"


def test_continuation_lines_belong_to_their_message() -> None:
    message = one("# p\na.go:3:5: not enough arguments in call to f\n\thave ()\n\twant (int)\n")
    assert message.text == "not enough arguments in call to f\nhave ()\nwant (int)"


def test_a_syntax_error_is_found_in_orchestrions_words() -> None:
    message = one(
        "# example.com/greeter/greet\n"
        "parsing \"/home/dev/greeter/greet/greet.go\": greet/greet.go:28:14: expected ')', found '{'\nexit status 1\n"
    )
    assert place(message) == ("greet/greet.go", 28, 14, GREET)
    assert message.text == "expected ')', found '{'"


def test_a_broken_template_shows_the_code_that_it_made() -> None:
    message = one(
        '# example.com/greeter/greet\n"": "entry"[0]: prepend-statements: while parsing generated code: 3:13: expected'
        " statement, found ')' (and 1 more errors)\n 1 | package _\n 2 | func _() {\n 3 | \ttrace.Enter)((\"Hello\")\n 4 | }\n"
        "exit status 1\n"
    )
    assert message.package == GREET
    assert message.text.startswith('"": "entry"[0]: prepend-statements')
    assert message.code == 'package _\nfunc _() {\n\ttrace.Enter)(("Hello")\n}'


def test_a_broken_configuration_names_its_file_and_not_its_echo() -> None:
    message = one(
        'loading injector configuration: invalid orchestrion configuration: yaml.Decode "/home/dev/greeter/orchestrion.yml":'
        ' unknown advice type: "prepend-nothing"\n'
        "go: error obtaining buildID for go tool compile: exit status 255\nexit status 1\n"
    )
    assert place(message) == ("orchestrion.yml", 0, None, None)
    assert 'unknown advice type: "prepend-nothing"' in message.text


def test_missing_imports_keep_their_next_step() -> None:
    first, second = parse(
        "greet/greet.go:7:2: no required module provides package example.com/greeter/nix; to add it:\n"
        "\tgo get example.com/greeter/nix\n"
        "greet/greet.go:6:2: no required module provides package example.com/nope/x; to add it:\n"
        "\tgo get example.com/nope/x\nexit status 1\n",
        folder=HERE,
    )
    assert place(first) == ("greet/greet.go", 7, 2, None)
    assert first.text.endswith("\ngo get example.com/greeter/nix")
    assert second.line == 6


@pytest.mark.parametrize(
    ("stderr", "expected", "text"),
    [
        (
            (
                "# example.com/greeter/cmd/admin\nexample.com/greeter/greet.init.0: relocation target"
                " example.com/greeter/greet.nobody not defined\nexit status 2\n"
            ),
            ("", 0, None, "example.com/greeter/cmd/admin"),
            "relocation target",
        ),
        (
            "# example.com/greeter/cmd/admin\nruntime.main_main·f: function main is undeclared in the main package\n",
            ("", 0, None, "example.com/greeter/cmd/admin"),
            "function main is undeclared",
        ),
        (
            "greet/greet.go:6:12: pattern banner.txt: no matching files found\nexit status 1\n",
            ("greet/greet.go", 6, 12, None),
            "no matching files",
        ),
        (
            (
                "# example.com/greeter/greet\nresolving woven dependency on example.com/greeter/nope: -: no required module"
                " provides package example.com/greeter/nope; to add it:\n\tgo get example.com/greeter/nope\n"
            ),
            ("", 0, None, GREET),
            "resolving woven dependency on example.com/greeter/nope",
        ),
        (
            (
                "# example.com/greeter/greet [example.com/greeter/greet.test]\n"
                "greet/q_test.go:4:32: declared and not used: u\nexit status 2\n"
            ),
            ("greet/q_test.go", 4, 32, "example.com/greeter/greet [example.com/greeter/greet.test]"),
            "declared and not used: u",
        ),
        (
            (
                "# example.com/greeter/greet\n# [example.com/greeter/greet]\n"
                'greet/q_test.go:3:40: fmt.Printf format %d has arg "x" of wrong type string\n'
            ),
            ("greet/q_test.go", 3, 40, GREET),
            "fmt.Printf format",
        ),
        ("go: go.mod:7: unknown directive: foo\n", ("go.mod", 7, None, None), "unknown directive: foo"),
        (
            "pattern ./...: directory prefix . does not contain modules listed in go.work or their selected dependencies\n",
            ("", 0, None, None),
            "pattern ./...: directory prefix",
        ),
        ("# p\n/usr/local/go/src/fmt/x.go:1:1: bad\n", ("/usr/local/go/src/fmt/x.go", 1, 1, "p"), "bad"),
    ],
)
def test_shapes(stderr: str, expected: tuple[str, int, int | None, str | None], text: str) -> None:
    message = one(stderr)
    assert place(message) == expected
    assert text in message.text


def test_files_are_named_from_the_project_in_a_workspace_too() -> None:
    (message,) = parse("# p\n../lib/a.go:1:2: bad\n", folder=HERE / "service", root=HERE)
    assert message.file == "lib/a.go"


def test_the_words_of_a_json_build_are_read() -> None:
    stdout = (
        '{"ImportPath":"example.com/greeter/greet","Action":"build-output","Output":"# example.com/greeter/greet\\n"}\n'
        '{"ImportPath":"example.com/greeter/greet","Action":"build-output","Output":"greet/greet.go:28:12: undefined: x\\n"}\n'
        '{"ImportPath":"example.com/greeter/greet","Action":"build-fail"}\n'
    )
    assert place(one("", stdout)) == ("greet/greet.go", 28, 12, GREET)


def test_failed_tests_are_named_with_place_and_package() -> None:
    stdout = (
        "--- FAIL: TestNo (0.00s)\n    greet_test.go:6: no\n    greet_test.go:7: again\n"
        "--- FAIL: TestSilent (0.00s)\nFAIL\nFAIL\texample.com/greeter/greet\t0.003s\n"
        "ok  \texample.com/greeter/trace\t0.002s\nFAIL\n"
    )
    first, second = parse("", stdout, folder=HERE)
    assert (place(first), first.text) == (("greet_test.go", 6, None, GREET), "TestNo: no")
    assert (place(second), second.text) == (("", 0, None, GREET), "TestSilent failed")


def test_equal_errors_in_injected_code_mean_one_place_each() -> None:
    stderr = "# example.com/greeter/greet\n" + 2 * (
        "<generated>:2: declared and not used: q\n<generated>:3: undefined: __orchestrion_trace.Exit\n"
    )
    messages = parse(stderr, folder=HERE, lookup=lambda package: [WOVEN] if package == GREET else [])
    assert [(message.line, message.declaration) for message in messages] == [
        (2, "Greeter.Hello"),
        (3, "Greeter.Hello"),
        (2, "Reset"),
        (3, "Reset"),
    ]
    assert messages[3].code is not None
    assert '__orchestrion_trace.Exit("Reset")' in messages[3].code


def test_where_several_pieces_may_be_meant_all_are_named() -> None:
    (message,) = parse(
        "# example.com/greeter/greet\n<generated>:3: undefined: __orchestrion_trace.Exit\n",
        folder=HERE,
        lookup=lambda _: [WOVEN],
    )
    assert message.declaration == "Greeter.Hello or Reset"


def test_injected_code_at_top_level_is_its_own_declaration() -> None:
    (message,) = parse(
        "# example.com/greeter/greet\n<generated>:1: undefined: nowhere\n",
        folder=HERE,
        lookup=lambda _: [WOVEN],
    )
    assert message.declaration == "injected"
    assert message.code == "func injected() { nowhere() }"


def test_without_a_woven_file_nothing_is_claimed() -> None:
    (message,) = parse("# p\n<generated>:9: undefined: x\n", folder=HERE, lookup=lambda _: [WOVEN])
    assert (message.declaration, message.code) == (None, None)


def test_pieces_of_a_woven_file() -> None:
    found = [(piece.declaration, piece.first, piece.lines[0].strip()) for piece in pieces(WOVEN.decode())]
    assert found == [
        (None, 1, '__orchestrion_trace "example.com/greeter/trace"'),
        ("Greeter.Hello", 1, "{"),
        ("Reset", 1, "{"),
        ("injected", 1, "func injected() { nowhere() }"),
    ]


def test_a_flood_of_messages_is_cut() -> None:
    assert len(parse("# p\n" + "a.go:1:1: bad\n" * 500, folder=HERE)) == 200
