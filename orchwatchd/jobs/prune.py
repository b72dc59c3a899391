"""Carries out a prune: weighs what is used, does what `retention.plan_prune` decided, finishes what a crash cut off.

Every removal of a tree is marked in the history before the first byte goes, so that no half tree is listed as whole:
thinning marks the tree thin without a size and adds the size when done; dropping marks it pruned, renames it into the
trash, and empties that. What is left of either is seen by the next `survey` and finished by the next plan.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from orchwatchd.config.paths import Paths
from orchwatchd.jobs.deletion import RefusedError, measure_tree, move_to_trash, remove_tree, trashed_name
from orchwatchd.jobs.gocache import cache_files, cached_actions, trim_cache
from orchwatchd.jobs.thin import measure_heavy, thin_tree
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import (
    DiskUse,
    PruneAction,
    PrunePlan,
    PruneReport,
    PruneStep,
    RunUse,
    Usage,
)


class PruneStore(Protocol):
    """What a prune needs of the history; each call is one durable transaction."""

    def run_uses(self) -> Sequence[RunUse]:
        """Every run; `tree_bytes` as last set by `set_work_state`."""
        ...

    def database_bytes(self) -> int:
        """What the database takes, free pages left out."""
        ...

    def set_work_state(self, run: RunId, state: WorkState, size: int | None = None) -> None:
        """What is left of a run's work tree, and its bytes on disk; a thin tree without a size is not done."""
        ...

    def drop_logs(self, runs: Collection[RunId]) -> object:
        """Forgets the log lines of runs, and that they had any stays."""
        ...

    def forget_runs(self, runs: Collection[RunId], *, cached: Callable[[str], bool]) -> object:
        """Forgets runs, and outputs that no run points at unless `cached` says that their archive is there."""
        ...


def survey(store: PruneStore, paths: Paths, *, private_cache: bool = True) -> Usage:
    """Measures what everything takes now; reads only. Trees of running runs are not walked."""
    lost: list[RunId] = []
    problems: list[str] = []
    uses, database = store.run_uses(), store.database_bytes()
    # What a run shares with others goes when the last of them goes: on average, forgetting one run of n frees an nth
    # of the database. Its own rows alone would be far too little, and far too many runs would be forgotten at once.
    share = database // max(1, len(uses))
    runs = tuple(
        replace(_measured(item, paths, lost, problems), row_bytes=max(item.row_bytes, share)) for item in uses
    )
    disk = shutil.disk_usage(_existing(paths.work))
    cache = sum(file.bytes for file in cache_files(paths.cache)) if private_cache else None
    return Usage(
        runs=runs,
        disk=DiskUse(disk.total, disk.free),
        database_bytes=database,
        cache_bytes=cache,
        trash_bytes=sum(_trash_bytes(paths.trash, problems)),
        lost=tuple(lost),
        problems=tuple(problems),
    )


def apply_prune(
    plan: PrunePlan,
    store: PruneStore,
    paths: Paths,
    *,
    caches: Sequence[Path] | None = None,
    done: Callable[[PruneAction], None] = lambda _action: None,
) -> PruneReport:
    """Does what the plan says, in its order; a tree that is not as it should be is left and reported.

    `caches` are the Go caches that runs were built with (default: the private one): an output stays as long as one
    of them holds its archive. `done` is told each action when it is done. Raises what the store raises.
    """
    caches = (paths.cache,) if caches is None else caches
    finished: list[PruneAction] = []
    held: list[str] = []
    kept_trees: set[RunId] = set()
    # Space comes back before the history needs any: on a full disk it could not even note that runs are forgotten.
    order = [action for action in plan.actions if action.step not in (PruneStep.LOG, PruneStep.ROWS)]
    for action in order:
        try:
            freed = _act(action, store, paths)
        except RefusedError as error:
            held.append(str(error))
            if action.run is not None:
                kept_trees.add(action.run)
            continue
        finished.append(replace(action, bytes=freed))
        done(finished[-1])
    held += _empty_trash(paths.trash)[1]
    logs = [action for action in plan.actions if action.step is PruneStep.LOG]
    rows = [
        action for action in plan.actions if action.step is PruneStep.ROWS and action.run not in kept_trees
    ]
    if logs:
        store.drop_logs([action.run for action in logs if action.run is not None])
    if rows:
        cached = frozenset[str]().union(*map(cached_actions, caches))
        store.forget_runs(
            [action.run for action in rows if action.run is not None], cached=cached.__contains__
        )
    for action in logs + rows:
        finished.append(action)
        done(action)
    return PruneReport(tuple(finished), tuple(dict.fromkeys(held)))


def mark_lost(use: Usage, store: PruneStore) -> None:
    """Notes the trees that someone else removed, so that they are listed as lost and not as kept."""
    for run in use.lost:
        store.set_work_state(run, WorkState.LOST, 0)


def run_folder(paths: Paths, run: RunId) -> Path:
    """The folder in which a run's work tree lies: its GOTMPDIR."""
    return paths.work / f"run-{run}"


def _act(action: PruneAction, store: PruneStore, paths: Paths) -> int:
    """Does one action on the file system and returns the bytes that it freed."""
    if action.step is PruneStep.TRASH:
        freed, held = _empty_trash(paths.trash)
        if held:
            raise RefusedError(held[0])
        return freed
    if action.step is PruneStep.CACHE:
        return trim_cache(paths.cache, action.bytes)
    if action.run is None:
        raise ValueError(f"a {action.step} action without a run")
    folder = run_folder(paths, action.run)
    if action.step is PruneStep.THIN:
        store.set_work_state(action.run, WorkState.THIN, None)
        thinned = thin_tree(folder.parent, folder.name)
        store.set_work_state(action.run, WorkState.THIN, thinned.bytes - thinned.removed_bytes)
        return thinned.removed_bytes
    store.set_work_state(action.run, WorkState.PRUNED, 0)
    if not folder.is_symlink() and not folder.exists():
        return 0
    gone = move_to_trash(folder, paths.trash)
    return remove_tree(gone.parent, gone.name).removed_bytes


def _measured(item: RunUse, paths: Paths, lost: list[RunId], problems: list[str]) -> RunUse:
    """A run's use with what its tree really takes; only trees that its record names as ours are looked at."""
    folder = run_folder(paths, item.run)
    if item.status is RunStatus.RUNNING:
        return replace(item, tree_bytes=item.tree_bytes or 0, heavy_bytes=0)
    if item.work is WorkState.NONE and item.work_parent == str(folder) and os.path.lexists(folder):
        item = replace(item, work=WorkState.KEPT)  # a build that was killed before it named its tree left one
    if item.work in (WorkState.NONE, WorkState.LOST):
        return replace(item, tree_bytes=0, heavy_bytes=0)
    if item.work_parent and Path(item.work_parent) != folder:
        return replace(item, work=WorkState.NONE, tree_bytes=0, heavy_bytes=0)  # an adopted tree is not ours
    if not os.path.lexists(folder):
        if item.work is not WorkState.PRUNED:
            lost.append(item.run)
        # A tree that is gone before it was indexed is nothing that could still be kept for indexing.
        work = WorkState.PRUNED if item.work is WorkState.PRUNED else WorkState.LOST
        return replace(item, work=work, tree_bytes=0, heavy_bytes=0)
    if item.work is WorkState.THIN and item.tree_bytes is not None:
        return replace(item, heavy_bytes=0)
    try:
        size, heavy = measure_heavy(folder.parent, folder.name)
    except RefusedError as error:
        problems.append(str(error))
        return replace(item, tree_bytes=item.tree_bytes or 0, heavy_bytes=0)
    # Thinning that was cut off before its last step still has to be noted, even when nothing heavy is left.
    unfinished = item.work is WorkState.THIN
    return replace(item, tree_bytes=size, heavy_bytes=max(heavy, 1) if unfinished else heavy)


def _trash_bytes(trash: Path, problems: list[str]) -> Iterator[int]:
    for name in _trashed(trash):
        try:
            # An empty folder has no bytes on some file systems; it is to be removed all the same.
            yield max(1, measure_tree(trash, name).bytes)
        except RefusedError as error:
            problems.append(str(error))


def _empty_trash(trash: Path) -> tuple[int, list[str]]:
    """Removes what was renamed into the trash; returns the bytes freed and what had to be left, with reasons."""
    freed, held = 0, []
    for name in _trashed(trash):
        try:
            freed += remove_tree(trash, name).removed_bytes
        except RefusedError as error:
            held.append(str(error))
    return freed, held


def _trashed(trash: Path) -> list[str]:
    try:
        return sorted(path.name for path in trash.iterdir() if trashed_name(path.name))
    except FileNotFoundError:
        return []


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
