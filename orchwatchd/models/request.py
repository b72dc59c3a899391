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
    """A run that has ended and is in the history. `digest_before` and `digest_after` are of the inputs."""

    run: RunId
    status: RunStatus
    reason: str | None
    digest_before: str
    digest_after: str

    @property
    def inputs_moved(self) -> bool:
        """Whether inputs changed while the build ran: what it compiled may be of neither state."""
        return self.digest_before != self.digest_after
