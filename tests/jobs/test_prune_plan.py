"""What a prune decides, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchwatchd.config.model import Keep, KeepCache, KeepHistory, KeepThin, KeepTrees, Percent
from orchwatchd.errors import ConfigurationError
from orchwatchd.jobs.keeping import below_floor
from orchwatchd.jobs.retention import plan_finish, plan_prune
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import DiskUse, PruneStep, RunUse, Usage

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DISK = DiskUse(total=1000_000, free=900_000)
NOTHING = {"keep_last": 0, "keep_failed": 0, "keep_daily": 0, "keep_within": 0.0}


def run(number, *, status=RunStatus.OK, hours=None, work=WorkState.KEPT, tree=100, heavy=90, **more):
    """A run `hours` ago (default: so many as its distance from run 100) with a whole tree of 100 bytes."""
    age = timedelta(hours=100 - number if hours is None else hours)
    if work is WorkState.THIN:
        tree, heavy = tree - heavy, 0
    if work not in (WorkState.KEPT, WorkState.THIN):
        tree = heavy = 0
    return RunUse(
        RunId(number),
        more.pop("kind", "build"),
        status,
        NOW - age,
        work=work,
        tree_bytes=tree,
        heavy_bytes=heavy,
        row_bytes=more.pop("row_bytes", 10),
        **more,
    )


def usage(*runs, **more):
    return Usage(runs, more.pop("disk", DISK), database_bytes=sum(item.row_bytes for item in runs), **more)


def keep(trees=None, thin=None, history=None, cache=10**9):
    return Keep(
        KeepTrees(**{**NOTHING, "keep_last": 1, "min_free": 0, "max_used": 10**9, **(trees or {})}),
        KeepThin(**{**NOTHING, "keep_last": 2, "max_used": 10**9, **(thin or {})}),
        KeepHistory(**{**NOTHING, "keep_last": 1000, "max_used": 10**9, **(history or {})}),
        KeepCache(cache),
    )


def plan(use, policy=None, *, keep_logs=1000):
    return plan_prune(use, policy or keep(), keep_logs=keep_logs, now=NOW)


def steps(found):
    return {(action.step.value, action.run) for action in found.actions}


def carry_out(use, found):
    """What the usage is after the plan was done, as `apply_prune` does it."""
    runs = {item.run: item for item in use.runs}
    free, database, cache = use.disk.free, use.database_bytes, use.cache_bytes
    for action in found.actions:
        if action.step is PruneStep.ROWS:
            database -= runs.pop(action.run).row_bytes
            continue
        if action.step is PruneStep.LOG:
            item = runs[action.run]
            database -= item.log_bytes
            runs[action.run] = replace(item, row_bytes=item.row_bytes - item.log_bytes, log_bytes=0)
            continue
        free += action.bytes
        if action.step is PruneStep.CACHE:
            cache -= action.bytes
        elif action.step is PruneStep.THIN:
            item = runs[action.run]
            size = item.tree_bytes - item.heavy_bytes
            runs[action.run] = replace(item, work=WorkState.THIN, tree_bytes=size, heavy_bytes=0)
        elif action.step is PruneStep.TREE:
            runs[action.run] = replace(runs[action.run], work=WorkState.PRUNED, tree_bytes=0, heavy_bytes=0)
    return Usage(tuple(runs.values()), DiskUse(use.disk.total, free), database, cache)


def test_trees_go_from_whole_to_thin_to_nothing_by_the_rules():
    """Given 4 runs, whole trees of 1 and thin ones of 2, then the newest stays, the next is thinned, others dropped."""
    found = plan(usage(*[run(number) for number in (1, 2, 3, 4)]))
    assert steps(found) == {("thin", 3), ("tree", 2), ("tree", 1)}
    assert [(kept.what, kept.run) for kept in found.keeps if kept.what != "history"] == [
        ("tree", 4),
        ("thin tree", 3),
    ]
    assert {action.reason for action in found.actions if action.run == 1} == {"no rule keeps its tree"}
    assert found.bytes == 90 + 100 + 100
    newest = next(kept for kept in found.keeps if kept.what == "tree")
    assert newest.reasons == ("the newest good run", "one of the last 1")


def test_failed_runs_have_a_rule_of_their_own():
    runs = [run(number, status=RunStatus.FAILED) for number in (1, 2, 3)] + [run(4), run(5)]
    found = plan(usage(*runs), keep(trees={"keep_failed": 1}, thin={"keep_failed": 2}))
    assert steps(found) == {("thin", 2), ("thin", 4), ("tree", 1)}


def test_one_run_a_day_stays():
    runs = [
        run(number, hours=hours) for number, hours in ((1, 50), (2, 49), (3, 26), (4, 25), (5, 2), (6, 1))
    ]
    found = plan(usage(*runs), keep(thin={"keep_last": 0, "keep_daily": 2}))
    assert steps(found) == {("tree", 1), ("tree", 2), ("tree", 3), ("thin", 4), ("tree", 5)}


def test_recent_runs_stay():
    found = plan(
        usage(*[run(number) for number in (1, 90, 99)]), keep(thin={"keep_last": 0, "keep_within": 36_000})
    )
    assert steps(found) == {("tree", 1), ("thin", 90)}


def test_what_must_not_go_does_not_go():
    """Given pins, a running run, a tree that is not indexed and the newest good run, then no limit touches them."""
    runs = [
        run(1, pins=("before-upgrade",)),
        run(2),
        run(3, status=RunStatus.FAILED, indexed=False),
        run(4, kind="test"),
        run(5, status=RunStatus.FAILED),
        run(6, status=RunStatus.RUNNING),
    ]
    limits = {"max_used": 1, "keep_last": 0}
    found = plan(
        usage(*runs), keep({**limits, "keep_failed": 1}, limits | {"keep_failed": 1}, {"max_used": 1})
    )
    assert steps(found) == {("tree", 4), ("rows", 4), ("tree", 5), ("rows", 5)}
    reasons = {kept.run: kept.reasons[0] for kept in found.keeps}
    assert reasons == {
        6: "it is running",
        3: "its tree is not indexed yet",
        2: "the newest good run",
        1: "pinned as before-upgrade",
    }
    assert {short.limit for short in found.shortfalls} == {"[keep.trees] max_used", "[keep.history] max_used"}
    assert "pinned" in found.shortfalls[0].reason


def test_over_the_limit_the_oldest_are_thinned_first():
    runs = [run(number) for number in (1, 2, 3, 4)]
    found = plan(usage(*runs), keep(trees={"keep_last": 4, "max_used": 250}))
    assert steps(found) == {("thin", 1), ("thin", 2)}
    assert found.actions[0].reason == "whole trees take 150 bytes more than the limit"
    assert found.shortfalls == ()


def test_a_full_disk_costs_trees_then_the_cache():
    runs = [run(number) for number in (1, 2, 3)]
    use = usage(*runs, disk=DiskUse(1000, 10), cache_bytes=500)
    found = plan(use, keep(trees={"keep_last": 3, "min_free": Percent(25)}))
    assert steps(found) == {("tree", 1), ("tree", 2), ("cache", None)}
    (trim,) = (action for action in found.actions if action.step is PruneStep.CACHE)
    assert trim.bytes == 250 - 10 - 200
    assert found.shortfalls == ()
    short = plan(replace(use, cache_bytes=None), keep(trees={"keep_last": 3, "min_free": Percent(25)}))
    assert [(item.limit, item.over) for item in short.shortfalls] == [("[keep.trees] min_free", 40)]


def test_the_cache_has_a_limit_and_a_running_build_its_cache():
    use = usage(run(1), cache_bytes=2000)
    assert steps(plan(use, keep(cache=1000))) == {("cache", None)}
    assert plan(use, keep(cache=1000)).actions[0].bytes == 1100, (
        "down to nine tenths, so that not every run trims"
    )
    busy = usage(run(1), run(2, status=RunStatus.RUNNING), cache_bytes=2000)
    assert steps(plan(busy, keep(cache=1000))) == set()
    assert plan(busy, keep(cache=1000)).shortfalls[0].limit == "[keep.cache] max_used"


def test_history_outlives_trees_and_goes_with_them():
    runs = [run(number, work=WorkState.PRUNED) for number in range(1, 6)]
    found = plan(usage(*runs), keep(history={"keep_last": 3}))
    assert steps(found) == {("rows", 1), ("rows", 2)}
    small = plan(
        usage(*[run(number) for number in range(1, 6)]), keep(history={"keep_last": 5, "max_used": 15})
    )
    assert {("rows", number) for number in (1, 2, 3, 4)} < steps(small)
    assert {action.step for action in small.actions if action.run == 4} == {PruneStep.TREE, PruneStep.ROWS}


def test_log_lines_stay_for_so_many_runs():
    runs = [run(number, log_bytes=5, work=WorkState.PRUNED) for number in (1, 2, 3, 4)]
    runs[0] = replace(runs[0], pins=("x",))
    found = plan(usage(*runs), keep_logs=2)
    assert steps(found) == {("log", 2)}


def test_a_clock_that_jumped_keeps_more_and_says_so():
    """Given a run from next year, then it counts as newest, and the order of the runs is that of their numbers."""
    runs = [run(1, hours=-9000), run(2), run(3)]
    found = plan(usage(*runs), keep(thin={"keep_last": 1, "keep_within": 3600}))
    assert steps(found) == {("thin", 1), ("tree", 2)}
    assert found.warnings == ("started in the future by this clock, and counted as newest: #1",)


def test_a_policy_that_keeps_nothing_is_refused():
    with pytest.raises(ConfigurationError, match=r"keep\.history"):
        plan(usage(run(1)), keep(history=NOTHING))
    with pytest.raises(ConfigurationError, match=r"keep\.trees"):
        plan(usage(run(1)), keep(trees=NOTHING, thin=NOTHING))


def test_what_a_crash_left_is_finished_and_nothing_else():
    cut = replace(run(2, work=WorkState.THIN), heavy_bytes=40)
    half = replace(run(1, work=WorkState.PRUNED), tree_bytes=70)
    use = usage(half, cut, run(3), trash_bytes=7)
    assert steps(plan_finish(use)) == {("tree", 1), ("thin", 2), ("trash", None)}
    assert steps(plan_finish(use)) <= steps(plan(use))


def test_the_floor_is_bytes_or_a_share_of_the_disk():
    assert below_floor(49, 1000, keep(trees={"min_free": Percent(5)}))
    assert not below_floor(50, 1000, keep(trees={"min_free": Percent(5)}))
    assert below_floor(49, 10**9, keep(trees={"min_free": 50}))


rules = st.fixed_dictionaries(
    {
        "keep_last": st.integers(0, 4),
        "keep_failed": st.integers(0, 3),
        "keep_daily": st.integers(0, 3),
        "keep_within": st.sampled_from([0.0, 3600.0, 200_000.0]),
    }
)
limits = st.sampled_from([1, 150, 400, 10**9])
policies = st.builds(
    lambda trees, thin, history, used, floor, cache: keep(
        {**trees, "max_used": used[0], "min_free": floor},
        {**thin, "max_used": used[1]},
        {**history, "max_used": used[2]},
        cache,
    ),
    rules.filter(lambda rule: any(rule.values())),
    rules,
    rules.filter(lambda rule: any(rule.values())),
    st.tuples(limits, limits, limits),
    st.one_of(st.integers(0, 3000), st.builds(Percent, st.sampled_from([0.0, 5.0, 50.0]))),
    limits,
)


@st.composite
def usages(draw):
    runs = []
    for number in range(draw(st.integers(0, 14))):
        item = run(
            number + 1,
            status=draw(
                st.sampled_from([RunStatus.OK, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.RUNNING])
            ),
            hours=draw(st.integers(-30, 100)),
            work=draw(
                st.sampled_from(
                    [WorkState.KEPT, WorkState.KEPT, WorkState.THIN, WorkState.PRUNED, WorkState.NONE]
                )
            ),
            tree=draw(st.integers(90, 200)),
            kind=draw(st.sampled_from(["build", "build", "test"])),
            pins=draw(st.sampled_from([(), (), (), ("p",)])),
            indexed=draw(st.sampled_from([True, True, True, False])),
            row_bytes=draw(st.integers(5, 40)),
            log_bytes=draw(st.sampled_from([0, 5])),
        )
        runs.append(item)
    return usage(
        *runs,
        disk=DiskUse(4000, draw(st.integers(0, 4000))),
        cache_bytes=draw(st.one_of(st.none(), st.integers(0, 900))),
        trash_bytes=draw(st.sampled_from([0, 0, 30])),
    )


@settings(max_examples=300)
@given(usages(), policies, st.integers(0, 5))
def test_no_plan_removes_what_must_stay_and_every_limit_is_met_or_named(use, policy, keep_logs):
    found = plan(use, policy, keep_logs=keep_logs)
    removed = {action.run for action in found.actions if action.run is not None}
    for item in use.runs:
        if item.pins or item.status is RunStatus.RUNNING or (not item.indexed and item.tree_bytes):
            assert not [
                action
                for action in found.actions
                if action.run == item.run and action.step is not PruneStep.LOG
            ]
        if item.pins or item.status is RunStatus.RUNNING:
            assert item.run not in removed
    good = [item for item in use.runs if item.status is RunStatus.OK]
    newest = max((item for item in good if item.kind == "build"), key=lambda item: item.run, default=None)
    newest = newest or max(good, key=lambda item: item.run, default=None)
    if newest:
        assert {action.step for action in found.actions if action.run == newest.run} <= {PruneStep.LOG}

    after = carry_out(use, found)
    named = {short.limit for short in found.shortfalls}
    whole = sum(item.tree_bytes for item in after.runs if item.work is WorkState.KEPT)
    thin = sum(item.tree_bytes for item in after.runs if item.work is WorkState.THIN)
    assert (whole > policy.trees.max_used) == ("[keep.trees] max_used" in named)
    assert (thin > policy.thin.max_used) == ("[keep.thin] max_used" in named)
    assert ((after.cache_bytes or 0) > policy.cache.max_used) == ("[keep.cache] max_used" in named)
    floor = policy.trees.min_free
    floor = floor.of(after.disk.total) if isinstance(floor, Percent) else floor
    assert (after.disk.free < floor) == ("[keep.trees] min_free" in named)
    if after.database_bytes > policy.history.max_used:
        assert "[keep.history] max_used" in named
    # A limit may only be missed where nothing is left that may go.
    may_go = [
        item
        for item in after.runs
        if not (item.pins or item.status is RunStatus.RUNNING or (not item.indexed and item.tree_bytes))
        and item.run != (newest and newest.run)
    ]
    if "[keep.trees] max_used" in named:
        assert not [item for item in may_go if item.work is WorkState.KEPT]
    if "[keep.thin] max_used" in named:
        assert not [item for item in may_go if item.work is WorkState.THIN]
    if "[keep.trees] min_free" in named:
        assert not [item for item in may_go if item.tree_bytes]
        assert not after.cache_bytes or any(item.status is RunStatus.RUNNING for item in use.runs)
    if "[keep.history] max_used" in named:
        assert not may_go


@settings(max_examples=200)
@given(usages(), policies, st.integers(0, 5))
def test_a_second_plan_finds_nothing_to_do(use, policy, keep_logs):
    after = carry_out(use, plan(use, policy, keep_logs=keep_logs))
    assert plan(after, policy, keep_logs=keep_logs).actions == ()


@given(usages(), policies, st.integers(0, 5))
def test_every_run_is_kept_or_removed_with_a_reason(use, policy, keep_logs):
    found = plan(use, policy, keep_logs=keep_logs)
    assert all(action.reason for action in found.actions)
    assert all(kept.reasons for kept in found.keeps)
    forgotten = {action.run for action in found.actions if action.step is PruneStep.ROWS}
    assert {kept.run for kept in found.keeps if kept.what == "history"} | forgotten == {
        item.run for item in use.runs
    }
    assert not {kept.run for kept in found.keeps} & forgotten
