"""What is read from real trees, against what `find`, the DEBUG log and the Go command say of the same builds."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from orchwatchd.models.package import UNKNOWN_VARIANT, PackageName
from orchwatchd.models.tree import ImportKind, StageKind, StageStatus, TreeReading
from orchwatchd.tree import read_tree

pytestmark = pytest.mark.builds
MODULE = "example.com/greeter"


def sources(work: Path) -> set[str]:
    return {str(path.relative_to(work)) for path in work.rglob("orchestrion/src/**/*.go")}


def stage_of(reading: TreeReading, package: str) -> Any:
    (stage,) = (stage for stage in reading.stages if str(stage.package) == package and not stage.nested)
    return stage


def reused_by_log(log: Path, work: Path) -> set[tuple[str, str]]:
    """Which stages only got a copy, as Orchestrion's DEBUG log tells: (package, tree), the tree found by the Go command's pid."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    trees = {}
    for line in lines:
        if line["message"] == "Toolexec original command":
            found = re.search(
                re.escape(str(work)) + r"/((?:__tmp__/[^/]+/)*)b\d+/", " ".join(line["command"])
            )
            if found:
                trees[line["ppid"]] = found[1]
    return {
        (line["TOOLEXEC_IMPORTPATH"], trees.get(line["ppid"], "?"))
        for line in lines
        if line["message"].startswith("Re-used previously built")
    }


def test_every_stage_and_modified_file_is_found(greeter_cold: Any) -> None:
    reading = read_tree(greeter_cold.work, greeter_cold.graph)
    found = {
        str(path.relative_to(greeter_cold.work)) for path in greeter_cold.work.rglob("b[0-9][0-9][0-9]*")
    }
    assert {stage.path for stage in reading.stages} == {path for path in found if "orchestrion" not in path}
    assert {file.path for file in reading.woven} == sources(greeter_cold.work)
    assert reading.problems == ()
    assert reading.go_ended
    files = [path for path in greeter_cold.work.rglob("*") if path.is_file()]
    assert sum(stage.files for stage in reading.stages) == len(files)
    assert sum(stage.bytes for stage in reading.stages) == sum(path.stat().st_size for path in files)


def test_modified_files_have_their_package_and_original(greeter_cold: Any) -> None:
    """Fact 5: both commands' stages say `main`; the action graph tells them apart."""
    reading = read_tree(greeter_cold.work, greeter_cold.graph)
    packages = {stage.path: str(stage.package) for stage in reading.stages}
    project = greeter_cold.project
    assert {(packages[file.stage], file.original, file.synthetic) for file in reading.woven} == {
        (f"{MODULE}/cmd/admin", f"{project}/cmd/admin/main.go", False),
        (f"{MODULE}/cmd/greeter", None, True),
        (f"{MODULE}/greet", f"{project}/greet/greet.go", False),
    }


def test_programs_list_all_their_packages(greeter_cold: Any, greeter_warm: Any) -> None:
    """The warm tree has no stage but two links, and tells the same programs."""
    cold = read_tree(greeter_cold.work, greeter_cold.graph)
    warm = read_tree(greeter_warm.work, greeter_warm.graph)
    assert {str(program.package): len(program.members) for program in cold.programs} == {
        f"{MODULE}/cmd/admin": 66,
        f"{MODULE}/cmd/greeter": 66,
    }
    assert [program.members for program in cold.programs] == [program.members for program in warm.programs]
    assert [program.action for program in cold.programs] == [program.action for program in warm.programs]
    assert all(program.linked and not program.unresolved for program in (*cold.programs, *warm.programs))
    assert {stage.kinds for stage in warm.stages} == {(StageKind.LINK,)}
    assert {stage.status for stage in warm.stages} == {StageStatus.CACHED}
    assert all(package.cached for package in warm.packages)


def test_costs_are_those_of_the_graph(greeter_cold: Any, greeter_warm: Any) -> None:
    reading = read_tree(greeter_cold.work, greeter_cold.graph)
    compiled = [stage for stage in reading.stages if not stage.nested]
    assert all(stage.wall and stage.wall > 0 and stage.cpu is not None for stage in compiled)
    assert all(stage.wall is None and stage.cpu is None for stage in reading.stages if stage.nested)
    graph = json.loads(greeter_cold.graph.read_text())
    (greet,) = (a for a in graph if a["Package"] == f"{MODULE}/greet" and a["Mode"] == "build")
    assert stage_of(reading, f"{MODULE}/greet").cpu == pytest.approx(
        (greet.get("CmdUser", 0) + greet.get("CmdSys", 0)) / 1e9
    )


def test_import_changes_are_told_apart(greeter_cold: Any) -> None:
    reading = read_tree(greeter_cold.work, greeter_cold.graph)
    changes = defaultdict(dict)
    for change in reading.imports:
        changes[change.stage][change.kind] = change.added
    greet = changes[stage_of(reading, f"{MODULE}/greet").path]
    assert f"{MODULE}/trace" in greet[ImportKind.IMPORTCFG]
    assert greet[ImportKind.LINK_DEPS] == (f"{MODULE}/trace",)
    admin = changes[stage_of(reading, f"{MODULE}/cmd/admin").path]
    assert set(admin[ImportKind.IMPORTCFG_LINK]) == {f"{MODULE}/trace", "log", "log/internal"}


def test_copies_are_told_from_compiles_as_the_debug_log_tells_them(library_builds: Any) -> None:
    """Fact 2: the log says of each stage whether it re-used another's archive; the tree alone must never contradict it."""
    build, _ = library_builds
    reading = read_tree(build.work, build.graph)
    reused = reused_by_log(build.log, build.work)
    told = [stage for stage in reading.stages if stage.status is not None and stage.build_id]
    for stage in told:
        tree = stage.path[: -len(stage.path.rpartition("/")[2])]
        expected = StageStatus.REUSED if (str(stage.package), tree) in reused else StageStatus.COMPILED
        assert stage.status is expected, stage
    assert len(told) >= len([stage for stage in reading.stages if stage.build_id]) - 2 * len(reused)


def test_an_adopted_tree_tells_the_same_but_what_only_the_graph_knows(greeter_cold: Any) -> None:
    with_graph = read_tree(greeter_cold.work, greeter_cold.graph)
    alone = read_tree(greeter_cold.work)
    assert [(stage.path, stage.package, stage.kinds, stage.build_id) for stage in alone.stages] == [
        (stage.path, stage.package, stage.kinds, stage.build_id) for stage in with_graph.stages
    ]
    assert alone.programs == with_graph.programs
    assert alone.woven == with_graph.woven
    assert not alone.has_graph
    assert not alone.go_ended
    assert {stage.wall for stage in alone.stages} == {None}


def test_an_adopted_warm_tree_names_its_programs(greeter_warm: Any) -> None:
    reading = read_tree(greeter_warm.work)
    assert {str(stage.package) for stage in reading.stages} == {
        f"{MODULE}/cmd/admin",
        f"{MODULE}/cmd/greeter",
    }
    assert all(program.linked and program.action for program in reading.programs)


def test_a_moved_tree_without_its_cache_is_still_resolved(
    whole_build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a cache file is the digest of a stage archive (fact 12): what a stage holds is found, the rest is unresolved, not guessed."""
    here = read_tree(whole_build.work, whole_build.graph)
    moved = tmp_path / "adopted"
    shutil.copytree(whole_build.work, moved, ignore=shutil.ignore_patterns("exe"))
    away = whole_build.cache.with_name("away")
    whole_build.cache.rename(away)
    try:
        reading = read_tree(moved)
    finally:
        away.rename(whole_build.cache)
    assert {file.path: file.original for file in reading.woven} == {
        file.path: file.original for file in here.woven
    }
    for program, before in zip(reading.programs, here.programs, strict=True):
        known = {member.package: member.build_id for member in before.members}
        assert {member.package: member.build_id for member in program.members}.items() <= known.items()
        assert {*(m.package for m in program.members), *program.unresolved} == set(known)
        held = {stage.build_id.action for stage in reading.stages if stage.build_id}
        assert {package for package in program.unresolved if known[package].action in held} == set(), (
            "an archive that lies in the tree was not found"
        )


def test_a_killed_build_has_outputs_and_attempts(killed_build: Any, whole_build: Any) -> None:
    """Only finished archives are outputs, named by the graph's first writing; the next build has the same ids for them."""
    reading = read_tree(killed_build.work, killed_build.graph)
    assert reading.has_graph
    assert not reading.go_ended
    finished = {stage.build_id: stage.package for stage in reading.stages if not stage.attempt}
    assert len(finished) >= 20
    assert None not in finished.values()
    after = {
        member.build_id: member.package for p in read_tree(whole_build.work).programs for member in p.members
    }
    assert finished.items() <= after.items()
    for stage in reading.stages:
        if stage.attempt:
            assert stage.status is None
            assert stage.build_id is None or stage.build_id.content is None
    assert not any(program.linked or program.failed for program in reading.programs)


def test_a_failed_build_tells_failed_from_unreached(failed_build: Any) -> None:
    reading = read_tree(failed_build.work, failed_build.graph)
    states = {str(p.package): (p.failed, p.build_id is not None) for p in reading.packages}
    assert states[f"{MODULE}/greet"] == (True, False)
    assert states[f"{MODULE}/generated"] == (True, False)
    assert states[f"{MODULE}/cmd/admin"] == (False, False)
    assert states[f"{MODULE}/trace"] == (False, True)
    assert reading.go_ended
    assert {str(stage.package): stage.status for stage in reading.stages if stage.attempt} == {
        f"{MODULE}/greet": StageStatus.FAILED,
        f"{MODULE}/generated": StageStatus.FAILED,
    }
    assert [file.original for file in reading.woven] == [f"{failed_build.project}/generated/generated.go"]


def test_test_variants_have_names(tested_build: Any) -> None:
    """`go test` compiles packages again for a test; the graph gives both the same name, its edges tell which is which.
    The DEBUG log has the names that Orchestrion was given.
    """
    reading = read_tree(tested_build.work, tested_build.graph)
    lines = [json.loads(line) for line in tested_build.log.read_text().splitlines()]
    compiled = {
        line["TOOLEXEC_IMPORTPATH"] for line in lines if line["message"] == "Toolexec original command"
    }
    ours = {name for name in compiled if name.startswith(MODULE)}
    test = f"{MODULE}/greet.test"
    assert f"{MODULE}/util [{test}]" in ours
    assert {str(stage.package) for stage in reading.stages if str(stage.package).startswith(MODULE)} == ours
    (program,) = reading.programs
    members = {member.package for member in program.members}
    assert PackageName(f"{MODULE}/greet", test) in members
    assert PackageName(f"{MODULE}/greet") not in members
    assert PackageName(f"{MODULE}/greet_test", test) in members
    woven = {stage.package for stage in reading.stages if stage.woven}
    assert {PackageName(f"{MODULE}/greet", test), PackageName(f"{MODULE}/util", test)} <= woven


def test_coverage_counters_are_the_generated_files_and_not_injected(covered_build: Any) -> None:
    """The woven file names the user's source, but what was woven is the copy with counters that `go tool cover` made."""
    reading = read_tree(covered_build.work, covered_build.graph)
    (greet,) = (file for file in reading.woven if file.path.endswith("greet/greet.go"))
    assert greet.original == f"{covered_build.project}/greet/greet.go"
    assert greet.generated == f"{greet.stage}/greet.cover.go"
    assert greet.generated_data == (covered_build.work / greet.generated).read_bytes()


def test_what_cgo_made_is_the_original_and_names_the_users_file(cgo_build: Any) -> None:
    reading = read_tree(cgo_build.work, cgo_build.graph)
    (native,) = (file for file in reading.woven if "/native/" in file.path)
    assert native.original == f"{cgo_build.project}/native/native.go"
    assert native.generated == f"{native.stage}/native.cgo1.go"
    assert b"_Cfunc_add" in (native.generated_data or b"")


def test_a_library_has_no_program_and_a_warm_tree_nothing_at_all(library_builds: Any) -> None:
    cold, warm = (read_tree(build.work, build.graph) for build in library_builds)
    assert cold.programs == warm.programs == ()
    assert {package.build_id for package in cold.packages} == {package.build_id for package in warm.packages}
    assert [str(stage.package) for stage in cold.stages if stage.woven] == [f"{MODULE}/greet"]
    assert warm.stages == ()


def test_an_adopted_test_tree_does_not_claim_to_know_variants(tested_build: Any) -> None:
    """Without the action graph nothing tells whether the package under test has test files of its own."""
    reading = read_tree(tested_build.work)
    (program,) = reading.programs
    names = {member.package.path: member.package.variant for member in program.members}
    assert names[f"{MODULE}/greet"] == names[f"{MODULE}/util"] == UNKNOWN_VARIANT
    assert names["fmt"] == ""
    assert names[f"{MODULE}/greet_test"] == f"{MODULE}/greet.test"
