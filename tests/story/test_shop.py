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
