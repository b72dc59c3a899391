"""The benchmarks' smoke form: every row that needs no long build, small, on the greeter's real trees."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT, RawBuild, Tools

ROWS = ["startup", "indexing", "growth", "mixed", "latency", "curves"]


def run_benchmarks(
    tools: Tools, folder: Path, cold: RawBuild, warm: RawBuild, words: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    given = ["--project", str(cold.project), "--folder", str(folder)]
    for name, build in (("cold", cold), ("warm", warm)):
        given += [
            f"--{name}",
            str(build.work),
            f"--{name}-graph",
            str(build.graph),
            f"--{name}-seconds",
            "13",
        ]
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *given, *words],
        cwd=ROOT,
        env=tools.env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.builds
def test_the_smoke_form_measures_every_row_and_says_how_each_stands_to_its_goal(
    tools: Tools, tmp_path: Path, greeter_cold: RawBuild, greeter_warm: RawBuild
) -> None:
    done = run_benchmarks(tools, tmp_path / "bench", greeter_cold, greeter_warm, ["--smoke"])
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stderr.splitlines() if line.startswith("measuring")] == ROWS
    assert "it failed" not in done.stdout
    for row in ("--help", "indexing a cold tree", "changed nothing", "mixed runs", "diff @-1 @", "history"):
        (line, *_) = [line for line in done.stdout.splitlines() if row in line]
        assert line.endswith(("met |", "it) |", "just |", "times) |", "– |")), line


@pytest.mark.builds
def test_a_partial_run_keeps_its_figures_and_leaves_the_page_alone(
    tools: Tools, tmp_path: Path, greeter_cold: RawBuild, greeter_warm: RawBuild
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- results: begin -->\nbefore\n<!-- results: end -->\n")
    words = ["--only", "startup", "--rounds", "3", "--out", str(tmp_path / "out"), "--page", str(page)]
    done = run_benchmarks(tools, tmp_path / "bench", greeter_cold, greeter_warm, words)
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "out").glob("*-part.json")
    figures = json.loads(kept.read_text())
    assert [row["goal_text"] for row in figures["rows"]] == ["≤ 120 ms more"] * 2
    assert all(row["value"] > 0 for row in figures["rows"])
    assert "before" in page.read_text()
