"""Owns all writing to the history: runs with their indexes, pins, job times, removal, re-derivation, checks."""

from __future__ import annotations

from orchwatchd.store.history import Store

__all__ = ["Store"]
