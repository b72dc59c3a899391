"""Owns how compiled packages are written: one row an action id, a fuller record replacing a poorer one."""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchwatchd.db.connection import Connection
from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName
from orchwatchd.models.record import FileRecord, OutputRecord
from orchwatchd.store import bytes as stored
from orchwatchd.store.members import Tally, tally
from orchwatchd.store.names import Names, meaning_of

# A record replaces one that says less: an attempt proves nothing, a copy looks like an unwoven stage (proof, rule 2).
_RANK = {"unknown": 0, "attempt": 1, "plain": 2, "woven": 3}

# State, number of modified files, number of injections.
_State = tuple[str, int, int]
_NOTHING: _State = ("unknown", 0, 0)


class Outputs:
    """Writes the outputs of one run. `changes` is what has become of the counters of outputs that were there before:
    those that are new are in no set yet.
    """

    def __init__(self, connection: Connection, names: Names, run: int, versions: tuple[int, int]) -> None:
        self._connection = connection
        self._names = names
        self._run = run
        self._versions = versions
        self._known: dict[str, int] = {}
        self._states: dict[int, _State] = {}
        self._new: set[int] = set()
        self._rows: list[tuple[str, int, int, int, bytes | None, int]] = []
        self._import_rows: list[tuple[int, str, int]] = []
        self.changes: dict[int, tuple[Tally, Tally]] = {}
        self.problems: list[str] = []

    def identify(self, members: Iterable[tuple[PackageName | None, BuildId]]) -> dict[str, int]:
        """Finds or makes the rows of these outputs by action id; fills in names and contents that were not known."""
        wanted = _merged(members)
        rows = self._connection.all(
            """SELECT o.action, o.id, o.content, p.path, p.variant, o.state, o.modified_files, o.injections
               FROM output AS o LEFT JOIN package AS p ON p.id = o.package
               WHERE o.action IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(wanted)),),
        )
        found: dict[str, int] = {}
        for action, identity, content, path, variant, *state in rows:
            found[action] = identity
            self._states[identity] = (state[0], state[1], state[2])
            package, learnt = wanted[action]
            if content != learnt or package is None or (path, variant) != (package.path, package.variant):
                known = PackageName(path, variant) if path is not None else None
                self._fill(identity, (known, content), (_fuller(known, package), learnt))
        found.update(self._make({action: name for action, name in wanted.items() if action not in found}))
        self._known.update(found)
        return found

    def _make(self, wanted: dict[str, tuple[PackageName | None, str | None]]) -> dict[str, int]:
        """New rows, of which nothing is known but their names."""
        self._names.know(package for package, _ in wanted.values() if package is not None)
        first = self._connection.must("SELECT coalesce(max(id), 0) + 1 FROM output")[0]
        found = {action: first + number for number, action in enumerate(wanted)}
        self._connection.many(
            "INSERT INTO output (id, action, content, package, state) VALUES (?, ?, ?, ?, 'unknown')",
            (
                (found[action], action, content, self._names.package(package) if package else None)
                for action, (package, content) in wanted.items()
            ),
        )
        self._states.update(dict.fromkeys(found.values(), _NOTHING))
        self._new.update(found.values())
        return found

    def record(self, outputs: Iterable[OutputRecord]) -> list[tuple[OutputRecord, int]]:
        """Keeps what a tree held of these outputs, unless the history holds more. Gives each with its row.

        Those with an action id are identified before, all at once.
        """
        found = [(output, self._record(output)) for output in outputs]
        self._flush()
        return found

    def _record(self, output: OutputRecord) -> int:
        identity = self._row(output)
        row = self._states[identity]
        state = ("woven" if output.woven else "plain") if output.finished else "attempt"
        richer = state == "attempt" and row[0] == "attempt" and len(output.files) > row[1]
        if _RANK[state] <= _RANK[row[0]] and not richer:
            return identity
        if state == "plain" and row[0] == "attempt" and row[1]:
            # The finished copy of a package that a kill left woven and unfinished: they are one output.
            self._promote(identity, row)
            return identity
        self._write(identity, output, state)
        return identity

    def _flush(self) -> None:
        """Writes what was gathered: row by row it takes twice as long, and a cold build has hundreds."""
        self._connection.many(
            """UPDATE output SET state = ?, recorded_run = ?, modified_files = ?, injections = ?, meaning = ?
               WHERE id = ?""",
            self._rows,
        )
        self._connection.many(
            "INSERT INTO output_import (output, kind, added) VALUES (?, ?, ?)", self._import_rows
        )
        self._rows.clear()
        self._import_rows.clear()

    def _row(self, output: OutputRecord) -> int:
        if output.action:
            return self._known[output.action]
        identity = self._connection.insert(
            "INSERT INTO output (package, state) VALUES (?, 'unknown')",
            (self._names.package(output.package) if output.package else None,),
        )
        self._states[identity] = _NOTHING
        self._new.add(identity)
        return identity

    def _fill(
        self,
        identity: int,
        known: tuple[PackageName | None, str | None],
        learnt: tuple[PackageName | None, str | None],
    ) -> None:
        (package, content), (name, found) = known, learnt
        if name is not None and name != package:
            self._connection.execute(
                "UPDATE output SET package = ? WHERE id = ?", (self._names.package(name), identity)
            )
        if content is None and found is not None:
            self._connection.execute("UPDATE output SET content = ? WHERE id = ?", (found, identity))
        elif found is not None and found != content:
            self.problems.append(f"{name}: one action id with two contents, {content} and {found}")

    def _promote(self, identity: int, row: tuple[str, int, int]) -> None:
        self._flush()
        self._connection.execute(
            """UPDATE output SET state = 'woven', recorded_run =
               (SELECT max(recorded_run) FROM modified_file WHERE output = output.id) WHERE id = ?""",
            (identity,),
        )
        self._changed(identity, ("woven", row[1], row[2]))

    def _write(self, identity: int, output: OutputRecord, state: str) -> None:
        if self._states[identity] != _NOTHING:
            self._flush()
            self._connection.execute("DELETE FROM modified_file WHERE output = ?", (identity,))
            self._connection.execute("DELETE FROM output_import WHERE output = ?", (identity,))
        for file in output.files:
            self._file(identity, file)
        self._imports(identity, output)
        injections = [one for file in output.files for one in file.injections]
        meaning = meaning_of(injections) if output.woven else None
        self._rows.append((state, self._run, len(output.files), len(injections), meaning, identity))
        self._changed(identity, (state, len(output.files), len(injections)))

    def _changed(self, identity: int, now: _State) -> None:
        if identity not in self._new:
            before = tally(*self._states[identity])
            first = self.changes.get(identity, (before, before))[0]
            self.changes[identity] = (first, tally(*now))
        self._states[identity] = now

    def _imports(self, identity: int, output: OutputRecord) -> None:
        kinds: dict[str, list[str]] = {}
        for kind, path in output.imports:
            kinds.setdefault(str(kind), []).append(path)
        for name, paths in kinds.items():
            self._import_rows.append((identity, name, self._names.name_set(paths)))

    def _file(self, identity: int, file: FileRecord) -> None:
        original = None
        if file.original_data is not None:
            before = self._connection.one(
                "SELECT original_blob FROM modified_file WHERE original = ? AND original_blob IS NOT NULL"
                " ORDER BY id DESC LIMIT 1",
                (file.original,),
            )
            original = stored.put(self._connection, file.original_data, before[0] if before else None)
        self._connection.execute(
            """INSERT INTO modified_file (output, path, stage, nested, synthetic, original, generated,
               original_blob, original_certain, blob, recorded_run, injection_set, weave_version, attribution_version)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                identity,
                file.path,
                file.stage,
                file.nested,
                file.synthetic,
                file.original,
                file.generated,
                original,
                file.original_certain,
                stored.put(self._connection, file.data, original, file.original_data),
                self._run,
                self._names.injection_set(file.injections),
                *self._versions,
            ),
        )


def _merged(
    members: Iterable[tuple[PackageName | None, BuildId]],
) -> dict[str, tuple[PackageName | None, str | None]]:
    """What all that name an output know of it together: its package and its content."""
    wanted: dict[str, tuple[PackageName | None, str | None]] = {}
    for package, build in members:
        known = wanted.get(build.action)
        if known is None:
            wanted[build.action] = (package, build.content)
        elif known != (package, build.content):
            wanted[build.action] = (_fuller(known[0], package), known[1] or build.content)
    return wanted


def _fuller(known: PackageName | None, learnt: PackageName | None) -> PackageName | None:
    """The name that says more: what is known is only changed to fill in a variant."""
    if known is None or learnt is None:
        return known or learnt
    if learnt.path != known.path or learnt.variant == UNKNOWN_VARIANT:
        return known
    return learnt if known.variant in {"", UNKNOWN_VARIANT} else known
