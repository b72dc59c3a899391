"""Names by the DEBUG log, and the quiet form of a command, without a build."""

from __future__ import annotations

import json

import pytest

from orchwatchd.jobs.baseline import quiet_arguments
from orchwatchd.jobs.variants import listed_names, logged_names
from orchwatchd.models.package import UNKNOWN_VARIANT, PackageName
from orchwatchd.tree.actiongraph import Action, ActionGraph
from orchwatchd.tree.variants import package_names


def logged(name: object, *command: str) -> bytes:
    line = {"level": "debug", "TOOLEXEC_IMPORTPATH": name, "command": command}
    return json.dumps({**line, "message": "Toolexec original command"}, separators=(",", ":")).encode()


def test_a_debug_log_names_compiles_by_their_action() -> None:
    lines = (
        logged("p [p.test]", "/go/tool/compile", "-p", "p", "-buildid", "a1/a1", "-pack", "x.go"),
        logged("p", "/go/tool/compile", "-buildid", "a2/a2"),
        logged("p.test", "/go/tool/link", "-buildid", "l/p/c/"),
        logged("q", "/go/tool/compile", "-buildid"),
        logged(None, "/go/tool/compile", "-buildid", "a3/a3"),
        logged("p", "/go/tool/compile", "-buildid", "a4/a4")[:-4],
        b'{"message":"Toolexec original command","command":"no list"}',
        b"[" * 100_000 + b'"Toolexec original command"',
    )
    assert logged_names(lines) == {"a1": PackageName("p", "p.test"), "a2": PackageName("p")}


def action(number: int, mode: str, package: str, deps: tuple[int, ...] = ()) -> Action:
    return Action(
        number, mode, package, None, f"a{number}", f"a{number}/c", False, True, None, 1.0, 0.0, None, deps
    )


@pytest.mark.parametrize(
    ("own_tests", "variant"), [({"p": True}, "p.test"), ({"p": False}, ""), ({}, UNKNOWN_VARIANT)]
)
def test_test_files_decide_whether_a_cached_package_is_a_variant(
    own_tests: dict[str, bool], variant: str
) -> None:
    """Given a package under test that the cache served and nothing else needs, the graph alone leaves it open."""
    graph = ActionGraph(
        (
            action(0, "go test", "", (1,)),
            action(1, "test run", "p", (2,)),
            action(2, "link", "p.test", (3,)),
            action(3, "build", "p.test", (4,)),
            action(4, "build", "p"),
        ),
        None,
        complete=True,
    )
    assert package_names(graph)[4] == PackageName("p", UNKNOWN_VARIANT)
    named = listed_names(graph, own_tests)
    assert named.get("a4", PackageName("p", UNKNOWN_VARIANT)) == PackageName("p", variant)


@pytest.mark.parametrize(
    ("given", "quiet"),
    [
        ((), ()),
        (("build", "-o", "bin/", "-tags=x", "./..."), ("build", "-tags=x", "./...")),
        (("install", "./cmd/api"), ("build", "./cmd/api")),
        (("test", "-run", "X", "./...", "-args", "-v"), ("test", "-exec=true", "-run", "X", "./...")),
    ],
)
def test_a_baseline_compiles_and_does_nothing_else(given: tuple[str, ...], quiet: tuple[str, ...]) -> None:
    assert quiet_arguments(given) == quiet
