"""The private Go cache: what it can serve, and trimming it."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from conftest import raw_build
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.jobs.gocache import cache_files, cached_actions, plan_trim, trim_cache
from orchwatchd.models.upkeep import CacheFile


def test_the_actions_of_a_real_cache_are_those_of_the_build(greeter_cold):
    """Given a cold build, then every package that its action graph says was built is found by its action id."""
    graph = json.loads(greeter_cold.graph.read_text())
    built = {
        item["BuildID"].split("/")[0] for item in graph if item["Mode"] == "build" and item.get("BuildID")
    }
    assert len(built) > 20
    assert built <= cached_actions(greeter_cold.cache)


def test_strangers_in_the_cache_folder_are_neither_counted_nor_removed(tmp_path):
    (tmp_path / "00").mkdir()
    (tmp_path / "README").write_text("x")
    (tmp_path / "00" / "mine").write_text("x")
    name = "00" + "ab" * 31
    (tmp_path / "00" / f"{name}-d").write_bytes(b"x" * 5000)
    (tmp_path / "00" / f"{name}-a").write_text("v1")
    assert {file.name for file in cache_files(tmp_path)} == {f"00/{name}-a", f"00/{name}-d"}
    assert cached_actions(tmp_path) == {"AKurq6urq6urq6urq6ur"}
    trim_cache(tmp_path, 10**9)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["00", "README", "mine"]
    assert cached_actions(tmp_path / "nowhere") == frozenset()


def test_a_cached_program_is_a_folder_and_goes_whole(tmp_path):
    folder = tmp_path / "0a" / ("0a" + "cd" * 31 + "-d")
    folder.mkdir(parents=True)
    (folder / "tool").write_bytes(b"x" * 9000)
    (file,) = cache_files(tmp_path)
    assert file.bytes >= 9000
    assert trim_cache(tmp_path, 1) == file.bytes
    assert not folder.exists()


files = st.lists(
    st.builds(
        CacheFile,
        st.text("0123456789abcdef-", min_size=1, max_size=4),
        st.integers(1, 100),
        st.integers(0, 5),
    ),
    max_size=20,
    unique_by=lambda file: file.name,
)


@given(files, st.integers(-5, 1500))
def test_the_least_recently_used_go_and_no_more_than_needed(found, to_free):
    chosen = plan_trim(found, to_free)
    total = sum(file.bytes for file in chosen)
    assert total >= min(to_free, sum(file.bytes for file in found))
    if chosen:
        assert total - chosen[-1].bytes < to_free
        rest = set(found) - set(chosen)
        assert all(file.used_ns >= chosen[-1].used_ns for file in rest)
    else:
        assert to_free <= 0 or not found


@pytest.mark.builds
def test_a_build_after_a_trim_compiles_what_left_the_cache(tools, greeter_cold, tmp_path):
    """Given a warm cache whose oldest half went, when the greeter is built, then it works and those are compiled again."""
    cache = tmp_path / "cache"
    subprocess.run(["cp", "-a", greeter_cold.cache, cache], check=True)
    before = cached_actions(cache)
    for path in cache.glob("??/*-[ad]"):
        # All archives but the standard library's first half look unused for long.
        if path.name < "8":
            os.utime(path, (1, 1))
    old = sum(file.bytes for file in cache_files(cache) if file.used_ns < 2 * 10**9)
    freed = trim_cache(cache, old)
    assert freed == old
    gone = before - cached_actions(cache)
    assert gone
    build = raw_build(tools, greeter_cold.project, cache=cache, out=tmp_path / "out")
    assert build.returncode == 0, build.stderr
    graph = json.loads(build.graph.read_text())
    again = {
        item["BuildID"].split("/")[0]
        for item in graph
        if item["Mode"] == "build" and item.get("BuildID") and item.get("Cmd")
    }
    members = {
        item["BuildID"].split("/")[0] for item in graph if item["Mode"] == "build" and item.get("BuildID")
    }
    # A child build may have compiled it first and put it into the cache for the root build: it is in its tree then.
    for archive in build.work.glob("__tmp__/**/_pkg_.a"):
        again |= {
            found.decode() for found in re.findall(rb'build id "([^/"]+)/', archive.read_bytes()[:1024])
        }
    assert gone & members <= again, "nothing that left is served unseen"
