"""Tables: what does not fit is folded or left out by name, and never cut."""

from __future__ import annotations

import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from orchwatchd.render.table import Column, Table, answer_table, facts, table

PATH = "example.com/greeter/internal/handlers/http"


def drawn(made: Table, width: int | None) -> list[str]:
    """The lines on a terminal of this width, or (None) in a pipe."""
    out = io.StringIO()
    Console(
        file=out,
        width=width or 30,
        force_terminal=width is not None,
        color_system=None,
        soft_wrap=width is None,
    ).print(made, crop=False)
    return out.getvalue().splitlines()


def three() -> Table:
    return table(
        (
            "run",
            Column("files", right=True, leaves=1),
            Column("took", right=True, leaves=2),
            Column("trigger", text=True),
        ),
        [("#1", 123, "1m38s", PATH), ("#12", None, "0.8s", "")],
    )


def test_a_pipe_gets_a_line_a_row_however_long_and_no_trailing_blanks() -> None:
    assert drawn(three(), None) == [
        "run  files   took  trigger",
        f"#1     123  1m38s  {PATH}",
        "#12      –   0.8s",
    ]
    assert drawn(table(("a", Column("b", text=True)), [("1", "x\ny"), ("2", "z\tz")]), None) == [
        "a  b",
        "1  x y",
        "2  z    z",
    ]


def test_texts_are_folded_first_and_nothing_of_them_is_lost() -> None:
    lines = drawn(three(), 50)
    assert max(map(len, lines)) <= 50
    assert "".join(line[19:] for line in lines[1:-1]) == PATH
    assert "left out" not in " ".join(lines)


def test_columns_leave_in_their_order_and_are_named() -> None:
    assert drawn(three(), 38)[0].split() == ["run", "took", "trigger"]
    note = "1 column left out: files; a wider terminal or --json shows it"
    assert " ".join(" ".join(drawn(three(), 38)).split()).endswith(note)
    assert drawn(three(), 30)[0].split() == ["run", "trigger"]
    note = "2 columns left out: files, took; a wider terminal or --json shows them"
    assert " ".join(" ".join(drawn(three(), 30)).split()).endswith(note)


def test_a_terminal_that_is_too_narrow_for_what_stays_cuts_nothing() -> None:
    lines = drawn(table(("number", "other"), [("1234567", "89")]), 5)
    assert lines == ["number   other", "1234567  89"]


def test_wide_characters_count_twice() -> None:
    lines = drawn(table(("run", "x"), [("#1 📌", "a"), ("#2", "b")]), 80)
    assert len({cell_len(line) for line in lines}) == 1


def test_facts_have_no_heading_and_no_line_for_nothing() -> None:
    assert drawn(facts([("run", "#1"), ("git", ""), ("long name", PATH)]), 80) == [
        "run        #1",
        f"long name  {PATH}",
    ]


def test_an_answer_loses_its_last_columns_first() -> None:
    lines = drawn(answer_table(("id", "path", "n"), [(1, PATH, 123456), (2, None, 7)]), 30)
    assert lines[0].split() == ["id", "path"]
    assert "1 column left out: n" in lines[-2]


KINDS = st.tuples(st.booleans(), st.booleans(), st.integers(0, 3))


@settings(deadline=None)
@given(st.lists(KINDS, min_size=1, max_size=5), st.data(), st.integers(12, 60))
def test_every_cell_is_whole_or_its_column_is_named(
    kinds: list[tuple[bool, bool, int]], data: st.DataObject, width: int
) -> None:
    columns = [Column(f"h{n}", *kind) for n, kind in enumerate(kinds)]
    row = [data.draw(st.text("ab1é世", max_size=30)) for _ in columns]
    lines = drawn(table(columns, [row]), width)
    note = next((n for n, line in enumerate(lines) if "column" in line), len(lines))
    gone = set(re.findall(r"h\d", " ".join(lines[note:])))
    assert gone <= {column.heading for column in columns if column.leaves}
    assert set(lines[0].split()) == {column.heading for column in columns} - gone
    for column, cell in zip(columns, row, strict=True):
        assert column.heading in gone or column.text or any(cell in line for line in lines[1:note])
    if columns and not gone and sum(map(cell_len, row)) + 2 * len(row) < width:
        assert len(lines) == 2
