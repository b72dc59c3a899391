"""Daemon."""
from benchmarks.bench import Bench
from benchmarks.report import Row
def idle(bench: Bench) -> list[Row]:
    return []
def saves(bench: Bench) -> list[Row]:
    return []
