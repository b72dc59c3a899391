"""Decides how log files are rotated: pure. A file's name tells how far it is, so what a crash cut off is in the
next plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchwatchd.config.model import Rotate
from orchwatchd.models.upkeep import LogFile, LogPhase, RotateAction, RotatePlan, RotateStep
from orchwatchd.orchlog.family import LogFamily

_TICK = timedelta(microseconds=1)


def plan_rotate(
    files: Sequence[LogFile], family: LogFamily, policy: Rotate, *, now: datetime, busy: bool
) -> RotatePlan:
    """What to rename, compress, merge and remove of the files of one log.

    `busy` says that a build is running: then files are only renamed, and only past the size. Old files go by count
    and by their bytes together; one that a run not yet indexed needs stays, and the plan says so. Planning again
    after the plan was carried out gives an empty plan.
    """
    parts = [file for file in files if file.phase is LogPhase.PARTIAL]
    actions = [
        RotateAction(RotateStep.DISCARD, (file.name,), "", file.bytes, "its compression was interrupted")
        for file in parts
    ]
    renames = _renames(files, family, policy, now, busy=busy)
    actions += [action for action, _ in renames]
    renamed = [file for file in files if file.phase is LogPhase.RENAMED] + [file for _, file in renames]
    if not busy:
        actions += _finish(renamed, files, family, policy)
    old = _grouped([*renamed, *(file for file in files if file.phase is LogPhase.COMPRESSED)])
    removed, kept, warnings = _remove(old, policy)
    going = {name for action in removed for name in action.names}
    actions = [
        action for action in actions if action.step is RotateStep.RENAME or not going.issuperset(action.names)
    ]
    live = {action.names[0] for action, _ in renames}
    kept += [
        (file.name, "it is written to")
        for file in files
        if file.phase is LogPhase.LIVE and file.name not in live
    ]
    return RotatePlan((*actions, *removed), tuple(kept), tuple(warnings))


def _renames(
    files: Sequence[LogFile], family: LogFamily, policy: Rotate, now: datetime, *, busy: bool
) -> list[tuple[RotateAction, LogFile]]:
    """The live files that are due, with what each becomes. All files of one merge get one stamp."""
    live = [file for file in files if file.phase is LogPhase.LIVE]
    due = [(file, reason) for file in live if (reason := _due(file, policy, now, busy=busy))]
    merge = family.per_process and policy.merge_pid and not busy
    if merge:
        due = [(file, "the processes that wrote it are merged into one file") for file in live]
    elif family.per_process and not busy:
        named = {file.name for file, _ in due}
        spare = sorted(
            (file for file in live if file.name not in named), key=lambda file: file.since, reverse=True
        )
        due += [(file, f"more than {policy.keep} files") for file in spare[policy.keep :]]
    at = max([now, *(family_time(family, file) + _TICK for file in files if file.stamp)])
    renames = []
    for file, reason in due:
        name = family.rotated_name(at, file.inode, file.pid or 0)
        stamp = _stamp(family, name)
        after = replace(file, name=name, phase=LogPhase.RENAMED, stamp=stamp)
        renames.append((RotateAction(RotateStep.RENAME, (file.name,), name, file.bytes, reason), after))
        at += timedelta() if merge else _TICK
    return renames


def _due(file: LogFile, policy: Rotate, now: datetime, *, busy: bool) -> str | None:
    if file.bytes > policy.max_size:
        return f"larger than {policy.max_size} bytes"
    if not busy and file.bytes and (now - file.since).total_seconds() > policy.max_age:
        return "its first line is too old"
    return None


def _finish(
    renamed: Sequence[LogFile], files: Sequence[LogFile], family: LogFamily, policy: Rotate
) -> Iterable[RotateAction]:
    """Compresses renamed files; those of a `$PID` family that were renamed together become one file."""
    merged = {file.stamp for file in files if file.phase is LogPhase.COMPRESSED and file.merged}
    for group in _grouped(renamed):
        names, size = tuple(file.name for file in group), sum(file.bytes for file in group)
        needed = any(file.needed for file in group)
        if group[0].stamp in merged:
            if not needed:
                yield RotateAction(RotateStep.REMOVE, names, "", size, "it is in the merged file")
        elif family.per_process and policy.merge_pid:
            if not needed:
                yield RotateAction(
                    RotateStep.MERGE, names, family.merged_name(group[0].stamp), size, "renamed together"
                )
        else:
            yield from (
                RotateAction(RotateStep.COMPRESS, (file.name,), file.name + ".gz", file.bytes, "renamed")
                for file in group
            )


def _remove(
    old: Sequence[Sequence[LogFile]], policy: Rotate
) -> tuple[list[RotateAction], list[tuple[str, str]], list[str]]:
    """Old files beyond the count or the bytes, oldest first; a group that was renamed together counts as one. The
    newest stays: it shrinks when it is compressed.
    """
    actions: list[RotateAction] = []
    kept: list[tuple[str, str]] = []
    warnings: list[str] = []
    total = 0
    for place, group in enumerate(reversed(old)):
        size = sum(file.bytes for file in group)
        names = tuple(file.name for file in group)
        reason = None
        if place >= policy.keep:
            reason = f"more than {policy.keep} old files"
        elif place and total + size > policy.max_total:
            reason = f"old files take more than {policy.max_total} bytes"
        total += size
        if reason and any(file.needed for file in group):
            warnings.append(f"{names[0]} stays: a run that is not indexed yet has lines in it")
            reason = None
        if reason is None:
            kept += [(name, "one of the newest old files") for name in names]
        else:
            actions.insert(0, RotateAction(RotateStep.REMOVE, names, "", size, reason))
    return actions, kept, warnings


def _grouped(files: Iterable[LogFile]) -> list[list[LogFile]]:
    """Files by stamp, oldest first: those of one stamp were renamed together, or are one file before and after."""
    groups: dict[str, list[LogFile]] = {}
    for file in sorted(files, key=lambda file: (file.stamp, file.name)):
        groups.setdefault(file.stamp, []).append(file)
    return list(groups.values())


def family_time(family: LogFamily, file: LogFile) -> datetime:
    """When a file was rotated, by its name; raises ValueError for one that was not."""
    found = family.rotated(file.name)
    if found is None:
        raise ValueError(f"{file.name} was not rotated")
    return found.time


def _stamp(family: LogFamily, name: str) -> str:
    found = family.rotated(name)
    if found is None:
        raise ValueError(f"{name} does not read back")
    return found.stamp
