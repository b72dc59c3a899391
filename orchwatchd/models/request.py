"""What a build is asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from orchwatchd.models.run import RunId, RunStatus


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build. `arguments` replace the configured `build ./...` whole (`test ./...`); `trigger` names the files whose
    change asks for it; `kind` is set where the run is none of the developer's own (`baseline`).
    """

    arguments: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run that has ended and is in the history. `inputs_moved`: inputs changed while the build ran, so that what it
    compiled may be of neither state.
    """

    run: RunId
    status: RunStatus
    reason: str | None
    inputs_moved: bool
