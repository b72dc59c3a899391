"""What every measurement works with: folders, environment, the samples and generated histories, each made once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.history import Generator
from benchmarks.sample import Base, Sample, build_sample, kept_tree, read_base
from benchmarks.world import make_world
from orchwatchd.store import Store

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: `runs` of the histories, `packages` and `files` of the curves, rounds of each timing and
    how many go before them that do not count; seconds of rest of a daemon.
    """

    runs: tuple[int, ...] = (100, 1_000, 10_000)
    packages: tuple[int, ...] = (50, 500, 5_000)
    files: tuple[int, ...] = (10, 1_000)
    rounds: int = 21
    warmups: int = 1
    of_a_kind: int = 200
    cold_pairs: int = 4
    warm_pairs: int = 9
    idle: float = 60.0
    saves: int = 20
    folders: int = 10_000


SMOKE = Sizes(
    runs=(8, 16),
    packages=(40,),
    files=(30,),
    rounds=1,
    warmups=0,
    of_a_kind=6,
    cold_pairs=0,
    warm_pairs=0,
    idle=3.0,
    saves=3,
    folders=100,
)


@dataclass(slots=True)
class Bench:
    """One run of the benchmarks. `folder` keeps what is made on the way."""

    folder: Path
    sizes: Sizes
    env: dict[str, str]
    example: str = "shop"
    given: Sample | None = None
    _sample: Sample | None = None
    _histories: dict[str, Path] = field(default_factory=dict)
    made: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def sample(self) -> Sample:
        """The sample's bare trees, built now where none were given or left by an earlier bench."""
        if self._sample is None:
            self._sample = self.given or self._built()
        return self._sample

    def _built(self) -> Sample:
        folder = self.folder / self.example
        project = folder / "project"
        trees = [kept_tree(work) for work in folder.glob("bare/*/tmp/go-build*")]
        if len(trees) == 2:
            cold, warm = sorted(trees, key=lambda tree: tree.work.parent.parent.name)
            return Sample(project, cold, warm)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "examples" / self.example, project)
        say(f"building examples/{self.example} cold and warm with bare Orchestrion")
        return build_sample(project, folder / "bare", self.env)

    @property
    def base(self) -> Base:
        """What the sample's trees told."""
        return read_base(self.sample, self.env, self.folder / f"{self.example}.pickle")

    def fresh(self, name: str) -> Path:
        """A new, empty folder."""
        path = self.folder / "runs" / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def generator(self, folder: Path, *, packages: int | None = None, files: int | None = None) -> Generator:
        """A generator on a new history in `folder` (a state folder). Whether the disk is waited for is no question of
        its figures, so it is not.
        """
        store = Store.open(folder / "history.db")
        store.connection.execute("PRAGMA synchronous = OFF")
        return Generator(store, self.base, make_world(self.base, packages=packages, files=files))

    def history(self, runs: int) -> Path:
        """A state folder with a history of that many mixed runs; all sizes grow out of one history."""
        if str(runs) not in self._histories:
            self._grow()
        return self._histories[str(runs)]

    def _grow(self) -> None:
        import time

        generator = self.generator(self.fresh("mixed"))
        done = 0
        for size in self.sizes.runs:
            began, busy = time.perf_counter(), time.process_time()
            if not done:
                generator.first()
                done = 1
            generator.add(size - done)
            took, cpu = time.perf_counter() - began, time.process_time() - busy
            self.made[str(size)] = {
                "runs": size - done,
                "seconds": took,
                "cpu": cpu,
                "bytes": generator.store.database_bytes(),
                "commit": sorted(generator.commits[-min(50, size) :])[min(50, size) // 2],
                **{f"kind {kind}": count for kind, count in generator.made.items()},
            }
            say(
                f"{size} runs: {size - done} made in {took:.0f} s, {self.made[str(size)]['bytes'] / 1e6:.1f} MB"
            )
            done = size
            self._histories[str(size)] = self._copy(generator, self.fresh(f"mixed-{size}"))
        generator.store.close()

    def _copy(self, generator: Generator, folder: Path) -> Path:
        target = sqlite3.connect(folder / "history.db")
        generator.store.connection.raw.backup(target)
        target.execute("PRAGMA journal_mode = WAL")
        target.close()
        return folder


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def program() -> list[str]:
    """The installed program as a user calls it, else as a module."""
    script = Path(sys.executable).with_name("orchwatchd")
    return [str(script)] if script.exists() else [sys.executable, "-m", "orchwatchd"]


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of everything that is run: no settings of the person who calls."""
    found = dict(os.environ if env is None else env)
    return {
        name: value for name, value in found.items() if not name.startswith(("ORCHESTRION_", "ORCHWATCHD_"))
    }
