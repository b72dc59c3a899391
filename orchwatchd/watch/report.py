"""A watcher's health in words."""

from __future__ import annotations

from collections import Counter

from orchwatchd.models.watching import WatchCounters, WatchHealth
from orchwatchd.watch.filesystem import limit_hint
from orchwatchd.watch.hints import Refusal
from orchwatchd.watch.lookout import Lookout

_HINTS = {Refusal.LIMIT: "max_user_watches", Refusal.INSTANCES: "max_user_instances"}


def counters_of(lookout: Lookout, *, faults: int) -> WatchCounters:
    """What has been counted so far."""
    model = lookout.model
    return WatchCounters(
        inputs=model.inputs,
        directories=model.directories,
        watched=lookout.source.count(),
        polled=len(model.refused),
        rescans=lookout.rescans,
        overflows=lookout.box.overflows,
        restarts=lookout.restarts,
        faults=faults,
        refreshes=lookout.refreshes,
    )


def health_of(
    lookout: Lookout | None,
    *,
    faults: int = 0,
    fault: str | None = None,
    stale: tuple[str, ...] = (),
    waiting: str | None = None,
    failed: str | None = None,
) -> WatchHealth:
    """Everything that `status` says about watching. `stale` are Git's locks that were waited for in vain."""
    degraded = [f"after an error in the watcher everything is looked at again: {fault}"] if fault else []
    degraded += [f"{path} is left over; it was waited for in vain" for path in stale]
    if lookout is None:
        return WatchHealth(False, tuple(degraded), (), waiting, failed, WatchCounters(faults=faults))
    degraded += _refusals(lookout)
    return WatchHealth(
        True,
        tuple(degraded),
        tuple(lookout.model.rules.problems),
        waiting,
        failed,
        counters_of(lookout, faults=faults),
    )


def _refusals(lookout: Lookout) -> list[str]:
    counts = Counter(tuple(lookout.model.refused.values()))
    counts.pop(Refusal.POLLED, None)
    total = lookout.model.directories
    sentences = []
    for refusal, count in sorted(counts.items()):
        hint = f"; {limit_hint(_HINTS[refusal])}" if refusal in _HINTS else ""
        sentences.append(f"{count} of {total} directories are polled, not watched: {refusal}{hint}")
    return sentences
