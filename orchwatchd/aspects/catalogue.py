"""Which integrations exist besides the enabled ones: the table that dd-trace-go ships, of the version in use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchwatchd.models.aspect import PackageLocation

_TRACER = "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
_TABLE = "contrib/supported_integrations.md"
_LINK = re.compile(r"\[[^\]]*\]\(https://pkg\.go\.dev/([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class KnownIntegration:
    """An integration of dd-trace-go: the package that it traces, its own import path, the versions of the package that
    it was tested with (empty where the table has none), and whether Orchestrion can weave it.
    """

    traced: str
    package: str
    oldest: str
    newest: str
    woven: bool

    @property
    def line(self) -> str:
        """The line that enables it in `orchestrion.tool.go`."""
        return f'_ "{self.package}"'


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The known integrations; `version` of dd-trace-go, None (and no integrations) where it is no dependency."""

    version: str | None = None
    integrations: tuple[KnownIntegration, ...] = ()


def read_catalogue(locate: Callable[[Sequence[str]], Mapping[str, PackageLocation]]) -> Catalogue:
    """The catalogue of the dd-trace-go that the build uses; empty where there is none or it ships no table."""
    place = locate([_TRACER]).get(_TRACER)
    if place is None or place.folder is None:
        return Catalogue()
    try:
        text = (place.folder.parents[1] / _TABLE).read_text(encoding="utf-8", errors="replace")
    except (OSError, IndexError):
        return Catalogue(place.version)
    return Catalogue(place.version, parse_table(text))


def parse_table(text: str) -> tuple[KnownIntegration, ...]:
    """Reads the Markdown table; rows of another form are left out."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        links = [_LINK.search(cell) for cell in cells[:2]]
        if len(cells) < 5 or not (links[0] and links[1]):
            continue
        oldest, newest = ("" if "N/A" in cell else cell.strip("`") for cell in cells[2:4])
        found.append(KnownIntegration(links[0][1], links[1][1], oldest, newest, woven="check" in cells[4]))
    return tuple(found)


def integrations_for(
    catalogue: Catalogue, package: str, enabled: Iterable[str] = ()
) -> tuple[KnownIntegration, ...]:
    """Integrations of the package itself or of the nearest package above it that are not among `enabled`."""
    fitting = [
        one for one in catalogue.integrations if package == one.traced or package.startswith(one.traced + "/")
    ]
    longest = max((len(one.traced) for one in fitting), default=0)
    known = set(enabled)
    return tuple(one for one in fitting if len(one.traced) == longest and one.package not in known)
