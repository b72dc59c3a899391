"""Import paths of stages and members, from the surest source to the last (`Killed builds` in the project's
research notes).

In this order: the action graph, an import configuration that names the stage, the build id of a linked
archive, the path under `orchestrion/src`. What none of them names stays without a name; a later run may
bring it, by action id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName
from orchwatchd.models.tree import Program
from orchwatchd.tree.actiongraph import ActionGraph
from orchwatchd.tree.importcfg import stage_of
from orchwatchd.tree.programs import LINK_CONFIG, ArchiveIds, finished_id, main_path, read_config
from orchwatchd.tree.variants import package_names
from orchwatchd.tree.walk import FoundStage
from orchwatchd.tree.woven import source_package


@dataclass(slots=True)
class Names:
    """What the action graph names, by stage and by action id."""

    by_stage: dict[str, PackageName] = field(default_factory=dict)
    by_action: dict[str, PackageName] = field(default_factory=dict)
    tests: bool = False

    def of_member(self, path: str, stage: str | None, build_id: BuildId | None) -> PackageName:
        """The name of a member that an import configuration lists as `path`: configurations know no
        variants, the graph does.
        """
        if stage in self.by_stage and self.by_stage[stage].path == path:
            return self.by_stage[stage]
        if build_id is not None and build_id.action in self.by_action:
            return self.by_action[build_id.action]
        return self._outside_graph(path)

    def _outside_graph(self, path: str) -> PackageName:
        # What only child builds compile can be a variant, too, where it uses a package under test.
        known = [name for name in self.by_action.values() if name.path == path] if self.tests else []
        return PackageName(path, UNKNOWN_VARIANT if known else "")


def graph_names(graph: ActionGraph | None) -> Names:
    """The names that an action graph gives; none without one."""
    names = Names()
    if graph is None:
        return names
    by_id = package_names(graph)
    names.tests = graph.tests
    for action in graph.of("build"):
        if action.stage:
            names.by_stage[action.stage] = by_id[action.id]
        if action.action:
            names.by_action[action.action] = by_id[action.id]
    return names


def name_stages(
    names: Names,
    programs: tuple[Program, ...],
    ids: ArchiveIds,
    problems: list[str],
) -> dict[str, PackageName]:
    """The names of all stages that something names, by stage path."""
    linked = {member.build_id.action: member.package for program in programs for member in program.members}
    found: dict[str, PackageName] = {}
    unnamed: list[FoundStage] = []
    for stage in ids.stages.values():
        build_id = finished_id(stage)
        if not stage.nested and stage.path in names.by_stage:
            found[stage.path] = names.by_stage[stage.path]
        elif build_id is not None and build_id.action in linked:
            found[stage.path] = linked[build_id.action]
        elif _compiles(stage):
            unnamed.append(stage)
        elif LINK_CONFIG in stage.names and (
            main := main_path(stage, read_config(stage, LINK_CONFIG, problems))
        ):
            found[stage.path] = names.of_member(main, None, None)
    if unnamed:
        found.update(_by_configurations(unnamed, names, ids, problems))
    for stage in unnamed:
        if stage.path not in found and (path := _woven_path(stage)):
            found[stage.path] = names.of_member(path, None, finished_id(stage))
    return found


def _compiles(stage: FoundStage) -> bool:
    return "_pkg_.a" in stage.names or bool(stage.woven)


def _by_configurations(
    unnamed: list[FoundStage], names: Names, ids: ArchiveIds, problems: list[str]
) -> dict[str, PackageName]:
    """Names from all import configurations of the tree: by the stage they list, else by the id of the
    archive in the Go cache.
    """
    wanted = {stage.path: finished_id(stage) for stage in unnamed}
    listed: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for stage in ids.stages.values():
        config = read_config(stage, "importcfg", problems)
        for path, archive in config.archives.items() if config else ():
            of = stage_of(archive)
            if of is None:
                elsewhere[archive] = path
            elif of in wanted:
                listed[of] = path
    found = {stage: names.of_member(path, None, wanted[stage]) for stage, path in listed.items()}
    open_actions = {
        build_id.action: stage for stage, build_id in wanted.items() if build_id and stage not in found
    }
    for archive, path in elsewhere.items() if open_actions else ():
        build_id = ids.of(archive)
        stage_path = open_actions.get(build_id.action) if build_id else None
        if stage_path is not None:
            found[stage_path] = names.of_member(path, None, build_id)
    return found


def _woven_path(stage: FoundStage) -> str | None:
    """The package of a woven stage; every command is `main` (fact 5), which names none."""
    packages = {source_package(file.path) for file in stage.woven} - {"main", "synthetic", None}
    return next(iter(packages)) if len(packages) == 1 else None
