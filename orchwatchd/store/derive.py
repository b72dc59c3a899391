"""Owns deriving injections again from the stored bytes, when the code that derives them has changed."""

from __future__ import annotations

from orchwatchd.db.blobs import read_blob
from orchwatchd.db.connection import Connection
from orchwatchd.models.package import PackageName
from orchwatchd.models.record import AttributedInjection
from orchwatchd.models.stored import Derive, FileToDerive
from orchwatchd.store.members import Tally, correct_counters, tally
from orchwatchd.store.names import Names, meaning_of

_BATCH = 50


def rederive(connection: Connection, versions: tuple[int, int], derive_file: Derive) -> int:
    """Derives the injections of every file that other versions derived; gives the number of files.

    Works in transactions of some dozens of outputs: stopped in between, it goes on where it was. An output's files
    change together, so that none is ever half old and half new.
    """
    files = 0
    while True:
        outputs = connection.all(
            """SELECT DISTINCT output FROM modified_file WHERE (weave_version, attribution_version) <> (?, ?)
               LIMIT ?""",
            (*versions, _BATCH),
        )
        if not outputs:
            return files
        with connection.immediate():
            changes = {}
            for (output,) in outputs:
                done, change = _output(connection, output, versions, derive_file)
                files += done
                changes[output] = change
            correct_counters(connection, changes)


def _output(
    connection: Connection, output: int, versions: tuple[int, int], derive_file: Derive
) -> tuple[int, tuple[Tally, Tally]]:
    names = Names(connection)
    before = connection.must("SELECT state, modified_files, injections FROM output WHERE id = ?", (output,))
    rows = connection.all(
        """SELECT f.id, f.path, f.original, f.original_blob, f.blob, f.synthetic, f.original_certain,
                  p.path, p.variant, d.blob
           FROM modified_file AS f JOIN output AS o ON o.id = f.output LEFT JOIN package AS p ON p.id = o.package
           LEFT JOIN run_document AS d ON d.run = f.recorded_run AND d.kind = 'configuration'
           WHERE f.output = ? ORDER BY f.id""",
        (output,),
    )
    everything: list[AttributedInjection] = []
    for row in rows:
        identity, path, original, original_blob, blob, synthetic, certain, package, variant, configuration = (
            row
        )
        found = derive_file(
            FileToDerive(
                package=PackageName(package, variant) if package is not None else None,
                path=path,
                original=original,
                original_data=read_blob(connection.raw, original_blob) if original_blob is not None else None,
                data=read_blob(connection.raw, blob),
                synthetic=bool(synthetic),
                configuration=read_blob(connection.raw, configuration).decode()
                if configuration is not None
                else None,
                original_certain=bool(certain),
            )
        )
        everything.extend(found)
        connection.execute(
            "UPDATE modified_file SET injection_set = ?, weave_version = ?, attribution_version = ? WHERE id = ?",
            (names.injection_set(found), *versions, identity),
        )
    connection.execute(
        "UPDATE output SET injections = ?, meaning = ? WHERE id = ?",
        (len(everything), meaning_of(everything), output),
    )
    return len(rows), (tally(*before), tally(before[0], before[1], len(everything)))
