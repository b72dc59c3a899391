"""The comparison of two runs' instrumentation: packages by scope, their injections matched, their imports
as sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchwatchd.compare.match import Matching, match, used_packages
from orchwatchd.compare.scope import Scope, incompleteness
from orchwatchd.models.comparison import (
    Common,
    Comparison,
    ImportChange,
    InjectionChange,
    InjectionChanges,
    PackageChanges,
    PackageState,
    Side,
    SideInjection,
    SidePackage,
)
from orchwatchd.models.package import PackageName
from orchwatchd.models.tree import ImportKind

_UNREACHED = (PackageState.FAILED, PackageState.UNREACHED)


def compare(a: Side, b: Side, common: Common | None = None) -> Comparison:
    """What differs in `b` against `a`. Only what both runs can tell is called a difference; the rest is
    named as unknown, not reached or out of scope. `common` counts what equal action ids left out of both
    sides.
    """
    work = _Work(a, b, common or Common())
    left = {package.name: package for package in a.packages}
    right = {package.name: package for package in b.packages}
    for name in sorted(left.keys() | right.keys()):
        work.package(name, left.get(name), right.get(name))
    return work.finish()


@dataclass(slots=True)
class _Lists:
    added: list[InjectionChange] = field(default_factory=list)
    removed: list[InjectionChange] = field(default_factory=list)
    changed: list[InjectionChange] = field(default_factory=list)
    moved: list[InjectionChange] = field(default_factory=list)
    following: list[InjectionChange] = field(default_factory=list)
    uncertain: list[InjectionChange] = field(default_factory=list)


class _Work:
    def __init__(self, a: Side, b: Side, common: Common) -> None:
        self.a, self.b, self.common = a, b, common
        self.scope = Scope(a, b)
        self.lists = _Lists()
        self.packages: dict[str, list[PackageName]] = {
            state: [] for state in ("added", "removed", "changed", "unknown", "unreached", "out_of_scope")
        }
        self.unchanged_packages = common.packages
        self.unchanged = common.injections
        self.imports_added: list[ImportChange] = []
        self.imports_removed: list[ImportChange] = []

    def package(self, name: PackageName, old: SidePackage | None, new: SidePackage | None) -> None:
        """Puts one package where it belongs."""
        states = {package.state for package in (old, new) if package is not None}
        if PackageState.UNKNOWN in states:
            self.packages["unknown"].append(name)
        elif states & set(_UNREACHED):
            self.packages["unreached"].append(name)
        elif old is not None and new is not None:
            self._both(name, old, new)
        elif old is not None:
            self._one(name, old, "removed", in_scope=self.scope.left(name))
        elif new is not None:
            self._one(name, new, "added", in_scope=self.scope.came(name))

    def _one(self, name: PackageName, package: SidePackage, how: str, *, in_scope: bool) -> None:
        """A package that only one run has."""
        if not in_scope:
            self.packages["out_of_scope"] += [name] if package.injections else []
            return
        removed = how == "removed"
        changes = [
            InjectionChange(name, one if removed else None, None if removed else one)
            for one in package.injections
        ]
        (self.lists.removed if removed else self.lists.added).extend(
            one for one in changes if one.shown.certain
        )
        self.lists.uncertain += [one for one in changes if not one.shown.certain]
        self.packages[how] += [name] if any(one.certain for one in package.injections) else []
        imports = [ImportChange(name, path, kind) for kind, path in sorted(set(package.imports))]
        (self.imports_removed if removed else self.imports_added).extend(imports)

    def _both(self, name: PackageName, old: SidePackage, new: SidePackage) -> None:
        if old.action is not None and old.action == new.action:
            self.unchanged += len(new.injections)
            self.unchanged_packages += bool(new.injections)
            return
        if not old.injections and not new.injections:
            self._imports(name, old, new, own=False)
            return
        matching = match(old.injections, new.injections, had=self.a.may_have, has=self.b.may_have)
        differs = self._injections(name, matching)
        self._imports(name, old, new, own=differs)
        if not differs:
            self.unchanged_packages += 1
        elif not old.injections or not new.injections:
            self.packages["added" if new.injections else "removed"].append(name)
        else:
            self.packages["changed"].append(name)

    def _imports(self, name: PackageName, old: SidePackage, new: SidePackage, *, own: bool) -> None:
        """Files what is imported otherwise: `own` says whether the package's own instrumentation differs.

        Where it does not, an import that the other run has anyway is the user's doing: he imports the package
        himself, or no longer does. So it is where injected code uses the package on both sides.
        """
        before, after = set(old.imports), set(new.imports)
        used = used_packages(old.injections) & used_packages(new.injections)
        for changes, entries, other in (
            (self.imports_removed, before - after, self.b),
            (self.imports_added, after - before, self.a),
        ):
            found = [(kind, path) for kind, path in sorted(entries) if path not in used]
            # An import configuration has what the added imports need in their turn: alone, it tells no more than those.
            explained = own and any(kind is not ImportKind.IMPORTCFG for kind, _ in found)
            changes += [
                ImportChange(name, path, kind)
                for kind, path in found
                if explained or not other.may_have(path)
            ]

    def _injections(self, name: PackageName, matching: Matching) -> bool:
        """Files the injections of one package; whether its instrumentation differs."""
        self.unchanged += len(matching.equal) + len(matching.repeated)
        moved = [InjectionChange(name, old, new) for old, new in matching.moved]
        self.lists.moved += moved
        self.lists.following += [InjectionChange(name, old, new) for old, new in matching.following]
        differs = any(not one.same_declaration for one in moved)
        for listed, changes in (
            (self.lists.removed, [InjectionChange(name, one, None) for one in matching.removed]),
            (self.lists.added, [InjectionChange(name, None, one) for one in matching.added]),
            (self.lists.changed, [InjectionChange(name, old, new) for old, new in matching.changed]),
        ):
            certain = [one for one in changes if _certain(one)]
            listed.extend(certain)
            differs = differs or bool(certain)
            self.lists.uncertain += [one for one in changes if not _certain(one)]
        return differs

    def programs(self) -> None:
        """Files what injected code links into the programs that both runs linked."""
        others = {program.name: program for program in self.b.programs if program.linked}
        for old in self.a.programs:
            new = others.get(old.name)
            if old.linked and new is not None:
                kind = ImportKind.IMPORTCFG_LINK
                self.imports_removed += [ImportChange(old.name, path, kind) for path in old.injected_only]
                self.imports_added += [ImportChange(old.name, path, kind) for path in new.injected_only]

    def finish(self) -> Comparison:
        self.programs()
        lists = self.lists
        incomplete = [*incompleteness(self.a), *incompleteness(self.b)]
        if lists.uncertain:
            count = len(lists.uncertain)
            incomplete.append(
                f"{count} injection{'s' * (count != 1)} may be the user's own edit: the original is not certain"
            )
        return Comparison(
            a=self.a.run,
            b=self.b.run,
            packages=PackageChanges(
                **{state: tuple(names) for state, names in self.packages.items()},
                unchanged=self.unchanged_packages,
            ),
            injections=InjectionChanges(
                added=_sorted(lists.added),
                removed=_sorted(lists.removed),
                changed=_sorted(lists.changed),
                moved=_sorted(lists.moved),
                following=_sorted(lists.following),
                uncertain=_sorted(lists.uncertain),
                unchanged=self.unchanged,
            ),
            imports_added=tuple(sorted(self.imports_added)),
            imports_removed=tuple(sorted(self.imports_removed)),
            incomplete=tuple(incomplete),
        )


def _certain(change: InjectionChange) -> bool:
    return all(one.certain and not one.injection.by_marks for one in (change.before, change.after) if one)


def _sorted(changes: list[InjectionChange]) -> tuple[InjectionChange, ...]:
    def order(change: InjectionChange) -> tuple[PackageName, str, int]:
        shown: SideInjection = change.shown
        return change.package, shown.file, shown.injection.ordinal

    return tuple(sorted(changes, key=order))
