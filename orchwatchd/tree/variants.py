"""Names of the packages of an action graph, test variants included: the graph has only import paths, but
its edges tell variants apart.

A variant `pkg [x.test]` is compiled again because it is, or imports, the package `x` with its in-package
test files. So it is what depends on the `x` that the test main `x.test` was built from. Where `x` itself
was served by the cache and stands alone, nothing tells whether it had test files.
"""

from __future__ import annotations

from collections import defaultdict

from orchwatchd.models.package import UNKNOWN_VARIANT, PackageName
from orchwatchd.tree.actiongraph import Action, ActionGraph

_MAIN_SUFFIX = ".test"


def package_names(graph: ActionGraph) -> dict[int, PackageName]:
    """The name of each package by the id of its `build` action, with the variant where the graph's edges
    tell it.
    """
    builds = {action.id: action for action in graph.of("build")}
    names = {number: PackageName(action.package) for number, action in builds.items()}
    if graph.tests:
        users = _users(builds)
        for main in builds.values():
            if main.package.endswith(_MAIN_SUFFIX) and main.id not in users:
                names.update(_variants(main, builds, users))
    return names


def _users(builds: dict[int, Action]) -> dict[int, list[int]]:
    """For each package the packages that depend on it."""
    users: dict[int, list[int]] = defaultdict(list)
    for number, action in builds.items():
        for dep in action.deps:
            if dep in builds:
                users[dep].append(number)
    return users


def _variants(main: Action, builds: dict[int, Action], users: dict[int, list[int]]) -> dict[int, PackageName]:
    path = main.package.removesuffix(_MAIN_SUFFIX)
    direct = [builds[dep] for dep in main.deps if dep in builds]
    external = [action for action in direct if action.package == f"{path}_test"]
    names = {action.id: PackageName(action.package, main.package) for action in external}
    tested = _one(direct, path) or next(
        (found for test in external if (found := _one_of(test, builds, path))), None
    )
    if tested is None:
        return names
    certain = _is_variant(tested, main, builds, users)
    if certain is False:
        return names
    for number in _reached(tested.id, users):
        if number != main.id and number not in names:
            names[number] = PackageName(builds[number].package, main.package if certain else UNKNOWN_VARIANT)
    return names


def _one(actions: list[Action], path: str) -> Action | None:
    return next((action for action in actions if action.package == path), None)


def _one_of(action: Action, builds: dict[int, Action], path: str) -> Action | None:
    return _one([builds[dep] for dep in action.deps if dep in builds], path)


def _is_variant(
    tested: Action, main: Action, builds: dict[int, Action], users: dict[int, list[int]]
) -> bool | None:
    if any(dep in builds and builds[dep].package == tested.package for dep in tested.deps):
        return True  # Go orders a variant after the plain package where both are built
    if tested.test_files is not None:
        return tested.test_files
    # Only what its own test main is built from can use a variant.
    of_main = _below(main.id, builds)
    return False if any(number not in of_main for number in _reached(tested.id, users)) else None


def _reached(start: int, edges: dict[int, list[int]]) -> set[int]:
    """`start` and everything that the edges lead to from it."""
    seen, waiting = {start}, [start]
    while waiting:
        for number in edges.get(waiting.pop(), ()):
            if number not in seen:
                seen.add(number)
                waiting.append(number)
    return seen


def _below(start: int, builds: dict[int, Action]) -> set[int]:
    """`start` and all packages that it is built from."""
    return _reached(
        start, {number: [dep for dep in action.deps if dep in builds] for number, action in builds.items()}
    )
