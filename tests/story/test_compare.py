"""Real builds of the greeter held against each other: what is an edit, what is a change, and what nobody can tell."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import Tools, copy_example
from program import Program, wait_until

pytestmark = pytest.mark.builds

GREET, MAIN = "greet/greet.go", "cmd/greeter/main.go"
GREET_PACKAGE = "example.com/greeter/greet"
ENTRY = "example.com/greeter:orchestrion.yml[0] entry"
SPAN = "// Twice is traced.\n//\n//greeter:span\nfunc Twice(s string) string { return s + s }\n\n"
CHANGES = ("added", "removed", "changed")


def edit(program: Program, name: str, old: str, new: str) -> None:
    path = program.project / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def counts(diff: dict[str, Any]) -> dict[str, int]:
    """How many injections came, went and changed, and how many packages nobody knows."""
    return {name: len(diff["injections"][name]) for name in CHANGES} | {
        "unknown": len(diff["packages"]["unknown"]),
        "unreached": len(diff["packages"]["unreached"]),
    }


def same(diff: dict[str, Any]) -> bool:
    """Whether nothing at all differs, and everything could be compared."""
    packages, imports = diff["packages"], diff["imports"]
    lists = [packages[name] for name in (*CHANGES, "out_of_scope")] + [imports["added"], imports["removed"]]
    return not any(counts(diff).values()) and not any(lists) and diff["complete"]


def test_edits_around_injections_are_causes_and_never_effects(greeter: Program) -> None:
    """Cold, warm, and each edit against the run before it: 0 added, removed, changed, unknown."""
    greeter("build")
    warm = greeter.json("diff")
    assert same(warm)
    assert warm["injections"]["unchanged"] == 6
    assert warm["causes"] == []

    def in_line(text: str) -> str:
        return text.replace('"hello, "', '"good day, "')

    def shifted(text: str) -> str:
        return text.replace("import _", "// One.\n// Two.\n\nimport _").replace("// Reset", "\n\n// Reset")

    def reformatted(text: str) -> str:
        return text.replace(
            'func Hello(name string) string {\n\treturn "good day, " + name\n}',
            'func Hello(\n\tname string,\n) string {\n\n\treturn ("good day, " +\n\t\tname)\n\n}',
        )

    def commented(text: str) -> str:
        return text.replace('return "reset "', '/* why */ return "reset "')

    def renamed(text: str) -> str:
        return text.replace("what", "subject")

    for number, change in enumerate((in_line, shifted, reformatted, commented, renamed), start=3):
        path = greeter.project / GREET
        before = path.read_text()
        path.write_text(change(before))
        assert path.read_text() != before
        greeter("build")
        found = greeter.json("diff")
        assert same(found), change
        assert (found["from"], found["to"], found["injections"]["unchanged"]) == (number - 1, number, 6)
        assert [(cause["kind"], cause["name"]) for cause in found["causes"]] == [("source", GREET)]
        assert greeter("diff", "--exit-code").code == 0
    assert same(greeter.json("diff", "1..@"))
    assert same(greeter.json("diff", "@", "1"))
    # One line a change, not a run.
    assert [(row["run"], row["change"]) for row in greeter.json("history", GREET_PACKAGE)] == [(1, "first")]


def test_a_directive_more_and_less_is_exactly_one_injection(greeter: Program) -> None:
    edit(greeter, GREET, "// Hello greets", SPAN + "// Hello greets")
    greeter("build")
    more = greeter.json("diff")
    edit(greeter, GREET, SPAN, "")
    greeter("build")
    less = greeter.json("diff")

    assert counts(more) == {"added": 1, "removed": 0, "changed": 0, "unknown": 0, "unreached": 0}
    assert counts(less) == {"added": 0, "removed": 1, "changed": 0, "unknown": 0, "unreached": 0}
    (added,), (removed,) = more["injections"]["added"], less["injections"]["removed"]
    for found in (added, removed):
        assert (found["package"], found["declaration"], found["kind"]) == (
            GREET_PACKAGE,
            "Twice",
            "statements",
        )
        assert found["file"] == str(greeter.project / GREET)
        assert (found["integration"], found["aspect"], found["certainty"]) == (
            "example.com/greeter",
            ENTRY,
            "exact",
        )
    assert 'Enter("Twice")' in added["code"]
    assert more["packages"]["changed"] == less["packages"]["changed"] == [GREET_PACKAGE]
    assert more["imports"] == {"added": [], "removed": []}
    assert greeter("diff", "--exit-code", code=1).out
    assert greeter("diff", "1", "@", "--exit-code").code == 0
    changes = greeter.json("history", GREET)
    assert [(row["run"], row["change"], len(row["added"]), len(row["removed"])) for row in changes] == [
        (3, "changed", 0, 1),
        (2, "changed", 1, 0),
        (1, "first", 3, 0),
    ]
    assert greeter("diff", "--name-only").out == f"{GREET}\n"
    assert '-   __orchestrion_trace.Enter("Twice")' in greeter("diff", "--patch").out


def test_a_function_in_another_file_is_not_another_injection(greeter: Program) -> None:
    edit(
        greeter,
        GREET,
        '// Hello greets name.\n//\n//greeter:span\nfunc Hello(name string) string {\n\treturn "hello, " + name\n}\n',
        "",
    )
    (greeter.project / "greet/hello.go").write_text(
        'package greet\n\n//greeter:span\nfunc Hello(name string) string {\n\treturn "hello, " + name\n}\n'
    )
    greeter("build")
    found = greeter.json("diff")
    assert not any(counts(found).values())
    assert found["packages"]["changed"] == []
    assert [one["declaration"] for one in found["injections"]["moved"]] == ["Hello"]
    assert greeter("diff", "--exit-code").code == 0


def test_a_user_who_imports_what_injected_code_uses_changes_nothing(greeter: Program) -> None:
    edit(greeter, GREET, 'import _ "embed"', 'import (\n\t_ "embed"\n\n\t"example.com/greeter/trace"\n)')
    edit(
        greeter,
        GREET,
        "func Banner() string { return",
        'func Banner() string { trace.Enter("by hand"); return',
    )
    greeter("build")
    found = greeter.json("diff")
    assert not any(counts(found).values())
    assert found["imports"] == {"added": [], "removed": []}
    assert greeter("diff", "--exit-code").code == 0


def test_what_a_failed_run_did_not_reach_is_neither_gone_nor_new(greeter: Program) -> None:
    edit(greeter, GREET, 'return "hello, " + name', 'return "hello, " + nam')
    greeter("build", code=1)
    for order in (("1", "2"), ("2", "1")):
        found = greeter.json("diff", *order)
        assert counts(found) | {"unreached": 0} == dict.fromkeys(counts(found), 0)
        assert {GREET_PACKAGE, "example.com/greeter/cmd/admin", "example.com/greeter/cmd/greeter"} == set(
            found["packages"]["unreached"]
        )
        assert (found["packages"]["added"], found["packages"]["removed"]) == ([], [])
        assert not found["complete"]
        assert "2 packages of #2" in " ".join(found["incomplete"])
        assert greeter("diff", *order, "--exit-code", code=5).out
    assert greeter.json("why", GREET_PACKAGE, "2")["state"] == "failed"
    assert greeter.json("why", "example.com/greeter/cmd/admin", "2")["state"] == "unreached"
    assert [row["change"] for row in greeter.json("history", GREET_PACKAGE)] == ["first"]


def test_one_command_and_tests_against_the_whole_are_out_of_scope(greeter: Program) -> None:
    greeter("build", "--", "build", "./cmd/greeter")
    greeter("build", "--", "test", "./...")
    for order in (("1", "2"), ("2", "1"), ("1", "3"), ("3", "1"), ("2", "3"), ("3", "2")):
        found = greeter.json("diff", *order)
        assert not any(found["injections"][name] for name in CHANGES), order
        assert not any(found["packages"][name] for name in CHANGES), order
        assert found["imports"] == {"added": [], "removed": []}, order
        kinds = [cause["kind"] for cause in found["causes"]]
        assert ("kind" in kinds) is ("3" in order)
    assert greeter.json("diff", "1", "2")["packages"]["out_of_scope"] == ["example.com/greeter/cmd/admin"]
    assert "runs of two kinds (build, test)" in greeter("diff", "1", "3").out
    for name in (GREET_PACKAGE, "example.com/greeter/cmd/admin"):
        rows = [row for row in greeter.json("history", name) if row["package"] == name]
        assert [row["change"] for row in rows] == ["first"]


def test_an_aspect_that_changes_and_a_build_that_is_cancelled(greeter: Program) -> None:
    """A changed template gives every package another key (fact 16); cancelled, and then built to its end."""
    edit(greeter, "orchestrion.yml", 'trace.Enter({{ printf "%q" $function.Name }})', 'trace.Enter("in")')
    building = greeter.start("build", output=greeter.project.parent / "out")
    trees = greeter.state / "work"
    wait_until(lambda: len(list(trees.glob("run-2/go-build*/b*/_pkg_.a"))) > 8, "some compiled packages")
    building.send_signal(signal.SIGINT)
    assert building.wait(30) == 130
    for order in (("1", "2"), ("2", "1")):
        found = greeter.json("diff", *order)
        assert not any(found["packages"][name] for name in ("added", "removed"))
        assert not any(found["injections"][name] for name in ("added", "removed"))
        assert not found["complete"]

    greeter("build")
    found = greeter.json("diff", "1", "3")
    assert counts(found) == {"added": 0, "removed": 0, "changed": 3, "unknown": 0, "unreached": 0}
    assert {one["declaration"] for one in found["injections"]["changed"]} == {"Hello", "Reset", "main"}
    assert {("aspect", ENTRY), ("source", "orchestrion.yml")} == {
        (cause["kind"], cause["name"]) for cause in found["causes"]
    }
    why = greeter.json("why", "--run", "3")
    assert why["against"] == 2
    assert greeter.json("why", "fmt", "1")["compiled"]["reasons"][0]["code"] == "first"
    whole = greeter.json("diff", "3", "1")
    assert len(whole["injections"]["changed"]) == 3
    assert [row["run"] for row in greeter.json("history", GREET_PACKAGE)] == [3, 1]


def test_why_says_what_is_proven(greeter: Program) -> None:
    edit(greeter, GREET, "//go:embed banner.txt", "//greeter:span\n//\n//go:embed banner.txt")
    greeter("build")
    woven = greeter.json("why", GREET_PACKAGE)
    assert (woven["instrumented"], woven["recorded_in"]) == (True, 2)
    assert [by["aspect"] for by in woven["by"]] == [ENTRY]
    (directive,) = [one for one in woven["reasons"] if one["code"] == "directive-without-effect"]
    assert directive["names"] == ["greet/greet.go:6"]
    assert woven["compiled"]["against"] == 1
    assert [(one["code"], one["names"]) for one in woven["compiled"]["reasons"]] == [("own-files", [GREET])]

    program = greeter.json("why", "example.com/greeter/cmd/greeter")
    assert [(one["code"], one["names"]) for one in program["compiled"]["reasons"]] in (
        [("dependency", [GREET_PACKAGE])],
        [("not-compiled", [])],
    )
    plain = greeter.json("why", "fmt")
    assert (plain["instrumented"], plain["state"]) == (False, "plain")
    assert [one["code"] for one in plain["reasons"]] == ["no-join-point"]
    assert plain["compiled"]["compiled"] is False
    absent = greeter.json("why", "net/http")
    assert (absent["state"], absent["instrumented"], absent["reasons"][0]["code"]) == (
        "absent",
        None,
        "not-in-build",
    )
    run = greeter.json("why", "@")
    assert (run["against"], run["key_changed"], run["texts_changed"]) == (1, False, 1)
    assert run["reasons"][0]["names"] == [GREET]


def test_integrations_say_what_they_wove_and_where(greeter: Program) -> None:
    found = {one["package"]: one for one in greeter.json("integrations")}
    own = found["example.com/greeter"]
    assert own["matched"] is True
    assert own["packages"] == ["example.com/greeter/cmd/admin", GREET_PACKAGE]
    assert [(aspect["key"]["id"], aspect["injections"]) for aspect in own["aspects"]] == [("entry", 5)]
    assert found["github.com/DataDog/orchestrion"]["matched"] is False
    assert "entry" in greeter("integrations").out


TICK = """
  - id: tick
    join-point: {function-body: {directive: greeter:tick}}
    advice:
      - prepend-statements:
          imports: {clock: example.com/greeter/clock}
          template: clock.Tick()
  - id: note
    join-point: {function-call: example.com/greeter/deep.Deep}
    advice:
      - wrap-expression:
          imports: {trace: example.com/greeter/trace}
          template: trace.Note({{ . }}, true)
"""


@pytest.fixture
def two_places(tools: Tools, tmp_path: Path) -> Program:
    """A package `deep` that is woven, and that a command reaches only through injected code: a child build weaves it."""
    project = copy_example("greeter", tmp_path / "project")
    for folder in ("cmd/greeter", "cmd/admin", "greet"):
        shutil.rmtree(project / folder)
    with (project / "orchestrion.yml").open("a") as file:
        file.write(TICK)
    for name, text in {
        "trace/trace.go": "package trace\n\nfunc Enter(name string) {}\n\nfunc Note(s string, _ bool) string { return s }\n",
        "deep/deep.go": "package deep\n\n//greeter:span\nfunc Deep(s string) string { return s }\n",
        "clock/clock.go": 'package clock\n\nimport (\n\t_ "cmp"\n\t_ "math/bits"\n\t_ "unicode"\n\t_ "unicode/utf8"\n\n\t"example.com/greeter/deep"\n)\n\nfunc Tick() { println(deep.Deep("t" + "o" + "ck")) }\n',
        "cmd/ticker/main.go": "package main\n\n//greeter:tick\nfunc main() {}\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return Program(project, tmp_path / "state", tools.env)


def test_in_which_tree_a_package_was_woven_tells_nothing(two_places: Program) -> None:
    """Fact 2: nested in one run, in the root tree in the next; with a cache of parts both were compiled for real."""
    program = two_places
    program("build", "--", "build", "./cmd/ticker")
    (deep,) = [one for one in program.json("files", "1") if one["package"] == "example.com/greeter/deep"]
    assert deep["nested"]
    shutil.rmtree(program.state / "cache")
    program("build", "--", "build", "./clock")
    (status,) = [
        (one["nested"], one["status"])
        for one in program.json("stages", "2")
        if one["package"] == deep["package"]
    ]
    assert status == (False, "compiled")
    for order in (("1", "2"), ("2", "1")):
        found = program.json("diff", *order)
        assert not any(counts(found).values())
        assert not any(found["packages"][name] for name in CHANGES)
        assert found["packages"]["out_of_scope"] == ["example.com/greeter/cmd/ticker"]
        assert (found["packages"]["unchanged"], found["complete"]) == (2, True)
    assert program.json("why", deep["package"], "2")["compiled"]["reasons"][0]["code"] == "same-inputs"

    edit(program, "clock/clock.go", '"t" + "o" + "ck"', '"t" +\n\t\t"a" /* e */ + "ck"')
    program("build", "--", "build", "./clock")
    found = program.json("diff")
    assert not any(counts(found).values())
    assert found["injections"]["unchanged"] > 0
    assert {("source", "clock/clock.go")} == {(cause["kind"], cause["name"]) for cause in found["causes"]}
    why = program.json("why", "@")
    assert why["key_changed"] is True
    assert any("example.com/greeter/clock" in reason["text"] for reason in why["reasons"])
