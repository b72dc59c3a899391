"""Snapshots of all inputs: taking one and comparing two."""

from __future__ import annotations

from collections.abc import Mapping

from orchwatchd.models.watching import Differences, FileState, Rules, Snapshot
from orchwatchd.watch.hints import PollingSource
from orchwatchd.watch.model import Model


def take(rules: Rules, *, known: Snapshot | None = None) -> Snapshot:
    """All inputs as they are now; content of files whose status is that of `known` is not read again."""
    model = Model(rules, PollingSource(), known=known.files if known else None)
    model.look_at_all()
    return model.snapshot()


def compare(before: Mapping[str, FileState], after: Mapping[str, FileState]) -> Differences:
    """What differs in content."""
    common = before.keys() & after.keys()
    return Differences(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(path for path in common if before[path].sha256 != after[path].sha256)),
    )
