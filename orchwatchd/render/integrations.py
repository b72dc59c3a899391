"""Integrations of a run with their aspects: what they wove, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from orchwatchd.compare.integrations import AspectUse, IntegrationUse

MOST_PACKAGES = 6
WORDS = {True: ("wove", "green"), False: ("nothing", "dim"), None: ("perhaps", "yellow")}


def integrations_report(uses: Sequence[IntegrationUse]) -> Iterator[Text]:
    """Each integration with a line for each aspect."""
    for one in uses:
        word, style = WORDS[one.matched]
        version = f" {one.version}" if one.version else ""
        used = f"{sum(aspect.matched is True for aspect in one.aspects)} of {len(one.aspects)} aspects"
        count = used if one.aspects else "no aspect of its own"
        yield Text.assemble(
            (one.package, "bold"), f"{version}  {count}  ", (word if one.aspects else "", style)
        )
        for aspect in one.aspects:
            yield _aspect(aspect)


def _aspect(aspect: AspectUse) -> Text:
    word, style = WORDS[aspect.matched]
    where = _listed(aspect.packages)
    if aspect.injections:
        where = f"{aspect.injections} in {where}"
    if aspect.possible:
        where += f"{'; ' if where else ''}perhaps in {_listed(aspect.possible)}"
    return Text.assemble(f"  {aspect.key.id:<32} ", (f"{word:<8}", style), f" {where}")


def _listed(packages: Sequence[str]) -> str:
    more = f" and {len(packages) - MOST_PACKAGES} more" if len(packages) > MOST_PACKAGES else ""
    return ", ".join(packages[:MOST_PACKAGES]) + more
