"""The configuration is read as Orchestrion reads it, and whatever cannot be read is a sentence, never a trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from conftest import EXAMPLES, Tools

from orchwatchd.aspects import from_json, resolve, to_json
from orchwatchd.aspects.locate import GoLocator
from orchwatchd.models.aspect import AspectKey, PackageLocation, ResolvedConfiguration

KNOWN = Path(__file__).parents[1] / "data" / "aspects"


@pytest.fixture
def resolved(tools: Tools) -> Callable[[Path], ResolvedConfiguration]:
    return lambda root: resolve(root, locate=GoLocator(root, tools.go, tools.env))


def nothing(names: Sequence[str]) -> Mapping[str, PackageLocation]:
    return {name: PackageLocation(name, None, error="no required module provides it") for name in names}


def project(root: Path, **files: str) -> Path:
    (root / "go.mod").write_text("module example.com/p\n\ngo 1.26.0\n")
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


ONE = """
meta: {name: one, description: one}
aspects:
  - id: %s
    join-point: {import-path: example.com/p}
    advice: [{add-blank-import: unsafe}]
"""


def test_aspects_stand_in_the_order_in_which_orchestrion_applies_them(resolved):
    """Given tool files that import each other in a ring, an `extends` of a file and one of a folder."""
    found = resolved(KNOWN)

    files = list(dict.fromkeys((a.key.package, a.key.file) for a in found.aspects))
    assert files == [
        ("example.com/aspects/ring/two", "orchestrion.yml"),
        ("github.com/DataDog/orchestrion", "<built-in>"),
        ("example.com/aspects", "config/more.yml"),
        ("example.com/aspects/config/folder", "orchestrion.yml"),
        ("example.com/aspects", "orchestrion.yml"),
    ]
    assert not found.problems
    assert found.root == "example.com/aspects"


def test_ids_used_twice_are_aspects_of_their_own(resolved):
    keys = [a.key for a in resolved(KNOWN).aspects if a.key.id == "entry"]

    assert keys == [
        AspectKey("example.com/aspects", "config/more.yml", 3, "entry"),
        AspectKey("example.com/aspects", "config/more.yml", 4, "entry"),
        AspectKey("example.com/aspects", "orchestrion.yml", 0, "entry"),
    ]
    assert [AspectKey.parse(str(key)) for key in keys] == keys


def test_integrations_have_modules_versions_and_who_imports_them(resolved):
    found = {one.package: one for one in resolved(EXAMPLES / "shop").integrations}

    slog = found["github.com/DataDog/dd-trace-go/contrib/log/slog/v2"]
    assert (slog.version, slog.imported_by) == ("v2.12.0", ("example.com/shop",))
    assert found["github.com/DataDog/orchestrion"].version == "v1.15.0"
    assert found["example.com/shop"].version is None


def test_an_extended_file_of_another_folder_belongs_to_the_package_that_extends_it(resolved):
    found = resolved(EXAMPLES / "shop")

    gls = [a.key for a in found.aspects if a.key.id == "goexit1"]
    assert gls == [
        AspectKey(
            "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer",
            "../../internal/orchestrion/gls.orchestrion.yml",
            1,
            "goexit1",
        )
    ]
    assert any(file.path.endswith("internal/orchestrion/gls.orchestrion.yml") for file in found.files)


def test_files_that_do_not_exist_but_would_count_are_listed(resolved):
    """The watcher has to know that an orchestrion.yml beside go.mod would change the configuration."""
    files = {Path(file.path).name: file for file in resolved(EXAMPLES / "shop").files if "shop" in file.path}

    assert files["orchestrion.yml"].sha256 is None
    assert files["orchestrion.tool.go"].sha256


def test_resolving_edits_nothing_even_where_goflags_asks_for_it(tools, tmp_path):
    root = tmp_path / "p"
    shutil.copytree(KNOWN, root)
    gomod = root / "go.mod"
    gomod.write_text(gomod.read_text() + "\n// untidy\nrequire (\n)\n")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    env = {**tools.env, "GOFLAGS": "-mod=mod"}
    resolve(root, locate=GoLocator(root, tools.go, env))

    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_package_that_no_module_provides_is_a_problem_and_the_rest_is_read(tmp_path, resolved):
    root = project(tmp_path, orchestrion_yml=ONE % "here")
    (root / "orchestrion.tool.go").write_text('package tools\nimport _ "example.com/absent"\n')

    found = resolved(root)

    assert [problem.file for problem in found.problems] == ["example.com/absent"]
    assert "\n" not in found.problems[0].text
    assert [aspect.key.id for aspect in found.aspects] == ["here"]
    assert not found.complete


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("aspects: [", "not valid YAML"),
        ("- a\n- b\n", "the top level is no mapping"),
        ("", "the top level is no mapping"),
        ("\x00", "not valid YAML"),
        ("aspects: [{id: x}]", "aspect 0: it needs the keys join-point and advice"),
        ("aspects: [{id: x, join-point: {}, advice: []}]", "aspect 0: a join point must be a mapping"),
        ("aspects: [{id: x, join-point: {not: 3}, advice: []}]", "aspect 0: a join point must be a mapping"),
        ("extends: [./gone.yml]", "the file cannot be read"),
        ("extends: [./folder]", "extends './folder'"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(tmp_path, text, said):
    root = project(tmp_path, orchestrion_yml=text, folder__x="")

    found = resolve(root, locate=nothing)

    (problem,) = found.problems
    assert said in problem.text
    assert problem.file.startswith(str(root))


def test_words_that_yaml_1_1_takes_for_other_things_stay_words(tmp_path):
    """Orchestrion's YAML library reads `on`, `12:30` and dates as text."""
    root = project(tmp_path, orchestrion_yml="".join([ONE % "on", ONE.split("aspects:")[1] % "12:30"]))

    assert [a.key.id for a in resolve(root, locate=nothing).aspects] == ["on", "12:30"]


def test_unknown_kinds_of_a_newer_version_are_kept(tmp_path):
    text = "aspects: [{id: x, join-point: {new-kind: {a: 1}}, advice: [{new-advice: [b]}]}]"

    (aspect,) = resolve(project(tmp_path, orchestrion_yml=text), locate=nothing).aspects

    assert (aspect.join_point.kind, aspect.join_point.value) == ("new-kind", '{"a": "1"}')
    assert (aspect.advice[0].kind, aspect.advice[0].value) == ("new-advice", '["b"]')


def test_files_that_extend_each_other_end(tmp_path):
    root = project(
        tmp_path,
        orchestrion_yml="extends: [./b.yml]\n" + ONE % "a",
        b_yml="extends: [./orchestrion.yml]\n" + ONE % "b",
    )

    assert [a.key.id for a in resolve(root, locate=nothing).aspects] == ["b", "a"]


def test_the_document_is_read_back_and_equal_configurations_give_equal_texts(resolved):
    one, two = resolved(KNOWN), resolved(KNOWN)

    assert to_json(one) == to_json(two)
    assert from_json(to_json(one)) == one


def test_a_go_command_that_is_missing_is_a_problem(tmp_path):
    root = project(tmp_path, orchestrion_yml=ONE % "a")
    (root / "orchestrion.tool.go").write_text('package tools\nimport _ "example.com/x"\n')

    found = resolve(root, locate=GoLocator(root, tmp_path / "no-such-go"))

    assert [p.file for p in found.problems] == ["example.com/x"]
