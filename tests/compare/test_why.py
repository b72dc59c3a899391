"""What `why` says from a configuration, a log and sources alone: what is proven, and nothing beyond."""

from __future__ import annotations

from orchwatchd.aspects.catalogue import Catalogue, KnownIntegration
from orchwatchd.compare.why import Known, SourceFile, why_not
from orchwatchd.compare.why_compiled import Evidence, key_changed, package_folder, why_compiled
from orchwatchd.models.aspect import (
    Advice,
    Aspect,
    AspectKey,
    ConfigProblem,
    JoinPoint,
    ResolvedConfiguration,
)
from orchwatchd.models.comparison import RunFacts
from orchwatchd.models.log import LogSkip, SkipReason
from orchwatchd.models.package import PackageName
from orchwatchd.models.why import Pair

KEY = AspectKey("app", "orchestrion.yml", 0, "span")


def configuration(point: JoinPoint, *, whole: bool = True) -> ResolvedConfiguration:
    problems = () if whole else (ConfigProblem("x.yml", "cannot be read"),)
    return ResolvedConfiguration(
        "app", (Aspect(KEY, point, (Advice("prepend-statements"),)),), problems=problems
    )


DIRECTIVE = JoinPoint("function-body", children=(JoinPoint("directive", "dd:span"),))
NAMING = JoinPoint("all-of", children=(JoinPoint("import-path", "app/lib"), DIRECTIVE))


def codes(known: Known) -> list[str]:
    return [reason.code for reason in why_not(known)]


def test_without_a_configuration_nothing_is_claimed() -> None:
    assert codes(Known("app/lib")) == ["unknown"]


def test_an_aspect_that_names_the_package_and_one_that_does_not() -> None:
    assert codes(Known("app/lib", configuration(NAMING))) == ["no-match"]
    assert codes(Known("app/other", configuration(NAMING))) == ["no-join-point"]


def test_a_configuration_that_was_not_read_whole_proves_no_absence() -> None:
    assert codes(Known("app/other", configuration(NAMING, whole=False))) == ["unknown"]


def test_what_orchestrions_log_says_comes_first() -> None:
    skips = (LogSkip(PackageName("app/lib"), SkipReason.CIRCULAR, None, 1),) * 2
    assert codes(Known("app/lib", configuration(NAMING), skips=skips)) == ["skipped", "no-match"]
    internal = (LogSkip(PackageName("app/lib"), SkipReason.TRACER_INTERNAL, None, 1),)
    assert codes(Known("app/lib", configuration(NAMING), skips=internal)) == ["no-match"]


def test_the_line_to_add_is_named_only_for_an_integration_that_exists_and_is_woven() -> None:
    def catalogue(*, woven: bool) -> Catalogue:
        return Catalogue("v2.12.0", (KnownIntegration("app/lib", "contrib/lib", "v1", "v2", woven),))

    (told, _) = why_not(Known("app/lib", configuration(NAMING), catalogue(woven=True)))
    assert (told.code, told.names) == ("not-enabled", ('_ "contrib/lib"',))
    assert codes(Known("app/lib", configuration(NAMING), catalogue(woven=False))) == ["no-match"]


def test_directives_without_effect_are_named_with_what_they_stand_on() -> None:
    text = b"package lib\n\n//dd:span\nvar one = 1\n\n//dd:spanning\nfunc F() {}\n\n// dd:span\nfunc G() {}\n"
    known = Known("app/lib", configuration(DIRECTIVE), sources=(SourceFile("lib/lib.go", text),))
    found = [reason for reason in why_not(known) if reason.code == "directive-without-effect"]
    assert [reason.names for reason in found] == [("lib/lib.go:3",)]
    assert "on variable or constant one has no effect" in found[0].text


def pair(name: str, *, action: bool = True, content: bool = False) -> Pair:
    return Pair(name, ("a", "b" if action else "a"), ("c", "d" if content else "c"), None)


def facts(**files: str) -> RunFacts:
    manifest = {"go.mod": "0", **{name.replace("__", "/") + ".go": digest for name, digest in files.items()}}
    return RunFacts("build", modules={"app": "(none)", "dep": "v1"}, manifest=manifest)


def evidence(before: RunFacts, after: RunFacts, *pairs: Pair) -> Evidence:
    graph = {"app/lib": ("dep/x",), "dep/x": ()}
    return Evidence(before, after, {one.package: one for one in pairs}, graph, graph)


def told(package: str, proof: Evidence) -> list[tuple[str, tuple[str, ...]]]:
    return [(reason.code, reason.names) for reason in why_compiled(package, 1, proof).reasons]


def test_own_files_are_those_of_the_folder_and_no_tests() -> None:
    before = facts(lib__a="1", lib__a_test="1", lib__sub__b="1", other__c="1")
    after = facts(lib__a="2", lib__a_test="2", lib__sub__b="2", other__c="2")
    assert told("app/lib", evidence(before, after, pair("app/lib"))) == [("own-files", ("lib/a.go",))]


def test_a_dependency_counts_by_its_output_and_not_by_its_being_compiled() -> None:
    same = facts()
    changed = evidence(same, same, pair("app/lib"), pair("dep/x", content=True))
    assert told("app/lib", changed) == [("dependency", ("dep/x",))]
    assert told("app/lib", evidence(same, same, pair("app/lib"), pair("dep/x"))) == [("unknown", ())]


def test_equal_inputs_mean_that_the_cache_had_lost_it() -> None:
    assert told("app/lib", evidence(facts(), facts(), pair("app/lib", action=False))) == [("same-inputs", ())]


def test_the_key_changed_only_where_every_package_has_new_inputs() -> None:
    many = [pair(f"p{number}") for number in range(9)]
    assert key_changed(many) is True
    assert key_changed([*many, pair("q", action=False)]) is False
    assert key_changed(many[:2]) is None


def test_the_folder_of_a_package_is_known_only_in_the_project() -> None:
    assert package_folder("app/lib/x", facts()) == "lib/x"
    assert package_folder("app", facts()) == ""
    assert package_folder("application", facts()) is None
    assert package_folder("dep/x", facts()) is None
    two = RunFacts(
        "build", modules={"app": "(none)", "lib": "(none)"}, manifest={"svc/go.mod": "", "lib/go.mod": ""}
    )
    assert package_folder("lib/y", two) == "lib/y"
    assert package_folder("app/y", two) is None
