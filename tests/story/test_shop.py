"""The shop, built for real: what the history says of it is what lies in its trees, and stays so when they are gone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Tools
from program import Program

pytestmark = pytest.mark.shop


def work_tree(shop: Program, run: str) -> Path:
    (tree,) = Path(shop.json("show", run)["work_tree"]).parent.glob("go-build*")
    return tree


def test_files_lists_exactly_what_find_sees_in_root_and_nested_trees(shop: Program, tools: Tools) -> None:
    """Fact 1: half of the modified files are nested, and `orchestrion diff` misses them."""
    tree = work_tree(shop, "1")
    found = {str(path.relative_to(tree)) for path in tree.rglob("*.go") if "/orchestrion/src/" in str(path)}

    files = shop.json("files", "1")

    assert {file["path"] for file in files} == found
    assert len(files) == len(found) == 19
    assert {file["path"] for file in files if file["nested"]} == {
        path for path in found if path.startswith("__tmp__")
    }
    theirs = subprocess.run(
        [tools.orchestrion, "diff", "--files", tree],
        cwd=shop.project,
        env=tools.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 < len([line for line in theirs.stdout.splitlines() if line.endswith(".go")]) < len(files)


def test_each_file_has_its_real_package(shop: Program) -> None:
    """Fact 5: both commands lie in `main/main.go`."""
    packages = {file["package"] for file in shop.json("files", "1")}
    assert {
        "example.com/shop/cmd/api",
        "example.com/shop/cmd/worker",
        "net/http",
        "log/slog",
        "runtime",
    } <= packages
    assert "main" not in packages
    assert None not in packages


def test_the_first_run_is_whole(shop: Program) -> None:
    (run,) = [run for run in shop.json("runs") if run["id"] == 1]
    assert (run["status"], run["unknown_packages"]) == ("ok", 0)
    assert run["packages"] == run["compiled"] == 507
    assert run["modified_files"] == 19
    assert run["injections"] > 40


def test_the_same_module_again_compiles_nothing_and_is_made_of_the_same_files(shop: Program) -> None:
    """Fact 3: the second tree is almost empty, the program as instrumented as before."""
    shop("build")
    run = shop.json("runs")[0]
    assert (run["compiled"], run["unknown_packages"], run["modified_files"]) == (0, 0, 19)
    assert shop.json("files", "@") == shop.json("files", "1")


def test_what_was_compiled_stays_readable_when_tree_and_source_are_gone(shop: Program) -> None:
    """Fact 24: today's source is not what was compiled."""
    store = shop.project / "internal/store/store.go"
    kept = store.read_text()
    before = {
        kind: shop("source", "@", "internal/store/store.go", *kind).out
        for kind in ((), ("--original",), ("--diff",))
    }
    for run in shop.json("runs"):
        tree = shop.json("show", str(run["id"]))["work_tree"]
        if tree:
            shutil.rmtree(tree, ignore_errors=True)
    store.write_text(kept.replace("select name from items", "select title from books"))
    try:
        after = {kind: shop("source", "@", "internal/store/store.go", *kind).out for kind in before}
    finally:
        store.write_text(kept)
    assert after == before
    assert "__dd" in before[()] or "tracer" in before[()]
    assert before["--original",] == kept
    assert json.dumps(shop.json("files", "@"))


def test_without_the_slog_integration_only_its_injections_and_imports_are_gone(shop: Program) -> None:
    """Fact 16: nearly everything is compiled again, and almost nothing of it differs."""
    shop("build")
    slog = "github.com/DataDog/dd-trace-go/contrib/log/slog/v2"
    tool = shop.project / "orchestrion.tool.go"
    kept = tool.read_text()
    line = next(one for one in kept.splitlines(keepends=True) if slog in one)
    before = {one["package"]: one for one in shop.json("integrations")}
    assert before[slog]["matched"] is True
    tool.write_text(kept.replace(line, ""))
    try:
        shop("build", timeout=900)
    finally:
        tool.write_text(kept)
    found = shop.json("diff")

    causes = {(one["kind"], one["name"]): one for one in found["causes"]}
    assert causes["integration", slog]["to"] is None
    assert ("source", "orchestrion.tool.go") in causes
    assert all(kind in {"integration", "aspect", "source"} for kind, _ in causes)
    assert all(name.startswith(slog) for kind, name in causes if kind == "aspect")
    assert found["complete"]
    assert found["packages"]["unknown"] == []
    injections = found["injections"]
    assert (injections["added"], injections["changed"]) == ([], [])
    assert injections["removed"]
    for one in injections["removed"]:
        synthetic = one["file"].endswith("link_deps_imports.go")
        assert synthetic or one["integration"] == slog, one
        assert not synthetic or slog in (one["from_code"] or ""), one
    assert found["packages"]["added"] == []
    assert found["packages"]["removed"] == ["log/slog"]
    mains = {"example.com/shop/cmd/api", "example.com/shop/cmd/worker"}
    assert set(found["packages"]["changed"]) <= mains
    assert found["imports"]["added"] == []
    # The integration's own package left the programs, and took what it imports itself along.
    gone = {(one["import"], one["kind"]) for one in found["imports"]["removed"] if one["package"] != slog}
    assert gone == {(slog, kind) for kind in ("link.deps", "source", "importcfg", "importcfg.link")} | {
        ("unsafe", "source")
    }
    assert set(shop.json("diff", "@", "@-1")["packages"]["added"]) == {"log/slog"}
    assert (shop.json("history", "log/slog")[0]["change"]) == "changed"

    why = shop.json("why", "@")
    assert why["key_changed"] is True
    assert why["new_actions"] > 450 > why["outputs_changed"] > why["texts_changed"] > 0
    assert slog in " ".join(reason["text"] for reason in why["reasons"])
    (told,) = [one for one in shop.json("why", "log/slog")["reasons"] if one["code"] == "not-enabled"]
    assert told["names"] == [f'_ "{slog}"']
