"""docs/schema.md says what the schema is: every table, view and column, no other, and every example runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from records import Build, Package, open_store, record

from orchwatchd.query import History

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "schema.md").read_text()
SQLITE_S_OWN = {"sqlite_sequence", "_sqlite_migrations"}
EXAMPLES = re.findall(r"^(.+)\n```sql\n([^`]*)```", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Two runs: a package is woven, then woven anew with one injection more; one package is unknown."""
    std = tuple(Package(f"std{n}") for n in range(9))
    main = Package("app/cmd", spans=1, imports=("log",))
    with open_store(tmp_path_factory.mktemp("history")) as store:
        for number in (1, 2):
            lib = Package("app/lib", version=number, spans=number)
            record(
                store,
                Build(
                    packages=(main, lib, Package("odd"), *std),
                    compiled=(main, lib, *std),
                    programs=("app/cmd",),
                ),
            )
        with History.open(store.connection.path) as opened:
            yield opened


def documented() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        name, _, body = section.partition("\n")
        body = re.split(r"^## ", body, flags=re.MULTILINE)[0]
        lines = [line for line in body.splitlines() if line.startswith("- ")]
        heads = [
            head for line in lines for head in re.findall(r"(?:^- |\. |… |\) )((?:`\w+`, )*`\w+`):", line)
        ]
        found[name] = {column for head in heads for column in re.findall(r"`(\w+)`", head)}
    return found


def test_every_table_and_column_is_described_and_no_other(history: History) -> None:
    names = [
        row[0]
        for row in history.connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        )
    ]
    real = {
        name: {row[1] for row in history.connection.execute(f"PRAGMA table_xinfo({name})")}
        for name in names
        if name not in SQLITE_S_OWN
    }
    assert documented() == real


def test_every_table_is_strict(history: History) -> None:
    rows = history.connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
    )
    assert {name for name, strict in rows if not strict} == {"sqlite_schema", *SQLITE_S_OWN}


@pytest.mark.parametrize(("title", "query"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_every_example_runs_and_finds_something(history: History, title: str, query: str) -> None:
    assert history.sql(query).rows, title


def test_the_examples_say_what_their_titles_promise(history: History) -> None:
    answers = {title: history.sql(query).rows for title, query in EXAMPLES}
    changed = next(rows for title, rows in answers.items() if "differ from the run before" in title)
    assert changed == (("app/lib", "changed", 0),)
    unknown = next(rows for title, rows in answers.items() if "nobody has seen" in title)
    assert unknown == ((1, 1),)


def test_views_agree_with_what_commands_read(history: History) -> None:
    for run in (1, 2):
        files = {(row.package, row.path, row.recorded_in, row.injections) for row in history.files(run)}
        assert (
            set(
                history.sql(
                    f"SELECT package, path, recorded_in, injections FROM v_run_file WHERE run = {run}"
                ).rows
            )
            == files
        )
        packages = {(row.package, row.state) for row in history.packages(run)}
        assert (
            set(history.sql(f"SELECT package, state FROM v_run_package WHERE run = {run}").rows) == packages
        )
        imports = {(row.package, row.kind, one) for row in history.imports(run) for one in row.added}
        assert (
            set(history.sql(f"SELECT package, kind, import FROM v_import WHERE run = {run}").rows) == imports
        )
