"""Owns what is kept once and pointed at: packages, sets of import paths, snippets, attributions, injection sets."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable

from orchwatchd.db.connection import Connection
from orchwatchd.models.injection import Attribution
from orchwatchd.models.package import PackageName
from orchwatchd.models.record import AttributedInjection


def short_hash(*parts: str | bytes) -> bytes:
    """16 bytes over the parts, each with its length, so that no two lists of parts run into each other."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(struct.pack("<q", len(data)))
        digest.update(data)
    return digest.digest()[:16]


def meaning_of(injections: Iterable[AttributedInjection]) -> bytes:
    """What two states of a file's or a package's instrumentation have in common when only lines moved, or only names
    that a template takes over from the user changed.
    """
    parts = sorted(
        (str(item.injection.kind), item.injection.declaration, item.injection.shape or item.injection.text)
        for item in injections
    )
    return short_hash(*(part for triple in parts for part in triple))


class Names:
    """Finds or makes the rows that are shared; remembers them for as long as one transaction lasts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._packages: dict[PackageName, int] = {}
        self._plain: dict[str, int] = {}
        self._sets: dict[frozenset[str], int] = {}

    def package(self, name: PackageName) -> int:
        """The id of a package's row."""
        if name not in self._packages:
            self.know([name])
        return self._packages[name]

    def know(self, names: Iterable[PackageName]) -> None:
        """Finds or makes the rows of these packages, all at once."""
        wanted = {name for name in names if name not in self._packages}
        if not wanted:
            return
        rows = self._connection.all(
            "SELECT id, path, variant FROM package WHERE path IN (SELECT value FROM json_each(?))",
            (json.dumps([name.path for name in wanted]),),
        )
        found = {PackageName(path, variant): identity for identity, path, variant in rows}
        for name in sorted(wanted - found.keys()):
            found[name] = self._connection.insert(
                "INSERT INTO package (path, variant) VALUES (?, ?)", (name.path, name.variant)
            )
        self._packages.update(found)
        self._plain.update((name.path, identity) for name, identity in found.items() if not name.variant)

    def name_set(self, paths: Iterable[str]) -> int:
        """The id of a set of import paths."""
        wanted = frozenset(paths)
        if wanted not in self._sets:
            self.know(PackageName(path) for path in wanted if path not in self._plain)
            self._sets[wanted] = self._name_set(sorted(self._plain[path] for path in wanted))
        return self._sets[wanted]

    def _name_set(self, ids: list[int]) -> int:
        digest = short_hash(struct.pack(f"<{len(ids)}q", *ids))
        row = self._connection.one("SELECT id FROM name_set WHERE hash = ?", (digest,))
        if row:
            return int(row[0])
        identity = self._connection.insert("INSERT INTO name_set (hash) VALUES (?)", (digest,))
        self._connection.many(
            "INSERT INTO name_set_package (name_set, package) VALUES (?, ?)",
            ((identity, member) for member in ids),
        )
        return identity

    def injection_set(self, injections: tuple[AttributedInjection, ...]) -> int:
        """The id of a file's injections; files with equal injections at equal lines share one."""
        rows = [
            (
                str(one.injection.kind),
                one.injection.declaration,
                self._snippet(one.injection.text),
                self._snippet(one.injection.shape) if one.injection.shape else None,
                self._snippet(one.injection.code),
                one.injection.line,
                one.injection.last_line,
                one.injection.original_line,
                one.injection.by_marks,
                self._attribution(one.attribution),
            )
            for one in sorted(injections, key=lambda item: item.injection.ordinal)
        ]
        digest = short_hash(json.dumps(rows))
        row = self._connection.one("SELECT id FROM injection_set WHERE hash = ?", (digest,))
        if row:
            return int(row[0])
        identity = self._connection.insert(
            "INSERT INTO injection_set (hash, meaning, injections) VALUES (?, ?, ?)",
            (digest, meaning_of(injections), len(rows)),
        )
        self._connection.many(
            "INSERT INTO injection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((identity, ordinal, *values) for ordinal, values in enumerate(rows)),
        )
        return identity

    def _snippet(self, text: str) -> int:
        digest = short_hash(text)
        row = self._connection.one("SELECT id FROM snippet WHERE hash = ?", (digest,))
        if row:
            return int(row[0])
        return self._connection.insert("INSERT INTO snippet (hash, text) VALUES (?, ?)", (digest, text))

    def _attribution(self, who: Attribution) -> int:
        values = (
            who.integration,
            who.aspect,
            str(who.certainty),
            json.dumps(who.candidates),
            json.dumps(who.also),
            who.unexplained,
        )
        digest = short_hash(json.dumps(values))
        row = self._connection.one("SELECT id FROM attribution WHERE hash = ?", (digest,))
        if row:
            return int(row[0])
        return self._connection.insert(
            """INSERT INTO attribution (hash, integration, aspect, certainty, candidates, also, unexplained)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (digest, *values),
        )
