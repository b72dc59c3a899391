"""Recorded builds to start from: built once a session, copied back to the same paths for each test (fact 13: ids hold at one path)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Tools, copy_example
from program import Program


@dataclass(frozen=True)
class Base:
    """A project and its state, as they were after a first recorded build."""

    program: Program
    saved: Path


def make_base(tools: Tools, folder: Path, example: str) -> Base:
    """Copies an example and records its first, cold build; then keeps a copy of everything."""
    live = folder / "live"
    copy_example(example, live / "project")
    program = Program(live / "project", live / "state", tools.env)
    program("build")
    saved = folder / "saved"
    shutil.copytree(live, saved, symlinks=True)
    return Base(program, saved)


def restore(base: Base) -> Program:
    """Puts project and state back as they were after the first build, at the same paths."""
    live = base.program.project.parent
    shutil.rmtree(live)
    shutil.copytree(base.saved, live, symlinks=True)
    return base.program


@pytest.fixture(scope="session")
def greeter_base(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tools, tmp_path_factory.mktemp("greeter"), "greeter")


@pytest.fixture
def greeter(greeter_base: Base) -> Program:
    """The greeter after its first recorded build: run 1 is cold, everything else is this test's own."""
    return restore(greeter_base)


@pytest.fixture(scope="session")
def shop(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The shop after its first recorded build, cold (minutes). Shared by its tests, which only add runs."""
    folder = tmp_path_factory.mktemp("shop")
    copy_example("shop", folder / "project")
    program = Program(folder / "project", folder / "state", tools.env)
    program("build", timeout=900)
    return program
