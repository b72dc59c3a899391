"""What may be said of a package that one run has and the other has not; what is unknown is never a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.compare.comparison import compare
from orchwatchd.compare.document import to_jsonable
from orchwatchd.models.comparison import (
    Common,
    PackageState,
    Side,
    SideInjection,
    SidePackage,
    SideProgram,
)
from orchwatchd.models.injection import Attribution, Certainty, Injection, InjectionKind
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import RunId, RunStatus
from orchwatchd.models.tree import ImportKind


def name(path: str) -> PackageName:
    return PackageName(path)


def injection(text: str = "{ a ( ) }", declaration: str = "F", **more: object) -> SideInjection:
    made = Injection(InjectionKind.STATEMENTS, declaration, text, text, 1, 1, 1, 0)
    return SideInjection("/src/p.go", replace(made, **more))


def woven(
    path: str, text: str = "{ a ( ) }", action: str = "x", state: PackageState = PackageState.KNOWN
) -> SidePackage:
    injections = (injection(text),) if text and state is PackageState.KNOWN else ()
    return SidePackage(name(path), state, action=action + path, injections=injections)


def program(path: str, *members: str, linked: bool = True, complete: bool = True) -> SideProgram:
    return SideProgram(name(path), frozenset(map(name, members)), linked=linked, complete=complete)


def run(number: int, *packages: SidePackage, **more: object) -> Side:
    return replace(Side(RunId(number), arguments=("./...",), packages=packages), **more)


A, B = woven("a"), woven("b")


def test_equal_runs_have_no_difference() -> None:
    result = compare(run(1, A, B), run(2, A, B), Common(packages=3, injections=40))
    assert not result.differs
    assert result.complete
    assert (result.packages.unchanged, result.injections.unchanged) == (5, 42)


def test_a_new_action_id_with_the_same_injections_is_no_difference() -> None:
    result = compare(run(1, A), run(2, woven("a", action="y")))
    assert not result.differs
    assert result.packages.unchanged == result.injections.unchanged == 1


def test_within_a_program_that_both_linked_packages_come_and_go() -> None:
    first = run(1, A, B, programs=(program("cmd", "a", "b"),), status=RunStatus.FAILED)
    second = run(2, A, programs=(program("cmd", "a"),), arguments=("./cmd",))
    gone, new = compare(first, second), compare(second, first)
    assert gone.packages.removed == new.packages.added == (name("b"),)
    assert (
        [one.package for one in gone.injections.removed]
        == [one.package for one in new.injections.added]
        == [name("b")]
    )


@pytest.mark.parametrize(
    "other",
    [
        run(2, A, status=RunStatus.FAILED),
        run(2, A, status=RunStatus.CANCELLED),
        run(2, A, arguments=("./cmd/api",)),
        run(2, A, kind="test"),
        run(2, A, status=RunStatus.UNKNOWN),
        run(2, A, graph_known=False),
        run(2, A, programs=(program("cmd", "a", linked=False),)),
        run(2, A, programs=(program("cmd", "a", complete=False),)),
        run(2, A, programs=(program("other", "a"),), arguments=("./other",)),
        run(2, A),
    ],
    ids=[
        *("failed", "cancelled", "fewer", "test", "adopted", "killed"),
        *("not linked", "incomplete", "other program", "link skipped"),
    ],
)
def test_what_the_other_run_did_not_have_to_have_is_out_of_scope_in_either_order(other: Side) -> None:
    full = run(1, A, B, programs=(program("cmd", "a", "b"),))
    for result in (compare(full, other), compare(other, full)):
        assert result.packages.out_of_scope == (name("b"),)
        assert not result.differs


def test_without_programs_two_runs_that_asked_for_the_same_are_enough() -> None:
    assert compare(run(1, A, B), run(2, A)).packages.removed == (name("b"),)
    assert compare(run(1, A), run(2, A, B)).packages.added == (name("b"),)


@pytest.mark.parametrize("state", [PackageState.UNKNOWN, PackageState.FAILED, PackageState.UNREACHED])
def test_what_a_run_does_not_know_takes_no_part_and_is_counted(state: PackageState) -> None:
    full, part = run(1, A, B), run(2, A, woven("b", state=state))
    for result in (compare(full, part), compare(part, full)):
        assert not result.differs
        assert not result.complete
        assert result.incomplete[0].startswith("1 package of #2 is ")
        listed = result.packages.unknown if state is PackageState.UNKNOWN else result.packages.unreached
        assert listed == (name("b"),)


def test_a_plain_package_that_becomes_instrumented_is_added() -> None:
    plain = woven("a", text="", action="y")
    result = compare(run(1, plain), run(2, A))
    assert result.packages.added == (name("a"),)
    assert compare(run(1, A), run(2, plain)).packages.removed == (name("a"),)


def test_plain_packages_are_in_no_list_but_their_imports_are_compared() -> None:
    plain = SidePackage(
        name("a"), action="1", imports=((ImportKind.LINK_DEPS, "x"), (ImportKind.IMPORTCFG, "y"))
    )
    later = SidePackage(name("a"), action="2", imports=((ImportKind.IMPORTCFG, "y"),))
    result = compare(run(1, plain), run(2, later))
    assert (result.packages.changed, result.packages.unchanged) == ((), 0)
    assert [(one.path, one.kind) for one in result.imports_removed] == [("x", ImportKind.LINK_DEPS)]
    assert result.differs


def test_an_injection_against_an_uncertain_original_is_no_difference() -> None:
    doubtful = replace(A, action="y", injections=(replace(injection("{ edit }"), certain=False),))
    result = compare(run(1, A), run(2, doubtful))
    assert not result.complete
    assert result.injections.added == ()
    assert any(one.after and one.after.injection.text == "{ edit }" for one in result.injections.uncertain)


def test_the_json_has_the_fields_of_the_contract() -> None:
    later = replace(A, action="y", injections=(*A.injections, injection("{ b ( ) }", "G", ordinal=1)))
    attributed = replace(
        later.injections[1], attribution=Attribution("example.com/x", "entry", Certainty.EXACT)
    )
    later = replace(later, injections=(later.injections[0], attributed))
    data = to_jsonable(compare(run(1, A), run(2, later)))
    assert (data["from"], data["to"], data["complete"]) == (1, 2, True)
    (added,) = data["injections"]["added"]
    contract = ("package", "file", "declaration", "kind", "integration", "aspect", "certainty")
    assert tuple(added[field] for field in contract) == (
        "a",
        "/src/p.go",
        "G",
        "statements",
        "example.com/x",
        "entry",
        "exact",
    )
    assert data["packages"]["changed"] == ["a"]
    assert data["injections"]["unchanged"] == 1


packages = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(
        st.sampled_from(["", "{ a }", "{ b }"]), st.sampled_from(list(PackageState)), st.sampled_from("xy")
    ),
)


@st.composite
def sides(draw: st.DrawFn, number: int) -> Side:
    found = {path: woven(path, *rest[:1], rest[2], rest[1]) for path, rest in draw(packages).items()}
    members = draw(st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=2))
    programs = tuple(
        program(f"cmd{i}", *(one & found.keys()), linked=draw(st.booleans()), complete=draw(st.booleans()))
        for i, one in enumerate(members)
    )
    status = draw(st.sampled_from([RunStatus.OK, RunStatus.FAILED, RunStatus.CANCELLED]))
    return run(number, *found.values(), programs=programs, status=status, graph_known=draw(st.booleans()))


@given(sides(1), sides(2))
def test_every_package_has_one_place_and_the_other_order_mirrors_it(a: Side, b: Side) -> None:
    """Given any two runs, no package is in two lists, and comparing backwards swaps what came with what went."""
    result, mirror = compare(a, b), compare(b, a)
    lists = result.packages
    listed = [
        *lists.added,
        *lists.removed,
        *lists.changed,
        *lists.unknown,
        *lists.unreached,
        *lists.out_of_scope,
    ]
    assert len(listed) == len(set(listed))
    assert (lists.added, lists.removed) == (mirror.packages.removed, mirror.packages.added)
    assert lists.changed == mirror.packages.changed
    assert lists.unknown == mirror.packages.unknown
    assert set(lists.out_of_scope) == set(mirror.packages.out_of_scope)
    assert len(result.injections.added) == len(mirror.injections.removed)
    for package in (*a.packages, *b.packages):
        if package.state is not PackageState.KNOWN:
            assert package.name not in {*lists.added, *lists.removed, *lists.changed}


@given(sides(1))
def test_a_run_against_itself_differs_in_nothing(side: Side) -> None:
    result = compare(side, side)
    assert not result.differs
    assert result.packages.out_of_scope == ()


def test_an_init_that_goes_to_another_file_is_moved_and_its_package_unchanged() -> None:
    before = replace(A, injections=(injection(declaration="init"),))
    there = replace(injection(declaration="init#2"), file="/src/other.go")
    result = compare(run(1, before), run(2, replace(A, action="y", injections=(there,))))
    assert len(result.injections.moved) == 1
    assert result.packages.unchanged == 1
    assert not result.differs


def test_one_text_that_left_a_declaration_for_another_changes_the_package() -> None:
    there = replace(A, action="y", injections=(injection(declaration="G"),))
    result = compare(run(1, A), run(2, there))
    assert len(result.injections.moved) == 1
    assert result.packages.changed == (name("a"),)
    assert result.differs
