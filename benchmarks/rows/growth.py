"""How the history grows: bytes a run of each kind, the mixed history, and time and space as work grows."""

from __future__ import annotations

import statistics
import time
from functools import partial

from benchmarks.bench import Bench, program, say
from benchmarks.history import Generator
from benchmarks.report import Row, ms, times
from benchmarks.timing import interleaved, run_process, walls

_KINDS = {"nothing": (4_000, "a run that changed nothing"), "edit": (15_000, "an edit of one package")}
_OTHERS = {
    "instrumentation": "an edit that changes the instrumentation",
    "failure": "a build that failed",
    "back": "a state of before (undo, checkout)",
    "several": "edits of three packages",
    "upgrade": "an upgrade (everything compiled anew)",
}
_MIXED_GOAL = 150e6


def growth(bench: Bench) -> list[Row]:
    """Bytes a run, by kind of run, each in a history of its own after some mixed runs."""
    rows = []
    for kind in (*_KINDS, *_OTHERS):
        generator = bench.generator(bench.fresh(f"kind-{kind}"))
        generator.first()
        generator.add(10)
        generator.run("configuration") if kind == "configuration" else None
        count = bench.sizes.of_a_kind if kind != "upgrade" else max(3, bench.sizes.of_a_kind // 20)
        before = generator.store.database_bytes()
        for _ in range(count):
            generator.run(kind)
        each = (generator.store.database_bytes() - before) / count
        generator.store.close()
        goal, name = _KINDS.get(kind, (None, _OTHERS.get(kind, kind)))
        rows.append(
            Row(
                f"database growth, {name}",
                f"{each / 1000:.1f} KB a run",
                f"{count} runs",
                value=each,
                goal=goal,
                goal_text=f"≤ {goal // 1000} KB" if goal else "–",
                raw={"bytes": each, "runs": count},
            )
        )
    return rows


def mixed(bench: Bench) -> list[Row]:
    """The mixed history: its size, how fast it was made, and the commit of a run at each length."""
    sizes = bench.sizes.runs
    bench.history(sizes[-1])
    made = bench.made
    if not made:
        return []
    size = made[str(sizes[-1])]["bytes"]
    first, last = (made[str(n)]["commit"] for n in (sizes[0], sizes[-1]))
    rate = sum(made[str(n)]["runs"] for n in sizes) / sum(made[str(n)]["seconds"] for n in sizes)
    goal = _MIXED_GOAL * sizes[-1] / 10_000
    return [
        Row(
            f"{sizes[-1]:,} mixed runs",
            f"{size / 1e6:.1f} MB, {size / sizes[-1] / 1000:.1f} KB a run",
            f"made at {rate:.0f} runs a second",
            value=size if sizes[-1] >= 10_000 else None,
            goal=goal if sizes[-1] >= 10_000 else None,
            goal_text="≤ 150 MB",
            raw=made,
        ),
        Row(
            f"commit of a run, at {sizes[-1]:,} runs against {sizes[0]:,}",
            f"{ms(last)}, median of the last 50",
            ms(first),
            times(last / first),
            last / first,
            1.3,
            "independent: ≤ 1.3 times",
        ),
    ]


def curves(bench: Bench) -> list[Row]:
    """Time and space as runs, packages and modified files grow, one at a time."""
    rows = [
        _point(bench, f"{n:,} runs", bench.history(n), bench.made.get(str(n), {})) for n in bench.sizes.runs
    ]
    runs = bench.sizes.runs[0]
    rows += [_grown(bench, f"{n:,} packages, {runs} runs", runs, packages=n) for n in bench.sizes.packages]
    rows += [_grown(bench, f"{n:,} modified files, {runs} runs", runs, files=n) for n in bench.sizes.files]
    return rows


def _grown(
    bench: Bench, name: str, runs: int, *, packages: int | None = None, files: int | None = None
) -> Row:
    folder = bench.fresh(f"curve-{packages or 0}-{files or 0}")
    generator = bench.generator(folder, packages=packages, files=files)
    began = time.process_time()
    generator.first()
    first = time.process_time() - began
    generator.add(runs - 1)
    facts = {
        "bytes": generator.store.database_bytes(),
        "commit": statistics.median(generator.commits[1:]),
        "first": first,
    }
    _close(generator)
    say(f"{name}: {facts}")
    return _point(bench, name, folder, facts)


def _close(generator: Generator) -> None:
    generator.store.checkpoint()
    generator.store.close()


def _point(bench: Bench, name: str, folder: object, facts: dict[str, float]) -> Row:
    calls = {
        words[0]: partial(
            run_process, [*program(), "--state", str(folder), *words], cwd=bench.sample.project, env=bench.env
        )
        for words in (("runs",), ("files", "@"), ("diff", "@-1", "@"))
    }
    costs = interleaved(calls, max(1, bench.sizes.rounds // 3), warmups=bench.sizes.warmups)
    shown = ", ".join(f"{word} {ms(walls(found).median)}" for word, found in costs.items())
    raw = {word: walls(found).median for word, found in costs.items()}
    return Row(
        f"curve: {name}",
        shown,
        f"commit {ms(facts['commit'])}, {facts['bytes'] / 1e6:.2f} MB" if facts else "–",
        raw={**raw, **facts},
    )
