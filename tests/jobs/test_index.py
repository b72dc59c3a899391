"""What a tree's reading becomes: outputs by action id, their files, members, programs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from orchwatchd.jobs.index import index_reading
from orchwatchd.models.injection import Attribution, Certainty, InjectionKind
from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName
from orchwatchd.models.record import RunRecord
from orchwatchd.models.tree import (
    GraphPackage,
    ImportChange,
    ImportKind,
    Member,
    Program,
    Stage,
    StageKind,
    StageStatus,
    TreeReading,
    WovenFile,
)
from orchwatchd.tree import read_tree

MODULE = "example.com/greeter"


def indexed(build: Any, **options: Any) -> RunRecord:
    return index_reading(read_tree(build.work, build.graph), **options)


def stage(
    path: str, build_id: BuildId | None, *, woven: bool = False, name: str | None = "example.com/p"
) -> Stage:
    finished = build_id is not None and build_id.content is not None
    return Stage(
        path=path,
        nested="__tmp__" in path,
        package=PackageName.parse(name) if name else None,
        kinds=(StageKind.COMPILE,),
        build_id=build_id,
        status=StageStatus.COMPILED if finished else None,
        wall=None,
        cpu=None,
        files=1,
        bytes=1,
        woven=woven,
        attempt=not finished,
    )


def woven_file(in_stage: str) -> WovenFile:
    return WovenFile(in_stage, f"{in_stage}/orchestrion/src/synthetic/x.go", None, True, b"package main\n", 0)


class TestOutputs:
    """Pure: from readings made up of what real trees show."""

    def test_one_output_for_each_action_woven_if_any_stage_is(self) -> None:
        """Rules 1 and 2: an unfinished woven stage, its finished copy and another copy are one woven output."""
        done = BuildId("act", "cont")
        reading = TreeReading(
            stages=(
                stage("b001", done),
                stage("b002", BuildId("act", None), woven=True, name=None),
                stage("__tmp__/go-build1/b001", done),
                stage("b003", BuildId("other", "c")),
            ),
            woven=(woven_file("b002"),),
            imports=(
                ImportChange("b001", ImportKind.LINK_DEPS, ("example.com/t",)),
                ImportChange("b002", ImportKind.IMPORTCFG, ("example.com/t",)),
                ImportChange("b003", ImportKind.IMPORTCFG_LINK, ("example.com/t",)),
            ),
        )
        act, other = index_reading(reading).outputs
        assert (act.action, act.content, str(act.package)) == ("act", "cont", "example.com/p")
        assert act.woven
        assert act.finished
        assert [file.stage for file in act.files] == ["b002"]
        assert act.imports == (
            (ImportKind.IMPORTCFG, "example.com/t"),
            (ImportKind.LINK_DEPS, "example.com/t"),
        )
        assert not other.woven
        assert other.imports == ()

    def test_an_attempt_without_an_archive_is_kept_only_by_the_action_of_the_graph(self) -> None:
        """A failed compile has an action id in the graph; of a killed one nobody knows the id, so it is no output."""
        reading = TreeReading(stages=(stage("b001", None, woven=True),), woven=(woven_file("b001"),))
        assert index_reading(reading).outputs == ()
        failed = GraphPackage(
            PackageName("example.com/p"), "act", None, cached=False, stage="b001", failed=True
        )
        (output,) = index_reading(
            TreeReading(
                stages=reading.stages, woven=reading.woven, packages=(failed,), has_graph=True, go_ended=True
            )
        ).outputs
        assert (output.action, output.content, output.finished, output.woven) == ("act", None, False, True)

    def test_names_from_elsewhere_fill_in_what_the_tree_could_not_tell(self) -> None:
        test = PackageName("example.com/p", "example.com/p.test")
        reading = TreeReading(
            stages=(
                stage("b001", BuildId("a", "c"), name=None),
                stage("b002", BuildId("b", "c"), name=f"example.com/p [{UNKNOWN_VARIANT}]"),
                stage("b003", BuildId("c", "c"), name="example.com/q"),
            ),
            programs=(
                Program(
                    PackageName("example.com/p.test"),
                    "link",
                    (Member(PackageName("example.com/p", UNKNOWN_VARIANT), BuildId("b", "c")),),
                    None,
                    linked=True,
                ),
            ),
        )
        record = index_reading(reading, names={"a": test, "b": test, "c": PackageName("example.com/wrong")})
        assert [output.package for output in record.outputs] == [test, test, PackageName("example.com/q")]
        assert record.programs[0].members == ((test, BuildId("b", "c")),)

    def test_a_skipped_or_half_resolved_program_is_not_complete(self) -> None:
        member = Member(PackageName("a"), BuildId("x", "y"))
        name = PackageName("example.com/cmd")
        whole = Program(name, "l", (member,), ("a",), linked=True)
        skipped = Program(name, "l", (), None, linked=True)
        partial = Program(name, "l", (member,), (), linked=True, unresolved=(PackageName("b"),))
        failed = Program(name, "l", (member,), (), linked=False, failed=True)
        records = index_reading(TreeReading(programs=(whole, skipped, partial, failed))).programs
        assert [record.complete for record in records] == [True, False, False, False]
        assert [record.added for record in records] == [(), (), ("a", "b"), ("a",)]


@pytest.mark.builds
class TestRealBuilds:
    def test_a_cold_build_records_every_output_once(self, greeter_cold: Any) -> None:
        record = indexed(greeter_cold, snapshot={})
        assert len(record.outputs) == 67
        assert all(output.finished and output.package for output in record.outputs)
        assert {(str(package), id_.action) for package, id_ in record.members} == {
            (str(output.package), output.action) for output in record.outputs
        }
        woven = {str(output.package): output for output in record.outputs if output.woven}
        assert set(woven) == {f"{MODULE}/greet", f"{MODULE}/cmd/admin", f"{MODULE}/cmd/greeter"}
        (greet,) = woven[f"{MODULE}/greet"].files
        assert greet.original_certain
        assert greet.original_data == (greeter_cold.project / "greet/greet.go").read_bytes()
        assert [injected.injection.kind for injected in greet.injections] == [
            InjectionKind.IMPORT,
            InjectionKind.STATEMENTS,
            InjectionKind.STATEMENTS,
        ]
        assert (ImportKind.SOURCE, f"{MODULE}/trace") in woven[f"{MODULE}/greet"].imports
        assert (ImportKind.LINK_DEPS, f"{MODULE}/trace") in woven[f"{MODULE}/greet"].imports
        (synthetic,) = woven[f"{MODULE}/cmd/greeter"].files
        assert (synthetic.synthetic, synthetic.original, synthetic.original_certain) == (True, None, True)
        assert record.problems == ()

    def test_a_warm_build_has_the_members_of_the_cold_one_and_no_outputs(
        self, greeter_cold: Any, greeter_warm: Any
    ) -> None:
        """Fact 3: nothing was compiled, the program is the same."""
        cold, warm = indexed(greeter_cold), indexed(greeter_warm)
        assert warm.outputs == ()
        assert warm.members == cold.members
        assert [(p.package, p.action, p.members, p.complete) for p in warm.programs] == [
            (p.package, p.action, p.members, p.complete) for p in cold.programs
        ]
        assert all(program.complete for program in warm.programs)

    def test_attribution_is_asked_once_a_file_with_its_package(self, greeter_cold: Any) -> None:
        asked = []

        def attribute(package: Any, file: Any, injections: Any) -> list[Attribution]:
            asked.append((str(package), Path(file.path).name, len(injections)))
            return [Attribution("greeter", "entry", Certainty.EXACT)] * len(injections)

        record = indexed(greeter_cold, attribute=attribute)
        assert sorted(asked) == [
            (f"{MODULE}/cmd/admin", "main.go", 2),
            (f"{MODULE}/cmd/greeter", "link_deps_imports.go", 1),
            (f"{MODULE}/greet", "greet.go", 3),
        ]
        makers = {
            injected.attribution.aspect
            for output in record.outputs
            for file in output.files
            for injected in file.injections
        }
        assert makers == {"entry"}

    def test_what_a_killed_build_compiled_is_known_to_the_next(
        self, killed_build: Any, library_builds: Any, whole_build: Any
    ) -> None:
        """Fact 15: the next build takes those packages from the cache, so the records together know every member."""
        killed, after, whole = (indexed(build) for build in (killed_build, library_builds[0], whole_build))
        known = {o.action for record in (killed, after, whole) for o in record.outputs if o.finished}
        assert {build_id.action for _, build_id in whole.members} <= known
        assert len(killed.members) == len([output for output in killed.outputs if output.finished])
        assert set(killed.members) <= set(whole.members)
        assert (killed.failed, killed.unreached) == ((), ())
        both = {o.action for o in killed.outputs if o.finished} & {
            o.action for o in after.outputs if o.finished
        }
        # A package can be finished in its stage and killed before it came to the cache.
        assert len(both) < len(killed.members) / 2, "what the killed build finished was compiled again"

    def test_a_failed_build_keeps_the_woven_file_of_an_error_in_injected_code(
        self, failed_build: Any
    ) -> None:
        """Fact 29: where Orchestrion's own type check fails there is no woven file; an error in injected code leaves one."""
        record = indexed(failed_build)
        assert [str(package) for package in record.failed] == [f"{MODULE}/generated", f"{MODULE}/greet"]
        assert [str(package) for package in record.unreached] == [
            f"{MODULE}/cmd/admin",
            f"{MODULE}/cmd/greeter",
        ]
        (attempt,) = record.outputs
        assert (str(attempt.package), attempt.finished, attempt.woven) == (f"{MODULE}/generated", False, True)
        assert b'"text"' in attempt.files[0].data
        assert not any(program.linked for program in record.programs)
        assert len(record.members) == 64

    def test_a_source_saved_after_the_build_is_not_taken_for_the_original(
        self, workshop: Any, library_builds: Any
    ) -> None:
        """Given an edit after the build, the index says that the original is not certain, or finds the stored one."""
        build, _ = library_builds
        path = workshop.project / "greet/greet.go"
        compiled = path.read_bytes()
        edited = compiled.replace(b'"reset "', b'"undo "')
        assert edited != compiled
        before = indexed(build)
        with workshop.added({"greet/greet.go": edited.decode()}):
            uncertain = indexed(build, snapshot={})
            found = indexed(build, original_versions=lambda _path: [edited, compiled])
        (was,) = (f for o in before.outputs for f in o.files if f.path.endswith("greet/greet.go"))
        (now,) = (f for o in uncertain.outputs for f in o.files if f.path.endswith("greet/greet.go"))
        (then,) = (f for o in found.outputs for f in o.files if f.path.endswith("greet/greet.go"))
        assert (now.original_data, now.original_certain) == (None, False)
        assert (then.original_data, then.original_certain) == (compiled, True)
        assert [i.injection for i in then.injections] == [i.injection for i in was.injections]
        assert len(now.injections) == len(was.injections)

    def test_what_only_a_child_build_compiled_is_an_output_and_no_member(self, library_builds: Any) -> None:
        """Rule 4: `trace` is compiled for the library's injected code, and is not part of what was asked for."""
        cold, warm = (indexed(build) for build in library_builds)
        compiled = {str(output.package) for output in cold.outputs}
        members = {str(package) for package, _ in cold.members}
        assert f"{MODULE}/trace" in compiled - members
        assert f"{MODULE}/greet" in members
        assert warm.members == cold.members
        assert warm.outputs == ()

    def test_coverage_and_cgo_are_indexed_against_what_was_compiled(
        self, covered_build: Any, cgo_build: Any
    ) -> None:
        """Counters of `-cover` and what cgo writes are no injections."""
        for build, package in ((covered_build, "greet"), (cgo_build, "native")):
            (output,) = (o for o in indexed(build).outputs if str(o.package) == f"{MODULE}/{package}")
            (file,) = output.files
            assert file.original_certain
            assert file.generated
            assert file.original == f"{build.project}/{package}/{package}.go"
            kinds = [injected.injection.kind for injected in file.injections]
            assert kinds.count(InjectionKind.STATEMENTS) == (2 if package == "greet" else 1)
            assert len(kinds) == kinds.count(InjectionKind.STATEMENTS) + 1

    def test_an_adopted_tree_has_the_same_outputs(self, whole_build: Any) -> None:
        with_graph, alone = indexed(whole_build), index_reading(read_tree(whole_build.work))
        assert alone.outputs == with_graph.outputs
        assert not alone.graph_known
        assert set(alone.members) <= set(with_graph.members)

    def test_indexing_is_quick(self, greeter_cold: Any) -> None:
        """A bound that only a blunder breaks (reading bodies, work by the square): the fastest of three."""
        times = []
        for _ in range(3):
            start = time.perf_counter()
            indexed(greeter_cold)
            times.append(time.perf_counter() - start)
        assert min(times) < 1.0
