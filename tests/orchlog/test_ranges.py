"""Which bytes are a run's, through rotations, compression and cut files."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime

import pytest

from orchwatchd.orchlog.family import LogFamily, name_problem
from orchwatchd.orchlog.ranges import RangeLostError, find_file, mark, ranges_since, read_range

AT = datetime(2026, 11, 23, 21, 55, 1, 123456, tzinfo=UTC)


def lines(family, ranges):
    return [line for item in ranges for line in read_range(family, item)]


def append(path, *texts):
    with path.open("ab") as file:
        for text in texts:
            file.write(text.encode() + b"\n")


def rotate(family, path, *, compress=False):
    """What `jobs.rotate` does to a file, in as many steps."""
    info = path.stat()
    to = path.with_name(family.rotated_name(AT, info.st_ino, family.live_pid(path.name) or 0))
    path.rename(to)
    if compress:
        with gzip.open(f"{to}.gz", "wb") as file:
            file.write(to.read_bytes())
        to.unlink()


@pytest.fixture
def family(tmp_path):
    return LogFamily(str(tmp_path / "orchestrion.jsonl"))


def test_a_run_has_what_was_appended_during_it(family, tmp_path):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "before")
    marks = mark(family)
    append(live, "one", "two")
    ranges = ranges_since(family, marks)
    append(live, "after")
    assert lines(family, ranges) == [b"one", b"two"]


def test_nothing_appended_is_no_range(family, tmp_path):
    append(tmp_path / "orchestrion.jsonl", "before")
    assert ranges_since(family, mark(family)) == ()
    assert mark(LogFamily(str(tmp_path / "none" / "x.jsonl"))) == ()


@pytest.mark.parametrize("compress", [False, True])
def test_lines_are_found_after_the_file_was_rotated(family, tmp_path, compress):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "before")
    marks = mark(family)
    append(live, "one", "two")
    ranges = ranges_since(family, marks)
    rotate(family, live, compress=compress)
    append(live, "another file")
    assert lines(family, ranges) == [b"one", b"two"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_rotation_during_the_run_loses_nothing_and_repeats_nothing(family, tmp_path, compress):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "before")
    marks = mark(family)
    append(live, "one")
    rotate(family, live, compress=compress)
    append(live, "two")
    assert lines(family, ranges_since(family, marks)) == [b"one", b"two"]


def test_a_crash_between_compressing_and_unlinking_repeats_nothing(family, tmp_path):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "before")
    marks = mark(family)
    append(live, "one")
    to = live.with_name(family.rotated_name(AT, live.stat().st_ino))
    live.rename(to)
    with gzip.open(f"{to}.gz", "wb") as file:
        file.write(to.read_bytes())
    assert lines(family, ranges_since(family, marks)) == [b"one"]


def test_another_file_with_the_same_inode_is_not_taken_for_the_old_one(family, tmp_path):
    """Given a file that is gone and a new one whose inode is the same, then the range is lost, not wrong."""
    live = tmp_path / "orchestrion.jsonl"
    append(live, "the old file")
    (old,) = ranges_since(family, ())
    live.write_bytes(b"")  # the same inode, other content
    append(live, "a new file, longer than the old one")
    assert find_file(family, old) is None
    with pytest.raises(RangeLostError, match="gone"):
        list(read_range(family, old))


def test_a_file_that_was_cut_off_counts_from_its_start(family, tmp_path):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "before", "the cut")
    marks = mark(family)
    os.truncate(live, 0)
    append(live, "after")
    assert lines(family, ranges_since(family, marks)) == [b"after"]


def test_a_file_that_lost_its_end_says_so(family, tmp_path):
    live = tmp_path / "orchestrion.jsonl"
    append(live, "x" * 300, "lost")
    (found,) = ranges_since(family, ())
    os.truncate(live, 301)
    with pytest.raises(RangeLostError, match="5 bytes"):
        lines(family, [found])


def test_a_family_is_a_file_a_process(tmp_path):
    family = LogFamily(str(tmp_path / "trace-${PID}.jsonl"))
    append(tmp_path / "trace-1.jsonl", "old")
    append(tmp_path / "trace-x.jsonl", "a stranger")
    marks = mark(family)
    append(tmp_path / "trace-2.jsonl", "two")
    append(tmp_path / "trace-1.jsonl", "the number was used again")
    assert sorted(lines(family, ranges_since(family, marks))) == [b"the number was used again", b"two"]


def test_rotated_names_sort_by_time_and_are_read_back(family):
    names = [
        family.rotated_name(AT.replace(microsecond=us), inode) for us, inode in ((5, 99), (40, 3), (300, 7))
    ]
    assert sorted(names) == names
    found = family.rotated(names[0] + ".gz")
    assert found
    assert (found.time.microsecond, found.inode, found.compressed, found.partial) == (5, 99, True, False)
    assert family.rotated("orchestrion.jsonl") is None
    assert family.rotated("orchestrion-20261123T215501.000001Z.jsonl") is None
    merged = LogFamily("/x/trace-$PID.jsonl").rotated("trace-20261123T215501.000001Z.jsonl.gz")
    assert merged
    assert merged.inode is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/logs/o.jsonl", None),
        ("/logs/o-$PID.jsonl", None),
        ("/logs/o-${PID}.jsonl", None),
        ("/logs/$PID/o.jsonl", "last part"),
        ("/logs/$HOME.jsonl", "no other variable"),
        ("/logs/$PIDX.jsonl", "no other variable"),
        ("/logs/$PID-$PID", "twice"),
        ("/logs/$PID", "alone"),
    ],
)
def test_a_path_that_cannot_be_a_log_says_why(path, reason):
    found = name_problem(path)
    assert (reason is None and found is None) or (found is not None and reason in found)
