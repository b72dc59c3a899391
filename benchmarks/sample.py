"""Real builds to start from: what one cold and one warm tree of a sample told, kept for the next run of the bench."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orchwatchd
from orchwatchd.build import plan_command, plan_log
from orchwatchd.compare.attribution import ATTRIBUTION_VERSION
from orchwatchd.config.load import load
from orchwatchd.config.paths import Paths
from orchwatchd.jobs.index import index_reading
from orchwatchd.jobs.indexing import attributor
from orchwatchd.jobs.preparation import Preparation
from orchwatchd.jobs.sources import FreshSources, manifest
from orchwatchd.models.aspect import ResolvedConfiguration
from orchwatchd.models.record import RunRecord
from orchwatchd.models.run import Documents
from orchwatchd.project import find_project
from orchwatchd.tree import read_tree
from orchwatchd.weave import WEAVE_VERSION


@dataclass(frozen=True)
class Tree:
    """One finished bare build: its work tree, action graph, log and wall seconds (None where it was built before)."""

    work: Path
    graph: Path
    wall: float | None = None


@dataclass(frozen=True)
class Sample:
    """A project that was built cold and warm with bare Orchestrion at one path."""

    project: Path
    cold: Tree
    warm: Tree


@dataclass(frozen=True)
class Base:
    """What a sample's trees told, in the program's own records; `imports` are the own packages that each own package
    imports, `manifest` the inputs of the build.
    """

    module: str
    cold: RunRecord
    warm: RunRecord
    imports: Mapping[str, tuple[str, ...]]
    documents: Documents
    go_version: str
    orchestrion_version: str


def build_sample(project: Path, folder: Path, env: Mapping[str, str]) -> Sample:
    """Builds `project` cold, then warm, as a developer would; `folder` is new and keeps trees and cache."""
    return Sample(
        project,
        bare_build(project, folder / "cold", folder / "cache", env),
        bare_build(project, folder / "warm", folder / "cache", env),
    )


def bare_build(project: Path, folder: Path, cache: Path, env: Mapping[str, str]) -> Tree:
    """One `orchestrion go build -work`, with the flags of which orchwatchd reads the result. Raises on failure."""
    (folder / "tmp").mkdir(parents=True)
    graph = folder / "graph.json"
    argv = ["orchestrion", "go", "build", "-work", f"-debug-actiongraph={graph}", "-o", os.devnull, "./..."]
    began = time.perf_counter()
    subprocess.run(
        argv,
        cwd=project,
        env=build_environment(env, folder, cache),
        check=True,
        capture_output=True,
    )
    wall = time.perf_counter() - began
    (folder / "seconds").write_text(str(wall))
    (work,) = (folder / "tmp").glob("go-build*")
    return kept_tree(work)


def kept_tree(work: Path) -> Tree:
    """What `bare_build` left: a work tree with the files beside it."""
    folder = work.parent.parent
    return Tree(work, folder / "graph.json", float((folder / "seconds").read_text()))


def build_environment(env: Mapping[str, str], folder: Path, cache: Path) -> dict[str, str]:
    """The environment of a bare build whose tree lies below `folder`."""
    return {
        **env,
        "GOCACHE": str(cache),
        "GOTMPDIR": str(folder / "tmp"),
        "ORCHESTRION_LOG_FILE": str(folder / "orchestrion.jsonl"),
        "ORCHESTRION_LOG_LEVEL": "WARN",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def preparation_of(project: Path, env: Mapping[str, str]) -> Preparation:
    """The program's own preparation of a project with default settings."""
    found = find_project(project)
    return Preparation(found, load(None, found.root), env)


def read_base(sample: Sample, env: Mapping[str, str], kept: Path) -> Base:
    """Indexes the sample's trees as the program does; what they told is kept in the file `kept` for the next time."""
    kept = kept.with_name(f"{kept.stem}-{_stamp(sample)}{kept.suffix}")
    if kept.exists():
        known: Base = pickle.loads(kept.read_bytes())
        return known
    preparation = preparation_of(sample.project, env)
    configuration = preparation.configuration()
    sources = FreshSources(preparation, Paths.for_project(sample.project, kept.parent / "state")).before()
    toolchain = preparation.toolchain()
    base = Base(
        module=re.findall(r"^module\s+(\S+)", (sample.project / "go.mod").read_text(), re.MULTILINE)[0],
        cold=_record(sample.cold, configuration),
        warm=_record(sample.warm, configuration),
        imports=_imports(sample.cold.graph),
        documents=_documents(preparation, manifest(sources), kept.parent),
        go_version=toolchain.go_version,
        orchestrion_version=toolchain.orchestrion_version,
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(base))
    return base


def _stamp(sample: Sample) -> str:
    """What tells that a kept base is of these trees and was made by the code as it is now."""
    digest = hashlib.sha256(repr(sample).encode())
    for file in sorted(Path(orchwatchd.__file__).parent.rglob("*.py")):
        if not {"cli", "render", "daemon", "watch", "query", "store"} & set(file.parts):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _record(tree: Tree, configuration: ResolvedConfiguration) -> RunRecord:
    record = index_reading(read_tree(tree.work, tree.graph), attribute=attributor(configuration))
    return replace(record, weave_version=WEAVE_VERSION, attribution_version=ATTRIBUTION_VERSION)


def _imports(graph: Path) -> dict[str, tuple[str, ...]]:
    actions = json.loads(graph.read_text())
    packages = {one["ID"]: one.get("Package", "") for one in actions if one["Mode"] == "build"}
    return {
        one["Package"]: tuple(packages[dep] for dep in one.get("Deps") or () if dep in packages)
        for one in actions
        if one["Mode"] == "build"
    }


def _documents(preparation: Preparation, inputs: str, folder: Path) -> Documents:
    """The texts that a run of the configured build keeps."""
    config = preparation.config
    command = plan_command(
        preparation.project,
        preparation.toolchain(),
        config.build,
        plan_log(
            str(folder / "log.jsonl"), config.log.level, root=preparation.project.root, disabled="DISABLED"
        ),
        env=preparation.env,
        work_parent=folder / "work",
        graph=folder / "graph.json",
        cache=folder / "cache",
    )
    return preparation.documents(command, inputs)
