"""The programs of the root build and the packages they are linked from, with the build id of each archive
(fact 12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName
from orchwatchd.models.tree import Member, Program
from orchwatchd.tree.actiongraph import Action, ActionGraph
from orchwatchd.tree.archive import read_build_id, read_link_action
from orchwatchd.tree.importcfg import ImportConfig, cache_digest, read_importcfg, stage_of
from orchwatchd.tree.walk import FoundStage

LINK_CONFIG = "importcfg.link"
NameOf = Callable[[str, str | None, BuildId | None], PackageName]


@dataclass(slots=True)
class ArchiveIds:
    """Build ids by archive path: a stage of the tree, a file of the Go cache, or a stage with the digest
    that a lost cache file had.
    """

    stages: dict[str, FoundStage]
    _cache: dict[str, BuildId | None] = field(default_factory=dict)
    _digests: dict[str, BuildId] | None = None

    def of(self, archive: str) -> BuildId | None:
        """The id of a finished archive; None when it is gone, unfinished or no archive."""
        stage = stage_of(archive)
        if stage is not None:
            return finished_id(self.stages.get(stage))
        if archive not in self._cache:
            self._cache[archive] = self._read(archive)
        return self._cache[archive]

    def _read(self, archive: str) -> BuildId | None:
        try:
            found = read_build_id(archive)
        except (OSError, ValueError):
            found = None
        if found is not None and found.content is not None:
            return found
        digest = cache_digest(archive)
        return self._by_digest().get(digest) if digest else None

    def _by_digest(self) -> dict[str, BuildId]:
        # Only a tree without its cache comes here: hashing the bodies of all stages takes a second or so.
        if self._digests is None:
            self._digests = {}
            for stage in self.stages.values():
                build_id = finished_id(stage)
                if build_id is not None and (digest := _sha256(f"{stage.location}/_pkg_.a")):
                    self._digests[digest] = build_id
        return self._digests


def finished_id(stage: FoundStage | None) -> BuildId | None:
    """The build id of a stage whose archive is finished, else None."""
    found = stage.archive.build_id if stage and stage.archive else None
    return found if found and found.content else None


def _sha256(path: str) -> str | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  a plain string of a hot loop
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def read_config(stage: FoundStage, name: str, problems: list[str]) -> ImportConfig | None:
    """An import configuration of a stage, None when it has none or it cannot be read (said in `problems`)."""
    if name not in stage.names:
        return None
    try:
        return read_importcfg(f"{stage.location}/{name}")
    except OSError as error:
        problems.append(f"{stage.path}/{name} could not be read: {error.strerror or error}.")
        return None


def read_programs(
    graph: ActionGraph | None,
    ids: ArchiveIds,
    name_of: NameOf,
    problems: list[str],
) -> tuple[Program, ...]:
    """All programs of the root build: the links of its graph; without one, what has an `importcfg.link` in
    the root tree.

    `name_of(path, stage, build_id)` names a member. What cannot be read becomes a sentence in `problems`.
    """
    if graph is not None and graph.actions:
        return tuple(_of_link(link, graph.ended, ids, name_of, problems) for link in graph.of("link"))
    return tuple(
        _of_stage(stage, ids, name_of, problems)
        for stage in ids.stages.values()
        if not stage.nested and LINK_CONFIG in stage.names
    )


def _of_link(
    link: Action,
    ended: bool,
    ids: ArchiveIds,
    name_of: NameOf,
    problems: list[str],
) -> Program:
    stage = ids.stages.get(link.stage or "")
    config = read_config(stage, LINK_CONFIG, problems) if stage else None
    members, unresolved = _members(config, ids, name_of)
    return Program(
        package=PackageName(link.package),
        action=link.action,
        members=members,
        original_members=_original(stage, problems),
        linked=link.build_id is not None,
        unresolved=unresolved,
        # A test whose result is cached is not linked at all: only a link that ran can have failed.
        failed=ended and link.ran and link.build_id is None,
    )


def _of_stage(
    stage: FoundStage,
    ids: ArchiveIds,
    name_of: NameOf,
    problems: list[str],
) -> Program:
    config = read_config(stage, LINK_CONFIG, problems)
    package = PackageName(main_path(stage, config) or f"unknown program of {stage.path}")

    def name_in_test(path: str, of: str | None, build_id: BuildId | None) -> PackageName:
        return _in_test(package.path, config, path) or name_of(path, of, build_id)

    members, unresolved = _members(config, ids, name_in_test)
    action = next((found for path in _executables(stage) if (found := _link_action(path))), None)
    return Program(
        package=package,
        action=action,
        members=members,
        original_members=_original(stage, problems),
        linked=action is not None,
        unresolved=unresolved,
    )


def _in_test(main: str, config: ImportConfig | None, path: str) -> PackageName | None:
    """The name of a package of the test main `x.test`, without an action graph. `x_test` is always compiled for it;
    `x`, and what of its module imports `x`, only where `x` has test files, which nothing tells here.
    """
    tested = main.removesuffix(".test")
    if main in (tested, path):
        return None
    if path == f"{tested}_test":
        return PackageName(path, main)
    module = config.module if config else None
    in_module = module is not None and f"{path}/".startswith(f"{module}/")
    return PackageName(path, UNKNOWN_VARIANT) if in_module or path == tested else None


def main_path(stage: FoundStage, config: ImportConfig | None) -> str | None:
    """The import path of a program: what `modinfo` says, else the member whose archive is of the link's own
    stage.
    """
    if config is None:
        return None
    own = (path for path, archive in config.archives.items() if stage_of(archive) == stage.path)
    return config.main or next(own, None)


def _executables(stage: FoundStage) -> Iterable[str]:
    if "exe" in stage.names:
        yield f"{stage.location}/exe/a.out"
    yield from (f"{stage.location}/{name}" for name in stage.names if name.endswith(".test"))


def _link_action(path: str) -> str | None:
    try:
        return read_link_action(path)
    except OSError:
        return None


def _members(
    config: ImportConfig | None,
    ids: ArchiveIds,
    name_of: NameOf,
) -> tuple[tuple[Member, ...], tuple[PackageName, ...]]:
    members, unresolved = [], []
    for path, archive in sorted(config.archives.items()) if config else ():
        build_id = ids.of(archive)
        name = name_of(path, stage_of(archive), build_id)
        if build_id is None:
            unresolved.append(name)
        else:
            members.append(Member(name, build_id))
    return tuple(members), tuple(unresolved)


def _original(stage: FoundStage | None, problems: list[str]) -> tuple[str, ...] | None:
    if stage is None:
        return None
    before = read_config(stage, f"{LINK_CONFIG}.original", problems)
    return tuple(sorted(before.archives)) if before else None
