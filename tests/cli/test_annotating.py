"""`source --annotate` and FILE:LINE name who made a line, in files that Orchestrion made from nothing, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from program import Here, Program
from records import Build, Package, open_store, record

from orchwatchd.models.injection import Attribution, Certainty
from orchwatchd.models.record import AttributedInjection, RunRecord
from orchwatchd.weave import find_injections

LINKS = b'package main\n\nimport (\n\t_ "example.com/one"\n\t_ "example.com/two"\n)\n'
MADE = (
    Attribution("example.com/trace", "example.com/trace:orchestrion.yml[0] span", Certainty.EXACT),
    Attribution(None, None, Certainty.UNKNOWN, unexplained=True),
)


class Linked(Build):
    """A build whose only modified file is the imports that links need."""

    def record(self) -> RunRecord:
        found = super().record()
        (output,) = found.outputs
        injections = find_injections(None, LINKS, synthetic=True)
        file = replace(
            output.files[0],
            path="b001/orchestrion/src/synthetic/link_deps_imports.go",
            synthetic=True,
            original=None,
            original_data=None,
            data=LINKS,
            injections=tuple(AttributedInjection(*one) for one in zip(injections, MADE, strict=True)),
        )
        return replace(found, outputs=(replace(output, files=(file,)),))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    main = Package("app/cmd", spans=1)
    with open_store(tmp_path) as store:
        record(store, Linked(packages=(main,), compiled=(main,)), 1)
    return Here(tmp_path, tmp_path / "state", {}, monkeypatch, capsys)


def test_the_lines_of_a_synthetic_file_have_their_makers(program: Program) -> None:
    lines = program("source", "1", "link_deps_imports.go", "--annotate").out.splitlines()
    assert ["import by example.com/trace:orchestrion.yml[0] span (exact)" in line for line in lines] == [
        *[False] * 3,
        True,
        *[False] * 2,
    ]
    (one,) = program("source", "1", "link_deps_imports.go:5").out.splitlines()
    assert "+ import by no aspect of the configuration (unknown)" in one
    assert one.endswith('_ "example.com/two"')
