"""The identity of an injection: what survives the user's edits, and what does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.compare.match import match
from orchwatchd.models.comparison import SideInjection
from orchwatchd.models.injection import Attribution, Injection, InjectionKind

STATEMENTS, SIGNATURE, IMPORT = InjectionKind.STATEMENTS, InjectionKind.SIGNATURE, InjectionKind.IMPORT


def one(
    text: str,
    declaration: str = "F",
    kind: InjectionKind = STATEMENTS,
    *,
    file: str = "/src/p.go",
    ordinal: int = 0,
    shape: str = "",
    by: str | None = None,
) -> SideInjection:
    made = Injection(kind, declaration, text, text, 1, 1, 1, ordinal, shape)
    return SideInjection(file, made, Attribution(by))


def texts(side: list[SideInjection]) -> list[str]:
    return [item.injection.text for item in side]


def test_lines_and_ordinals_do_not_count() -> None:
    before, after = one("a", ordinal=3), one("a", ordinal=8)
    moved_down = replace(after, injection=replace(after.injection, line=90, original_line=80))
    result = match([before], [moved_down])
    assert result.equal == [(before, moved_down)]


def test_a_module_cache_of_another_version_is_the_same_file() -> None:
    result = match([one("a", file="/mod/x@v1/p.go")], [one("a", file="/mod/x@v2/p.go")])
    assert len(result.equal) == 1


def test_a_function_that_went_to_another_file_of_the_package_is_moved() -> None:
    result = match([one("a")], [one("a", file="/src/q.go")])
    assert len(result.moved) == 1
    assert not result.added
    assert not result.removed
    assert not result.changed


def test_an_import_that_another_file_has_too_is_neither_added_nor_removed() -> None:
    """Given a traced function moves to a file that already had one, its old file loses the import, its new one has it."""
    p, q = one('"t"', "", IMPORT), one('"t"', "", IMPORT, file="/src/q.go")
    assert match([p, q], [q]).repeated == [p]
    assert match([q], [p, q]).repeated != []
    gone = match([p, q], [])
    assert texts(gone.removed) == ['"t"', '"t"']


def test_a_user_who_imports_the_package_himself_is_followed() -> None:
    block = one("{ t . Enter ( ) }")
    result = match([one('"t"', "", IMPORT), block], [block])
    assert not result.removed
    assert len(result.following) == 1


def test_a_renamed_parameter_that_the_template_took_over_is_followed() -> None:
    result = match(
        [one("f ( ctx )", shape="f ( ‹argument 0› )")], [one("f ( c )", shape="f ( ‹argument 0› )")]
    )
    assert len(result.following) == 1
    assert not result.changed


def test_a_template_that_takes_another_parameter_is_a_change() -> None:
    result = match([one("f ( a )", shape="f ( ‹argument 0› )")], [one("f ( b )", shape="f ( ‹argument 1› )")])
    assert len(result.changed) == 1


def test_results_that_the_user_names_himself_take_their_woven_signature_along() -> None:
    signature, named = (
        one("_ … __result__1 …", kind=SIGNATURE),
        one("done ( err )", shape="done ( ‹result 1› )"),
    )
    block = one("done ( __result__1 )", shape="done ( ‹result 1› )", ordinal=1)
    result = match([signature, block], [named])
    assert not result.removed
    assert not result.added
    assert not result.changed
    assert len(result.following) == 2
    assert texts(match([signature, block], []).removed) == [signature.injection.text, block.injection.text]


def test_several_inits_are_matched_by_what_they_hold_not_by_their_number() -> None:
    before = [one("a", "init"), one("b", "init#2", ordinal=1)]
    after = [one("new", "init"), one("a", "init#2", ordinal=1), one("b", "init#3", ordinal=2)]
    result = match(before, after)
    assert (len(result.equal), texts(result.added)) == (2, ["new"])


def test_two_injections_in_one_declaration_are_told_apart() -> None:
    before = [one("x ( 1 )"), one("y ( 1 )", ordinal=1)]
    assert texts(match(before, before[1:]).removed) == ["x ( 1 )"]
    result = match(before, [before[0], one("y ( 2 )", ordinal=1)])
    assert [(a.injection.text, b.injection.text) for a, b in result.changed] == [("y ( 1 )", "y ( 2 )")]


def test_one_that_went_and_one_of_another_integration_that_came_are_not_a_change() -> None:
    result = match([one("{ x . F ( ) }", by="x")], [one("{ y . F ( ) }", by="y")])
    assert not result.changed
    assert (len(result.removed), len(result.added)) == (1, 1)


def test_one_text_in_another_declaration_is_moved_only_where_that_is_clear() -> None:
    result = match([one("a", "F")], [one("a", "G")])
    assert len(result.moved) == 1
    unclear = match([one("a", "F")], [one("a", "G"), one("a", "H")])
    assert (len(unclear.removed), len(unclear.added)) == (1, 2)


injections = st.builds(
    one,
    st.sampled_from(["a", "b", "f ( c )", "f ( d )", '"t"', "t . E"]),
    st.sampled_from(["F", "G", "init", "init#2"]),
    st.sampled_from([STATEMENTS, SIGNATURE, IMPORT]),
    file=st.sampled_from(["/p.go", "/q.go"]),
    ordinal=st.integers(0, 9),
    shape=st.sampled_from(["", "f ( ‹argument 0› )"]),
    by=st.sampled_from([None, "x", "y"]),
)
sides = st.lists(injections, max_size=12)


@given(sides, sides)
def test_every_injection_of_both_sides_is_named_once(
    before: list[SideInjection], after: list[SideInjection]
) -> None:
    result = match(before, after)
    pairs = [*result.equal, *result.moved, *result.changed, *result.following]
    old = [a for a, _ in pairs if a is not None] + result.removed
    new = [b for _, b in pairs if b is not None] + result.added
    assert Counter(old + new + result.repeated) == Counter(before + after)


@given(sides, st.randoms())
def test_the_order_in_which_injections_stand_never_makes_a_difference(
    side: list[SideInjection], random
) -> None:
    shuffled = list(side)
    random.shuffle(shuffled)
    again = [replace(item, injection=replace(item.injection, ordinal=i)) for i, item in enumerate(shuffled)]
    result = match(side, again)
    assert not result.added
    assert not result.removed
    assert not result.changed
    assert not result.following


@given(sides, injections)
def test_one_more_is_one_more(side: list[SideInjection], extra: SideInjection) -> None:
    """An injection of its own text more is exactly one added; one less, exactly one removed."""
    new = replace(
        extra,
        injection=replace(extra.injection, kind=STATEMENTS, text="unlike any", shape="", declaration="H"),
    )
    assert match(side, [*side, new]).added == [new]
    assert match([*side, new], side).removed == [new]
