"""A user's edit is a cause, never an effect: generated files, woven by our own tiny weaver before and after edits."""

from __future__ import annotations

import random
from dataclasses import replace

from edits import EDITS, Function, draw_functions, text_of
from hypothesis import given, settings
from hypothesis import strategies as st
from weaving import package_side, weave_text

from orchwatchd.compare.comparison import compare
from orchwatchd.models.comparison import Comparison


def compared(before: dict[str, list[Function]], after: dict[str, list[Function]]) -> Comparison:
    first, second = (
        {name: (text := text_of(functions), weave_text(text)) for name, functions in side.items()}
        for side in (before, after)
    )
    return compare(package_side(1, first), package_side(2, second))


def files(seed: int, count: int) -> dict[str, list[Function]]:
    functions = draw_functions(random.Random(seed), count)
    return {"a.go": functions[::2], "b.go": functions[1::2]}


@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_edits_outside_injections_leave_the_comparison_empty(seed: int, names: list[str]) -> None:
    before = files(seed, 6)
    after = {name: list(functions) for name, functions in before.items()}
    dice = random.Random(seed + 1)
    for name in names:
        EDITS[name](after, dice)
    result = compared(before, after)
    assert not result.differs, (names, result)
    assert result.complete
    assert result.packages.unchanged == 1
    assert all(change.same_declaration for change in result.injections.moved)


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_a_directive_more_is_one_injection_in_its_declaration(seed: int) -> None:
    before = files(seed, 6)
    after = {name: list(functions) for name, functions in before.items()}
    after["a.go"].append(replace(draw_functions(random.Random(seed + 2), 1, prefix="New")[0], traced=True))
    result = compared(before, after)
    assert [one.shown.injection.declaration for one in result.injections.added] == [
        after["a.go"][-1].declaration
    ]
    assert not result.injections.removed
    assert not result.injections.changed
    assert (
        compared(after, before).injections.removed[0].shown.injection.declaration
        == after["a.go"][-1].declaration
    )


def test_a_renamed_parameter_is_reported_as_following_the_edit() -> None:
    before = {"a.go": [Function("Hello", argument="name", traced=True)]}
    after = {"a.go": [Function("Hello", argument="who", traced=True)]}
    result = compared(before, after)
    assert [one.shown.injection.declaration for one in result.injections.following] == ["Hello"]
    assert not result.differs
