"""What was in force: each difference is a cause, and what was not recorded is not called equal."""

from __future__ import annotations

from dataclasses import replace

from orchwatchd.compare.causes import causes
from orchwatchd.models.aspect import Advice, Aspect, AspectKey, Integration, JoinPoint, ResolvedConfiguration
from orchwatchd.models.comparison import Cause, CauseKind, RunFacts

KEY = AspectKey("example.com/p", "orchestrion.yml", 0, "entry")
CONFIGURATION = ResolvedConfiguration(
    aspects=(Aspect(KEY, JoinPoint("directive", "span"), (Advice("prepend-statements"),)),),
    integrations=(Integration("example.com/p", None, None),),
)
FACTS = RunFacts(
    kind="build",
    arguments=("./...",),
    flags=(),
    tags=(),
    orchestrion_version="v1.15.0",
    go_version="go1.26.8",
    toolexec_key="abc",
    modules={"github.com/DataDog/orchestrion": "v1.15.0", "github.com/DataDog/dd-trace-go/v2": "v2.12.0"},
    environment={"GOFLAGS": ""},
    configuration=CONFIGURATION,
    manifest={"main.go": "1", "go.mod": "2"},
)


def test_equal_facts_have_no_cause() -> None:
    assert causes(FACTS, FACTS) == ()


def test_an_upgrade_names_each_module_once() -> None:
    later = replace(
        FACTS,
        orchestrion_version="v1.16.0",
        modules={"github.com/DataDog/orchestrion": "v1.16.0", "github.com/DataDog/dd-trace-go/v2": "v2.13.0"},
    )
    assert causes(FACTS, later) == (
        Cause(CauseKind.ORCHESTRION, "orchestrion", "v1.15.0", "v1.16.0"),
        Cause(CauseKind.MODULE, "github.com/DataDog/dd-trace-go/v2", "v2.12.0", "v2.13.0"),
    )


def test_modules_that_go_mod_requires_directly_come_before_those_that_these_need() -> None:
    """Of an upgrade's many modules the first are those that somebody chose, whichever run chose them."""
    before = replace(FACTS, modules=dict.fromkeys("abcde", "v1"), required=frozenset("d"))
    after = replace(FACTS, modules=dict.fromkeys("abce", "v2"), required=frozenset("c"))
    assert [cause.name for cause in causes(before, after)] == ["c", "d", "a", "b", "e"]
    unknown = replace(after, required=None)
    assert [cause.name for cause in causes(before, unknown)] == ["d", "a", "b", "c", "e"]


def test_configuration_sources_and_command() -> None:
    later = replace(
        FACTS,
        kind="test",
        arguments=("./cmd",),
        tags=("x",),
        configuration=ResolvedConfiguration(),
        environment={},
        manifest={"main.go": "9", "new.go": "3"},
        toolexec_key="def",
    )
    found = [(cause.kind.value, cause.name, cause.before, cause.after) for cause in causes(FACTS, later)]
    assert found == [
        ("kind", "kind of run", "build", "test"),
        ("arguments", "arguments", "./...", "./cmd"),
        ("tags", "tags", None, "x"),
        ("toolexec", "toolexec key", "abc", "def"),
        ("integration", "example.com/p", "enabled", None),
        ("aspect", str(KEY), "in force", None),
        ("environment", "GOFLAGS", "", None),
        ("source", "go.mod", "2", None),
        ("source", "main.go", "1", "9"),
        ("source", "new.go", None, "3"),
    ]


def test_what_one_run_did_not_record_is_said_and_not_guessed() -> None:
    later = RunFacts(kind="build")
    found = causes(FACTS, later)
    assert {cause.kind for cause in found} == {CauseKind.UNKNOWN}
    assert {cause.name for cause in found} >= {"configuration", "project sources", "modules", "go version"}
    assert causes(later, later) == ()
