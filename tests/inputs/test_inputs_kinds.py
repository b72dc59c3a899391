"""Each kind of input, by the real Go command: what counts, what does not, and why."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Tools

from orchwatchd.inputs import InputSet, find_inputs
from orchwatchd.models.watching import InputKind
from orchwatchd.project import Project, find_project
from orchwatchd.watch import compare, take

FILES = {
    "app/go.mod": "module m.test/app\n\ngo 1.26\n\nrequire (\n\tm.test/ext v0.0.0\n)\n\nreplace m.test/ext => ../ext\n",
    "app/go.sum": "",
    "app/main.go": 'package main\n\nimport (\n\t_ "embed"\n\n\t"m.test/app/asm"\n\t"m.test/ext"\n)\n\n'
    "//go:embed assets/*.txt all:tree page.html\nvar files string\n\nfunc main() { asm.F(); println(ext.X, files) }\n",
    "app/default.pgo": "",
    "app/page.html": "<html>",
    "app/assets/a.txt": "a",
    "app/assets/b.md": "not embedded",
    "app/tree/deep/_hidden": "embedded by all:",
    "app/tree/deep/x.css": "x",
    "app/generated/gen.go": "package generated\n",
    "app/.gitignore": "generated/\n",
    "app/README.md": "words",
    "app/main_test.go": "package main\n",
    "app/off/off.go": "//go:build never\n\npackage off\n",
    "app/os_windows.go": "package main\n",
    "app/_skipped.go": "package main\n",
    "app/.hidden.go": "package main\n",
    "app/_old/x.go": "package old\n",
    "app/testdata/golden.go": "package golden\n",
    "app/pkg/testdata/golden.txt": "golden",
    "app/pkg/pkg.go": "package pkg\n",
    "app/pkg/pkg_test.go": 'package pkg\n\nimport _ "embed"\n\n//go:embed data.json\nvar data string\n',
    "app/pkg/data.json": "{}",
    "app/asm/asm.go": "package asm\n\nfunc F()\n",
    "app/asm/asm_amd64.s": "",
    "app/asm/asm_arm64.s": "",
    "app/asm/asm.h": "",
    "app/asm/blob.syso": "",
    "app/cgo/cgo.go": 'package cgo\n\n// #include "c.h"\nimport "C"\n',
    "app/cgo/c.c": "",
    "app/cgo/c.h": "",
    "app/nested/go.mod": "module m.test/nested\n\ngo 1.26\n",
    "app/nested/x.go": "package nested\n",
    "app/vendor.go": "package main\n",
    "app/node_modules/x/x.go": "package x\n",
    "app/orchestrion.tool.go": "//go:build tools\n\npackage tools\n",
    "app/orchestrion.yml": "meta:\n  name: x\nextends: [../conf/more.yml]\n",
    "conf/more.yml": "meta:\n  name: more\n",
    "ext/go.mod": "module m.test/ext\n\ngo 1.26\n",
    "ext/ext.go": "package ext\n\nvar X = 1\n",
    "ext/unused/unused.go": "package unused\n",
    "bin/go": "a program",
}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def find(tools: Tools, world: Path, *, at: str = "app", **options) -> InputSet:
    environment = {**tools.env, "CGO_ENABLED": "1", "CC": "true", "GOENV": "off", **options.pop("env", {})}
    return find_inputs(
        find_project(world / at),
        go=tools.go,
        env=environment,
        config_files=[world / "conf/more.yml"],
        programs=[world / "bin/go"],
        **options,
    )


BUILT = {
    "app/go.mod": InputKind.MODULE,
    "app/go.sum": InputKind.MODULE,
    "ext/go.mod": InputKind.MODULE,
    "app/main.go": InputKind.SOURCE,
    "ext/ext.go": InputKind.SOURCE,
    "app/default.pgo": InputKind.PROFILE,
    "app/page.html": InputKind.EMBEDDED,
    "app/assets/a.txt": InputKind.EMBEDDED,
    "app/tree/deep/_hidden": InputKind.EMBEDDED,
    "app/tree/deep/x.css": InputKind.EMBEDDED,
    "app/generated/gen.go": InputKind.SOURCE,
    "app/off/off.go": InputKind.SOURCE,
    "app/os_windows.go": InputKind.SOURCE,
    "app/pkg/pkg.go": InputKind.SOURCE,
    "app/asm/asm.go": InputKind.SOURCE,
    "app/asm/asm_amd64.s": InputKind.NATIVE,
    "app/asm/asm_arm64.s": InputKind.NATIVE,
    "app/asm/asm.h": InputKind.NATIVE,
    "app/asm/blob.syso": InputKind.NATIVE,
    "app/cgo/cgo.go": InputKind.SOURCE,
    "app/cgo/c.c": InputKind.NATIVE,
    "app/cgo/c.h": InputKind.NATIVE,
    "app/vendor.go": InputKind.SOURCE,
    "app/node_modules/x/x.go": InputKind.SOURCE,
    "app/orchestrion.tool.go": InputKind.CONFIGURATION,
    "app/orchestrion.yml": InputKind.CONFIGURATION,
    "conf/more.yml": InputKind.CONFIGURATION,
    "bin/go": InputKind.PROGRAM,
}
TESTED = {
    "app/main_test.go": InputKind.SOURCE,
    "app/pkg/pkg_test.go": InputKind.SOURCE,
    "app/pkg/data.json": InputKind.EMBEDDED,
    "app/pkg/testdata/golden.txt": InputKind.TESTDATA,
    "app/testdata/golden.go": InputKind.TESTDATA,
}


@pytest.mark.parametrize("tests", [False, True], ids=["build", "test"])
def test_exactly_the_files_that_the_build_reads_are_inputs(tools: Tools, world: Path, tests: bool) -> None:
    """Of a project with every kind of file, both ways: a walk finds them, and each path alone is explained."""
    inputs = find(tools, world, tests=tests)
    assert inputs.complete, inputs.problems
    expected = {**BUILT, **(TESTED if tests else {})}
    found = {str(Path(path).relative_to(world)) for path in take(inputs).files}
    assert found == set(expected)
    for name in FILES:
        explanation = inputs.explain(str(world / name))
        assert explanation.is_input == (name in expected), name
        assert (explanation.why_not is None) == explanation.is_input, name
        if name in expected:
            assert expected[name] in {reason.kind for reason in explanation.reasons}, name


def test_a_reason_names_the_packages_and_why_a_file_is_none(tools: Tools, world: Path) -> None:
    inputs = find(tools, world)

    def why(name: str) -> str:
        explanation = inputs.explain(str(world / name))
        text = explanation.why_not or ""
        return text + "; ".join(
            f"{reason.kind} {reason.packages} {reason.detail}" for reason in explanation.reasons
        )

    assert "m.test/app/cgo" in why("app/cgo/c.c")
    assert "m.test/app'" in why("app/assets/a.txt")
    assert "//go:embed assets/*.txt" in why("app/assets/a.txt")
    assert "build constraints leave it out" in why("app/os_windows.go")
    assert "build constraints leave out its whole folder" in why("app/off/off.go")
    assert "does not test" in why("app/main_test.go")
    assert "start with" in why("app/_skipped.go")
    assert "no Go source" in why("app/notes/x.txt")
    assert "neither compiles nor embeds" in why("app/generated/notes.txt")
    assert "the module in" in why("app/nested/x.go")
    assert "no package of the build" in why("ext/unused/unused.go")
    assert why("conf/more.yml")


def test_the_files_of_the_go_command_are_all_inputs(tools: Tools, world: Path) -> None:
    """Whatever `go list` names of a local package is an input: its word against ours."""
    fields = [
        "GoFiles",
        "CgoFiles",
        "IgnoredGoFiles",
        "IgnoredOtherFiles",
        "CFiles",
        "HFiles",
        "SFiles",
        "SysoFiles",
        "EmbedFiles",
    ]
    done = subprocess.run(
        [tools.go, "list", "-deps", "-json", "./..."],
        cwd=world / "app",
        env={**tools.env, "CGO_ENABLED": "1", "CC": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    decoder, index, named = json.JSONDecoder(), 0, set()
    while (index := done.stdout.find("{", index)) >= 0:
        package, index = decoder.raw_decode(done.stdout, index)
        if not package.get("Standard"):
            named |= {f"{package['Dir']}/{name}" for field in fields for name in package.get(field) or ()}
    found = set(take(find(tools, world)).files)
    assert len(named) >= 18
    assert {path for path in named if not path.endswith("_test.go")} <= found


CHANGES = [name for name in FILES if not name.startswith("bin/")]


@pytest.mark.parametrize("tests", [False, True], ids=["build", "test"])
def test_a_change_of_an_input_changes_the_digest_and_no_other_does(
    tools: Tools, world: Path, tests: bool
) -> None:
    inputs = find(tools, world, tests=tests)
    expected = {**BUILT, **(TESTED if tests else {})}
    before = take(inputs)
    for name in FILES:
        path = world / name
        text = path.read_text()
        path.write_text(text + "// changed\n")
        after = take(inputs, known=before)
        assert (after.digest != before.digest) == (name in expected), name
        assert compare(before.files, after.files).changed == ((str(path),) if name in expected else ()), name
        path.write_text(text)
    assert take(inputs).digest == before.digest, "the digest is of the content"


NEW = {
    "app/assets/new.txt": True,
    "app/assets/new.md": False,
    "app/tree/new/.x": True,
    "app/pkg/new.go": True,
    "app/pkg/new.c": True,
    "app/brandnew/deep/x.go": True,
    "app/brandnew/x.c": False,
    "app/go.work": True,
    "app/vendor/modules.txt": True,
    "app/vendor/x/x.go": False,
    "app/pkg/default.pgo": False,
    "app/nested/y.go": False,
    "app/.idea/x.go": False,
    "app/node_modules/new/x.go": False,
    "ext/new.go": True,
    "ext/brandnew/x.go": False,
}


@pytest.mark.parametrize("name", NEW)
def test_a_new_file_that_the_build_would_read_is_an_input_before_anybody_asks_again(
    tools: Tools, world: Path, name: str
) -> None:
    inputs = find(tools, world)
    path = world / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("package x\n")
    assert (str(path) in take(inputs).files) == NEW[name]
    assert inputs.explain(str(path)).is_input == NEW[name]


def test_a_pattern_of_one_command_leaves_out_what_it_does_not_import(tools: Tools, world: Path) -> None:
    (world / "app/cmd/one").mkdir(parents=True)
    (world / "app/cmd/one/main.go").write_text(
        'package main\n\nimport _ "m.test/app/pkg"\n\nfunc main() {}\n'
    )
    inputs = find(tools, world, packages=["./cmd/one"])
    found = {str(Path(path).relative_to(world)) for path in take(inputs).files}
    assert {name for name in found if name.endswith(".go")} == {
        "app/cmd/one/main.go",
        "app/pkg/pkg.go",
        "app/orchestrion.tool.go",
    }


def test_what_only_woven_code_imports_is_an_input(tools: Tools, world: Path) -> None:
    """An aspect that injects `m.test/app/asm` makes it part of a build that does not import it."""
    (world / "app/cmd/one").mkdir(parents=True)
    (world / "app/cmd/one/main.go").write_text("package main\n\nfunc main() {}\n")
    inputs = find(tools, world, packages=["./cmd/one"], injected=["m.test/app/asm", "example.com/unknown"])
    assert inputs.explain(str(world / "app/asm/asm.go")).is_input
    assert inputs.complete


def test_include_and_exclude_have_the_last_word(tools: Tools, world: Path) -> None:
    inputs = find(tools, world, include=["*.md", "!README.md"], exclude=["/generated/", "page.html"])
    found = {str(Path(path).relative_to(world)) for path in take(inputs).files}
    assert "app/assets/b.md" in found
    assert not found & {"app/README.md", "app/generated/gen.go", "app/page.html"}
    assert "exclude" in inputs.explain(str(world / "app/page.html")).why_not
    assert inputs.explain(str(world / "app/assets/b.md")).reasons[0].kind is InputKind.INCLUDED


def test_own_files_are_never_inputs(tools: Tools, world: Path) -> None:
    private = [world / "app/tree/state", world / "app/tree/o.jsonl", world / "app/tree/log-$PID.jsonl"]
    inputs = find(tools, world, private=private)
    for name in ("tree/state/run-1/b001/x.go", "tree/o.jsonl", "tree/log-123.jsonl", "tree/other"):
        (world / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (world / "app" / name).write_text("x")
    found = {
        str(Path(path).relative_to(world / "app/tree")) for path in take(inputs).files if "/tree/" in path
    }
    assert found == {"deep/_hidden", "deep/x.css", "other"}


@pytest.fixture
def workspace(world: Path) -> Iterator[Path]:
    """`go.work` with the project and a module that lies elsewhere."""
    shutil.rmtree(world / "app/nested")
    (world / "member").mkdir()
    (world / "member/go.mod").write_text("module m.test/member\n\ngo 1.26\n")
    (world / "member/m.go").write_text("package member\n")
    (world / "app/inner").mkdir()
    (world / "app/inner/go.mod").write_text("module m.test/inner\n\ngo 1.26\n")
    (world / "app/inner/i.go").write_text("package inner\n")
    (world / "app/go.work").write_text("go 1.26\n\nuse (\n\t.\n\t./inner\n\t../member\n)\n")
    (world / "app/main.go").write_text('package main\n\nimport _ "m.test/member"\n\nfunc main() {}\n')
    return world


def test_a_workspace_with_a_member_outside_of_the_root(tools: Tools, workspace: Path) -> None:
    inputs = find(tools, workspace)
    found = {str(Path(path).relative_to(workspace)) for path in take(inputs).files}
    assert {"member/m.go", "member/go.mod", "app/inner/i.go", "app/inner/go.mod", "app/go.work"} <= found
    assert inputs.explain(str(workspace / "app/go.work")).reasons[0].kind is InputKind.WORKSPACE


def test_vendored_packages_are_inputs_where_they_are_used(tools: Tools, world: Path) -> None:
    (world / "app/vendor/m.test/ext").mkdir(parents=True)
    (world / "app/vendor/m.test/ext/ext.go").write_text("package ext\n\nvar X = 1\n")
    (world / "app/vendor/modules.txt").write_text(
        "# m.test/ext v0.0.0 => ../ext\n## explicit; go 1.26\nm.test/ext\n# m.test/ext => ../ext\n"
    )
    inputs = find(tools, world)
    assert inputs.complete, inputs.problems
    found = {str(Path(path).relative_to(world)) for path in take(inputs).files}
    assert {"app/vendor/m.test/ext/ext.go", "app/vendor/modules.txt"} <= found
    assert inputs.explain(str(world / "app/vendor/modules.txt")).reasons[0].kind is InputKind.VENDOR
    assert "ext/ext.go" not in found


@pytest.mark.parametrize("flag", ["-overlay=o.json", "-modfile=alt.mod", "-pgo=p.pprof"])
def test_files_named_by_flags_are_inputs(tools: Tools, world: Path, flag: str) -> None:
    (world / "replacement.go").write_text("package pkg\n\nconst Replaced = true\n")
    replace = {str(world / "app/pkg/pkg.go"): str(world / "replacement.go")}
    (world / "app/o.json").write_text(json.dumps({"Replace": replace}))
    (world / "app/alt.mod").write_text((world / "app/go.mod").read_text())
    (world / "app/p.pprof").write_text("")
    inputs = find(tools, world, flags=[flag])
    name = flag.partition("=")[2]
    assert inputs.explain(str(world / "app" / name)).reasons[0].kind is InputKind.FLAG
    if name == "o.json":
        assert inputs.explain(str(world / "replacement.go")).is_input


def test_tags_decide_which_package_is_built(tools: Tools, world: Path) -> None:
    inputs = find(tools, world, tags=["never"])
    assert inputs.explain(str(world / "app/off/off.go")).reasons[0].packages == ("m.test/app/off",)
    assert inputs.extras["tags"] == "never"
    assert take(inputs).digest != take(find(tools, world)).digest


def test_the_environment_of_the_build_is_part_of_the_digest(tools: Tools, world: Path) -> None:
    plain = take(find(tools, world)).digest
    assert take(find(tools, world, env={"GOOS": "windows"})).digest != plain
    assert take(find(tools, world, extras={"orchestrion": "v9"})).digest != plain
    assert take(find(tools, world, env={"EDITOR": "vi"})).digest == plain


def test_what_go_env_w_has_set_is_an_input(tools: Tools, world: Path) -> None:
    settings = world / "settings"
    settings.write_text("GOFLAGS=-tags=never\n")
    environment = {"GOENV": str(settings)}
    inputs = find(tools, world, env=environment)
    assert inputs.explain(str(settings)).reasons[0].detail == "go env -w"
    settings.write_text("")
    assert find(tools, world, env=environment).extras != inputs.extras


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_asking_changes_nothing_and_loads_nothing(tools: Tools, world: Path) -> None:
    """Even where the user's own flags would have the Go command edit go.mod."""
    (world / "app/go.mod").write_text("module m.test/app\n\ngo 1.26\n\nreplace m.test/ext => ../ext\n")
    before = everything(world)
    inputs = find(tools, world, env={"GOFLAGS": "-mod=mod"}, flags=["-mod=mod"])
    assert everything(world) == before
    assert not inputs.complete
    assert any("m.test/ext" in problem for problem in inputs.problems)


def test_a_broken_gomod_keeps_what_was_known_and_widens_it(tools: Tools, world: Path) -> None:
    known = find(tools, world, packages=["./pkg"])
    assert not known.explain(str(world / "app/asm/asm.go")).is_input
    (world / "app/go.mod").write_text("module m.test/app\nnonsense\n")
    inputs = find(tools, world, packages=["./pkg"], previous=known)
    assert not inputs.complete
    assert "nonsense" in inputs.problems[0]
    for name in ("app/pkg/pkg.go", "app/asm/asm.go", "app/go.mod", "app/off/off.go"):
        assert inputs.explain(str(world / name)).is_input, name
    first = find(tools, world)
    assert first.explain(str(world / "app/asm/asm.go")).is_input, "also with nothing known before"


def test_a_missing_package_is_waited_for_wherever_it_may_appear(tools: Tools, world: Path) -> None:
    (world / "app/pkg/pkg.go").write_text('package pkg\n\nimport _ "m.test/ext/late"\n')
    known = find(tools, world)
    assert not known.complete
    (world / "ext/late").mkdir()
    (world / "ext/late/late.go").write_text("package late\n")
    assert str(world / "ext/late/late.go") in take(known).files
    assert find(tools, world, previous=known).complete


def test_a_file_that_does_not_parse_loses_no_input(tools: Tools, world: Path) -> None:
    """Half-typed imports hide packages and embedded files from the Go command; they are remembered."""
    known = find(tools, world)
    (world / "app/main.go").write_text("package main\n\nimport (\n")
    inputs = find(tools, world, previous=known)
    assert not inputs.complete
    assert {"ext.go", "a.txt"} <= {Path(path).name for path in take(inputs).files}


def test_no_go_command_is_told_and_all_go_files_are_watched(tools: Tools, world: Path) -> None:
    inputs = find_inputs(find_project(world / "app"), go=world / "no/go", env=tools.env)
    assert not inputs.complete
    assert inputs.problems
    assert inputs.explain(str(world / "app/main.go")).is_input


def test_the_example_with_orchestrions_files(tools: Tools, tmp_path: Path) -> None:
    from conftest import copy_example

    inputs = find_inputs(
        find_project(copy_example("greeter", tmp_path / "greeter")),
        go=tools.go,
        env={**tools.env, "GOENV": "off"},
    )
    found = {str(Path(path).relative_to(tmp_path / "greeter")) for path in take(inputs).files}
    assert inputs.complete
    assert found == {
        "cmd/admin/main.go",
        "cmd/greeter/main.go",
        "go.mod",
        "go.sum",
        "greet/banner.txt",
        "greet/greet.go",
        "greet/suffix_linux.go",
        "greet/suffix_other.go",
        "orchestrion.tool.go",
        "orchestrion.yml",
        "trace/trace.go",
    }


def test_a_project_whose_folder_moved_has_the_same_digest(tools: Tools, world: Path) -> None:
    before = take(find(tools, world, at="ext")).digest
    (world / "moved").mkdir()
    for name in ("ext", "conf", "bin", "app"):
        (world / name).rename(world / "moved" / name)
    assert take(find(tools, world / "moved", at="ext")).digest == before
    assert isinstance(find_project(world / "moved/ext"), Project)
