"""What a rotation decides, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from orchwatchd.config.model import Rotate
from orchwatchd.jobs.rotation import plan_rotate
from orchwatchd.models.upkeep import LogFile, LogPhase, RotateStep
from orchwatchd.orchlog.family import LogFamily

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE = LogFamily("/logs/o.jsonl")
MANY = LogFamily("/logs/o-$PID.jsonl")
POLICY = Rotate(max_size=100, max_age=3600, keep=3, max_total=1000, merge_pid=True)


def live(size=10, *, age=60, pid=None, inode=1, **more):
    name = f"o-{pid}.jsonl" if pid else "o.jsonl"
    return LogFile(name, LogPhase.LIVE, inode, size, NOW - timedelta(seconds=age), pid=pid, **more)


def old(hours, phase=LogPhase.COMPRESSED, *, size=10, inode=9, pid=None, family=ONE, **more):
    at = NOW - timedelta(hours=hours)
    name = family.rotated_name(at, inode, pid or 0)
    if more.get("merged"):
        name = family.merged_name(family.rotated(name).stamp).removesuffix(".gz")
        inode, pid = 0, None
    name += {LogPhase.COMPRESSED: ".gz", LogPhase.PARTIAL: ".gz.part"}.get(phase, "")
    stamp = family.rotated_name(at, 1).split("-")[1]
    return LogFile(name, phase, inode, size, at, stamp, pid, **more)


def plan(*files, family=ONE, policy=POLICY, busy=False):
    return plan_rotate(files, family, policy, now=NOW, busy=busy)


def steps(found):
    return [(action.step.value, *action.names) for action in found.actions]


def carry_out(files, found, family):
    """The files after the plan was done, as `apply_rotate` does it."""
    after = {file.name: file for file in files}
    for action in found.actions:
        gone = [after.pop(name) for name in action.names]
        if action.step in (RotateStep.RENAME, RotateStep.COMPRESS, RotateStep.MERGE):
            name = family.rotated(action.to)
            phase = LogPhase.COMPRESSED if name.compressed else LogPhase.RENAMED
            after[action.to] = LogFile(
                action.to,
                phase,
                name.inode or 0,
                action.bytes,
                name.time,
                name.stamp,
                name.pid,
                merged=name.inode is None,
                needed=gone[0].needed,
            )
    return list(after.values())


def test_a_small_young_file_stays():
    found = plan(live())
    assert found.actions == ()
    assert found.keeps == (("o.jsonl", "it is written to"),)


def test_a_large_or_old_file_is_renamed_and_compressed():
    for file in (live(101), live(age=3601)):
        found = plan(file)
        assert [action.step for action in found.actions] == [RotateStep.RENAME, RotateStep.COMPRESS]
        assert found.actions[0].to == "o-20261123T120000.000000Z-i1.jsonl"
        assert found.actions[1].to == "o-20261123T120000.000000Z-i1.jsonl.gz"
    assert plan(live(0, age=9999)).actions == (), "an empty file is no news"


def test_during_a_build_files_are_only_renamed_and_only_past_the_size():
    assert plan(live(age=9999), old(1, LogPhase.RENAMED), busy=True).actions == ()
    assert [action.step for action in plan(live(101), busy=True).actions] == [RotateStep.RENAME]


def test_names_sort_by_time_even_when_the_clock_went_back():
    newest = old(-5)
    found = plan(live(101), newest)
    assert found.actions[0].to > newest.name
    assert ONE.rotated(found.actions[0].to).time == ONE.rotated(newest.name).time + timedelta(microseconds=1)


def test_old_files_go_by_count_and_by_bytes_oldest_first():
    files = [old(hours) for hours in (5, 4, 3, 2, 1)]
    assert steps(plan(*files)) == [("remove", files[0].name), ("remove", files[1].name)]
    files = [old(hours, size=400) for hours in (3, 2, 1)]
    assert steps(plan(*files)) == [("remove", files[0].name)]
    assert plan(*files).actions[0].reason == "old files take more than 1000 bytes"


def test_lines_that_are_not_indexed_yet_stay():
    files = [old(hours, needed=hours == 5) for hours in (5, 4, 3, 2, 1)]
    found = plan(*files)
    assert steps(found) == [("remove", files[1].name)]
    assert "not indexed" in found.warnings[0]
    waiting = [old(1, LogPhase.RENAMED, pid=7, family=MANY, needed=True)]
    assert plan(*waiting, family=MANY).actions == ()


def test_what_a_crash_left_is_gone_on_with():
    part, renamed = old(1, LogPhase.PARTIAL), old(1, LogPhase.RENAMED)
    assert steps(plan(part, renamed)) == [("discard", part.name), ("compress", renamed.name)]
    both = [old(1, LogPhase.RENAMED), old(1, LogPhase.COMPRESSED)]
    assert steps(plan(*both)) == [("compress", both[0].name)]
    members = [old(1, LogPhase.RENAMED, pid=pid, inode=pid, family=MANY) for pid in (5, 6)]
    merged = old(1, family=MANY, merged=True)
    assert steps(plan(*members, family=MANY)) == [("merge", members[0].name, members[1].name)]
    assert steps(plan(*members, merged, family=MANY)) == [("remove", members[0].name, members[1].name)]


def test_the_files_of_a_runs_processes_become_one():
    found = plan(live(pid=12, inode=1), live(pid=345, inode=2), family=MANY)
    assert [action.step for action in found.actions] == [
        RotateStep.RENAME,
        RotateStep.RENAME,
        RotateStep.MERGE,
    ]
    assert found.actions[2].names == (
        "o-20261123T120000.000000Z-p12-i1.jsonl",
        "o-20261123T120000.000000Z-p345-i2.jsonl",
    )
    assert found.actions[2].to == "o-20261123T120000.000000Z.jsonl.gz"
    assert plan(live(pid=12), family=MANY, busy=True).actions == ()


def test_without_merging_a_family_is_bounded_by_count():
    files = [live(pid=pid, inode=pid, age=pid) for pid in range(1, 6)]
    found = plan(*files, family=MANY, policy=replace(POLICY, merge_pid=False))
    renamed = [action.names[0] for action in found.actions if action.step is RotateStep.RENAME]
    assert renamed == ["o-4.jsonl", "o-5.jsonl"]


@st.composite
def families(draw):
    family = draw(st.sampled_from([ONE, MANY]))
    count = draw(st.integers(0, 1 if family is ONE else 6))
    files = [
        live(
            draw(st.integers(0, 300)),
            age=draw(st.integers(-100, 9000)),
            pid=None if family is ONE else number + 1,
            inode=number + 1,
            needed=draw(st.booleans()),
        )
        for number in range(count)
    ]
    for number in range(draw(st.integers(0, 8))):
        phase = draw(
            st.sampled_from([LogPhase.COMPRESSED, LogPhase.COMPRESSED, LogPhase.RENAMED, LogPhase.PARTIAL])
        )
        merged = family is MANY and phase is LogPhase.COMPRESSED and draw(st.booleans())
        files.append(
            old(
                draw(st.integers(-2, 4)) if family is MANY else number - 2,
                phase,
                size=draw(st.integers(0, 500)),
                inode=100 + number,
                pid=None if family is ONE else 100 + number,
                family=family,
                merged=merged,
                needed=draw(st.sampled_from([False, False, True]))
                and not merged
                and phase is not LogPhase.PARTIAL,
            )
        )
    return family, list({file.name: file for file in files}.values())


policies = st.builds(
    Rotate,
    max_size=st.integers(1, 200),
    max_age=st.sampled_from([1.0, 3600.0]),
    keep=st.integers(1, 5),
    max_total=st.integers(1, 1500),
    merge_pid=st.booleans(),
)


@settings(max_examples=300)
@given(families(), policies, st.booleans())
def test_plans_are_safe_bounded_and_final(given_files, policy, busy):
    family, files = given_files
    found = plan_rotate(files, family, policy, now=NOW, busy=busy)
    known = {file.name: file for file in files}
    for action in found.actions:
        assert action.reason
        if action.step in (RotateStep.REMOVE, RotateStep.DISCARD):
            assert all(name not in known or known[name].phase is not LogPhase.LIVE for name in action.names)
        if action.step is RotateStep.MERGE:
            assert not any(known[name].needed for name in action.names if name in known)
    after = carry_out(files, found, family)
    for file in files:
        if file.needed:
            assert any(file.inode == other.inode for other in after), "needed lines are still there"
    groups = {}
    for file in after:
        if file.phase in (LogPhase.RENAMED, LogPhase.COMPRESSED):
            groups.setdefault(file.stamp, []).append(file)
    spare = [group for group in groups.values() if not any(file.needed for file in group)]
    assert len(spare) <= policy.keep
    if len(groups) > 1 and not found.warnings:
        newest = groups.pop(max(groups))
        total = sum(file.bytes for group in groups.values() for file in group)
        assert total + sum(file.bytes for file in newest) <= policy.max_total
    assert plan_rotate(after, family, policy, now=NOW, busy=busy).actions == ()
    stamps = [action.to for action in found.actions if action.step is RotateStep.RENAME]
    assert all(name > file.name for name in stamps for file in files if file.stamp)
