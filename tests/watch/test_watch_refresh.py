"""The inputs themselves change: new imports, embeds, modules, programs; asked of the real Go command."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Tools
from watch_bench import Bench, wait_for, watching

from orchwatchd.inputs import InputSet, find_inputs
from orchwatchd.models.watching import Cause, Rules
from orchwatchd.project import find_project
from orchwatchd.watch import WatchSettings
from orchwatchd.watch.content import RACY_NS, read_state, same_file, shape_of

pytest_plugins = ["watch_fixtures"]

MAIN = "package main\n\nfunc main() {}\n"


@pytest.fixture
def world(fast: Path) -> Path:
    (fast / "app").mkdir()
    (fast / "app/go.mod").write_text("module m.test/app\n\ngo 1.26\n")
    (fast / "app/main.go").write_text(MAIN)
    (fast / "app/words.txt").write_text("words")
    (fast / "ext").mkdir()
    (fast / "ext/go.mod").write_text("module m.test/ext\n\ngo 1.26\n")
    (fast / "ext/ext.go").write_text("package ext\n")
    (fast / "tool").write_text("version 1")
    return fast


def finder(tools: Tools, world: Path) -> Callable[[Rules | None], InputSet]:
    project = find_project(world / "app")
    environment = {**tools.env, "GOENV": "off"}
    return lambda known: find_inputs(
        project,
        go=tools.go,
        env=environment,
        programs=[world / "tool"],
        previous=known if isinstance(known, InputSet) else None,
    )


@pytest.fixture
def app(tools: Tools, world: Path):
    with watching(world / "app", find=finder(tools, world)) as bench:
        bench.build_first()
        yield bench


def change(bench: Bench, path: Path, text: str) -> set[str]:
    """Writes a file and lets the build pass that is due then; returns the names that it was told."""
    path.write_text(text)
    names = bench.names(bench.wait_change(1))
    bench.build()
    bench.changes.clear()
    return names


def test_a_new_requirement_brings_the_module_outside_under_watch(app: Bench, world: Path) -> None:
    (world / "ext/ext.go").write_text("package ext // nobody uses it\n")
    app.assert_quiet()
    gomod = "module m.test/app\n\ngo 1.26\n\nrequire m.test/ext v0.0.0\n\nreplace m.test/ext => ../ext\n"
    change(app, world / "app/go.mod", gomod)
    change(app, world / "app/main.go", 'package main\n\nimport _ "m.test/ext"\n\nfunc main() {}\n')
    assert change(app, world / "ext/ext.go", "package ext // now it is used\n") == {"../ext/ext.go"}
    change(app, world / "app/main.go", MAIN)
    (world / "ext/ext.go").write_text("package ext // and no more\n")
    app.assert_quiet()


def test_a_new_embed_pattern_brings_its_files(app: Bench, world: Path) -> None:
    (world / "app/words.txt").write_text("not embedded yet")
    app.assert_quiet()
    embed = 'package main\n\nimport _ "embed"\n\nfunc main() {}\n\n//go:embed *.txt\nvar words string\n'
    change(app, world / "app/main.go", embed)
    assert change(app, world / "app/words.txt", "embedded") == {"words.txt"}
    change(app, world / "app/main.go", MAIN + "\n// without\n")
    (world / "app/words.txt").write_text("no more")
    app.assert_quiet()


def test_an_edit_of_a_body_asks_nobody(app: Bench, world: Path) -> None:
    """The Go command is asked only when imports, embeds or build constraints may have changed."""
    before = app.watcher.health().counters.refreshes
    change(app, world / "app/main.go", "package main\n\nfunc main() { println() }\n")
    assert app.watcher.health().counters.refreshes == before


def test_a_replaced_program_is_a_change(app: Bench, world: Path) -> None:
    """As an upgrade does it: a new file under the same name."""
    (world / "tool.new").write_text("version 2")
    (world / "tool.new").replace(world / "tool")
    assert app.names(app.wait_change(1)) == {"../tool"}


def test_a_broken_gomod_builds_once_and_is_noted_and_its_mending_too(app: Bench, world: Path) -> None:
    text = (world / "app/go.mod").read_text()
    change(app, world / "app/go.mod", text + "nonsense\n")
    assert "nonsense" in app.watcher.health().notes[0]
    assert change(app, world / "app/main.go", MAIN + "// still watched\n") == {"main.go"}
    change(app, world / "app/go.mod", text)
    assert app.watcher.health().notes == ()
    app.assert_quiet()


def test_a_changed_environment_is_found_by_the_rescan(tools: Tools, world: Path) -> None:
    find = finder(tools, world)
    extras: dict[str, str] = {}

    def with_extras(known: Rules | None) -> Rules:
        from dataclasses import replace

        found = find(known)
        return replace(found, extras={**found.extras, **extras})

    with watching(world / "app", find=with_extras, settings=WatchSettings(rescan=1)) as bench:
        bench.build_first()
        extras["orchestrion"] = "v9"
        found = bench.wait_change(1, deadline=10)
        assert (found.cause, found.files) == (Cause.ENVIRONMENT, ())
        bench.build()
        bench.changes.clear()
        wait_for(lambda: bench.watcher.health().counters.rescans >= 3, "another rescan")
        bench.assert_quiet()


GO = '//go:build linux\n\npackage p\n\nimport "fmt"\n\nvar X = 1\n\nfunc F() { fmt.Println(X) }\n'


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (GO.replace("X = 1", "X = 2"), True),
        (GO + "\n// more\nfunc G() {}\n", True),
        (GO.replace('"fmt"', '"log"'), False),
        (GO.replace("linux", "darwin"), False),
        (GO.replace("package p", "package q"), False),
        (GO.replace("var X", "//go:embed x.txt\nvar X"), False),
        (GO.replace("var X", "\t//go:embed x.txt\nvar X"), False),
        (GO.replace('import "fmt"', 'import (\n\t"fmt"\n\t_ "os"\n)'), False),
        (GO.replace('import "fmt"', '/*\nconst int x;\n*/\nimport "C"\nimport "fmt"'), False),
    ],
)
def test_what_decides_over_other_inputs_is_told_from_the_rest(text: str, same: bool) -> None:
    assert (shape_of("/x/p.go", text.encode()) == shape_of("/x/p.go", GO.encode())) == same


def test_an_import_behind_a_c_preamble_is_seen() -> None:
    """The preamble has lines that look like Go declarations."""
    preamble = 'package p\n\n/*\nconst int x;\n*/\nimport "C"\n\nimport "fmt"\n'
    one, other = preamble.encode(), preamble.replace("fmt", "log").encode()
    assert shape_of("/x/p.go", one) != shape_of("/x/p.go", other)


def test_of_a_module_file_everything_decides_of_a_text_nothing() -> None:
    assert shape_of("/x/go.mod", b"a") != shape_of("/x/go.mod", b"b")
    assert shape_of("/x/orchestrion.yml", b"a") != shape_of("/x/orchestrion.yml", b"b")
    assert shape_of("/x/vendor/modules.txt", b"a") != shape_of("/x/vendor/modules.txt", b"b")
    assert shape_of("/x/words.txt", b"a") == shape_of("/x/words.txt", b"b")


def test_a_file_that_was_read_just_after_it_was_written_is_read_again(fast: Path) -> None:
    """Within one tick of the file system's clock a second write of the same size shows the same times."""
    path = fast / "x.go"
    path.write_text("package a")
    fresh = read_state(str(path))
    assert fresh is not None
    assert fresh.racy
    assert not same_file(fresh, path.stat())
    wait_for(lambda: time.time_ns() - path.stat().st_ctime_ns > RACY_NS, "a tick")
    settled = read_state(str(path))
    assert settled is not None
    assert not settled.racy
    assert same_file(settled, path.stat())
    assert settled.sha256 == fresh.sha256
