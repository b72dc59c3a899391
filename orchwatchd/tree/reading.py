"""Puts together what one work tree and its action graph tell."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.tree import (
    GraphPackage,
    ImportChange,
    ImportKind,
    Stage,
    StageKind,
    StageStatus,
    TreeReading,
)
from orchwatchd.tree.actiongraph import ActionGraph, read_graph
from orchwatchd.tree.naming import graph_names, name_stages
from orchwatchd.tree.programs import LINK_CONFIG, ArchiveIds, read_config, read_programs
from orchwatchd.tree.status import kinds_of, stage_statuses
from orchwatchd.tree.variants import package_names
from orchwatchd.tree.walk import FoundStage, walk_tree
from orchwatchd.tree.woven import read_woven


def read_tree(work: Path, graph: Path | None = None) -> TreeReading:
    """Reads the work tree `work` with all nested ones, and the action graph of its build where there is
    one.

    Archives are not read beyond their build id and `link.deps`. Input that is missing, odd or broken never
    raises: each such thing is a sentence in the reading's `problems`.
    """
    problems: list[str] = []
    actions = _graph(graph, problems)
    walk = walk_tree(work)
    problems.extend(walk.problems)
    ids = ArchiveIds({stage.path: stage for stage in walk.stages})
    names = graph_names(actions)
    programs = read_programs(actions, ids, names.of_member, problems)
    named = name_stages(names, programs, ids, problems)
    in_place = actions is not None and actions.root == os.fspath(work.absolute())
    statuses = stage_statuses(walk.stages, actions, in_place=in_place)
    costs = _costs(actions)
    return TreeReading(
        stages=tuple(
            _stage(stage, named.get(stage.path), statuses[stage.path], costs) for stage in walk.stages
        ),
        woven=tuple(file for stage in walk.stages for file in read_woven(work, stage, problems)),
        imports=tuple(change for stage in walk.stages for change in _imports(stage, problems)),
        programs=programs,
        packages=_packages(actions),
        has_graph=actions is not None,
        go_ended=actions is not None and actions.ended,
        problems=tuple(dict.fromkeys(problems)),
    )


def _graph(path: Path | None, problems: list[str]) -> ActionGraph | None:
    if path is None:
        return None
    try:
        graph = read_graph(path)
    except OSError as error:
        problems.append(f"The action graph could not be read: {error.strerror or error}.")
        return None
    if not graph.complete:
        problems.append("The action graph was cut off: the build did not come to its end.")
    return graph if graph.actions else None


def _stage(
    stage: FoundStage,
    name: PackageName | None,
    status: StageStatus | None,
    costs: dict[str, tuple[float, float]],
) -> Stage:
    kinds = kinds_of(stage)
    build_id = stage.archive.build_id if stage.archive else None
    wall, cpu = costs.get(stage.path, (None, None))
    return Stage(
        path=stage.path,
        nested=stage.nested,
        package=name,
        kinds=kinds,
        build_id=build_id,
        status=status,
        wall=wall,
        cpu=cpu,
        files=stage.files,
        bytes=stage.bytes,
        woven=bool(stage.woven),
        attempt=StageKind.COMPILE in kinds and (build_id is None or build_id.content is None),
    )


def _costs(graph: ActionGraph | None) -> dict[str, tuple[float, float]]:
    """Wall and CPU seconds of each root stage in which a command ran; C files compile side by side, so
    their times are merged.
    """
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    cpu: dict[str, float] = defaultdict(float)
    for action in graph.actions if graph else ():
        if (
            action.stage
            and action.ran
            and not action.mode.startswith("test ")
            and action.start is not None
            and action.done is not None
        ):
            spans[action.stage].append((action.start, action.done))
            cpu[action.stage] += action.cpu
    return {stage: (_covered(times), cpu[stage]) for stage, times in spans.items()}


def _covered(spans: list[tuple[float, float]]) -> float:
    total, until = 0.0, float("-inf")
    for start, done in sorted(spans):
        total += max(0.0, done - max(start, until))
        until = max(until, done)
    return total


def _imports(stage: FoundStage, problems: list[str]) -> list[ImportChange]:
    changes = [
        ImportChange(stage.path, kind, added)
        for kind, name in ((ImportKind.IMPORTCFG, "importcfg"), (ImportKind.IMPORTCFG_LINK, LINK_CONFIG))
        if f"{name}.original" in stage.names and (added := _added(stage, name, problems))
    ]
    if stage.archive and stage.archive.link_deps:
        changes.append(ImportChange(stage.path, ImportKind.LINK_DEPS, stage.archive.link_deps))
    return changes


def _added(stage: FoundStage, name: str, problems: list[str]) -> tuple[str, ...]:
    now = read_config(stage, name, problems)
    before = read_config(stage, f"{name}.original", problems)
    if now is None or before is None:
        return ()
    return tuple(sorted(now.archives.keys() - before.archives.keys()))


def _packages(graph: ActionGraph | None) -> tuple[GraphPackage, ...]:
    if graph is None:
        return ()
    names = package_names(graph)
    # Where cgo ran and the compile was not reached, all dependencies were there: cgo itself failed.
    cgo = {action.stage for action in graph.actions if action.ran and action.mode.startswith("cgo ")}
    return tuple(
        GraphPackage(
            package=names[action.id],
            action=action.action,
            build_id=BuildId.parse(action.build_id) if action.build_id else None,
            cached=graph.ended and action.build_id is not None and not action.ran,
            needed=action.needed,
            stage=action.stage,
            failed=graph.ended
            and action.build_id is None
            and action.needed
            and (action.action is not None or action.stage in cgo),
            dependencies=tuple(sorted({names[dep] for dep in action.deps if dep in names})),
        )
        for action in graph.of("build")
    )
