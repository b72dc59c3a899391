"""Injections derived again from the stored bytes, when the code that derives them has changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from records import Build, Package, count, open_store, record

from orchwatchd.models.record import AttributedInjection
from orchwatchd.models.run import Documents
from orchwatchd.models.stored import FileToDerive
from orchwatchd.query import History
from orchwatchd.store import Store

LIBS = tuple(Package(f"app/lib{n}", spans=n + 1) for n in range(3))
BUILD = Build(packages=LIBS, compiled=LIBS, documents=Documents(configuration='{"aspects": 20}'))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        record(opened, BUILD)
        yield opened


def test_every_file_is_derived_once_with_what_was_stored(store: Store) -> None:
    asked: list[FileToDerive] = []

    def derive(file: FileToDerive) -> tuple[AttributedInjection, ...]:
        asked.append(file)
        package = next(one for one in LIBS if one.name == file.package)
        assert (file.original_data, file.data) == package.sources()
        assert file.configuration == '{"aspects": 20}'
        (first, *_) = package.injections()
        return (replace(first, injection=replace(first.injection, text="found by newer code")),)

    assert store.rederive(1, 1, derive) == 0
    assert store.rederive(2, 1, derive) == 3
    assert store.rederive(2, 1, derive) == 0
    assert len(asked) == 3
    with History.open(store.connection.path) as history:
        assert (history.run(1).modified_files, history.run(1).injections) == (3, 3)
        assert {one.text for file in history.files(1) for one in history.injections(file.id)} == {
            "found by newer code"
        }
    assert store.check() == ()


def test_stopped_in_between_it_goes_on_where_it_was(store: Store) -> None:
    many = tuple(Package(f"more/lib{n}", spans=1) for n in range(120))
    record(store, Build(packages=many, compiled=many), 1)
    done = 0

    def failing(file: FileToDerive) -> tuple[AttributedInjection, ...]:
        nonlocal done
        done += 1
        if done == 110:
            raise KeyboardInterrupt
        return ()

    with pytest.raises(KeyboardInterrupt):
        store.rederive(2, 2, failing)
    assert store.check() == ()
    left = store.connection.must("SELECT count(*) FROM modified_file WHERE weave_version = 1")[0]
    assert left == 123 - 100
    assert store.rederive(2, 2, failing) == left
    assert store.check() == ()


def test_equal_findings_share_what_was_there(store: Store) -> None:
    before = count(store, "injection_set")
    by_name = {one.name: one.injections() for one in LIBS}
    store.rederive(2, 2, lambda file: by_name[file.package])
    assert count(store, "injection_set") == before
