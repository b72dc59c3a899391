"""Tables of which nothing is lost unsaid: in a pipe a line a row, however long; on a terminal as much as its width
takes, and what had to be left out by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

GAP = 2
LEAST_TEXT = 20
"""A text that is longer keeps at least this width while a less important column can leave for it."""

_FLOOR = 8
_SPACES = str.maketrans("\n\r\t", "   ")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: numbers stand to the `right`; a `text` (a path, a sentence) is folded where the width does not suffice,
    all else is never folded or cut. Columns leave in the order of `leaves`, 1 first; with 0 a column stays.
    """

    heading: str
    right: bool = False
    text: bool = False
    leaves: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Cells under columns; made by `table`, `facts` and `answer_table`."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    headings: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, each as wide as it is: whoever prints them must not crop."""
        widths = [max(map(_width, cells), default=0) for cells in self._by_column()]
        if not console.is_terminal:
            yield from self._lines(console, dict(enumerate(widths)), fold=False)
            return
        shown = _fit(self.columns, widths, options.max_width)
        yield from self._lines(console, shown, fold=True)
        gone = [column.heading for index, column in enumerate(self.columns) if index not in shown]
        if gone:
            many = len(gone) != 1
            yield Text(
                f"{len(gone)} column{'s' if many else ''} left out: {', '.join(gone)};"
                f" a wider terminal or --json shows {'them' if many else 'it'}",
                style="dim",
            )

    def _by_column(self) -> Iterator[list[Text]]:
        for index in range(len(self.columns)):
            yield [row[index] for row in self._all()]

    def _all(self) -> Iterator[tuple[Text, ...]]:
        if self.headings:
            yield tuple(Text(column.heading, style="bold") for column in self.columns)
        yield from self.rows

    def _lines(self, console: Console, widths: dict[int, int], *, fold: bool) -> Iterator[Text]:
        for row in self._all():
            cells = {index: _cell_lines(console, row[index], width, fold) for index, width in widths.items()}
            for number in range(max(map(len, cells.values()), default=0)):
                line = Text(no_wrap=True, overflow="ignore")
                for place, (index, width) in enumerate(widths.items()):
                    cell = cells[index][number] if number < len(cells[index]) else Text()
                    before = width - cell.cell_len if self.columns[index].right else 0
                    line.append(" " * (before + (GAP if place else 0)))
                    line.append_text(cell)
                    line.append(" " * (width - cell.cell_len - before))
                line.rstrip()
                yield line


def table(columns: Sequence[str | Column], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table. A column that is a mere heading stays and is never folded; cells are text or rich.Text, None
    shows as `–`.
    """
    return Table(
        tuple(Column(column) if isinstance(column, str) else column for column in columns),
        tuple(tuple(map(_cell, row)) for row in rows),
    )


def facts(rows: Sequence[tuple[str, object]]) -> Table:
    """Names and what is to be said of each; a fact without a value has no line."""
    cells = tuple((Text(name, style="bold"), _cell(value)) for name, value in rows if value)
    return Table((Column("name"), Column("value", text=True)), cells, headings=False)


def answer_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table of which nothing is known but what stands in it: the last columns leave first."""
    columns = []
    for index, heading in enumerate(headings):
        text = any(isinstance(row[index], str) and len(str(row[index])) > LEAST_TEXT for row in rows)
        columns.append(Column(heading, text=text, leaves=len(headings) - index if index else 0))
    return table(columns, rows)


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text("–" if value is None else str(value).replace("\t", "    "))


def _width(cell: Text) -> int:
    return max((line.cell_len for line in cell.split("\n")), default=0)


def _cell_lines(console: Console, cell: Text, width: int, fold: bool) -> Sequence[Text]:
    if not fold:
        cell = cell.copy()
        cell.plain = cell.plain.translate(_SPACES)
        return [cell]
    return [*cell.wrap(console, max(width, 1), overflow="fold")] or [Text()]


def _fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> dict[int, int]:
    """Which columns are shown, and how wide. Only texts become narrower than they are."""
    shown = list(range(len(columns)))
    least = [
        min(width, max(LEAST_TEXT, len(column.heading))) if column.text else width
        for column, width in zip(columns, widths, strict=True)
    ]
    while _taken(least[index] for index in shown) > room:
        leaving = [index for index in shown if columns[index].leaves]
        if not leaving or len(shown) == 1:
            break
        shown.remove(min(leaving, key=lambda index: columns[index].leaves))
    texts = [index for index in shown if columns[index].text]
    rest = room - _taken(0 if columns[index].text else widths[index] for index in shown)
    narrow = dict(zip(texts, _shares([widths[index] for index in texts], rest), strict=True))
    return {index: narrow.get(index, widths[index]) for index in shown}


def _taken(widths: Iterator[int]) -> int:
    every = list(widths)
    return sum(every) + GAP * (len(every) - 1)


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """Gives each what it wants, or an equal share of what is left to those that want more."""
    shares = [0] * len(wanted)
    left = room
    for done, index in enumerate(sorted(range(len(wanted)), key=lambda index: wanted[index])):
        shares[index] = min(wanted[index], max(left // (len(wanted) - done), _FLOOR))
        left -= shares[index]
    return shares
