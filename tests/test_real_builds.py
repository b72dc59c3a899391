"""The fixtures themselves: the builds that everything else is measured against are real."""

from __future__ import annotations

import pytest
from conftest import RawBuild


@pytest.mark.builds
def test_a_cold_build_weaves_and_a_warm_one_only_links(
    greeter_cold: RawBuild, greeter_warm: RawBuild
) -> None:
    """Fact 3: the warm tree is almost empty, although the program is as instrumented as before."""
    assert len(list(greeter_cold.work.rglob("orchestrion/src/**/*.go"))) == 3
    assert len(list(greeter_warm.work.rglob("orchestrion/src/**/*.go"))) == 0
