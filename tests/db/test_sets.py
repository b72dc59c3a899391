"""Sets of outputs as differences: whatever the bases, the set comes back, and its rows are bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.db.sets import apply_rows, plan_set, set_hash

OUTPUTS = st.frozensets(st.integers(1, 60), max_size=50)


@given(OUTPUTS, st.dictionaries(st.integers(1, 9), OUTPUTS, max_size=4))
def test_a_planned_set_comes_back(outputs: frozenset[int], bases: dict[int, frozenset[int]]) -> None:
    plan = plan_set(outputs, bases)
    base = bases[plan.base] if plan.base is not None else frozenset()
    assert apply_rows(base, plan.rows) == outputs
    assert len(plan.rows) <= (len(outputs) // 4 if plan.base is not None else len(outputs))


@given(OUTPUTS, st.dictionaries(st.integers(1, 9), OUTPUTS, max_size=4))
def test_the_nearest_base_is_taken(outputs: frozenset[int], bases: dict[int, frozenset[int]]) -> None:
    plan = plan_set(outputs, bases)
    nearest = min((len(outputs ^ base) for base in bases.values()), default=None)
    if plan.base is not None:
        assert len(plan.rows) == nearest
    else:
        assert nearest is None or nearest > len(outputs) // 4


@given(OUTPUTS, OUTPUTS)
def test_equal_sets_and_only_they_have_one_hash(one: frozenset[int], other: frozenset[int]) -> None:
    assert (set_hash(one) == set_hash(other)) == (one == other)
