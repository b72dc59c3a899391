"""What is derived carries the version of the code that derived it, and is derived again when that changes."""

from __future__ import annotations

from pathlib import Path

from records import Build, Package, record

from orchwatchd.jobs.derive import derive_anew
from orchwatchd.store import Store


def test_what_an_older_version_derived_is_derived_again_once(tmp_path: Path) -> None:
    with Store.open(tmp_path / "history.db") as store:
        woven_package = Package("app/lib", spans=2)
        record(store, Build(packages=(woven_package,), compiled=(woven_package,)))
        woven = store.connection.must("SELECT count(*) FROM modified_file")[0]
        assert woven > 0
        derive_anew(store)
        with store.connection.immediate():
            store.connection.execute("UPDATE modified_file SET weave_version = 0")
        assert derive_anew(store) == woven
        assert derive_anew(store) == 0
        assert store.check() == ()
