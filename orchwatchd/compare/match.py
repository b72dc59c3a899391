"""Which injection of one run is which of another: by text first, then in sequence, then across the package
as moved.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from orchwatchd.models.comparison import SideInjection
from orchwatchd.models.injection import InjectionKind

_ALIKE = 0.3  # below this, two injections in one place are one that went and one that came
_NUMBER = re.compile(r"#\d+$")

_LINKS = "synthetic/link_deps_imports.go"
_QUOTED = re.compile(r'"([^"]+)"')

Matched = tuple[SideInjection, SideInjection]


@dataclass(slots=True)
class Matching:
    """Every injection of both sides once: pairs by what became of them, and what is left on either side.

    `repeated` are imports that other files of the package need as well: they are neither added nor removed.
    """

    equal: list[Matched] = field(default_factory=list)
    moved: list[Matched] = field(default_factory=list)
    following: list[tuple[SideInjection | None, SideInjection | None]] = field(default_factory=list)
    changed: list[Matched] = field(default_factory=list)
    removed: list[SideInjection] = field(default_factory=list)
    added: list[SideInjection] = field(default_factory=list)
    repeated: list[SideInjection] = field(default_factory=list)


def _nobody(_path: str) -> bool:
    return False


def match(
    before: Sequence[SideInjection],
    after: Sequence[SideInjection],
    *,
    had: Callable[[str], bool] = _nobody,
    has: Callable[[str], bool] = _nobody,
) -> Matching:
    """Matches the injections of one package. `had` and `has` tell which packages the run before and after is made of,
    whoever imports them.
    """
    result = Matching()
    old = sorted(before, key=_order)
    new = sorted(after, key=_order)
    _match_imports([one for one in old if _is_import(one)], [one for one in new if _is_import(one)], result)
    old, new = [one for one in old if not _is_import(one)], [one for one in new if not _is_import(one)]
    for same in (
        lambda one: (_place(one), one.injection.kind, one.injection.text, _file(one)),
        lambda one: (_place(one), one.injection.kind, one.injection.text),
    ):
        old, new, pairs = _pair(old, new, same)
        for pair in pairs:
            (result.equal if _file(pair[0]) == _file(pair[1]) else result.moved).append(pair)
    old, new, pairs = _pair(old, new, lambda one: (_place(one), one.injection.kind, _shape(one)))
    result.following += pairs
    old, new, changed = _in_sequence(old, new)
    old, new, moved = _elsewhere(old, new)
    result.moved += moved
    result.removed, result.added, result.changed = result.removed + old, result.added + new, changed
    _follow_signatures(result)
    _follow_imports(result, before, after)
    _follow_links(result, had, has)
    return result


def _is_import(one: SideInjection) -> bool:
    return one.injection.kind is InjectionKind.IMPORT


def _order(one: SideInjection) -> tuple[str, int]:
    return _file(one), one.injection.ordinal


def _file(one: SideInjection) -> str:
    """Files of one package differ by their names; folders are those of a module's version, or of a work
    tree.
    """
    return one.file.rpartition("/")[2]


def _place(one: SideInjection) -> str:
    """The declaration without its number: an `init` before it changes that."""
    return _NUMBER.sub("", one.injection.declaration)


def _shape(one: SideInjection) -> str:
    return one.injection.shape or one.injection.text


def _pair(
    old: list[SideInjection], new: list[SideInjection], key: Callable[[SideInjection], Hashable]
) -> tuple[list[SideInjection], list[SideInjection], list[Matched]]:
    """Pairs injections of one key in the order in which they stand; gives what is left of both, and the
    pairs.
    """
    waiting: dict[Hashable, list[SideInjection]] = defaultdict(list)
    for one in new:
        waiting[key(one)].append(one)
    left: list[SideInjection] = []
    pairs: list[Matched] = []
    for one in old:
        found = waiting.get(key(one))
        if found:
            pairs.append((one, found.pop(0)))
        else:
            left.append(one)
    taken = {id(pair[1]) for pair in pairs}
    return left, [one for one in new if id(one) not in taken], pairs


def _match_imports(old: list[SideInjection], new: list[SideInjection], result: Matching) -> None:
    """Imports are a set of the package: a function that moves to another file may take one along or leave
    one there.
    """
    left, right = {one.injection.text for one in old}, {one.injection.text for one in new}
    rest_old, rest_new, pairs = _pair(old, new, lambda one: (one.injection.text, _file(one)))
    result.equal += pairs
    rest_old, rest_new, pairs = _pair(rest_old, rest_new, lambda one: one.injection.text)
    result.equal += pairs
    result.repeated += [one for one in rest_old if one.injection.text in right]
    result.repeated += [one for one in rest_new if one.injection.text in left]
    result.removed += [one for one in rest_old if one.injection.text not in right]
    result.added += [one for one in rest_new if one.injection.text not in left]


def _in_sequence(
    old: list[SideInjection], new: list[SideInjection]
) -> tuple[list[SideInjection], list[SideInjection], list[Matched]]:
    """Pairs what is left within one declaration and kind: the likest first, never across two integrations."""
    groups: dict[Hashable, tuple[list[SideInjection], list[SideInjection]]] = defaultdict(lambda: ([], []))
    for one in old:
        groups[_place(one), one.injection.kind][0].append(one)
    for one in new:
        groups[_place(one), one.injection.kind][1].append(one)
    pairs: list[Matched] = []
    for left, right in groups.values():
        scored = sorted(
            ((_likeness(a, b), -abs(i - j), i, j) for i, a in enumerate(left) for j, b in enumerate(right)),
            key=lambda item: (-item[0], -item[1], item[2], item[3]),
        )
        used_left: set[int] = set()
        used_right: set[int] = set()
        for likeness, _, i, j in scored:
            if likeness >= _ALIKE and i not in used_left and j not in used_right:
                used_left.add(i)
                used_right.add(j)
                pairs.append((left[i], right[j]))
    taken = {id(one) for pair in pairs for one in pair}
    return [one for one in old if id(one) not in taken], [one for one in new if id(one) not in taken], pairs


def _likeness(a: SideInjection, b: SideInjection) -> float:
    """From 0 (not one injection) to 2 (the same aspect's, and the same text)."""
    left, right = a.attribution, b.attribution
    if left.integration and right.integration and left.integration != right.integration:
        return 0.0
    same_aspect = left.aspect is not None and left.aspect == right.aspect
    ratio = SequenceMatcher(None, _shape(a).split(), _shape(b).split(), autojunk=False).ratio()
    return ratio + same_aspect


def _elsewhere(
    old: list[SideInjection], new: list[SideInjection]
) -> tuple[list[SideInjection], list[SideInjection], list[Matched]]:
    """Pairs texts that left one declaration and stand in another, where it is clear which is which."""

    def key(one: SideInjection) -> Hashable:
        return one.injection.kind, one.injection.text

    def alone(side: list[SideInjection]) -> set[Hashable]:
        return {one for one, count in Counter(key(one) for one in side).items() if count == 1}

    clear = alone(old) & alone(new)
    left, right, pairs = _pair(
        [one for one in old if key(one) in clear], [one for one in new if key(one) in clear], key
    )
    rest_old = [*left, *(one for one in old if key(one) not in clear)]
    return rest_old, [*right, *(one for one in new if key(one) not in clear)], pairs


def _follow_signatures(result: Matching) -> None:
    """A signature is woven only to give names to what other injections of the function need: where those
    did not change, a user who names or adds a result is its cause.
    """
    settled = {_place(b) for _, b in (*result.equal, *result.moved) if not _is_import(b)}
    settled |= {_place(b) for _, b in result.following if b is not None}
    open_places = {_place(one) for one in (*result.removed, *result.added) if not _is_signature(one)}
    open_places |= {_place(b) for _, b in result.changed if not _is_signature(b)}
    follows = settled - open_places
    for pair in [pair for pair in result.changed if _is_signature(pair[0]) and _place(pair[0]) in follows]:
        result.changed.remove(pair)
        result.following.append(pair)
    for one in [one for one in result.removed if _is_signature(one) and _place(one) in follows]:
        result.removed.remove(one)
        result.following.append((one, None))
    for one in [one for one in result.added if _is_signature(one) and _place(one) in follows]:
        result.added.remove(one)
        result.following.append((None, one))


def _is_signature(one: SideInjection) -> bool:
    return one.injection.kind is InjectionKind.SIGNATURE


def _follow_imports(
    result: Matching, before: Sequence[SideInjection], after: Sequence[SideInjection]
) -> None:
    """Where injected code uses a package on both sides and only one side's import is injected, the user
    imports it himself on the other.
    """
    used = used_packages(before) & used_packages(after)
    for one in [one for one in result.removed if _is_import(one) and one.injection.text.strip('"') in used]:
        result.removed.remove(one)
        result.following.append((one, None))
    for one in [one for one in result.added if _is_import(one) and one.injection.text.strip('"') in used]:
        result.added.remove(one)
        result.following.append((None, one))


def _follow_links(result: Matching, had: Callable[[str], bool], has: Callable[[str], bool]) -> None:
    """The file that Orchestrion adds to a program imports what injected code needs and nothing imports yet: where a
    package is linked all the same, it is the user who imports it, or no longer does.
    """
    for one in [one for one in result.removed if _is_link(one) and has(_path(one))]:
        result.removed.remove(one)
        result.following.append((one, None))
    for one in [one for one in result.added if _is_link(one) and had(_path(one))]:
        result.added.remove(one)
        result.following.append((None, one))


def _is_link(one: SideInjection) -> bool:
    return _is_import(one) and one.file.endswith(_LINKS)


def _path(one: SideInjection) -> str:
    quoted = _QUOTED.search(one.injection.text)
    return quoted[1] if quoted else ""


def used_packages(side: Sequence[SideInjection]) -> set[str]:
    """The words of injected code, among them the import paths of the packages that it uses."""
    return {word for one in side if not _is_import(one) for word in one.injection.text.split(" ")}
