"""Owns how the index of one run is written: everything in the caller's transaction, or nothing."""

from __future__ import annotations

import json
from datetime import datetime

from orchwatchd.db.connection import Connection
from orchwatchd.db.dependencies import dependencies_text
from orchwatchd.db.sets import Outputs as Members
from orchwatchd.db.times import from_text, to_text
from orchwatchd.models.package import BuildId, PackageName
from orchwatchd.models.record import OutputRecord, ProgramRecord, RunRecord
from orchwatchd.models.run import LogRange, RunEnd, RunId
from orchwatchd.models.tree import Stage, StageKind, StageStatus
from orchwatchd.store import bytes as stored
from orchwatchd.store.begin import put_document
from orchwatchd.store.companions import Companions
from orchwatchd.store.members import MemberSets, correct_counters
from orchwatchd.store.names import Names
from orchwatchd.store.outputs import Outputs


def compiled_outputs(record: RunRecord) -> int | None:
    """How many distinct outputs were compiled in any tree of a run, links left out; None where the tree cannot tell.

    Where nothing tells which of several stages compiled an output and which got a copy (fact 2), one of them did.
    """
    compiles = [stage for stage in record.stages if StageKind.COMPILE in stage.kinds and not stage.attempt]
    if not record.graph_known and not any(stage.status for stage in compiles):
        return None
    done = [
        stage
        for stage in compiles
        if stage.status is StageStatus.COMPILED or (stage.build_id and stage.status is not StageStatus.CACHED)
    ]
    return len({stage.build_id.action if stage.build_id else stage.path for stage in done})


class Finish:
    """Writes one run's end and index."""

    def __init__(self, connection: Connection, run: RunId, record: RunRecord) -> None:
        self._connection = connection
        self._run = run
        self._record = record
        self._names = Names(connection)
        self._sets = MemberSets(connection)
        versions = (record.weave_version, record.attribution_version)
        self._outputs = Outputs(connection, self._names, run, versions)
        self._ids: dict[str, int] = {}

    def write(self, end: RunEnd) -> None:
        """Keeps everything; the caller holds the transaction."""
        record = self._record
        self._ids = self._outputs.identify(_named(record))
        recorded = self._outputs.record(_proven(record))
        correct_counters(self._connection, self._outputs.changes)
        named = [record.members, *(program.members for program in record.programs)]
        members = frozenset(self._ids[build.action] for each in named for _, build in each)
        members |= self._skipped_links(self._links(record.programs), members)
        member_set = self._sets.put(members, self._sets.recent_bases(self._run)) if members else None
        companions = Companions(self._connection, self._sets, self._run).write(record, recorded, members)
        self._attempts(recorded, members)
        self._states()
        self._stages(record.stages)
        self._end(end)
        if record.dependencies:
            put_document(self._connection, self._run, "dependencies", dependencies_text(record.dependencies))
        unresolved = len(self._unresolved())
        self._connection.execute(
            """UPDATE run SET graph_known = ?, compiled = ?, without_output = ?, unresolved = ?, members = ?,
               companions = ?, problems = ? WHERE id = ?""",
            (
                record.graph_known,
                compiled_outputs(record),
                len({*record.failed, *record.unreached}),
                unresolved,
                self._sets.put(members, ())
                if member_set is None and (record.graph_known or unresolved)
                else member_set,
                companions,
                json.dumps([*record.problems, *self._outputs.problems]),
                self._run,
            ),
        )

    def _skipped_links(self, skipped: Members, members: Members) -> Members:
        """The outputs of links that were not made again and whose packages nothing else of this run names.

        A link's action id is made of content ids: it stays the same when a package was compiled anew with the same
        content (a comment), and its stored set then names the package's older output.
        """
        rows = self._connection.all(
            "SELECT id, package FROM output WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([*skipped, *members]),),
        )
        named = {package for identity, package in rows if identity in members and package is not None}
        return frozenset(
            identity for identity, package in rows if identity in skipped and package not in named
        )

    def _links(self, programs: tuple[ProgramRecord, ...]) -> Members:
        """Keeps the programs' links; gives the stored members of those that this run did not link itself."""
        skipped: set[int] = set()
        for program in programs:
            link, members = self._link(program)
            if not program.members:
                skipped |= self._sets.outputs(members)
            self._connection.execute(
                "INSERT OR REPLACE INTO run_link (run, link, linked, failed) VALUES (?, ?, ?, ?)",
                (self._run, link, program.linked, program.failed),
            )
        return frozenset(skipped)

    def _link(self, program: ProgramRecord) -> tuple[int, int]:
        """A program's link row and its member set: the stored one where this run skipped the link or saw less."""
        row = program.action and self._connection.one(
            "SELECT id, members, complete FROM link WHERE action = ?", (program.action,)
        )
        complete = program.complete and bool(program.members)
        if row and (row[2] or not complete):
            return int(row[0]), int(row[1])
        outputs = frozenset(self._ids[build.action] for _, build in program.members)
        package = self._names.package(program.package)
        bases = [*self._sets.link_bases(package), *self._sets.recent_bases(self._run)]
        members = self._sets.put(outputs, bases)
        added = self._names.name_set(program.added) if program.added else None
        if row:
            self._connection.execute(
                "UPDATE link SET members = ?, added = ?, complete = ? WHERE id = ?",
                (members, added, complete, row[0]),
            )
            return int(row[0]), members
        link = self._connection.insert(
            "INSERT INTO link (action, package, members, added, complete) VALUES (?, ?, ?, ?, ?)",
            (program.action, package, members, added, complete),
        )
        return link, members

    def _attempts(self, recorded: list[tuple[OutputRecord, int]], members: Members) -> None:
        """Woven files of compiles that did not end: shown with their run, never counted as an output."""
        self._connection.many(
            "INSERT OR IGNORE INTO run_attempt (run, output) VALUES (?, ?)",
            (
                (self._run, identity)
                for output, identity in recorded
                if not output.finished and output.files and identity not in members
            ),
        )

    def _unresolved(self) -> set[PackageName]:
        """Packages of a program whose archive was gone, so that not even its id is known, and that no member names."""
        gone = {package for program in self._record.programs for package in program.unresolved}
        if not gone:
            return gone
        named = {package for package, _ in self._record.members}
        named.update(package for program in self._record.programs for package, _ in program.members)
        return gone - named - {*self._record.failed, *self._record.unreached}

    def _states(self) -> None:
        states = dict.fromkeys(self._unresolved(), "unresolved")
        states.update(dict.fromkeys(self._record.unreached, "unreached"))
        states.update(dict.fromkeys(self._record.failed, "failed"))
        self._connection.many(
            "INSERT INTO run_package_state (run, package, state) VALUES (?, ?, ?)",
            ((self._run, self._names.package(package), state) for package, state in states.items()),
        )

    def _stages(self, stages: tuple[Stage, ...]) -> None:
        self._connection.many(
            "INSERT INTO stage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    self._run,
                    ordinal,
                    stage.path,
                    stage.nested,
                    self._names.package(stage.package) if stage.package else None,
                    ",".join(stage.kinds),
                    self._ids[stage.build_id.action] if stage.build_id else None,
                    stage.status,
                    stage.wall,
                    stage.cpu,
                    stage.files,
                    stage.bytes,
                    stage.woven,
                    stage.attempt,
                )
                for ordinal, stage in enumerate(stages)
            ),
        )

    def _end(self, end: RunEnd) -> None:
        row = self._connection.must("SELECT started_at, work_state FROM run WHERE id = ?", (self._run,))
        self._connection.execute(
            """UPDATE run SET status = ?, reason = ?, ended_at = ?, duration = ?, exit_code = ?, signal = ?, stdout = ?,
               stderr = ?, inputs_moved = ?, work_tree = coalesce(?, work_tree), work_state = ? WHERE id = ?""",
            (
                str(end.status),
                end.reason,
                to_text(end.ended_at),
                _duration(from_text(row[0]), end.ended_at) if end.timed else None,
                end.exit_code,
                end.signal,
                stored.put(self._connection, end.stdout) if end.stdout else None,
                stored.put(self._connection, end.stderr) if end.stderr else None,
                end.inputs_moved,
                end.work_tree,
                "kept" if end.work_tree else row[1],
                self._run,
            ),
        )
        self._connection.many(
            "INSERT INTO compiler_message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    self._run,
                    ordinal,
                    one.file,
                    one.line,
                    one.column,
                    one.text,
                    one.package,
                    one.declaration,
                    one.code,
                    one.integration,
                    one.aspect,
                    one.certainty,
                )
                for ordinal, one in enumerate(end.messages)
            ),
        )
        write_log_ranges(self._connection, self._run, end.logs)


def write_log_ranges(connection: Connection, run: RunId, ranges: tuple[LogRange, ...]) -> None:
    """Keeps where a run's log lines stand, in place of what was known before."""
    connection.execute("DELETE FROM log_range WHERE run = ?", (run,))
    connection.many(
        'INSERT INTO log_range (run, ordinal, file, inode, start, "end", head) VALUES (?, ?, ?, ?, ?, ?, ?)',
        ((run, n, one.file, one.inode, one.start, one.end, one.head) for n, one in enumerate(ranges)),
    )


def _proven(record: RunRecord) -> list[OutputRecord]:
    """The outputs that the tree tells of. A package that the Go cache served was woven, or not, in a tree that nobody
    saw: its stage here proves nothing.
    """
    cached = {
        one.build_id.action for one in record.stages if one.build_id and one.status is StageStatus.CACHED
    }
    seen = {
        one.build_id.action for one in record.stages if one.build_id and one.status is not StageStatus.CACHED
    }
    return [one for one in record.outputs if one.woven or one.action not in cached - seen]


def _named(record: RunRecord) -> list[tuple[PackageName | None, BuildId]]:
    """Every output that the run names, whether it was recorded or not."""
    named: list[tuple[PackageName | None, BuildId]] = [*record.members]
    for program in record.programs:
        named.extend(program.members)
    named.extend((stage.package, stage.build_id) for stage in record.stages if stage.build_id)
    named.extend((one.package, BuildId(one.action, one.content)) for one in record.outputs if one.action)
    return named


def _duration(start: datetime, end: datetime) -> float:
    """Seconds; never below 0, also when the clock was set back meanwhile."""
    return max(0.0, round((end - start).total_seconds(), 3))
