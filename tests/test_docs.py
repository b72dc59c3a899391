"""The pages for users agree with the program: fields, commands, layers, versions; no link leads nowhere."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from program import Program

from orchwatchd import __version__
from orchwatchd.cli.main import COMMANDS
from orchwatchd.compare.document import to_jsonable
from orchwatchd.models.comparison import Comparison
from orchwatchd.models.rows import ChangeRow, FileRow, ImportRow, RunRow, StageRow
from orchwatchd.models.run import RunId
from orchwatchd.models.why import WhyPackage, WhyRun

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
# What design.md promises; the page shows these in bold.
PROMISED = {
    "runs": "id status reason kind trigger started_at duration packages compiled unknown_packages instrumented_packages"
    " modified_files injections orchestrion_version go_version git_commit",
    "files": "package path original original_certain nested synthetic recorded_in injections",
    "stages": "path nested package kinds build_id status wall cpu files bytes",
    "imports": "package kind added",
    "diff": "from to complete causes packages.added packages.removed packages.changed packages.unknown"
    " packages.out_of_scope packages.unchanged injections.added injections.removed injections.changed injections.moved"
    " injections.unchanged imports.added imports.removed",
    "status": "state degraded pid project last_run pending_changes paths disk jobs",
}


def _documented(command: str) -> dict[str, bool]:
    """The fields of a section of docs/json.md, and whether each is promised."""
    page = (ROOT / "docs/json.md").read_text()
    section = re.search(rf"^## {command}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/json.md has no section {command}"
    rows = re.findall(r"^\| (\*\*)?`([\w.]+)`(?:\*\*)? \|", section[1], re.MULTILINE)
    return {name: bool(bold) for bold, name in rows}


def _paths(value: object, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix.removesuffix(".")}
    return {path for name, item in value.items() for path in _paths(item, f"{prefix}{name}.")}


@pytest.mark.parametrize("command", PROMISED)
def test_promised_fields_are_in_bold(command):
    assert {name for name, bold in _documented(command).items() if bold} == set(PROMISED[command].split())


@pytest.mark.parametrize(
    ("command", "row"),
    [
        ("runs", RunRow),
        ("files", FileRow),
        ("stages", StageRow),
        ("imports", ImportRow),
        ("history", ChangeRow),
        ("why", WhyPackage),
        ("why-run", WhyRun),
    ],
)
def test_every_field_of_a_row_is_documented(command, row):
    assert set(_documented(command)) == {field.name for field in fields(row)}


def test_every_field_of_a_diff_is_documented():
    said = to_jsonable(Comparison(RunId(1), RunId(2)))
    assert set(_documented("diff")) == _paths(said)


def test_every_field_of_the_status_is_documented(tmp_path):
    said = Program(ROOT / "examples/greeter", tmp_path, dict(os.environ)).json("status")
    assert set(_documented("status")) == set(said)
    assert said["state"] == "stopped"
    assert {"state", "database", "work", "cache", "logs"} <= set(said["paths"])


def test_layers_of_the_page_are_those_that_are_enforced():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    page = (ROOT / "docs/architecture.md").read_text()
    assert "```\n" + "\n".join(layers) + "\n```" in page


def test_readme_names_every_command():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if not re.search(rf"`{name}[` ]", readme)] == []


def test_changelog_begins_with_this_version():
    assert re.search(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == __version__


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    files = [target for target in targets if not target.startswith("http")]
    assert [target for target in files if not (page.parent / target).exists()] == []
