"""Orchestrion's configuration: resolved from the project and its modules, kept as JSON, compared."""

from orchwatchd.aspects.document import differences, from_json, to_json
from orchwatchd.aspects.resolve import resolve

__all__ = ["differences", "from_json", "resolve", "to_json"]
