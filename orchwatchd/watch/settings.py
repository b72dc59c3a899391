"""How to watch, and what was built before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How to watch; all times in seconds. `poll` is `auto`, `always` or `never`; `retry` is the first pause after a
    build that did not come to its start.
    """

    rest: float = 0.1
    longest_wait: float = 2.0
    cancel: bool = False
    poll: str = "auto"
    poll_interval: float = 2.0
    rescan: float = 300.0
    git_lock_limit: float = 30.0
    gap: float = 3.0
    retry: float = 10.0
    cookies: Path | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the last ok run was built from: its digest and, where known, its files as absolute path → SHA-256 in hex."""

    digest: str
    files: Mapping[str, str] | None = None
