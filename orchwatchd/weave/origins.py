"""Line by line: what of a woven file stood in the original, and which injection made the rest."""

from __future__ import annotations

from orchwatchd.weave import LineOrigin
from orchwatchd.weave.analysis import analyse


def line_origins(original: bytes | None, woven: bytes, *, synthetic: bool) -> tuple[LineOrigin, ...]:
    """One entry a line of `woven`. Comments and blank lines, which are no tokens, go with the neighbour that they
    follow or precede in the original, or with the injection around them.
    """
    analysis = analyse(original, woven, synthetic=synthetic, lines=True)
    lines = woven.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    marks = [line.lstrip().startswith(b"//line ") for line in lines]
    origins = dict(analysis.origins)
    if original is not None:
        _spread(origins, lines, marks, original.split(b"\n"), analysis.makers)
    _fill(analysis.makers, origins, marks)
    return tuple(
        LineOrigin(
            number + 1,
            origins[number] + 1 if number in origins else None,
            tuple(sorted(analysis.makers.get(number, ()))),
            marks[number],
        )
        for number in range(len(lines))
    )


def _spread(
    origins: dict[int, int],
    lines: list[bytes],
    marks: list[bool],
    originals: list[bytes],
    makers: dict[int, set[int]],
) -> None:
    """Gives lines without tokens the original line beside that of a neighbour, where the text is the same."""
    shown = [number for number in range(len(lines)) if not marks[number]]
    for order, step in ((shown, 1), (shown[::-1], -1)):
        beside = -1 if step > 0 else len(originals)
        for number in order:
            if number in origins:
                beside = origins[number]
            elif number in makers or not 0 <= beside + step < len(originals):
                continue
            elif lines[number].strip() == originals[beside + step].strip():
                beside += step
                origins[number] = beside


def _fill(makers: dict[int, set[int]], origins: dict[int, int], marks: list[bool]) -> None:
    """Comments and blank lines between two lines of one injection are part of it."""
    loose: list[int] = []
    before: set[int] = set()
    for number, mark in enumerate(marks):
        here = makers.get(number)
        if here is None and number not in origins:
            loose += [] if mark else [number]
            continue
        for line in loose:
            if both := before & (here or set()):
                makers[line] = both
        loose, before = [], here or set()
