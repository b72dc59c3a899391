"""One step in the history of a package: what of its injections came, went and changed, as `compare` would say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchwatchd.compare.match import Matched, match
from orchwatchd.models.comparison import SideInjection


@dataclass(frozen=True, slots=True)
class Step:
    """What differs; false where nothing does. What moved, followed an edit or is uncertain is no difference."""

    added: tuple[SideInjection, ...] = ()
    removed: tuple[SideInjection, ...] = ()
    changed: tuple[Matched, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def step(
    before: Sequence[SideInjection],
    after: Sequence[SideInjection],
    *,
    had: Callable[[str], bool],
    has: Callable[[str], bool],
) -> Step:
    """The difference between two records of one package (or of one file, or integration, in it). `had` and `has` tell
    which packages the two runs are made of.
    """
    found = match(before, after, had=had, has=has)
    return Step(
        added=tuple(one for one in found.added if _certain(one)),
        removed=tuple(one for one in found.removed if _certain(one)),
        changed=tuple(pair for pair in found.changed if all(map(_certain, pair))),
    )


def _certain(one: SideInjection) -> bool:
    return one.certain and not one.injection.by_marks
