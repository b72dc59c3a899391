"""The modified files of a real build of the greeter."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RawBuild

from orchwatchd import weave


@pytest.mark.builds
def test_each_directive_of_the_greeter_is_one_injection_and_nothing_else_is(greeter_cold: RawBuild) -> None:
    found = set()
    for path in greeter_cold.work.rglob("orchestrion/src/**/*.go"):
        woven = path.read_bytes()
        original = weave.original_path(woven)
        if original is None:
            assert path.parent.name == "synthetic"
            (one,) = weave.find_injections(None, woven, synthetic=True)
            assert one.text == '"example.com/greeter/trace"'
            continue
        text = Path(original).read_bytes()
        assert weave.explains(text, woven)
        assert weave.added_imports(text, woven) == ("example.com/greeter/trace",)
        found |= {(one.kind.value, one.declaration, one.text) for one in weave.find_injections(text, woven)}
    assert found == {
        ("import", "", '"example.com/greeter/trace"'),
        *(
            ("statements", name, f'{{ example.com/greeter/trace . Enter ( "{name}" ) }}')
            for name in ("Hello", "Reset", "main")
        ),
    }


@pytest.mark.builds
def test_every_line_of_a_real_file_comes_from_the_original_or_from_an_injection(
    greeter_cold: RawBuild,
) -> None:
    (path,) = greeter_cold.work.rglob("orchestrion/src/**/greet.go")
    woven = path.read_bytes()
    text = Path(weave.original_path(woven) or "").read_bytes()
    lines, originals = woven.decode().splitlines(), text.decode().splitlines()
    for one in weave.annotate(text, woven):
        if one.original_line is not None and one.original_line != 4:  # the import became a block
            assert lines[one.line - 1].strip() == originals[one.original_line - 1].strip()
        elif lines[one.line - 1].strip() and not one.mark:
            assert one.injections or lines[one.line - 1] in {"import (", ")", '\t_ "embed"'}
