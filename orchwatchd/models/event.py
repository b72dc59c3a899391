"""What long work tells whoever asked for it, on the terminal or through the daemon's socket."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output. `stream` is `stdout` or `stderr` of the build, `note`, `warning`, or `result` (what the
    command prints).
    """

    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is: `done` of `total` steps, total 0 when it cannot be known."""

    phase: str
    done: int
    total: int


Event = Line | Progress

_KINDS: dict[str, type[Line | Progress]] = {"line": Line, "progress": Progress}


def to_json(event: Event) -> dict[str, Any]:
    """An event as the socket carries it: its fields, and its kind under `event`."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def from_json(data: dict[str, Any]) -> Event | None:
    """Reads what `to_json` wrote; None for a kind that this version does not know (a newer daemon may send more)."""
    fields = dict(data)
    kind = _KINDS.get(fields.pop("event", ""))
    return kind(**fields) if kind else None
