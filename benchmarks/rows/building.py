"""Builds."""
from benchmarks.bench import Bench
from benchmarks.report import Row
def builds(bench: Bench) -> list[Row]:
    return []
