"""Opening a history: missing, empty, newer, older, damaged, locked, full, and beside a writer that is killed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from records import Build, Package, open_store, record

from orchwatchd.errors import DatabaseError
from orchwatchd.query import History
from orchwatchd.store import Store

LIB = Package("app/lib", spans=1)
BUILD = Build(packages=(LIB,), compiled=(LIB,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with open_store(tmp_path) as store:
        record(store, BUILD)
        return store.connection.path


def both(path: Path) -> tuple[DatabaseError, DatabaseError]:
    """The errors that the write side and the read side give."""
    with pytest.raises(DatabaseError) as writing:
        Store.open(path)
    with pytest.raises(DatabaseError) as reading:
        History.open(path).runs()
    return writing.value, reading.value


def test_every_setting_is_in_force(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        settings = ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
        assert [store.connection.must(f"PRAGMA {name}")[0] for name in settings] == ["wal", 2, 1, 0]


def test_a_second_opening_changes_nothing(path: Path) -> None:
    with Store.open(path) as first:
        identity = first.history_id
    before = path.read_bytes()
    with Store.open(path) as second:
        assert second.history_id == identity
        assert second.new_history_id() != identity
    with Store.open(path):
        pass
    assert len(before) == path.stat().st_size


def test_no_history_yet_is_an_empty_one(tmp_path: Path) -> None:
    with History.open(tmp_path / "none" / "history.db") as history:
        assert not history.exists
        assert history.runs() == ()
        assert history.jobs() == ()
        assert history.sql("SELECT count(*) FROM v_run").rows == ((0,),)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_what_is_committed_beside_the_writer(path: Path) -> None:
    with Store.open(path) as store, History.open(path) as history:
        with store.connection.immediate():
            store.connection.execute("UPDATE run SET reason = 'in the middle'")
            assert history.run(1).reason is None
        assert history.run(1).reason == "in the middle"
        with history.snapshot():
            before = history.runs()
            record(store, BUILD, 1)
            assert history.runs() == before
        assert len(history.runs()) == 2


def test_a_reader_cannot_write(path: Path) -> None:
    with History.open(path) as history, pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only"):
        history.connection.execute("DELETE FROM run")


def test_a_newer_history_names_the_program_that_must_run(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('orchwatchd', '0999_later', '')"
        )
        raw.execute("UPDATE meta SET value = '9.9.9' WHERE key = 'written_by'")
    raw.close()
    for error in both(path):
        assert "orchwatchd 9.9.9" in error.message
        assert "run orchwatchd 9.9.9" in (error.hint or "")


def test_an_older_history_is_migrated_by_the_writer_and_refused_by_readers(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.executescript(
            "DROP TABLE log_skip; DROP TABLE log_note; DROP TABLE log_chunk; DROP TABLE log_run"
        )
        raw.execute("DELETE FROM _sqlite_migrations WHERE name = '0003_log'")
    raw.close()
    with pytest.raises(DatabaseError, match="older orchwatchd") as refused:
        History.open(path)
    assert "orchwatchd build" in (refused.value.hint or "")
    with Store.open(path) as store:
        assert store.check() == ()
    with History.open(path) as history:
        assert len(history.runs()) == 1


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM _sqlite_migrations WHERE name = '0003_log'")
        before = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
    raw.close()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Store.open(path)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master").fetchone() == before


@pytest.mark.parametrize("where", [0, 4096 * 3])
def test_a_damaged_history_says_what_to_do_and_stays_as_it_is(path: Path, where: int) -> None:
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xa5" * 4096 * 20)
    before = path.read_bytes()
    for error in both(path):
        assert "damaged" in error.message
        assert "aside" in (error.hint or "")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE notes (text TEXT)",
        "CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        """
        CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT);
        INSERT INTO _sqlite_migrations VALUES ('other', '1');
        CREATE VIEW one AS SELECT 1;
        """,
    ],
)
def test_a_database_of_another_program_is_refused_and_stays_as_it_is(tmp_path: Path, tables: str) -> None:
    path = tmp_path / "history.db"
    foreign = sqlite3.connect(path)
    foreign.executescript(tables)
    foreign.close()
    before = path.read_bytes()
    for error in both(path):
        assert "is no history of orchwatchd" in error.message
        assert "--state" in (error.hint or "")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "left",
    [
        "",
        "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)",
    ],
)
def test_a_history_that_was_left_before_its_first_table_begins_anew(tmp_path: Path, left: str) -> None:
    path = tmp_path / "history.db"
    begun = sqlite3.connect(path)
    begun.executescript(left)
    begun.close()
    with History.open(path) as history:
        assert not history.exists
    with Store.open(path) as store:
        assert record(store, BUILD) == 1


def test_a_folder_in_its_place_is_explained(tmp_path: Path) -> None:
    for error in both(tmp_path):
        assert "cannot be used" in error.message


def test_a_locked_history_is_explained_and_nothing_is_half_written(path: Path) -> None:
    with Store.open(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.connection.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(DatabaseError, match="locked by another program"):
            record(store, BUILD, 1)
        other.execute("ROLLBACK")
        other.close()
        assert record(store, BUILD, 1) == 2


def test_a_full_disk_keeps_nothing_of_the_run_and_the_store_goes_on(path: Path) -> None:
    big = Package("app/big", spans=1, lines=20_000)
    with Store.open(path) as store:
        pages = store.connection.must("PRAGMA page_count")[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(DatabaseError, match="disk is full"):
            record(store, Build(packages=(big,), compiled=(big,)), 1)
        store.connection.execute("PRAGMA max_page_count = 1000000")
        assert [one.id for one in store.unfinished()] == [2]
        assert store.check() == ()
        assert record(store, Build(packages=(big,), compiled=(big,)), 1) == 3


WRITER = """
import sys
from pathlib import Path
from records import Build, Package, record
from orchwatchd.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for number in range(1, 100_000):
        one = tuple(Package(f"app/p{n}", version=number, spans=2, lines=80) for n in range(20))
        print(record(store, Build(packages=one, compiled=one), number), flush=True)
"""


def test_a_writer_killed_in_the_middle_leaves_whole_runs(path: Path) -> None:
    """A run whose end was acknowledged is there with all its files; the one in work is unfinished or not there."""
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(4)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait()
        writer.stdout.close()
        with Store.open(path) as store, History.open(path) as history:
            assert store.check() == ()
            assert {len(history.files(run)) for run in acknowledged} == {20}
            assert set(acknowledged) <= {row.id for row in history.runs(statuses=("ok",))}
            left = {one.id for one in store.unfinished()}
            assert all(run not in left for run in acknowledged)
