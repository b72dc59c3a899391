"""Shapes that Orchestrion leaves, each written small: what counts as one injection, and what is the user's."""

from __future__ import annotations

from textwrap import dedent

import pytest

from orchwatchd import weave
from orchwatchd.models.injection import Injection


def go(text: str) -> bytes:
    """Go text without the indent that it has here."""
    return dedent(text).replace("    ", "\t").lstrip("\n").encode()


def found(original: bytes | None, woven: bytes) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.declaration, one.text) for one in weave.find_injections(original, woven)]


def only(original: bytes, woven: bytes) -> Injection:
    (one,) = weave.find_injections(original, woven)
    return one


PREPENDED = go("""
    // Package p greets.
    //
    //line /src/p/p.go:1:1
    package p

    import (
        "fmt"
    //line <generated>:1
        __orchestrion_trace "example.com/trace"
    )

    // Hello greets.
    //
    //span
    //line /src/p/p.go:9
    func Hello(name string) {
    //line <generated>:1
        {
            __orchestrion_trace.Enter("Hello", name)
        }
    //line /src/p/p.go:10
        fmt.Println(name)
    }
""")
PLAIN = go("""
    // Package p greets.
    package p

    import "fmt"

    // Hello greets.
    //
    //span
    func Hello(name string) {
        fmt.Println(name)
    }
""")


def test_a_prepended_block_is_one_injection_and_the_reflowed_import_is_none() -> None:
    assert found(PLAIN, PREPENDED) == [
        ("import", "", '"example.com/trace"'),
        ("statements", "Hello", '{ example.com/trace . Enter ( "Hello" , name ) }'),
    ]


def test_lines_code_and_the_shape_without_the_users_names() -> None:
    _, block = weave.find_injections(PLAIN, PREPENDED)
    assert (block.line, block.last_line, block.original_line, block.ordinal) == (18, 20, 10, 1)
    assert block.code == '{\n\t__orchestrion_trace.Enter("Hello", name)\n}'
    assert block.shape == '{ example.com/trace . Enter ( "‹function›" , ‹argument 0› ) }'


def test_the_original_is_named_by_the_first_mark_even_below_a_comment() -> None:
    assert weave.original_path(PREPENDED) == "/src/p/p.go"
    assert weave.original_path(go('package main\n\nimport _ "example.com/x"\n')) is None


def test_added_imports_are_those_that_the_original_does_not_have() -> None:
    assert weave.added_imports(PLAIN, PREPENDED) == ("example.com/trace",)
    assert weave.added_imports(None, b'package main\nimport _ "b"\nimport _ "a"\n') == ("a", "b")


def test_a_synthetic_file_is_added_whole() -> None:
    synthetic = b'package main\n\nimport (\n\t_ "example.com/a"\n\t_ "example.com/b"\n)\n'
    kinds = [(one.kind.value, one.text) for one in weave.find_injections(None, synthetic, synthetic=True)]
    assert kinds == [("import", '"example.com/a"'), ("import", '"example.com/b"')]


def test_without_an_original_marks_tell_and_it_says_so() -> None:
    injections = weave.find_injections(None, PREPENDED)
    assert [one.text for one in injections] == [one.text for one in weave.find_injections(PLAIN, PREPENDED)]
    assert all(one.by_marks for one in injections)


def test_names_given_to_results_are_one_signature() -> None:
    original = go("""
        package p
        func (s *Store) Items(n int) ([]string, error) { return s.all(n) }
    """)
    woven = go("""
        //line /src/p/p.go:1:1
        package p

        func (s *Store) Items(n int) (_ []string, __result__1 error) {
        //line <generated>:1
            {
                defer func() { done(__result__1) }()
            }
        //line /src/p/p.go:2
            return s.all(n)
        }
    """)
    assert found(original, woven) == [
        ("signature", "(*Store).Items", "_ … __result__1 …"),
        ("statements", "(*Store).Items", "{ defer func ( ) { done ( __result__1 ) } ( ) }"),
    ]


def test_two_blocks_at_one_spot_are_two_injections() -> None:
    woven = go("""
        package p
        func F() {
        //line <generated>:1
            {
                a()
            }
            {
                { b() }
            }
        //line /p.go:2
            if x { y() }
        }
    """)
    original = b"package p\nfunc F() {\n\tif x { y() }\n}\n"
    assert [text for _, _, text in found(original, woven)] == ["{ a ( ) }", "{ { b ( ) } }"]


def test_a_block_that_begins_like_the_code_after_it_is_told_apart() -> None:
    original = b"package p\nfunc F(s *S) {\n\tif s == nil {\n\t\treturn\n\t}\n\tif s == nil {\n\t\treturn\n\t}\n\tg()\n}\n"
    woven = go("""
        package p
        func F(s *S) {
        //line <generated>:1
            {
                if s == nil {
                    return
                }
            }
        //line /p.go:3
            if s == nil {
                return
            }
            if s == nil {
                return
            }
            g()
        }
    """)
    assert found(original, woven) == [("statements", "F", "{ if s == nil { return } }")]
    assert only(original, woven).line == 4


def test_fields_of_two_aspects_are_two_injections_of_the_type_in_its_group() -> None:
    original = b"package p\ntype (\n\tA struct{ x int }\n\tB struct {\n\t\ty int\n\t}\n)\n"
    woven = go("""
        package p
        type (
            A struct{ x int }
            B struct {
                y int
        //line <generated>:1
                __dd_a q.Cell
                __dd_b bool
            }
        )
    """)
    assert found(original, woven) == [
        ("field", "type B", "__dd_a q . Cell"),
        ("field", "type B", "__dd_b bool"),
    ]


def test_a_field_in_a_struct_literal_is_an_expression_whatever_gofmt_did_around_it() -> None:
    original = b"package p\nfunc F() *T {\n\treturn &http.Transport{Proxy: p}\n}\n"
    woven = go("""
        package p
        func F() *T {
            return &
        //line <generated>:1
        //line /p.go:3
            http.Transport{
        //line <generated>:1
                DD__internal: true,
        //line /p.go:3
                Proxy: p,
            }
        }
    """)
    assert found(original, woven) == [("expression", "F", "DD__internal : true")]


WRAPPED = go("""
    package p
    func F() {
        s :=
    //line <generated>:1
            func(m *Mux) *Mux {
                m.Use(__orchestrion_x.Middleware())
                return m
            }(
    //line /p.go:3
                New(BODY))
        s.Run()
    }
""")


@pytest.mark.parametrize(
    "inside", ["", "a, b", "func() { if x { y(z) } }", "(((x)))", "New(New())", "[]int{1, 2}"]
)
def test_what_the_user_writes_within_a_wrapped_call_is_a_hole(inside: str) -> None:
    original = f"package p\nfunc F() {{\n\ts := New({inside})\n\ts.Run()\n}}\n".encode()
    woven = WRAPPED.replace(b"BODY", inside.encode())
    assert found(original, woven) == [
        (
            "expression",
            "F",
            "func ( m * Mux ) * Mux { m . Use ( __orchestrion_x . Middleware ( ) ) return m } ( … )",
        )
    ]
    assert weave.explains(original, woven)


def test_arguments_after_a_wrapped_call_keep_their_bracket() -> None:
    original = b"package p\nfunc F() { g(f(x)) }\n"
    woven = b"package p\n\nfunc F() {\n\tg(\n//line <generated>:1\n\t\twrap(\n//line /p.go:2\n\t\t\tf(x), y))\n}\n"
    assert found(original, woven) == [("expression", "F", "wrap ( … , y )")]


def test_appended_arguments_are_one_each_and_do_not_depend_on_those_before_them() -> None:
    woven = b"package p\nfunc F() {\n\tg(%s\n//line <generated>:1\n\t\topt.A(), opt.B())\n}\n"
    expected = [("expression", "F", "opt . A ( )"), ("expression", "F", "opt . B ( )")]
    assert found(b"package p\nfunc F() {\n\tg()\n}\n", woven % b"") == expected
    assert found(b"package p\nfunc F() {\n\tg(x, y)\n}\n", woven % b"x, y,") == expected


def test_a_replaced_function_counts_whole_with_the_arguments_that_go_with_it() -> None:
    original = b'package p\nimport "net/http"\nfunc F(c C) { http.Get("u") }\n'
    woven = go("""
        package p
        import (
            "net/http"
        //line <generated>:1
            __orchestrion_client "example.com/client"
        )
        func F(c C) {
            __orchestrion_client. //line <generated>:1
                Get(
                c,
        //line /p.go:3
                "u")
        }
    """)
    assert found(original, woven) == [
        ("import", "", '"example.com/client"'),
        ("expression", "F", "example.com/client . Get … c"),
    ]
    assert weave.explains(original, woven)


def test_declarations_and_linknames_are_injections_of_their_own() -> None:
    original = b"package p\n\n//go:linkname mine runtime.mine\nfunc mine()\n"
    woven = go("""
        package p

        //go:linkname mine runtime.mine
        func mine()

        //go:linkname __dd_a example.com/x.A
        //line <generated>:1
        func __dd_a(T) bool

        type ddAfter = func(int)

        var _ = __dd_a
    """)
    assert found(original, woven) == [
        ("linkname", "__dd_a", "//go:linkname __dd_a example.com/x.A"),
        ("declaration", "__dd_a", "func __dd_a ( T ) bool"),
        ("declaration", "type ddAfter", "type ddAfter = func ( int )"),
        ("declaration", "var _", "var _ = __dd_a"),
    ]


def test_an_injected_init_is_told_from_the_users_and_they_keep_their_numbers() -> None:
    original = b"package p\nfunc init() { a() }\nfunc init() { b() }\n"
    woven = go("""
        package p
        func init() { a() }
        func init() {
        //line <generated>:1
            {
                in()
            }
        //line /p.go:3
            b()
        }
        //line <generated>:1
        func init() { start() }
    """)
    assert found(original, woven) == [
        ("statements", "init#2", "{ in ( ) }"),
        ("declaration", "init#3", "func init ( ) { start ( ) }"),
    ]


def test_two_imports_of_one_package_that_were_merged_leave_no_trace() -> None:
    original = go("""
        package p
        import (
            "net/url"
            urlpkg "net/url"
        )
        func F(u *url.URL, v urlpkg.URL) { _ = new(url.URL) }
    """)
    woven = go("""
        //line /src/p/p.go:1:1
        package p

        import (
            urlpkg "net/url"
        )

        func F(u *urlpkg.URL, v urlpkg.URL) { _ = new(urlpkg.URL) }
    """)
    assert found(original, woven) == []
    assert weave.explains(original, woven)


def test_the_alias_of_an_injected_import_is_not_part_of_the_injection() -> None:
    """It depends on other aspects, and with the user's own import the woven code has the user's alias and no mark."""
    original = PLAIN.replace(
        b'import "fmt"', b'import (\n\t"fmt"\n\ttr "example.com/trace"\n)\n\nvar _ = tr.X'
    )
    woven = PREPENDED.replace(b"__orchestrion_trace", b"tr").replace(
        b")\n\n// Hello", b")\n\nvar _ = tr.X\n\n// Hello"
    )
    assert found(original, woven) == found(PLAIN, PREPENDED)[1:]


def test_an_empty_template_leaves_an_empty_block() -> None:
    original = b"package p\nfunc F() { x() }\n"
    woven = b"package p\n\nfunc F() {\n//line <generated>:1\n\t{\n\t}\n//line /p.go:2\n\tx()\n}\n"
    assert found(original, woven) == [("statements", "F", "{ }")]


def test_generic_receivers_and_literals_name_the_declaration_that_people_know() -> None:
    original = b"package p\nfunc (l *List[T]) Do() { go func() { x() }() }\n"
    woven = go("""
        package p
        func (l *List[T]) Do() {
            go func() {
        //line <generated>:1
                {
                    in()
                }
        //line /p.go:2
                x()
            }()
        }
    """)
    assert found(original, woven) == [("statements", "(*List).Do", "{ in ( ) }")]


def test_values_that_orchestrion_sets_are_expressions() -> None:
    original = b'package p\n\n//orchestrion:enabled\nvar enabled = false\n\n//orchestrion:version\nconst Version = ""\n'
    woven = original.replace(b"false", b"true").replace(b'= ""', b'=\n//line <generated>:1\n"v1.15.0"')
    assert found(original, woven) == [
        ("expression", "var enabled", "true"),
        ("expression", "const Version", '"v1.15.0"'),
    ]
    assert weave.explains(original, woven)


def test_what_weaving_did_to_a_raw_string_is_seen_as_a_change() -> None:
    """Blanks before the text `//line` in raw strings are stripped: the program prints something else."""
    original = b"package p\n\nvar x = `a\n    //line b:1\n`\n"
    woven = b"package p\n\nvar x = `a\n//line b:1\n`\n"
    assert [(kind, name) for kind, name, _ in found(original, woven)] == [("expression", "var x")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"fmt.Println(name)", b"fmt.Print(name)"),
        (b"fmt.Println(name)", b"fmt.Println(name)\n\tfmt.Println()"),
        (b"\tfmt.Println(name)\n", b""),
        (b"name string", b"name, other string"),
        (b"func Hello", b"func Bye() {}\n\nfunc Hello"),
    ],
)
def test_a_later_edit_does_not_explain_the_woven_file(old: bytes, new: bytes) -> None:
    assert weave.explains(PLAIN, PREPENDED)
    assert PLAIN.count(old) == 1
    assert not weave.explains(PLAIN.replace(old, new), PREPENDED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"// Hello greets.", b"// Hello says hello."),
        (b"\tfmt", b"\n\n  fmt"),
        (b"(name)", b"(name,\n)"),
        (b"\n", b"\r\n"),
    ],
)
def test_layout_and_comments_do_explain_it(old: bytes, new: bytes) -> None:
    edited = PLAIN.replace(old, new)
    assert edited != PLAIN
    assert weave.explains(edited, PREPENDED)
    assert found(edited, PREPENDED) == found(PLAIN, PREPENDED)


def test_each_line_of_a_woven_file_has_an_origin() -> None:
    lines = weave.annotate(PLAIN, PREPENDED)
    text = PREPENDED.decode().splitlines()
    assert len(lines) == len(text)
    told = {text[one.line - 1].strip(): (one.original_line, one.injections) for one in lines if not one.mark}
    assert told["package p"] == (2, ())
    assert told['__orchestrion_trace "example.com/trace"'] == (None, (0,))
    assert told["func Hello(name string) {"] == (9, ())
    assert told['__orchestrion_trace.Enter("Hello", name)'] == (None, (1,))
    assert told["fmt.Println(name)"] == (10, ())
    assert [one.line for one in lines if one.mark] == [3, 8, 15, 17, 21]
