"""What came, went and changed between two configurations."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.aspects import differences
from orchwatchd.models.aspect import (
    Advice,
    Aspect,
    AspectKey,
    Integration,
    JoinPoint,
    ResolvedConfiguration,
    Template,
)


def aspect(index: int, name: str, body: str) -> Aspect:
    advice = Advice("prepend-statements", templates=(Template(body),))
    return Aspect(AspectKey("p", "orchestrion.yml", index, name), JoinPoint("import-path", "p"), (advice,))


def configuration(*aspects: Aspect) -> ResolvedConfiguration:
    return ResolvedConfiguration(aspects=aspects)


def test_a_new_aspect_in_front_changes_no_other():
    old = configuration(aspect(0, "New", "a"), aspect(1, "New", "b"))
    new = configuration(aspect(0, "First", "f"), aspect(1, "New", "a"), aspect(2, "New", "b"))

    found = differences(old, new)

    assert [key.id for key in found.added] == ["First"]
    assert not found.removed
    assert not found.changed


def test_of_two_with_one_id_the_one_that_went_is_named():
    old = configuration(aspect(0, "New", "a"), aspect(1, "New", "b"))

    found = differences(old, configuration(aspect(0, "New", "b")))

    assert found.removed == (AspectKey("p", "orchestrion.yml", 0, "New"),)
    assert not found.changed


def test_another_template_is_a_change():
    found = differences(configuration(aspect(0, "New", "a")), configuration(aspect(0, "New", "c")))

    assert found.changed == (AspectKey("p", "orchestrion.yml", 0, "New"),)
    assert not found.added
    assert not found.removed


def test_integrations_that_come_go_and_change_version():
    def one(name: str, version: str) -> Integration:
        return Integration(name, name, version)

    old = ResolvedConfiguration(integrations=(one("slog", "v1"), one("http", "v1"), one("same", "v1")))
    new = ResolvedConfiguration(integrations=(one("same", "v1"), one("http", "v2"), one("sql", "v1")))

    found = differences(old, new)

    assert [i.package for i in found.integrations_added] == ["sql"]
    assert [i.package for i in found.integrations_removed] == ["slog"]
    assert found.integrations_changed == (("http", "v1", "v2"),)


ASPECTS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=6).map(
    lambda pairs: configuration(*(aspect(at, name, body) for at, (name, body) in enumerate(pairs)))
)


@given(ASPECTS)
def test_nothing_differs_from_itself(one):
    assert not differences(one, one)


@given(ASPECTS, ASPECTS)
def test_the_way_back_swaps_added_and_removed(one, two):
    there, back = differences(one, two), differences(two, one)

    assert len(there.added) == len(back.removed)
    assert len(there.removed) == len(back.added)
    assert len(there.changed) == len(back.changed)
    assert len(one.aspects) + len(there.added) - len(there.removed) == len(two.aspects)


@given(ASPECTS, st.randoms())
def test_order_within_a_file_is_no_difference(one, random):
    shuffled = list(one.aspects)
    random.shuffle(shuffled)

    assert not differences(one, replace(one, aspects=tuple(shuffled)))
