"""Owns how a moment is written: ISO 8601 in UTC with milliseconds, so that text sorts by time."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """`2026-11-23T21:51:00.123Z`. The moment must know its zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Reads what `to_text` wrote."""
    return datetime.fromisoformat(text)
