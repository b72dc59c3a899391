"""Fixtures that every test may use: the real Go and Orchestrion that `make` set up, and real builds made with them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest_plugins = ["recorded"]

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Tools:
    """The Go and Orchestrion that the tests build with; `env` has them first on the PATH."""

    go: Path
    orchestrion: Path
    env: dict[str, str]


@dataclass(frozen=True)
class RawBuild:
    """One bare `orchestrion go build -work`, made without orchwatchd: the truth that readers are tested against."""

    project: Path
    cache: Path
    work: Path
    graph: Path
    log: Path
    returncode: int
    stderr: str


@pytest.fixture(scope="session")
def tools() -> Tools:
    go, orchestrion = ROOT / ".tools/go/bin/go", ROOT / ".tools/bin/orchestrion"
    missing = [str(path) for path in (go, orchestrion) if not path.exists()]
    assert not missing, f"run the tests with `make test`, which installs {missing}"
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ORCHESTRION_", "ORCHWATCHD_"))
    }
    env["PATH"] = f"{orchestrion.parent}:{go.parent}:{env['PATH']}"
    env["GOTOOLCHAIN"] = "local"
    return Tools(go, orchestrion, env)


def raw_build(
    tools: Tools,
    project: Path,
    *,
    cache: Path,
    out: Path,
    args: tuple[str, ...] = ("build", "-work", "-o", "/dev/null", "./..."),
    level: str = "WARN",
) -> RawBuild:
    """Builds `project` with bare Orchestrion; the work tree lies below `out`, a new folder."""
    (out / "tmp").mkdir(parents=True)
    graph, log = out / "graph.json", out / "orchestrion.jsonl"
    verb, *rest = args
    done = subprocess.run(
        [tools.orchestrion, "go", verb, f"-debug-actiongraph={graph}", *rest],
        cwd=project,
        env={
            **tools.env,
            "GOCACHE": str(cache),
            "GOTMPDIR": str(out / "tmp"),
            "ORCHESTRION_LOG_FILE": str(log),
            "ORCHESTRION_LOG_LEVEL": level,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    (work,) = (out / "tmp").glob("go-build*")
    return RawBuild(project, cache, work, graph, log, done.returncode, done.stderr)


def copy_example(name: str, to: Path) -> Path:
    """Copies examples/NAME to `to`. Build ids are equal at one path only (fact 13): use one path where caches are to be shared."""
    shutil.copytree(EXAMPLES / name, to)
    return to


@pytest.fixture(scope="session")
def greeter_cold(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> RawBuild:
    """A cold build of the greeter in a cache of its own. Shared by the session: read it, do not change it."""
    base = tmp_path_factory.mktemp("greeter-cold")
    build = raw_build(
        tools, copy_example("greeter", base / "greeter"), cache=base / "cache", out=base / "cold"
    )
    assert build.returncode == 0, build.stderr
    return build


@pytest.fixture(scope="session")
def greeter_warm(tools: Tools, greeter_cold: RawBuild) -> RawBuild:
    """The same greeter built again with nothing changed."""
    build = raw_build(
        tools,
        greeter_cold.project,
        cache=greeter_cold.cache,
        out=greeter_cold.work.parents[1].parent / "warm",
    )
    assert build.returncode == 0, build.stderr
    return build


from tree_builds import (  # noqa: E402, F401
    cgo_build,
    covered_build,
    failed_build,
    killed_build,
    library_builds,
    tested_build,
    whole_build,
    workshop,
)
