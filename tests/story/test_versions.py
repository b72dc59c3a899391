"""Real builds with other versions than the pinned ones: the causes are named, the effect is what a plain diff of the trees says.

The versions come from the module proxy; where it has one no more, the test fails and says so.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Tools, copy_example
from program import Program

pytestmark = [pytest.mark.long, pytest.mark.builds, pytest.mark.timeout(2400)]

ORCHESTRION, DD = "github.com/DataDog/orchestrion", "github.com/DataDog/dd-trace-go"
OLD, NEW = "v1.9.0", "v1.15.0"
DD_OLD, DD_NEW = "v2.9.1", "v2.12.0"
CHANGES = ("added", "removed", "changed")


def go(tools: Tools, folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        [tools.go, *words],
        cwd=folder,
        env={**tools.env, **(env or {})},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"go {' '.join(words)}: has the module proxy got it?\n{done.stderr}"


@pytest.fixture(scope="session")
def old_orchestrion(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Orchestrion v1.9.0 that was installed as its guide says."""
    folder = tmp_path_factory.mktemp("orchestrion-old")
    go(tools, folder, "install", f"{ORCHESTRION}@{OLD}", env={"GOBIN": str(folder)})
    return folder


def using(program: Program, folder: Path) -> Program:
    """The same project and state with another Orchestrion first on the PATH."""
    return dataclasses.replace(program, env={**program.env, "PATH": f"{folder}:{program.env['PATH']}"})


def require(tools: Tools, project: Path, versions: Mapping[str, str]) -> None:
    """Writes a `go.mod` and `go.sum` that ask for exactly these versions.

    Not `go get`, which starts from what is there, and not `go mod tidy`, which wants the modules of foreign tests.
    `-e` because `orchestrion.tool.go` imports a program; `-m all` has every go.mod at hand, so that the list of
    modules can be recorded without network.
    """
    rows = "".join(f"\t{path} {version}\n" for path, version in versions.items())
    module = (project / "go.mod").read_text().splitlines()[0]
    (project / "go.mod").write_text(f"{module}\n\ngo 1.26.0\n\nrequire (\n{rows})\n")
    (project / "go.sum").unlink()
    go(tools, project, "list", "-mod=mod", "-e", "-deps", "-tags=tools", "./...", ".")
    go(tools, project, "list", "-mod=readonly", "-m", "all")
    written = (project / "go.mod").read_text()
    assert all(f"{path} {version}\n" in written for path, version in versions.items()), written


def causes(diff: dict[str, Any]) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    return {(one["kind"], one["name"]): (one["from"], one["to"]) for one in diff["causes"]}


def woven_texts(program: Program, run: str) -> dict[tuple[str, str], str]:
    """The modified files of a run as they lie in its trees, by package and name; versions in paths do not count."""
    tree = Path(program.json("show", run)["work_tree"])
    (root,) = tree.parent.glob("go-build*")
    return {
        (file["package"], Path(file["path"]).name): re.sub(
            r"@v[0-9.]+", "@V", (root / file["path"]).read_text()
        )
        for file in program.json("files", run)
    }


def test_another_orchestrion_is_the_cause_and_wove_the_same(
    tools: Tools, old_orchestrion: Path, tmp_path: Path
) -> None:
    """Both compile all 67 packages of the greeter; a plain diff of the two trees finds 3 equal files."""
    project = copy_example("greeter", tmp_path / "project")
    pinned = {name: (project / name).read_text() for name in ("go.mod", "go.sum")}
    program = Program(project, tmp_path / "state", tools.env)

    require(tools, project, {ORCHESTRION: OLD})
    using(program, old_orchestrion)("build")
    for name, text in pinned.items():
        (project / name).write_text(text)
    go(tools, project, "list", "-m", "all")
    program("build")

    assert [run["compiled"] for run in program.json("runs")] == [67, 67]
    found = program.json("diff", "@-1", "@")
    told = causes(found)
    assert told["orchestrion", "orchestrion"] == (OLD, NEW)
    assert ("module", ORCHESTRION) not in told, "one fact, one cause"
    assert told["module", f"{DD}/v2"] == ("v2.7.1", DD_NEW)
    assert told["integration", ORCHESTRION] == (OLD, NEW)
    assert {("source", "go.mod"), ("source", "go.sum")} <= told.keys()
    assert "unknown" not in {kind for kind, _ in told}
    assert not {name for kind, name in told if kind == "source" and name.endswith(".go")}

    before, after = woven_texts(program, "@-1"), woven_texts(program, "@")
    assert len(before) == 3
    assert before == after
    injections = found["injections"]
    assert [injections[name] for name in CHANGES] == [[], [], []]
    assert injections["unchanged"] == 6
    assert found["imports"] == {"added": [], "removed": []}
    assert found["complete"]
    assert f"{OLD} → {NEW}" in program("diff", "@-1", "@").out
    assert program("diff", "@-1", "@", "--exit-code").code == 0


def shop_needs(version: str) -> dict[str, str]:
    """dd-trace-go in one version. Orchestrion v1.15.0 itself requires v2.12.0, so that v1.9.0 builds both."""
    return {
        f"{DD}/contrib/log/slog/v2": version,
        f"{DD}/contrib/net/http/v2": version,
        f"{DD}/v2": version,
        ORCHESTRION: OLD,
        "github.com/go-chi/chi/v5": "v5.5.0",
        "github.com/redis/go-redis/v9": "v9.23.0",
    }


@pytest.fixture(scope="session")
def upgraded_shop(tools: Tools, old_orchestrion: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The shop with dd-trace-go v2.9.1 (run 1), then with v2.12.0 (run 2): two cold builds of minutes."""
    folder = tmp_path_factory.mktemp("shop-versions")
    project = copy_example("shop", folder / "project")
    program = using(Program(project, folder / "state", tools.env), old_orchestrion)
    for version in (DD_OLD, DD_NEW):
        require(tools, project, shop_needs(version))
        program("build", timeout=900)
    return program


# Found by hand: a plain diff of the two trees has 16 files in both, 3 only in the second tree (each then held against
# its original in the module cache), and in the common ones nothing but lines of dd-trace-go's own source and `//line`.
# The two link_deps_imports.go name the same three packages in both; only how often each is repeated differs.
BY_HAND = {
    ("ddtrace/tracer", "context.go", "", "import", None),
    ("ddtrace/tracer", "context.go", "ContextWithSpan", "statements", "Span ContextWithSpan GLS push"),
    ("ddtrace/tracer", "context.go", "SpanFromContext", "statements", "Span SpanFromContext GLS read"),
    ("ddtrace/tracer", "span.go", "", "import", None),
    ("ddtrace/tracer", "span.go", "type Span", "field", "Span GLS fields"),
    ("ddtrace/tracer", "span.go", "(*Span).clear", "statements", "Span clear GLS reset"),
    ("ddtrace/tracer", "span.go", "(*Span).Finish", "statements", "Span Finish GLS deactivate"),
    ("instrumentation/appsec/dyngo", "operation.go", "", "import", None),
    ("instrumentation/appsec/dyngo", "operation.go", "type operation", "field", "dyngo operation GLS field"),
    (
        "instrumentation/appsec/dyngo",
        "operation.go",
        "FromContext",
        "statements",
        "dyngo FromContext GLS read",
    ),
    (
        "instrumentation/appsec/dyngo",
        "operation.go",
        "RegisterOperation",
        "statements",
        "dyngo RegisterOperation GLS push",
    ),
    (
        "instrumentation/appsec/dyngo",
        "operation.go",
        "FinishOperation",
        "statements",
        "dyngo FinishOperation GLS deactivate",
    ),
}


@pytest.mark.shop
def test_another_tracer_is_the_cause_and_wove_what_its_new_aspects_say(upgraded_shop: Program) -> None:
    check_files(upgraded_shop, "1", "2")
    check_upgrade(upgraded_shop, "1", "2")


def check_files(shop: Program, old: str, new: str) -> None:
    """What `find` and a set of import lines tell, without any of our own comparison."""
    before, after = woven_texts(shop, old), woven_texts(shop, new)
    assert (len(before), len(after)) == (16, 19)
    assert before.keys() <= after.keys()
    assert {(package.removeprefix(f"{DD}/v2/"), name) for package, name in after.keys() - before.keys()} == {
        (package, name) for package, name, *_ in BY_HAND
    }
    links = [key for key in before if key[1] == "link_deps_imports.go"]
    assert len(links) == 2
    for key in links:
        assert set(before[key].splitlines()) == set(after[key].splitlines())


def check_upgrade(shop: Program, old: str, new: str) -> None:
    found = shop.json("diff", old, new)
    told = causes(found)
    for module in ("contrib/log/slog/v2", "contrib/net/http/v2", "v2"):
        assert told["module", f"{DD}/{module}"] == (DD_OLD, DD_NEW)
    for integration in ("contrib/log/slog/v2", "contrib/net/http/v2", "v2/ddtrace/tracer"):
        assert told["integration", f"{DD}/{integration}"] == (DD_OLD, DD_NEW)
    kinds = {kind for kind, _ in told}
    assert kinds == {"module", "integration", "aspect", "source"}
    new_aspects = {name.split("] ")[1] for kind, name in told if kind == "aspect"}
    assert new_aspects == {aspect for *_, aspect in BY_HAND if aspect}
    assert {ends for (kind, _), ends in told.items() if kind == "aspect"} == {(None, "in force")}

    assert found["complete"]
    packages, injections = found["packages"], found["injections"]
    assert [injections["removed"], injections["changed"], injections["uncertain"]] == [[], [], []]
    seen = [
        (
            one["package"].removeprefix(f"{DD}/v2/"),
            Path(one["file"]).name,
            one["declaration"] or "",
            one["kind"],
            one["aspect"] and one["aspect"].split("] ")[1],
        )
        for one in injections["added"]
    ]
    assert set(seen) == BY_HAND
    assert len(seen) == 13, "the aspect of Span adds two fields"
    assert {one["certainty"] for one in injections["added"] if one["kind"] != "import"} == {"exact"}
    assert injections["unchanged"] == 44
    assert packages["added"] == [f"{DD}/v2/ddtrace/tracer", f"{DD}/v2/instrumentation/appsec/dyngo"]
    assert [packages[name] for name in ("removed", "changed", "unknown", "unreached")] == [[], [], [], []]

    # The other way round it is all gone, and nothing else.
    back = shop.json("diff", new, old)["injections"]
    assert (len(back["removed"]), back["added"], back["changed"]) == (13, [], [])
