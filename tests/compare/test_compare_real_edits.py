"""100 generated edits outside injections, built by real Orchestrion, leave the comparison empty (issue 4)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from conftest import RawBuild, Tools, copy_example, raw_build
from edits import EDITS, Files, draw_functions, text_of
from weaving import package_side

from orchwatchd import weave
from orchwatchd.compare.comparison import compare

ROUNDS, EDITS_A_ROUND = 4, 25
ASPECTS = """
aspects:
  - id: entry
    join-point: {function-body: {directive: greeter:span}}
    advice:
      - prepend-statements:
          imports: {trace: example.com/greeter/trace}
          template: |-
            {{- $function := .Function -}}
            trace.Enter({{ printf "%q" $function.Name }}, {{ $function.Argument 0 }})
  - id: result
    join-point:
      all-of: [{import-path: example.com/greeter/many}, {function-body: {function: [{signature: {args: [int], returns: [int]}}]}}]
    advice:
      - prepend-statements:
          imports: {trace: example.com/greeter/trace}
          template: |-
            defer func() { trace.Enter("left", {{ .Function.Result 0 }}) }()
  - id: upper
    join-point: {function-call: strings.ToUpper}
    advice:
      - wrap-expression:
          imports: {trace: example.com/greeter/trace}
          template: trace.Upper({{ . }}, true)
"""
TRACE = """package trace

func Enter(name string, _ ...any) {}

func Upper(s string, _ bool) string { return s }
"""

WovenFiles = dict[str, tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_example("greeter", tmp_path_factory.mktemp("edits") / "greeter")
    (root / "orchestrion.yml").write_text("meta: {name: greeter, description: test}" + ASPECTS)
    (root / "trace/trace.go").write_text(TRACE)
    (root / "greet/greet.go").write_text(
        (root / "greet/greet.go").read_text().replace("//greeter:span", "//")
    )
    (root / "cmd/admin/main.go").write_text(
        (root / "cmd/admin/main.go").read_text().replace("//greeter:span", "//")
    )
    (root / "many").mkdir()
    (root / "many/t.go").write_text("package many\n\n// T has methods.\ntype T struct{}\n")
    return root


def build(tools: Tools, project: Path, number: int, files: Files) -> WovenFiles:
    """Builds the project with these files; gives each original with its woven text."""
    for name, functions in files.items():
        (project / "many" / name).write_text(text_of(functions))
    out = project.parent / f"build{number}"
    args = ("build", "-work", "-o", "/dev/null", "./many")
    done: RawBuild = raw_build(tools, project, cache=project.parent / "cache", out=out, args=args)
    assert done.returncode == 0, done.stderr
    woven = {path.name: path.read_bytes() for path in done.work.rglob("orchestrion/src/*/greeter/many/*.go")}
    return {name: ((project / "many" / name).read_bytes(), data) for name, data in woven.items()}


@pytest.mark.builds
def test_a_hundred_edits_built_by_orchestrion_change_no_injection(tools: Tools, project: Path) -> None:
    dice = random.Random(4)
    functions = draw_functions(dice, 60)
    files: Files = {"a.go": functions[:20], "b.go": functions[20:40], "c.go": functions[40:]}
    before = first = build(tools, project, 0, files)
    assert set(first) == set(files)
    base = package_side(1, first).packages[0].injections
    assert {one.injection.kind.value for one in base} == {"import", "signature", "statements", "expression"}
    for number in range(1, ROUNDS + 1):
        made = [dice.choice(sorted(EDITS)) for _ in range(EDITS_A_ROUND)]
        for name in made:
            EDITS[name](files, dice)
        after = build(tools, project, number, files)
        assert all(weave.explains(*texts) for texts in after.values())
        for earlier in (before, first):
            result = compare(package_side(1, earlier), package_side(2, after))
            added = {one.shown.injection.declaration for one in result.injections.added}
            plain = {one.declaration for found in files.values() for one in found if not one.traced}
            assert added <= plain, made  # the second aspect weaves each function, new ones as well
            assert not result.injections.removed
            assert not result.injections.changed
            assert not result.injections.uncertain
            assert all(change.same_declaration for change in result.injections.moved)
            assert (
                result.injections.unchanged + len(result.injections.following) + len(result.injections.moved)
                > 100
            )
        before = after
