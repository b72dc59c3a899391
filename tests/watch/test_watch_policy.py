"""The decision machine: never two builds, never starved, always the last state, no loop. Time is a number here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.watch.policy import MOST_CANCELS, Act, Policy, State
from orchwatchd.watch.settle import Settle

pytest_plugins = ["watch_fixtures"]


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ([0.0], 0.1),
        ([0.0, 0.05], 0.15),
        ([0.0, 0.05, 0.05, 0.14], 0.24),
        ([n * 0.09 for n in range(100)], 2.0),
        ([5.0 + n * 0.09 for n in range(100)], 7.0),
    ],
    ids=[
        "one",
        "a second extends the rest",
        "one file saved again and again",
        "never at rest",
        "never at rest, from its first change",
    ],
)
def test_a_burst_is_over_after_a_rest_or_the_longest_wait(changes: list[float], over: float) -> None:
    settle = Settle(rest=0.1, longest=2.0)
    for at in changes:
        if settle.over(at):
            break
        settle.note(at)
    assert settle.due() == pytest.approx(over)
    assert not settle.over(over - 0.001)
    assert settle.over(over + 0.001)
    settle.clear()
    assert settle.due() is None


class World:
    """Builds of a fixed length in simulated time, driven by the machine. `edits(build)` is what a build writes."""

    def __init__(
        self, policy: Policy, length: float, edits: Callable[[int], dict[float, str]] = lambda _: {}
    ) -> None:
        self.policy = policy
        self.length = length
        self.edits = edits
        self.starts: list[float] = []
        self.completed: list[float] = []
        self.cancelled: list[float] = []
        self.left: list[float] = []
        self.state = 0
        self.built = 0

    def run(self, saves: list[tuple[float, str]], until: float) -> None:
        """Steps through time; `self.state` counts changes, `self.built` is the state that the last ok build had."""
        events = sorted(saves)
        building: tuple[float, float, int] | None = None
        now = 0.0
        while now <= until:
            due = [name for at, name in events if at <= now]
            events = [(at, name) for at, name in events if at > now]
            act = self.policy.tick(now)
            if due:
                self.state += 1
                act = self.policy.changed(due) if act is Act.NOTHING else act
            if building and (act is Act.CANCEL or now >= building[1]):
                begun, _, state = building
                building = None
                (self.cancelled if act is Act.CANCEL else self.completed).append(now)
                if act is not Act.CANCEL:
                    self.built = state
                act = self.policy.finished(now, cancelled=act is Act.CANCEL)
                assert begun < now
            if act is Act.LEAVE:
                self.left.append(now)
            if act is Act.START:
                assert building is None, "never two"
                self.policy.started()
                self.starts.append(now)
                building = (now, now + self.length, self.state)
                number = len(self.starts)
                events = sorted(
                    [*events, *((now + offset, name) for offset, name in self.edits(number).items())]
                )
            now = round(now + 0.1, 1)


def test_fifteen_saves_a_second_apart_on_builds_of_three_seconds() -> None:
    """Wgo completes none. Here at least four complete meanwhile, none overlap, and the last state is built."""
    world = World(Policy(), 3.0)
    world.run([(float(second), "main.go") for second in range(15)], until=60)
    assert len([at for at in world.completed if at <= 15]) >= 4
    assert world.built == world.state
    assert world.left == []


def test_one_save_in_each_build_looks_like_a_loop_but_the_last_state_is_built() -> None:
    """A person who saves once in every build cannot be told from a build that does; a gap tells."""
    world = World(Policy(), 3.0)
    world.run([(0.0, "main.go"), *((1.0 + 4 * n, "main.go") for n in range(10))], until=120)
    assert world.built == world.state
    assert world.left == []


def test_a_build_that_always_changes_its_own_inputs_is_repeated_twice_then_left_alone() -> None:
    world = World(Policy(), 3.0, edits=lambda _: {1.5: "gen.go"})
    world.run([(0.0, "main.go")], until=200)
    assert len(world.starts) == 3
    assert world.policy.state is State.LEFT_ALONE
    assert world.policy.own_files == ("gen.go",)
    assert len(world.left) == 1


def test_a_person_who_saves_is_heard_after_that() -> None:
    world = World(Policy(), 3.0, edits=lambda _: {1.5: "gen.go"})
    world.run([(0.0, "main.go"), (100.0, "main.go")], until=200)
    assert len(world.starts) == 6
    assert world.policy.state is State.LEFT_ALONE


def test_a_build_that_changes_its_inputs_twice_each_time_ends_too() -> None:
    """Generated, then formatted: several changes a build look like a person's, for a while."""
    world = World(Policy(), 3.0, edits=lambda _: {1.0: "gen.go", 2.0: "gen.go"})
    world.run([(0.0, "main.go")], until=500)
    assert len(world.starts) <= 7
    assert world.policy.state is State.LEFT_ALONE


def test_an_automatic_pin_is_built_exactly_twice() -> None:
    """Fact 17: the first build edits go.mod, the second finds it pinned."""
    world = World(Policy(), 3.0, edits=lambda build: {0.5: "go.mod"} if build == 1 else {})
    world.run([(0.0, "main.go")], until=100)
    assert len(world.starts) == 2
    assert world.policy.state is State.IDLE


def test_an_automatic_pin_does_not_cancel_its_build() -> None:
    world = World(Policy(cancel=True), 3.0, edits=lambda build: {0.5: "go.mod"} if build == 1 else {})
    world.run([(0.0, "main.go")], until=100)
    assert world.cancelled == []
    assert len(world.completed) == 2


def test_a_change_cancels_at_most_twice_in_a_row() -> None:
    world = World(Policy(cancel=True), 3.0)
    world.run([(float(second), "main.go") for second in range(30)], until=100)
    order = sorted([(at, "c") for at in world.cancelled] + [(at, "b") for at in world.completed])
    assert "ccc" not in "".join(kind for _, kind in order)
    assert world.completed
    assert world.cancelled
    assert world.built == world.state


def test_a_build_that_cancels_itself_by_its_edits_ends() -> None:
    world = World(Policy(cancel=True), 3.0, edits=lambda _: {1.5: "gen.go"})
    world.run([(0.0, "main.go")], until=500)
    assert len(world.cancelled) <= MOST_CANCELS
    assert len(world.starts) <= 3 + MOST_CANCELS
    assert world.policy.state is State.LEFT_ALONE


saves = st.lists(
    st.tuples(st.floats(0, 40).map(lambda at: round(at, 1)), st.sampled_from(["a.go", "b.go", "go.mod"])),
    max_size=30,
)


@given(saves, st.booleans(), st.floats(0.5, 6).map(lambda length: round(length, 1)))
def test_whatever_people_do_the_last_state_is_built_or_said_to_be_left(
    saves: list[tuple[float, str]], cancel: bool, length: float
) -> None:
    world = World(Policy(cancel=cancel), length)
    world.run([(0.0, "a.go"), *saves], until=150)
    assert world.built == world.state or world.policy.state is State.LEFT_ALONE
    assert world.policy.state in {State.IDLE, State.LEFT_ALONE}


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.7]), st.sampled_from(["x.go", "y.go"])), min_size=1, max_size=4
    )
)
def test_every_build_that_edits_its_inputs_comes_to_an_end(edits: list[tuple[float, str]]) -> None:
    world = World(Policy(), 1.0, edits=lambda _: dict(edits))
    world.run([(0.0, "main.go")], until=100)
    assert world.policy.state is State.LEFT_ALONE
    assert len(world.starts) <= 7


def test_a_build_that_somebody_asked_for_counts_as_the_build_of_the_changes() -> None:
    policy = Policy()
    assert policy.changed(["a.go"]) is Act.START
    policy.started()
    assert policy.finished(1.0) is Act.NOTHING
    policy.started()
    assert policy.changed(["a.go"]) is Act.NOTHING
    assert policy.finished(2.0) is Act.START


def test_a_build_that_never_came_to_its_start_leaves_the_machine_ready() -> None:
    policy = Policy()
    policy.changed(["a.go"])
    assert policy.finished(1.0) is Act.NOTHING
    assert policy.changed(["a.go"]) is Act.START
