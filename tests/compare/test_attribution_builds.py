"""Attribution against a configuration whose truth is known, woven by real Orchestrion."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from compare.known_aspects import KNOWN, Told, Woven, blanked, tell, woven_files
from conftest import RawBuild, Tools, raw_build

from orchwatchd.aspects import resolve
from orchwatchd.aspects.locate import GoLocator
from orchwatchd.compare.attribution import attribute
from orchwatchd.compare.integrations import integrations_of
from orchwatchd.models.aspect import ConfigProblem, ResolvedConfiguration
from orchwatchd.models.injection import Certainty, InjectionKind

pytestmark = pytest.mark.builds

BROKEN = {
    # Each template is broken where it alone can be the cause; in which package Orchestrion then names which id.
    "orchestrion.yml": [('trace.Hit("truth:alias")', 'trace.Hit("truth:alias"')],
    "config/more.yml": [('{{ . }}, "truth:drain"', '{{ . }} "truth:drain"'), ('Hit("truth:field")', "Hit(")],
    "config/folder/orchestrion.yml": [('__t_hits("truth:link")', '__t_hits("truth:link"')],
}


@dataclass(frozen=True)
class Built:
    configuration: ResolvedConfiguration
    files: list[Woven]
    build: RawBuild


@pytest.fixture(scope="module")
def built(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Built:
    base = tmp_path_factory.mktemp("aspects")
    project = base / "project"
    shutil.copytree(KNOWN, project)
    args = ("build", "-work", "-o", "/dev/null", "./cmd/app")
    build = raw_build(tools, project, cache=base / "cache", out=base / "out", args=args)
    assert build.returncode == 0, build.stderr
    configuration = resolve(project, locate=GoLocator(project, tools.go, tools.env))
    assert not configuration.problems
    return Built(configuration, woven_files(build.work), build)


@pytest.fixture(scope="module", params=[False, True], ids=["with-marks", "without-marks"])
def told(request: pytest.FixtureRequest, built: Built) -> list[Told]:
    return list(tell(built.configuration, built.files, blank=request.param))


def makers(one: Told) -> set[str]:
    return {one.attribution.aspect, *one.attribution.also} - {None}


def test_nothing_exact_is_wrong(told):
    wrong = [
        f"{one.place} was made by {sorted(one.truth)}, not by {one.attribution}"
        for one in told
        if one.attribution.certainty is Certainty.EXACT and one.truth and makers(one) != one.truth
    ]

    assert not wrong


def test_nearly_everything_is_exact(told):
    """Statements, declarations, fields, wrapped calls, replaced functions, appended arguments: 95 % or more."""
    code = [one for one in told if one.injection.kind is not InjectionKind.IMPORT]
    rest = [
        f"{one.place}: {one.attribution}" for one in code if one.attribution.certainty is not Certainty.EXACT
    ]

    assert len(code) >= 80
    assert len(rest) <= 0.05 * len(code), "\n".join(rest)


def test_what_is_likely_or_ambiguous_has_the_truth_among_its_candidates(told):
    missed = [
        f"{one.place} was made by {sorted(one.truth)}: {one.attribution}"
        for one in told
        if one.attribution.certainty is not Certainty.EXACT
        and one.truth
        and not one.truth <= makers(one) | set(one.attribution.candidates)
    ]

    assert not missed
    assert not [one.place for one in told if one.attribution.certainty is Certainty.UNKNOWN]


def test_all_advice_that_yaml_accepts_took_part(built, told):
    keys = {key for one in told for key in one.truth}
    kinds = Counter(
        a.kind for aspect in built.configuration.aspects if str(aspect.key) in keys for a in aspect.advice
    )

    assert set(kinds) == {
        "add-blank-import",
        "add-struct-field",
        "append-args",
        "assign-value",  # Orchestrion's own: YAML cannot use it
        "inject-declarations",
        "prepend-statements",
        "replace-function",
        "wrap-expression",
    }
    assert len(keys) >= 30
    assert {one.injection.kind for one in told} == set(InjectionKind)


def test_twins_are_told_apart_by_their_templates_alone(built):
    """Given two aspects that match one place with one template, nobody can tell which block is whose."""
    twins = [
        o for o in tell(built.configuration, built.files, blank=True) if o.injection.declaration == "Twins"
    ]

    assert [one.attribution.certainty for one in twins] == [Certainty.AMBIGUOUS] * 2
    assert {tuple(key[-6:] for key in one.attribution.candidates) for one in twins} == {("twin-1", "twin-2")}
    assert {one.attribution.integration for one in twins} == {"example.com/aspects"}


def test_two_aspects_in_one_piece_are_both_named(told):
    (stacked,) = [one for one in told if one.injection.declaration == "Stacked"]

    assert stacked.attribution.aspect.endswith("stack-2")
    assert [key[-7:] for key in stacked.attribution.also] == ["stack-1"]


def test_an_injected_declaration_that_another_aspect_wove_names_both(told):
    (one,) = [one for one in told if one.injection.declaration == "wovenDeclaration"]

    assert one.attribution.aspect.endswith("declare")
    assert [key[-8:] for key in one.attribution.also] == ["0] entry"]


def test_imports_name_every_aspect_that_needs_them_and_their_integration(told):
    imports = [one for one in told if one.injection.kind is InjectionKind.IMPORT]
    shapes = {o.injection.text: o.attribution for o in imports if o.file.endswith("shapes.go")}

    assert shapes['"container/ring"'].certainty is Certainty.EXACT
    probe = shapes['"example.com/aspects/probe"']
    assert probe.certainty is Certainty.AMBIGUOUS
    assert [key.split()[-1] for key in probe.candidates] == ["field", "circle-2"]
    assert probe.integration == "example.com/aspects"


def test_no_other_aspect_is_blamed_when_the_one_that_did_it_is_not_known(built):
    """Given the configuration without one of its aspects, for each in turn, what it made is never exact."""
    full = blanked(built.configuration)
    everything = list(tell(built.configuration, built.files, blank=True))
    blamed, unexplained = [], 0
    for file in built.files:
        ours = [one for one in everything if one.file == file.name]
        for missing in sorted({key for one in ours for key in one.truth}):
            less = replace(full, aspects=tuple(a for a in full.aspects if str(a.key) != missing))
            shown = [one.injection for one in ours]
            context = replace(file.context, woven=re.sub(rb"truth:[a-z0-9-]+", b"", file.woven))
            for one, said in zip(ours, attribute(less, context, shown), strict=True):
                if missing in one.truth:
                    unexplained += said.unexplained
                    if said.certainty is Certainty.EXACT:
                        blamed.append(f"{one.place}, made by {missing}: {said}")

    assert not blamed
    assert unexplained > 40


def test_a_change_that_no_aspect_made_is_said_to_be_one(built):
    """Given a woven file into which something else put a statement and a declaration."""
    (flow,) = [file for file in built.files if file.name.endswith("flow/flow.go")]
    tampered = flow.woven.replace(
        b"func Ignored() {}",
        b'func Ignored() {\n//line <generated>:1\n\tprintln("who was it")\n}\n\nfunc sneaked() {}',
    )
    file = replace(flow, woven=tampered)
    injections = file.injections()

    said = {
        one.declaration: attribution
        for one, attribution in zip(
            injections, attribute(built.configuration, file.context, injections), strict=True
        )
    }

    for name in ("Ignored", "sneaked"):
        assert said[name].unexplained, said[name]
        assert (said[name].certainty, said[name].aspect) == (Certainty.UNKNOWN, None)
    assert not said["Entered"].unexplained


def test_with_a_part_of_the_configuration_unread_nothing_is_sure(built):
    partial = replace(built.configuration, problems=(ConfigProblem("orchestrion.yml", "cannot be read"),))

    said = [a for file in built.files for a in attribute(partial, file.context, file.injections())]

    assert {one.certainty for one in said} == {Certainty.LIKELY, Certainty.AMBIGUOUS}
    assert not any(one.unexplained for one in said)


def test_orchestrion_names_the_same_aspects_in_its_errors(built, tools, tmp_path):
    """The error path: broken templates make Orchestrion say whose they are, and it confirms the inference."""
    project = tmp_path / "project"
    shutil.copytree(KNOWN, project)
    for name, edits in BROKEN.items():
        text = (project / name).read_text()
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (project / name).write_text(text)
    args = ("build", "-work", "-o", "/dev/null", "./cmd/app")

    failed = raw_build(tools, project, cache=built.build.cache, out=tmp_path / "out", args=args)

    assert failed.returncode != 0
    named = _named_by_package(failed.stderr)
    assert named == {"alias": {"alias"}, "calls": {"entry"}, "nested": {"link"}, "shapes": {"field"}}
    told = list(tell(built.configuration, built.files, blank=False))
    for package, ids in named.items():
        inferred = {one.attribution.aspect for one in told if f"/{package}/" in one.file}
        assert ids <= {key.split("] ")[1] for key in inferred if key}
    assert 'Wrap(_.__PLACEHOLDER_0__ "truth:drain"' in failed.stderr
    (drain,) = [o for o in told if o.injection.declaration == "Twice" and "drain" in o.injection.text]
    assert drain.attribution.aspect == "example.com/aspects:config/more.yml[4] entry"


def _named_by_package(stderr: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    package = ""
    for line in stderr.splitlines():
        if line.startswith("# "):
            package = line.rpartition("/")[2]
        elif match := re.match(r'"[^"]*": "([^"]+)"\[\d+\]: ', line):
            found.setdefault(package, set()).add(match[1])
    return found


def test_integrations_say_what_matched_where_and_what_is_unused(built):
    said = [
        (file.package, attribution)
        for file in built.files
        if not file.synthetic
        for attribution in attribute(built.configuration, file.context, file.injections())
    ]

    uses = {use.package: use for use in integrations_of(built.configuration, said)}

    folder = uses["example.com/aspects/config/folder"]
    assert {use.id: use.packages for use in folder.aspects if use.matched} == {
        "declare": ("example.com/aspects/nested",),
        "link": ("example.com/aspects/nested",),
        "blank": ("example.com/aspects/shapes",),
        "directed": ("example.com/aspects/calls",),
    }
    own = uses["example.com/aspects"]
    assert [use.id for use in own.aspects if use.matched is False] == ["identity"]
    assert uses["example.com/aspects/ring/two"].matched


def test_where_packages_are_unknown_no_aspect_is_called_unused(built):
    sure = integrations_of(built.configuration, [])
    unsure = integrations_of(built.configuration, [], complete=False)

    assert {use.matched for one in sure for use in one.aspects} == {False}
    assert {use.matched for one in unsure for use in one.aspects} == {None}
