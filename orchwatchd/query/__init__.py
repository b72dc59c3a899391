"""Owns all reading of the history: frozen rows with the fields of the JSON contract, from a read-only connection."""

from __future__ import annotations

from orchwatchd.query.history import History

__all__ = ["History"]
