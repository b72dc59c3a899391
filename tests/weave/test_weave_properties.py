"""Whatever text comes in: nothing raises, and what is the user's is never taken for an injection."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchwatchd import weave

_WORDS = [
    "func",
    "type",
    "var",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "struct",
    "import",
    '"x"',
    "`",
    "/*",
    "*/",
    "//line <generated>:1\n",
]
_WORDS += [
    "a",
    "b",
    ".",
    ",",
    ";",
    "\n",
    "=",
    "//go:linkname a b\n",
    "//line /a.go:1\n",
    "package",
    "'",
    '"',
    "é",
    "\\",
    "0x1",
]
go_like = st.lists(st.sampled_from(_WORDS), max_size=60).map(lambda words: " ".join(words).encode())
anything = st.one_of(go_like, st.binary(max_size=200))

expression = st.recursive(
    st.sampled_from(["a", "b", "f()", "x.y", "1", '"s"', "[]int{1}"]),
    lambda inner: st.one_of(
        st.builds("f({})".format, inner),
        st.builds("({})".format, inner),
        st.builds("{} + {}".format, inner, inner),
        st.builds("func() {{ {} }}".format, inner),
    ),
    max_leaves=6,
)
statement = st.one_of(
    st.builds("x = {}".format, expression),
    st.builds("if a {{ x = {} }}".format, expression),
    st.builds("for a {{ {}\n }}".format, expression.map("x = {}".format)),
    st.just("return"),
    st.builds("g({})".format, expression),
)
body = st.lists(statement, max_size=6)
block = st.lists(statement, min_size=1, max_size=3)


@given(anything, anything, st.booleans())
@settings(max_examples=300, deadline=None)
def test_text_that_is_no_go_raises_nothing(original: bytes, woven: bytes, synthetic: bool) -> None:
    weave.find_injections(original, woven)
    weave.find_injections(None, woven, synthetic=synthetic)
    weave.explains(original, woven)
    weave.added_imports(original, woven)
    weave.original_path(woven)
    weave.annotate(original, woven)


@given(go_like)
def test_a_text_against_itself_has_no_injection(text: bytes) -> None:
    assert weave.find_injections(text, text) == ()
    assert weave.explains(text, text)


@given(body, block)
@settings(max_examples=200, deadline=None)
def test_a_prepended_block_is_found_whole_whatever_follows_it(
    statements: list[str], added: list[str]
) -> None:
    """Even where it is made of the same tokens as the code after it."""
    text = "\n".join(statements)
    original = f"package p\nfunc F() {{\n{text}\n}}\n"
    inner = "\n".join(added)
    woven = f"package p\nfunc F() {{\n//line <generated>:1\n{{\n{inner}\n}}\n//line /p.go:3\n{text}\n}}\n"
    expected = weave.find_injections(
        b"package p\nfunc F() {\n}\n",
        f"package p\nfunc F() {{\n//line <generated>:1\n{{\n{inner}\n}}\n}}\n".encode(),
    )
    found = weave.find_injections(original.encode(), woven.encode())
    assert [(one.kind, one.text) for one in found] == [(one.kind, one.text) for one in expected]
    assert len(found) == 1
    assert weave.explains(original.encode(), woven.encode())


@given(body, body, expression)
@settings(max_examples=200, deadline=None)
def test_a_wrapped_call_is_one_injection_wherever_it_stands(
    before: list[str], after: list[str], wrapped: str
) -> None:
    first, last = "\n".join(before), "\n".join(after)
    original = f"package p\nfunc F() {{\n{first}\nx = target({wrapped})\n{last}\n}}\n"
    woven = (
        f"package p\nfunc F() {{\n{first}\nx =\n//line <generated>:1\nwrap(\n//line /p.go:9\n"
        f"target({wrapped}), opt)\n{last}\n}}\n"
    )
    found = weave.find_injections(original.encode(), woven.encode())
    assert [one.text for one in found] == ["wrap ( … , opt )"]


@given(body, st.integers(0, 2**32))
@settings(deadline=None)
def test_layout_is_never_an_injection(statements: list[str], seed: int) -> None:
    """Blank lines, comments and optional separators between statements."""
    gaps = ["\n", "\n\n", ";\n", "\n// note\n", " // note\n", "\n/* a\nb */\n"]
    text = "".join(one + gaps[(seed >> (3 * i)) % len(gaps)] for i, one in enumerate(statements))
    original = "package p\nfunc F() {\n" + "\n".join(statements) + "\n}\n"
    woven = "package p\n\nfunc F() {\n" + text + "}\n"
    assert weave.find_injections(original.encode(), woven.encode()) == ()
