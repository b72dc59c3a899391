"""Real builds that end in the ways a tree reader has to cope with: killed, failed, of tests, of a library, with generated sources.

All are made in one folder with one cache, because build ids are equal at one path only (fact 13) and a cold build takes its time.
Each is a fixture of the session: read what it made, do not change it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GREETER = Path(__file__).resolve().parent.parent / "examples" / "greeter"

BROKEN_ASPECT = """\
  - id: broken
    join-point:
      function-body:
        directive: greeter:broken
    advice:
      - prepend-statements:
          template: |-
            var number int = "text"
"""
UTIL = """\
// Package util uses what the test changes.
package util

import "example.com/greeter/greet"

//greeter:span
func Twice(name string) string { return greet.Hello(name) + greet.Hello(name) }
"""
EXTERNAL_TEST = """\
package greet_test

import (
	"testing"

	"example.com/greeter/util"
)

func TestTwice(t *testing.T) { util.Twice("you") }
"""
NATIVE = """\
package native

/*
static int add(int a, int b) { return a + b; }
*/
import "C"

//greeter:span
func Add(a, b int) int { return int(C.add(C.int(a), C.int(b))) }
"""


@dataclass(frozen=True)
class TreeBuild:
    """One bare Orchestrion build and what it left."""

    project: Path
    cache: Path
    work: Path
    graph: Path
    log: Path
    returncode: int
    stderr: str


@dataclass(frozen=True)
class Workshop:
    """The folder, the cache and the tools of all these builds."""

    tools: Any
    base: Path

    @property
    def project(self) -> Path:
        return self.base / "greeter"

    @property
    def cache(self) -> Path:
        return self.base / "cache"

    def start(self, name: str, *args: str) -> subprocess.Popen[str]:
        out = self.base / name
        (out / "tmp").mkdir(parents=True)
        verb, *rest = args
        return subprocess.Popen(
            [self.tools.orchestrion, "go", verb, "-work", f"-debug-actiongraph={out}/graph.json", *rest],
            cwd=self.project,
            env={
                **self.tools.env,
                "GOCACHE": str(self.cache),
                "GOTMPDIR": str(out / "tmp"),
                "TMPDIR": str(out / "tmp"),
                "ORCHESTRION_LOG_FILE": str(out / "orchestrion.jsonl"),
                "ORCHESTRION_LOG_LEVEL": "DEBUG",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, name: str, build: subprocess.Popen[str]) -> TreeBuild:
        _, stderr = build.communicate()
        out = self.base / name
        (work,) = (out / "tmp").glob("go-build*")
        return TreeBuild(
            self.project,
            self.cache,
            work,
            out / "graph.json",
            out / "orchestrion.jsonl",
            build.returncode,
            stderr,
        )

    def build(self, name: str, *args: str) -> TreeBuild:
        return self.finish(name, self.start(name, *args))

    @contextmanager
    def added(self, files: dict[str, str]) -> Iterator[None]:
        """The project with `files` for a while: everything is as before afterwards."""
        saved = {name: self._read(name) for name in files}
        for name, text in files.items():
            (self.project / name).parent.mkdir(exist_ok=True)
            (self.project / name).write_text(text)
        try:
            yield
        finally:
            for name, text in saved.items():
                if text is None:
                    (self.project / name).unlink()
                else:
                    (self.project / name).write_text(text)

    def _read(self, name: str) -> str | None:
        path = self.project / name
        return path.read_text() if path.exists() else None


@pytest.fixture(scope="session")
def workshop(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop(tools, tmp_path_factory.mktemp("workshop"))
    shutil.copytree(GREETER, shop.project)
    with (shop.project / "orchestrion.yml").open("a") as configuration:
        configuration.write("\n" + BROKEN_ASPECT)
    return shop


@pytest.fixture(scope="session")
def killed_build(workshop: Workshop) -> TreeBuild:
    """TERM to the whole group in the midst of the first build in an empty cache."""
    build = workshop.start("killed", "build", "-o", "/dev/null", "./...")
    until = time.monotonic() + 120
    while len(list(workshop.base.glob("killed/tmp/go-build*/b*/_pkg_.a"))) < 25:
        assert build.poll() is None, build.communicate()[1]
        assert time.monotonic() < until, "the build got nowhere"
        time.sleep(0.02)
    os.killpg(build.pid, signal.SIGTERM)
    killed = workshop.finish("killed", build)
    while _lives(build.pid):
        assert time.monotonic() < until, "the group did not end"
        time.sleep(0.02)
    return killed


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="session")
def library_builds(workshop: Workshop, killed_build: TreeBuild) -> tuple[TreeBuild, TreeBuild]:
    """A package without a command, built after the killed build, and again. It does not need `trace`, but what is
    injected into it does: only a child build compiles that.
    """
    builds = (
        workshop.build("library", "build", "./greet"),
        workshop.build("library-warm", "build", "./greet"),
    )
    assert [build.returncode for build in builds] == [0, 0], [build.stderr for build in builds]
    return builds


@pytest.fixture(scope="session")
def whole_build(workshop: Workshop, library_builds: tuple[TreeBuild, TreeBuild]) -> TreeBuild:
    """All packages; the cache has what the builds before compiled, the killed one included."""
    build = workshop.build("whole", "build", "-o", "/dev/null", "./...")
    assert build.returncode == 0, build.stderr
    return build


@pytest.fixture(scope="session")
def failed_build(workshop: Workshop, whole_build: TreeBuild) -> TreeBuild:
    """`greet` does not type-check, `generated` has an error in injected code; both commands need `greet`."""
    wrong = (workshop.project / "greet/greet.go").read_text() + "\nfunc Wrong() string { return 5 }\n"
    generated = "package generated\n\n//greeter:broken\nfunc Number() int { return 1 }\n"
    with workshop.added({"greet/greet.go": wrong, "generated/generated.go": generated}):
        build = workshop.build("failed", "build", "-o", "/dev/null", "./...")
    assert build.returncode == 1, build.stderr
    return build


@pytest.fixture(scope="session")
def tested_build(workshop: Workshop, whole_build: TreeBuild) -> TreeBuild:
    """`go test` of a package with tests in the package and tests outside, which use a package that imports it."""
    with workshop.added({"util/util.go": UTIL, "greet/twice_test.go": EXTERNAL_TEST}):
        build = workshop.build("tested", "test", "-vet=off", "./...")
    assert build.returncode == 0, build.stderr
    return build


@pytest.fixture(scope="session")
def covered_build(workshop: Workshop, whole_build: TreeBuild) -> TreeBuild:
    """A build with `-cover`: what is woven are files that Go generated from the user's."""
    build = workshop.build(
        "covered", "build", "-cover", "-coverpkg=example.com/greeter/greet", "-o", "/dev/null", "./..."
    )
    assert build.returncode == 0, build.stderr
    return build


@pytest.fixture(scope="session")
def cgo_build(workshop: Workshop, whole_build: TreeBuild) -> TreeBuild:
    """A woven package with cgo; on a machine without a C compiler the test that asks for it is skipped."""
    if not (shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")):
        pytest.skip("no C compiler")
    with workshop.added({"native/native.go": NATIVE}):
        build = workshop.build("cgo", "build", "-o", "/dev/null", "./...")
    assert build.returncode == 0, build.stderr
    return build
