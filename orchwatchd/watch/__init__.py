"""Watches a build's inputs: events are hints, the comparison of two snapshots is the truth."""

from orchwatchd.watch.settings import Baseline, WatchSettings
from orchwatchd.watch.snapshot import compare, take
from orchwatchd.watch.watcher import Watcher

__all__ = ["Baseline", "WatchSettings", "Watcher", "compare", "take"]
