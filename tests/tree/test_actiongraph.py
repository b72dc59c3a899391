"""The action graph is read as far as it goes, and proves the end of the Go command only when it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchwatchd.tree.actiongraph import read_graph


def read(folder: Path, text: str) -> Any:
    path = folder / "graph.json"
    path.write_text(text)
    return read_graph(path)


@pytest.mark.builds
def test_a_finished_graph_proves_the_end_and_tells_cached_from_compiled(
    greeter_cold: Any, greeter_warm: Any
) -> None:
    cold, warm = read_graph(greeter_cold.graph), read_graph(greeter_warm.graph)
    assert cold.ended
    assert warm.ended
    assert not cold.tests
    assert all(action.ran for action in cold.of("build") if action.stage and action.cpu)
    assert not any(action.ran for action in warm.of("build"))
    assert {a.build_id for a in cold.of("build")} == {a.build_id for a in warm.of("build")}
    assert cold.root == str(greeter_cold.work)


@pytest.mark.builds
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(share=st.floats(0, 0.99999))
def test_a_cut_graph_gives_its_whole_actions_and_proves_nothing(
    greeter_cold: Any, tmp_path: Path, share: float
) -> None:
    """Fact 11: the graph is written twice. A second writing that was cut bears the proof in its first action, and must not count."""
    whole = read_graph(greeter_cold.graph)
    text = greeter_cold.graph.read_text().rstrip()
    cut = read(tmp_path, text[: int(len(text) * share)])
    assert cut.actions == whole.actions[: len(cut.actions)]
    assert len(cut.actions) < len(whole.actions) or share > 0.99
    assert not cut.ended


@pytest.mark.builds
def test_the_first_writing_names_packages_and_proves_nothing(killed_build: Any) -> None:
    graph = read_graph(killed_build.graph)
    assert {"example.com/greeter/greet", "example.com/greeter/cmd/admin", "fmt"} <= {
        action.package for action in graph.of("build")
    }
    assert not graph.ended
    assert not any(action.action or action.build_id or action.ran for action in graph.actions)


def test_a_graph_of_unknown_shape_never_raises(tmp_path: Path) -> None:
    odd = [
        "",
        "[",
        "null",
        "{}",
        "[1, null, []]",
        '[{"ID": "x", "Mode": 3, "Objdir": [], "Deps": {"a": 1}, "Cmd": [1], "TimeDone": "soon", "CmdUser": "1"}]',
        '[{"ID": 0, "TimeDone": "9999999-01-01T00:00:00Z"}]',
        "[" * 100_000,
        json.dumps([{"ID": 0, "Cmd": ["x"], "TimeDone": "0001-01-01T00:00:00Z"}]),
    ]
    for text in odd:
        assert not read(tmp_path, text).ended
