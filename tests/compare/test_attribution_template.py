"""Templates as patterns: literal parts must stand there, actions stand for anything balanced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.aspects.lexer import code_tokens
from orchwatchd.compare.attribution.template import Pattern, compile_parts, match, parse


def words(source: str) -> list[str]:
    return [token.text for token in code_tokens(source)]


def pattern(source: str) -> Pattern:
    made = Pattern()
    compile_parts(made, parse(source), lambda tokens: [token.text for token in tokens])
    return made


def fits(template: str, code: str, *, part_of: bool = False) -> bool:
    return match(pattern(template), words(code), part_of=part_of) is not None


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("f(x)", "f( x,\n)"),
        ("f({{ . }})", "f(g(1, 2) + h[3])"),
        ("f({{ . }})", "f()"),
        ("{{- $f := .Function -}} trace.Enter({{ printf `%q` $f.Name }})", 'trace.Enter("Hello")'),
        ("__dd_{{ .Name }}_x()", "__dd_any_x()"),
        ("{{ if .A }}a(){{ else if .B }}b(){{ else }}c(){{ end }}", "b()"),
        ("{{ with .A }}f({{ . }}){{ end }}g()", "g()"),
        ("T{ {{ range .AST.Elts }}{{ . }},{{ end }} }", "T{1, 2: x, f(y)}"),
        ("x {{/* a comment {{ with braces */}} y", "x y"),
        ("a() // a comment\nb()", "a()\nb()"),
        ("x := 0X1F", "x := 0X1F"),
        ("{{ define `t` }}anything{{ end }}f()", "f()"),
        ("f({{ . }}", "f(3"),
        ("{{ if }", "{{ if }"),
    ],
)
def test_what_a_template_can_have_rendered_fits(template, code):
    assert fits(template, code)


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("f(x)", "f(y)"),
        ("f({{ . }})", "f(1); g()"),
        ("f({{ . }}, `a`)", "f(x, `b`)"),
        ("{{ if .A }}a(){{ else }}b(){{ end }}", "a() b()"),
        ("__dd_{{ .Name }}_x()", "__dd_any_y()"),
        ("f({{ . }}) + g({{ . }})", "f(1) + g(2) + h(3)"),
        ("x", ""),
    ],
)
def test_what_it_cannot_have_rendered_does_not(template, code):
    assert not fits(template, code)


def test_a_hole_closes_every_bracket_that_it_opens():
    assert not fits("f({{ . }})", "f(a) + (b)")
    assert fits("f({{ . }})", "f((a) + (b))")


def test_one_of_several_declarations_is_part_of_its_template():
    template = "type t = int\nfunc f() { {{ .X }} }\nvar v = 1"

    assert fits(template, "func f() { g() }", part_of=True)
    assert fits(template, "var v = 1", part_of=True)
    assert not fits(template, "func g() {}", part_of=True)


def test_what_stands_under_the_dot_is_found():
    found = match(
        pattern("Wrap({{ .Type }}, {{ . }}, {{ range .Args }}{{ . }}{{ end }})"), words("Wrap(int, f(x), y)")
    )

    assert found is not None
    assert [words("Wrap(int, f(x), y)")[a:b] for a, b in found.dots] in (
        [["f", "(", "x", ")"]],
        [[]],
        [["int"]],
    )


def test_many_holes_end_in_time():
    """Nested repetition over a long text must not explode."""
    template = "{{ range .A }}{{ range .B }}{{ . }}{{ . }}{{ end }}{{ . }}{{ end }} never"

    assert not fits(template, "x " * 300)


NAMES = st.sampled_from(["a", "b", "f", "(", ")", "{", "}", "+", '"s"', ".", "1"])


@given(st.lists(NAMES, max_size=12))
def test_a_template_without_actions_fits_exactly_itself(tokens):
    text = " ".join(tokens)

    assert fits(text, text)
    assert not fits(text, text + " extra")


@given(st.lists(st.sampled_from(["f", "g", "{{ . }}", "{{ .X }}", "+"]), min_size=1, max_size=8), st.data())
def test_a_rendered_template_fits(parts, data):
    values = st.sampled_from(["", "x", "f(y)", "[]int{1, 2}", "a + b"])
    rendered = " ".join(data.draw(values) if part.startswith("{{") else part for part in parts)

    assert fits(" ".join(parts), rendered)


@given(
    st.text(alphabet='{}-/*. ifendrangewthx$:="`\n', max_size=60), st.text(alphabet='fx(){} "', max_size=20)
)
def test_no_template_makes_it_fail(template, code):
    fits(template, code)
