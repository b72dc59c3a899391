"""A day of builds under tight limits: every limit holds after every run, and every run still answers."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from program import Program

from orchwatchd.store import Store

WHOLE, THIN = 60_000_000, 3_000_000
SETTINGS = f"""
[keep.trees]
keep_last = 3
max_used = "{WHOLE // 1_000_000}MB"
min_free = "0B"
[keep.thin]
keep_last = 40
max_used = "{THIN // 1_000_000}MB"
"""


class Day:
    """A developer's day on the greeter, drawn by a seed: edits, branches, errors, and going back to green."""

    def __init__(self, program: Program, seed: int) -> None:
        self.program = program
        self.draw = random.Random(seed)
        self.file = program.project / "greet/greet.go"
        self.good = self.file.read_text()
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("commit", "-qm", "start")
        self._git("branch", "feature")

    def step(self, number: int) -> None:
        """Changes the project in one way."""
        self.file.write_text(self.good)
        match self.draw.randrange(6):
            case 0:
                self.good += f"\n//greeter:span\nfunc Added{number}() int {{ return {number} }}\n"
                self.file.write_text(self.good)
            case 1:
                self.good = self.good.replace("return ", f"// note {number}\n\treturn ", 1)
                self.file.write_text(self.good)
            case 2:
                self.file.write_text(self.good.replace("return ", "retrun ", 1))
            case 3:
                self.file.write_text(self.good + "\nfunc unfinished() { undefined() }\n")
            case 4:
                self._git("commit", "-qam", f"step {number}", code=None)
                self._git("checkout", "-q", self.draw.choice(["main", "feature"]))
                self.good = self.file.read_text()
            case _:
                (self.program.project / "greet/banner.txt").write_text(f"== {number} ==\n")

    def _git(self, *words: str, code: int | None = 0) -> None:
        name = ("-c", "user.name=day", "-c", "user.email=day@example.com")
        done = subprocess.run(
            ["git", *name, *words], cwd=self.program.project, capture_output=True, text=True, check=False
        )
        assert code is None or done.returncode == code, done.stderr


def spend(program: Program, runs: int, seed: int = 1) -> None:
    (program.project / "orchwatchd.toml").write_text(SETTINGS)
    day = Day(program, seed)
    for number in range(runs):
        day.step(number)
        program("build", code=None)
        disk = program.json("status")["disk"]
        assert disk["work"] <= WHOLE + THIN, f"after step {number}"
        assert disk["trash"] == 0
    answer_all(program)


def answer_all(program: Program) -> None:
    """Every run answers, and the history is whole."""
    rows = program.json("runs")
    assert {row["status"] for row in rows} == {"ok", "failed"}
    for row in rows:
        run = str(row["id"])
        files = program.json("files", run)
        assert len([file for file in files if file["member"]]) == row["modified_files"]
        for file in files[:1]:
            assert program("source", run, file["path"]).out
        if row["id"] > 1:
            found = program("diff", str(row["id"] - 1), run, "--json").json
            assert (found["from"], found["to"]) == (row["id"] - 1, row["id"])
            if row["status"] == "failed":
                assert not found["complete"]
                assert found["injections"]["removed"] == []
    with Store.open(Path(program.json("status")["paths"]["database"])) as store:
        assert store.check() == ()


@pytest.mark.builds
def test_an_hour_of_builds_stays_under_its_limits(greeter: Program) -> None:
    spend(greeter, 10, seed=3)


@pytest.mark.long
def test_a_day_of_two_hundred_builds_stays_under_its_limits(greeter: Program) -> None:
    spend(greeter, 200)
