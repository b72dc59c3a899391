"""What was measured: rows with a verdict, as a Markdown table, as JSON, and in the page between its markers."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `measured` and `against` are texts; `value` and `goal` are numbers of one unit, lower is
    better; None where there is nothing to judge. `raw` goes into the JSON.
    """

    name: str
    measured: str
    against: str = "–"
    ratio: str = "–"
    value: float | None = None
    goal: float | None = None
    goal_text: str = "–"
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """`met` or `missed`, and by how much."""
        if self.value is None or self.goal is None:
            return "–" if self.goal is None else "not measured"
        share = self.value / self.goal
        if share <= 1:
            return f"met ({share:.0%} of it)" if share < 0.995 else "met, just"
        return f"**missed** ({share:.2f} times)"


def ms(seconds: float) -> str:
    """Milliseconds, or seconds from ten on."""
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def span(figure: Any, scale: Any = ms) -> str:
    """A median with its interval."""
    return f"{scale(figure.median)} ({scale(figure.low)} to {scale(figure.high)})"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.2f}"


def table(rows: list[Row]) -> str:
    """The Markdown table."""
    head = ["| what | measured | against | ratio | goal | verdict |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, lines(rows)]) + "\n"


def lines(rows: list[Row]) -> str:
    """The table's lines for some rows."""
    return "\n".join(
        f"| {row.name} | {row.measured} | {row.against} | {row.ratio} | {row.goal_text} | {row.verdict} |"
        for row in rows
    )


def machine() -> dict[str, Any]:
    """What the figures depend on; nothing that names the machine."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_at_start": round(os.getloadavg()[0], 1),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def describe(facts: dict[str, Any], when: str) -> str:
    """The machine in one sentence."""
    return (
        f"{when}: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['system']}, "
        f"Python {facts['python']}, SQLite {facts['sqlite']}; load {facts['load_at_start']} at the start."
    )


def write(rows: list[Row], folder: Path, facts: dict[str, Any], *, partial: bool) -> Path:
    """Writes the JSON of a run, named by date and machine; gives its path."""
    now = datetime.now(UTC)
    name = f"{now:%Y-%m-%d-%H%M}-{facts['cores']}cores-py{facts['python']}{'-part' if partial else ''}"
    data = {
        "at": now.isoformat(timespec="seconds"),
        "machine": facts,
        "argv": sys.argv[1:],
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(data, indent=1, default=str) + "\n")
    path.with_suffix(".md").write_text(f"{describe(facts, f'{now:%Y-%m-%d}')}\n\n{table(rows)}")
    return path


def fill_page(page: Path, text: str) -> None:
    """Puts `text` between the page's markers. Raises ValueError where it has none."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no markers")
    page.write_text(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}")
