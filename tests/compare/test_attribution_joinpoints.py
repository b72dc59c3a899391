"""Join points on Go files: yes, no, and maybe where only a type checker could tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.aspects import resolve
from orchwatchd.aspects.yamlfile import parse
from orchwatchd.compare.attribution import FileContext, attribute
from orchwatchd.compare.attribution.joinpoints import Place, Surroundings, evaluate
from orchwatchd.compare.attribution.packages import Sure, package_may_match
from orchwatchd.compare.join_scan import directives, scan_package
from orchwatchd.models.aspect import Aspect, AspectKey, JoinPoint, ResolvedConfiguration
from orchwatchd.models.injection import Certainty, Injection, InjectionKind
from orchwatchd.weave.gofile import read_nodes

DATA = Path(__file__).parents[1] / "data" / "aspects"
KNOWN = replace(resolve(DATA, locate=lambda _: {}), problems=())

SOURCE = b"""package p

import (
	"context"
	"net/http"

	other "example.com/named"
	"example.com/unnamed/go-thing"
)

// Serve serves.
//
//my:span name:x
func (s *Server[T]) Serve(ctx context.Context, a, b int, r *http.Request) (n int, err error) {
	//my:call
	defer other.Close(other.Open(1))
	client := &http.Client{Timeout: 1}
	r.Clone(ctx)
	thing.Do()
	local.Do()
	go func(x *other.T) { x.Run() }(nil)
	return plain(http.Header{}), nil
}

//my:far

func plain(h any, rest ...int) int { return other.Pick[int](1) }

//my:values
var (
	// On is said to be on.
	On bool
	Name = "x"
)

type (
	//my:type
	Server[T any] struct{ Mux http.Handler }
	Alias = int
)
"""


def point(text: str) -> JoinPoint:
    document = f"aspects: [{{id: x, join-point: {text}, advice: []}}]"
    ((_, aspect),) = parse(document.encode()).aspects
    return aspect.join_point


def sure(text: str, kind: str, *, body: bool = False, package: str = "example.com/m/p") -> list[Sure]:
    """What the join point says of every node of that kind, in the file's order."""
    file = read_nodes(SOURCE)
    around = Surroundings(package, "example.com/m", file)
    return [evaluate(point(text), Place(n, body=body), around) for n in file.nodes if n.kind == kind]


NO, MAYBE, YES = Sure.NO, Sure.MAYBE, Sure.YES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{function: [{name: Serve}]}", [YES, NO]),
        ("{function: [{receiver: '*example.com/m/p.Server'}]}", [YES, NO]),
        ("{function: [{receiver: example.com/m/p.Server}]}", [NO, NO]),
        ("{function: [{receiver: '*example.com/q.Server'}]}", [NO, NO]),
        ("{function: [{receiver: true}]}", [YES, NO]),
        (
            "{function: [{signature: {args: [context.Context, int, '*net/http.Request'], returns: [int, error]}}]}",
            [YES, NO],
        ),
        ("{function: [{signature: {}}]}", [NO, NO]),
        ("{function: [{signature-contains: {args: ['*net/http.Request']}}]}", [YES, NO]),
        ("{function: [{signature-contains: {args: [any]}}]}", [NO, YES]),
        ("{function: [{argument-implements: context.Context}]}", [YES, MAYBE]),
        ("{function: [{final-result-implements: error}]}", [YES, MAYBE]),
        ("{function: [{result-implements: io.Reader}]}", [MAYBE, MAYBE]),
        ("{directive: 'my:span'}", [YES, NO]),
        ("{directive: 'my:spa'}", [NO, NO]),
        ("{directive: 'my:far'}", [NO, MAYBE]),
        ("{all-of: [{import-path: example.com/m/p}, {function: [{name: plain}]}]}", [NO, YES]),
        ("{one-of: [{function: [{name: plain}]}, {function: [{name: Serve}]}]}", [YES, YES]),
        ("{not: {function: [{name: plain}]}}", [YES, NO]),
        ("{not: {function: [{result-implements: io.Reader}]}}", [MAYBE, MAYBE]),
        ("{declaration-of: example.com/m/p.plain}", [NO, YES]),
        ("{package-name: p}", [YES, YES]),
        ("{test-main: true}", [NO, NO]),
        ("{configuration: {httpmode: wrap}}", [YES, YES]),
        ("{configuration: {other: x}}", [MAYBE, MAYBE]),
        ("{function: [{some-new-option: x}]}", [MAYBE, MAYBE]),
        ("{some-new-kind: x}", [MAYBE, MAYBE]),
        ("{function-body: {function: [{name: plain}]}}", [NO, NO]),
        ("{function-call: other.Open}", [NO, NO]),
    ],
)
def test_functions(text, expected):
    assert sure(text, "function") == expected


def test_bodies_are_the_places_of_function_body():
    assert sure("{function-body: {directive: 'my:span'}}", "function", body=True) == [YES, NO]
    assert sure("{function: [{name: Serve}]}", "function", body=True) == [NO, NO]


def test_function_literals_have_no_name():
    assert sure("{function: [{name: ''}]}", "literal") == [YES]
    assert sure("{function: [{signature: {args: ['*example.com/named.T']}}]}", "literal") == [YES]


CALLS = ["Close", "Open", "Clone", "thing.Do", "local.Do", "go func", "Run", "plain", "Pick"]


@pytest.mark.parametrize(
    ("text", "yes", "maybe"),
    [
        ("{function-call: example.com/named.Close}", ["Close"], []),
        ("{function-call: plain}", ["plain"], []),
        ("{function-call: example.com/named.Pick}", [], []),
        ("{function-call: example.com/unnamed/go-thing.Do}", ["thing.Do"], ["local.Do"]),
        ("{directive: 'my:call'}", ["Close"], []),
        ("{method-call: {receiver: net/http.Request, name: Clone}}", ["Clone"], []),
        ("{method-call: {receiver: net/http.Request, name: Clone, match: value-only}}", [], []),
        ("{method-call: {receiver: example.com/named.T, name: Run}}", [], ["Run"]),
        ("{method-call: {receiver: net/http.Client, name: Clone}}", [], []),
    ],
)
def test_calls(text, yes, maybe):
    answers = dict(zip(CALLS, sure(text, "call"), strict=True))

    assert [name for name, answer in answers.items() if answer is YES] == yes
    assert [name for name, answer in answers.items() if answer is MAYBE] == maybe


def test_literals_of_structs():
    literal = "{struct-literal: {type: net/http.%s}}"

    assert sure(literal % "Client", "composite") == [YES, NO]
    assert sure(literal % "Header", "composite") == [NO, YES]
    assert sure("{struct-literal: {type: net/http.Client, match: value-only}}", "composite") == [NO, NO]
    assert sure("{struct-literal: {type: net/http.Client, match: pointer-only}}", "address") == [YES]
    assert sure("{struct-literal: {type: net/http.Client, field: Timeout}}", "pair") == [YES]


def test_values_and_structs():
    assert sure("{value-declaration: bool}", "value") == [YES, YES]
    assert sure("{value-declaration: string}", "value") == [NO, YES]
    assert sure("{directive: 'my:values'}", "value") == [YES, YES]
    assert sure("{declaration-of: example.com/m/p.Name}", "value") == [NO, YES]
    assert sure("{struct-definition: example.com/m/p.Server}", "struct") == [YES]
    assert sure("{directive: 'my:type'}", "struct") == [YES]


@pytest.mark.parametrize(
    ("pattern", "package", "expected"),
    [
        ("example.com/*", "example.com/a", YES),
        ("example.com/*", "example.com/a/b", NO),
        ("example.com/**", "example.com/a/b", YES),
        ("**/b", "example.com/a/b", YES),
        ("*", "example.com/a/b", YES),
        ("example.com/[ab]x", "example.com/ax", YES),
        ("example.com/a?", "example.com/ab", YES),
        ("example.com/ser**", "example.com/service/x", YES),
        ("example.com/ser**", "example.com/other/x", NO),
    ],
)
def test_package_filters(pattern, package, expected):
    assert package_may_match(point(f"{{package-filter: '{pattern}'}}"), package, "example.com/m") is expected


def test_package_filters_of_the_root_module():
    root = point("{package-filter: {root: true, pattern: 'internal/*'}}")

    assert package_may_match(root, "example.com/m/internal/x", "example.com/m") is YES
    assert package_may_match(root, "example.com/n/internal/x", "example.com/m") is NO
    assert package_may_match(root, "example.com/m/internal/x", "") is MAYBE


def configuration(**points: str) -> ResolvedConfiguration:
    return ResolvedConfiguration(
        root="example.com/m",
        aspects=tuple(
            Aspect(AspectKey("p", "orchestrion.yml", at, name), point(text), ())
            for at, (name, text) in enumerate(points.items())
        ),
    )


def test_what_the_configuration_can_do_to_a_package():
    """`why` says it before it looks at any build."""
    found = scan_package(
        configuration(
            inside="{function-body: {function: [{receiver: '*net/http.Server'}, {name: Serve}]}}",
            calls="{function-call: net/http.Get}",
            directive="{directive: 'my:span'}",
            elsewhere="{import-path: log/slog}",
            without="{all-of: [{not: {import-path: net/http}}, {directive: 'my:other'}]}",
        ),
        "net/http",
    )

    assert [key.id for key in found.named] == ["inside"]
    assert [key.id for key in found.callers] == ["calls"]
    assert [key.id for key in found.possible] == ["calls", "directive"]


def test_packages_that_orchestrion_never_weaves_say_so():
    both = configuration(any="{directive: 'my:span'}")

    assert scan_package(both, "github.com/DataDog/dd-trace-go/v2/ddtrace").excluded
    assert scan_package(both, "github.com/DataDog/orchestrion/internal/x").excluded
    assert scan_package(both, "github.com/DataDog/orchestrion/runtime/built").possible


def test_directives_that_aspects_look_for():
    found = directives(configuration(a="{function-body: {directive: 'my:span'}}", b="{import-path: x}"))

    assert {name: [a.key.id for a in aspects] for name, aspects in found.items()} == {"my:span": ["a"]}


def test_an_expression_that_nests_very_deeply_is_read():
    data = b"package p\n\nvar x = " + b" + ".join([b"f(1)"] * 3000) + b"\n"

    assert len([node for node in read_nodes(data).nodes if node.kind == "call"]) == 3000


GO = st.one_of(
    st.binary(max_size=80),
    st.lists(
        st.sampled_from(
            ["package p\n", "func Alpha() {", "}", "{ x() }", "//t:entry\n", "probe.Source(", "1)", '"é']
        )
    ).map(lambda parts: "".join(parts).encode()),
)


@given(GO, GO, st.sampled_from(list(InjectionKind)), st.integers(-1, 5), GO)
def test_no_file_and_no_injection_makes_attribution_fail(original, woven, kind, line, code):
    """Whatever stands there, the answer is an attribution that keeps its own promises."""
    text = code.decode("utf-8", "replace")
    injection = Injection(kind, "Alpha", text, text, line, line + 1, line, 0)

    (said,) = attribute(KNOWN, FileContext("example.com/aspects/flow", original, woven), [injection])

    assert (said.aspect is not None) == (said.certainty in {Certainty.EXACT, Certainty.LIKELY})
    assert not (said.unexplained and (said.candidates or said.aspect))


def test_every_aspect_of_the_known_project_is_read():
    for path in DATA.rglob("*.yml"):
        assert not parse(path.read_bytes()).problems
