"""A comparison narrowed to some packages or one integration: what is asked for is compared, the rest left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from orchwatchd.models.comparison import Side, SidePackage
from orchwatchd.models.package import PackageName


def package_test(patterns: Sequence[str]) -> Callable[[PackageName], bool]:
    """Whether a package is meant by one of the patterns: an import path, `path [variant]`, or `path/...`."""

    def fits(name: PackageName) -> bool:
        return any(_fits(pattern, name) for pattern in patterns)

    return fits


def _fits(pattern: str, name: PackageName) -> bool:
    if pattern.endswith("..."):
        stem = pattern.removesuffix("...")
        return name.path.startswith(stem) or name.path == stem.rstrip("/")
    return pattern in {name.path, str(name)}


def narrow_to_packages(side: Side, patterns: Sequence[str]) -> Side:
    """The side with only these packages. Its programs stay: they tell what may be called added or removed."""
    fits = package_test(patterns)
    return replace(side, packages=tuple(one for one in side.packages if fits(one.name)))


def narrow_to_integration(side: Side, integration: str) -> Side:
    """The side with only the injections of one integration, by its import path or the end of it."""
    return replace(side, packages=tuple(_of(package, integration) for package in side.packages))


def integrations_of_side(side: Side) -> frozenset[str]:
    """The integrations that injections of a side are attributed to."""
    return frozenset(
        one.attribution.integration
        for package in side.packages
        for one in package.injections
        if one.attribution.integration is not None
    )


def unattributed(side: Side) -> int:
    """How many injections of a side name no integration: each may be of any."""
    return sum(
        1 for package in side.packages for one in package.injections if one.attribution.integration is None
    )


def resolve_integration(name: str, known: frozenset[str]) -> tuple[str, ...]:
    """The integrations that `name` can mean: it itself, else those that end with it."""
    if name in known:
        return (name,)
    return tuple(sorted(one for one in known if one.endswith("/" + name) or f"/{name}/" in f"{one}/"))


def _of(package: SidePackage, integration: str) -> SidePackage:
    kept = tuple(one for one in package.injections if one.attribution.integration == integration)
    imports = tuple(entry for entry in package.imports if _belongs(entry[1], integration))
    return replace(package, injections=kept, imports=imports)


def _belongs(path: str, integration: str) -> bool:
    return path == integration or path.startswith(integration + "/")
