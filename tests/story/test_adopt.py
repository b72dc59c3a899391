"""Work trees that someone else's build left: adopted, as far as they tell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import RawBuild, Tools
from program import Program

pytestmark = pytest.mark.builds

COUNTS = ("packages", "unknown_packages", "instrumented_packages", "modified_files", "injections")


@pytest.fixture
def program(tools: Tools, greeter_cold: RawBuild, tmp_path: Path) -> Program:
    """An empty history for the project that the bare builds were made in."""
    return Program(greeter_cold.project, tmp_path / "state", tools.env)


def adopt(program: Program, *words: str | Path) -> dict[str, Any]:
    """Adopts a tree; what `index` says of it and the run."""
    said = program.json("index", *map(str, words))
    run = next(row for row in program.json("runs") if row["id"] == said["run"])
    return {**said, **run}


def test_a_cold_tree_alone_tells_all_that_was_woven(program: Program, greeter_cold: RawBuild) -> None:
    """Without its action graph nobody knows how the build ended, how long it took, or by which Orchestrion."""
    run = adopt(program, greeter_cold.work)
    assert (run["kind"], run["status"], run["work_state"]) == ("index", "unknown", "none")
    assert run["duration"] is run["orchestrion_version"] is run["git_commit"] is None
    assert run["go_version"].startswith("go1.")
    assert run["compiled"] == run["packages"] > 60
    assert run["unknown_packages"] == 0
    assert run["injections"] > 0
    files = program.json("files", str(run["id"]))
    assert all(file["original_certain"] for file in files)
    assert program.json("show", str(run["id"]))["graph_known"] is False


def test_an_action_graph_proves_how_the_build_ended(program: Program, greeter_cold: RawBuild) -> None:
    alone = adopt(program, greeter_cold.work)
    proven = adopt(program, greeter_cold.work, "--actiongraph", greeter_cold.graph)
    assert (proven["status"], proven["reason"]) == ("ok", None)
    assert {name: proven[name] for name in COUNTS} == {name: alone[name] for name in COUNTS}
    assert proven["started_at"] < alone["started_at"], "the build began before it was adopted"
    assert any(stage["wall"] for stage in program.json("stages", str(proven["id"])))
    rows = program(
        "sql", "SELECT DISTINCT certainty FROM v_run_injection WHERE run = 2 AND kind <> 'import'"
    ).out
    assert "exact" in rows, "the configuration is as it was when the tree was built, here"


def test_a_warm_tree_is_unknown_until_the_cold_one_is_adopted(
    program: Program, greeter_cold: RawBuild, greeter_warm: RawBuild
) -> None:
    warm = adopt(program, greeter_warm.work)
    assert warm["compiled"] is None
    assert warm["unknown_packages"] == warm["packages"] > 60
    assert warm["injections"] == 0
    cold = adopt(program, greeter_cold.work)
    again = next(run for run in program.json("runs") if run["id"] == warm["id"])
    assert again["unknown_packages"] == 0
    assert again["injections"] == cold["injections"]


def test_archives_that_left_the_cache_are_unknown(
    program: Program, greeter_warm: RawBuild, tmp_path: Path
) -> None:
    """Given a warm tree whose cache is gone, then its packages are named and unknown, not missing."""
    tree = shutil.copytree(greeter_warm.work, tmp_path / "go-build7")
    for configuration in tree.glob("b*/importcfg.link"):
        configuration.write_text(configuration.read_text().replace(str(greeter_warm.cache), "/gone"))
    run = adopt(program, tree)
    assert run["packages"] > 60
    assert run["unknown_packages"] == run["packages"]
    shown = program.json("show", str(run["id"]))
    assert len(shown["unresolved"]) > 60
    assert all(not one["complete"] for one in shown["programs"])


def test_a_tree_of_another_folder_joins_by_content_and_says_so(
    greeter: Program, greeter_cold: RawBuild
) -> None:
    """Given the project recorded here, when a tree of the same sources elsewhere is adopted, then what has the same
    content is known by it, and nothing else is claimed: fact 13, in another folder every action id is another.
    """
    run = adopt(greeter, greeter_cold.work, "--actiongraph", greeter_cold.graph)
    assert run["elsewhere"] == [str(greeter_cold.project)]
    assert any("another folder" in problem for problem in run["problems"])
    files = greeter.json("files", str(run["id"]))
    theirs = [file for file in files if file["recorded_in"] == run["id"]]
    assert theirs, "the project's own packages have other contents elsewhere"
    assert all(str(greeter_cold.project) in file["original"] for file in theirs if file["original"])
    assert not any(file["original_certain"] for file in theirs if not file["synthetic"])
    diff = greeter.json("diff", "1", str(run["id"]))
    for how in ("added", "removed", "changed"):
        assert diff["injections"][how] == [], how
        assert diff["packages"][how] == [], how
    certain = greeter(
        "sql", f"SELECT count(*) FROM v_run_injection WHERE run = {run['id']} AND certainty = 'exact'"
    )
    assert "0" in certain.out, "today's configuration names nobody for certain"


def test_a_warm_tree_of_another_folder_joins_by_content_alone(
    greeter: Program, greeter_cold: RawBuild, greeter_warm: RawBuild
) -> None:
    """Given only what is linked, then packages are found by path and content id, and the project's own stay unknown:
    their contents name their folder. The cold tree of that folder makes them known.
    """
    run = adopt(greeter, greeter_warm.work, "--actiongraph", greeter_warm.graph)
    assert 0 < run["unknown_packages"] < 8
    assert run["joined"] == run["packages"] - run["unknown_packages"]
    assert any("path and content id alone" in problem for problem in run["problems"])
    adopt(greeter, greeter_cold.work)
    again = next(row for row in greeter.json("runs") if row["id"] == run["id"])
    assert (again["packages"], again["unknown_packages"]) == (run["packages"], 0)


def test_the_builds_output_names_the_tree(program: Program, greeter_cold: RawBuild) -> None:
    done = subprocess.run(
        program.argv("index", "-"),
        input=f"a word\nWORK={greeter_cold.work}\nWORK=/a/child\n",
        env=program.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "#1 adopted" in done.stdout
    assert "a word" in done.stderr, "what the build printed is passed on"
    nothing = subprocess.run(
        program.argv("index", "-"),
        input="no tree\n",
        env=program.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert nothing.returncode == 4


def test_a_log_is_indexed_without_the_lines_of_other_builds(
    program: Program, greeter_cold: RawBuild, tmp_path: Path
) -> None:
    log = tmp_path / "orchestrion.jsonl"
    lines = (
        f'{{"level":"warn","orchestrion":"v1.15.0","message":"ours","path":"{greeter_cold.work}/b002/x"}}',
        '{"level":"warn","orchestrion":"v1.15.0","message":"theirs","path":"/tmp/go-build1/b002/x"}',
    )
    log.write_text("\n".join(lines) + "\n")
    run = adopt(program, greeter_cold.work, "--log", log)
    assert run["orchestrion_version"] == "v1.15.0"
    assert any("1 lines of the log are of other builds" in problem for problem in run["problems"])
    said = program("logs", str(run["id"])).out
    assert "ours" in said
    assert "theirs" not in said


def test_a_log_in_which_orchestrion_wrote_nothing_is_one(
    program: Program, greeter_cold: RawBuild, tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert adopt(program, greeter_cold.work, "--log", tmp_path / "empty.jsonl")["kind"] == "index"


def test_an_adopted_tree_is_nobodys_to_remove(
    program: Program, greeter_cold: RawBuild, tmp_path: Path
) -> None:
    tree = shutil.copytree(greeter_cold.work, tmp_path / "go-build9", ignore=shutil.ignore_patterns("exe"))
    before = sorted(os.walk(tree))
    for _ in range(2):
        adopt(program, tree)
    program("prune")
    assert sorted(os.walk(tree)) == before
    assert {run["work_state"] for run in program.json("runs")} == {"none"}


def test_what_cannot_be_adopted_is_refused_with_a_reason(
    greeter: Program, greeter_cold: RawBuild, greeter_warm: RawBuild, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    other = shutil.copytree(greeter.project, tmp_path / "other")
    (other / "go.mod").write_text(
        (other / "go.mod").read_text().replace("example.com/greeter", "example.com/else")
    )
    elsewhere = Program(other, tmp_path / "state", greeter.env)
    (own,) = (greeter.state / "work").glob("run-1/go-build*")
    before = len(greeter.json("runs"))
    for program, words, code, reason in (
        (greeter, ("nowhere",), 4, "not there"),
        (greeter, (greeter.project / "go.mod",), 4, "no folder"),
        (greeter, (empty,), 2, "empty"),
        (greeter, (greeter.project,), 2, "no work tree"),
        (greeter, (greeter_cold.work.parent,), 2, f"did you mean {greeter_cold.work}?"),
        (greeter, (own,), 2, "made itself"),
        (elsewhere, (greeter_cold.work,), 2, "example.com/else"),
        (greeter, (greeter_cold.work, "--actiongraph", wrong), 2, "no action graph"),
        (greeter, (greeter_cold.work, "--actiongraph", greeter_warm.graph), 2, "action graph"),
        (greeter, (greeter_cold.work, "--actiongraph", tmp_path / "none"), 4, "none"),
        (greeter, (greeter_cold.work, "--log", tmp_path / "none"), 4, "none"),
        (greeter, (greeter_cold.work, "--log", "/etc/passwd"), 2, "/etc/passwd is no log of Orchestrion"),
        (greeter, (greeter_cold.work, "--log", greeter_cold.graph), 2, "no line of it is JSON"),
    ):
        refused = program("index", *map(str, words), code=code)
        assert reason in refused.err, words
    assert len(greeter.json("runs")) == before, "nothing of it was recorded"


def test_a_hostile_tree_is_survived(program: Program, tmp_path: Path) -> None:
    """Pipes, links out and round, files of a terabyte, nonsense: problems in the run, never a hang or a fault."""
    tree = tmp_path / "go-build1"
    woven = tree / "b001/orchestrion/src/example.com/greeter/greet"
    woven.mkdir(parents=True)
    for name in ("importcfg", "_pkg_.a"):
        os.mkfifo(tree / "b001" / name)
    (tree / "b001/importcfg.link").write_text(
        f"packagefile example.com/greeter={tmp_path}/pipe\npackagefile a=/dev/zero\npackagefile \xff=\n"
    )
    os.mkfifo(tmp_path / "pipe")
    with (woven / "greet.go").open("wb") as file:
        file.truncate(1 << 40)
    (woven / "wrong.go").write_bytes(b"//line /x/wrong.go:1\npackage \xff{{{{")
    (tree / "b002").symlink_to(tree)
    (tree / "b003").mkdir()
    (tree / "b003/importcfg").symlink_to("/dev/zero")
    (tree / "__tmp__").symlink_to(tmp_path)
    run = adopt(program, tree)
    assert run["status"] == "unknown"
    assert run["injections"] in (0, None)
