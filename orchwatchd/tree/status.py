"""How each stage came by its archive, said only where something proves it.

Orchestrion compiles a package once in a build and copies the archive to the other tree that wants it
("never build twice", fact 2). A stage that only received the copy has no `orchestrion` folder, and its
archive came to be after the first one's: the copy is made when the compile has ended. Go leaves no other
trace of it, and CPU time is none: a small package's compile costs as little as a copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchwatchd.models.tree import StageKind, StageStatus
from orchwatchd.tree.actiongraph import Action, ActionGraph
from orchwatchd.tree.programs import LINK_CONFIG, finished_id
from orchwatchd.tree.walk import FoundStage

# Entries that Go makes before it compiles. Nothing else but the archive may be there for the folder's time
# to be the archive's.
_BEFORE_COMPILE = frozenset({"importcfg", "embedcfg", "symabis"})
_COMPILE_BEGAN = _BEFORE_COMPILE | {"_pkg_.a"}


def kinds_of(stage: FoundStage) -> tuple[StageKind, ...]:
    """What was done in a stage, from what lies there: compiling (also when it did not end), linking, or
    neither (`go vet`).
    """
    kinds = []
    if stage.woven or not _COMPILE_BEGAN.isdisjoint(stage.names):
        kinds.append(StageKind.COMPILE)
    if LINK_CONFIG in stage.names:
        kinds.append(StageKind.LINK)
    return tuple(kinds) or (StageKind.OTHER,)


def stage_statuses(
    stages: Iterable[FoundStage], graph: ActionGraph | None, *, in_place: bool
) -> dict[str, StageStatus | None]:
    """The status of every stage by its path, None where nothing tells.

    `in_place` says that the tree is where its build left it: times of a tree that was copied prove nothing.
    """
    ended = graph is not None and graph.ended
    builds = {action.stage: action for action in graph.of("build") if action.stage} if graph else {}
    statuses: dict[str, StageStatus | None] = {}
    same: dict[str, list[FoundStage]] = defaultdict(list)
    for stage in stages:
        build_id = finished_id(stage)
        if build_id is not None:
            same[build_id.action].append(stage)
        else:
            action = None if stage.nested else builds.get(stage.path)
            statuses[stage.path] = _without_archive(stage, action, ended)
    for group in same.values():
        statuses.update(_of_group(group, in_place=in_place))
    return statuses


def _without_archive(stage: FoundStage, action: Action | None, ended: bool) -> StageStatus | None:
    if StageKind.COMPILE in kinds_of(stage):
        # Of a build that was killed nobody knows whether the compile would have failed.
        return StageStatus.FAILED if ended and (action is None or action.build_id is None) else None
    if action is not None:
        return StageStatus.CACHED if ended and action.build_id and not action.ran else None
    # A link without a compile beside it took its main package from the cache.
    return StageStatus.CACHED if LINK_CONFIG in stage.names else None


def _of_group(group: list[FoundStage], *, in_place: bool) -> dict[str, StageStatus | None]:
    """The stages that hold one output: one of them compiled it."""
    if len(group) == 1:
        return {group[0].path: StageStatus.COMPILED}
    compiled = [stage for stage in group if "orchestrion" in stage.names]
    if not compiled and in_place:
        compiled = _first(group)
    if len(compiled) == 1:
        return {
            stage.path: StageStatus.COMPILED if stage is compiled[0] else StageStatus.REUSED
            for stage in group
        }
    return {stage.path: StageStatus.COMPILED if stage in compiled else None for stage in group}


def _first(group: list[FoundStage]) -> list[FoundStage]:
    """The stage whose archive came to be strictly before all others', when the times tell."""
    times = [(_archive_made(stage), stage) for stage in group]
    known = sorted((made, index) for index, (made, _) in enumerate(times) if made is not None)
    if len(known) == len(group) and known[0][0] < known[1][0]:
        return [group[known[0][1]]]
    return []


def _archive_made(stage: FoundStage) -> int | None:
    """When the archive came to be, in nanoseconds: the compiler writes `go_asm.h` with it, and once; else
    it is the folder's last entry.
    """
    if "go_asm.h" in stage.names:
        return stage.names["go_asm.h"]
    return stage.changed_ns if stage.names.keys() <= _COMPILE_BEGAN else None
