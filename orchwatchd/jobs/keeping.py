"""The rules of retention: what keeps a run, in which tier, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from orchwatchd.config.model import Keep, KeepHistory, KeepThin, KeepTrees, bytes_of
from orchwatchd.errors import ConfigurationError
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import RunUse

Reasons = dict[RunId, list[str]]


def require_keeping(keep: Keep) -> None:
    """Raises ConfigurationError for a policy by which no history, or no work tree, stays at all."""
    problems = []
    if not _keeps_anything(keep.history):
        problems.append(
            "[keep.history] keeps nothing: set one of keep_last, keep_failed, keep_daily, keep_within"
        )
    if not _keeps_anything(keep.trees) and not _keeps_anything(keep.thin):
        problems.append("[keep.trees] and [keep.thin] keep nothing: set one of their keep_ keys")
    if problems:
        raise ConfigurationError("\n".join(problems))


def below_floor(free: int, total: int, keep: Keep) -> bool:
    """Whether a disk has less free than the policy leaves: a build must not start there, or is cancelled."""
    return free < bytes_of(keep.trees.min_free, total)


def protections(runs: Sequence[RunUse]) -> Reasons:
    """The runs that no limit touches, with every reason: `runs` newest first."""
    reasons: Reasons = {}
    for item in runs:
        found = [f"pinned as {name}" if name else "pinned" for name in item.pins]
        if item.status is RunStatus.RUNNING:
            found.append("it is running")
        elif not item.indexed and item.work in (WorkState.KEPT, WorkState.THIN):
            found.append("its tree is not indexed yet")
        if found:
            reasons[item.run] = found
    good = [item for item in runs if item.status is RunStatus.OK]
    newest = next((item for item in good if item.kind == "build"), good[0] if good else None)
    if newest:
        reasons.setdefault(newest.run, []).append("the newest good run")
    return reasons


def rule_reasons(
    policy: KeepTrees | KeepThin | KeepHistory, last: Sequence[RunUse], runs: Sequence[RunUse], now: datetime
) -> Reasons:
    """The runs that a tier's rules keep, with every rule that does. `last` and `runs` are newest first."""
    reasons: Reasons = {}

    def keep(items: Iterable[RunUse], reason: str) -> None:
        for item in items:
            reasons.setdefault(item.run, []).append(reason)

    failed = [item for item in runs if item.status is RunStatus.FAILED]
    days: dict[date, RunUse] = {}
    for item in last:
        days.setdefault(min(item.started_at, now).astimezone(now.tzinfo).date(), item)
    recent = [item for item in runs if (now - item.started_at).total_seconds() <= policy.keep_within]
    keep(last[: policy.keep_last], f"one of the last {policy.keep_last}")
    keep(failed[: policy.keep_failed], f"one of the last {policy.keep_failed} that failed")
    newest_days = sorted(days, reverse=True)[: policy.keep_daily]
    keep((days[day] for day in newest_days), f"the last of one of {policy.keep_daily} days")
    if policy.keep_within > 0:
        keep(recent, "recent enough")
    return reasons


def _keeps_anything(policy: KeepTrees | KeepThin | KeepHistory) -> bool:
    return any((policy.keep_last, policy.keep_failed, policy.keep_daily, policy.keep_within))
