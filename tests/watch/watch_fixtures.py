"""Fixtures of the tests of watching: where they keep their projects."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from watch_bench import Bench, watching

MEMORY = "/dev/shm"


@pytest.fixture
def fast() -> Iterator[Path]:
    """A folder in memory where there is one: storms are to be as fast as the kernel, not as the disk."""
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 200 << 20
    folder = Path(tempfile.mkdtemp(prefix="watch-", dir=MEMORY if roomy else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def root(fast: Path) -> Path:
    """An empty project with one file."""
    root = fast / "project"
    root.mkdir()
    (root / "main.go").write_text("package main\n")
    return root


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    """A watched project whose first build is over."""
    with watching(root) as bench:
        bench.build_first()
        yield bench
