"""The set of a build's inputs: pure answers about which paths belong to it, and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath

from pathspec import GitIgnoreSpec

from orchwatchd.inputs import embed
from orchwatchd.inputs.rule import BaseOnly, PackageRule, skipped_by_patterns
from orchwatchd.models.watching import Explanation, InputKind, Reason


@dataclass(frozen=True, slots=True)
class InputPackage:
    """A package whose files are neither Go's own nor in the module cache.

    `embeds` are its patterns (those of its tests too where tests are built), `ignored` the names of its files that
    build constraints leave out today.
    """

    path: str
    directory: str
    main: bool = False
    embeds: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputSet:
    """The inputs of one build command. All paths are absolute.

    `bases` are the folders below which every Go file counts (`./...`), `modules` the folders of the local modules,
    `own_modules` those that patterns reach (the main module, or the workspace's), `explicit` single files with their
    reasons, `private` what is orchwatchd's own, `problems` what the Go command complained of. `complete` is False
    where it could not tell all, and the set is wider than the truth.
    """

    root: str
    packages: tuple[InputPackage, ...] = ()
    bases: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    own_modules: tuple[str, ...] = ()
    explicit: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    private: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tests: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    complete: bool = True

    def widened(self, problem: str) -> InputSet:
        """The same with every Go file of every local module, because the Go command could not say what it needs."""
        bases = tuple(sorted({*self.bases, *self.modules}))
        return replace(self, bases=bases, problems=(problem,), complete=False)

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """The directories where a walk over all inputs starts."""
        tops = {self._top(directory) for directory in self._wanted}
        if self.include:
            tops.add(self.root)
        return tuple(sorted(tops))

    def rule(self, directory: str) -> BaseOnly | PackageRule | None:
        """The rule of `directory`, None when it can hold no input."""
        if self.is_private(directory):
            return None
        package = self._by_directory.get(directory)
        names = self._explicit_names.get(directory, frozenset())
        embeds = self._embeds_at(directory)
        testdata = self._is_testdata(directory)
        base = self.is_base(directory)
        if package is None and not (
            names or embeds or testdata or self._include or self._exclude or self.private
        ):
            return BaseOnly(self, directory, base)
        return PackageRule(self, directory, package, names, embeds, base=base, testdata=testdata)

    def explain(self, path: str) -> Explanation:
        """Whether the file at the absolute `path` is an input of the build, why, and of which packages.

        The file need not exist. Looks on disk only for a `go.mod` that makes its folder another module's.
        """
        directory, _, name = path.rpartition("/")
        if self.is_private(path):
            return Explanation(path, (), "it is orchwatchd's own")
        if self._exclude is not None and self._exclude.match_file(self.relative(path)):
            return Explanation(path, (), "watch.exclude leaves it out")
        if (foreign := self._foreign_module(directory)) and path not in self.explicit:
            return Explanation(
                path, (), f"it belongs to the module in {foreign}, which the build does not use"
            )
        reasons = [*self.explicit.get(path, ()), *self._source_reasons(directory, name)]
        reasons += [
            Reason(InputKind.EMBEDDED, (package,), f"//go:embed {pattern.text}")
            for package, pattern, parts in self._embeds_at(directory)
            if embed.matches(pattern, (*parts, name))
        ]
        if self._is_testdata(directory):
            reasons.append(Reason(InputKind.TESTDATA))
        if self.is_included(path):
            reasons.append(Reason(InputKind.INCLUDED, (), "watch.include"))
        return Explanation(path, tuple(reasons), None if reasons else self._why_not(directory, name))

    def is_private(self, path: str) -> bool:
        """Whether the path is orchwatchd's own: state, logs, work trees, caches."""
        return any(path == own or path.startswith(own + "/") for own in self.private)

    def is_included(self, path: str) -> bool:
        """Whether `watch.include` takes the file."""
        return self._include is not None and self._include.match_file(self.relative(path))

    def is_excluded(self, path: str) -> bool:
        """Whether the file is left out, whatever else speaks for it."""
        return self.is_private(path) or (
            self._exclude is not None and self._exclude.match_file(self.relative(path))
        )

    def is_chain(self, directory: str) -> bool:
        """Whether the directory, or one below it, is named by the build."""
        return directory in self._chain

    def is_base(self, directory: str) -> bool:
        """Whether every Go file in the directory counts, because a pattern such as `./...` reaches it."""
        known = self._base_memo.get(directory)
        if known is None:
            known = self._base_memo[directory] = self._find_base(directory)
        return known

    def relative(self, path: str) -> str:
        """The path below the project's folder; an absolute one stays where it lies elsewhere."""
        return path[len(self.root) + 1 :] if path.startswith(self.root + "/") else path

    def _find_base(self, directory: str) -> bool:
        if directory in self.bases:
            return True
        if directory in self.modules and directory not in self.own_modules:
            return False
        parent, _, name = directory.rpartition("/")
        return bool(parent) and not skipped_by_patterns(name) and self.is_base(parent)

    def _source_reasons(self, directory: str, name: str) -> list[Reason]:
        rule = self.rule(directory)
        if rule is None or not rule.is_source(name):
            return []
        package = self._by_directory.get(directory)
        if package is None:
            detail = "of no package of the build now: new, or build constraints leave out its whole folder"
            return [Reason(InputKind.SOURCE, (), detail)]
        if name == "default.pgo":
            return [Reason(InputKind.PROFILE, (package.path,))]
        kind = InputKind.SOURCE if name.endswith(".go") else InputKind.NATIVE
        detail = "build constraints leave it out now" if name in package.ignored else ""
        return [Reason(kind, (package.path,), detail)]

    def _foreign_module(self, directory: str) -> str | None:
        """The folder of a module around the directory that is none of the build's; a walk would stop there."""
        while directory and directory not in self.modules and not self.is_chain(directory):
            if os.path.isfile(directory + "/go.mod"):  # noqa: PTH113 paths are texts here
                return directory
            directory = directory.rpartition("/")[0]
        return None

    def _why_not(self, directory: str, name: str) -> str:
        if name.endswith("_test.go") and not self.tests:
            return "it is a test, and the configured command does not test"
        if name.startswith((".", "_")):
            return "the Go command passes over names that start with . or _"
        if self._by_directory.get(directory) is not None:
            return "its package is built, but neither compiles nor embeds it"
        if self.is_base(directory):
            return "no Go source, and no package embeds it"
        return "no package of the build lies in its folder"

    def _embeds_at(self, directory: str) -> tuple[tuple[str, embed.EmbedPattern, tuple[str, ...]], ...]:
        """The patterns of the packages in and above the directory, with its path below their folders."""
        found = []
        parts: tuple[str, ...] = ()
        current = directory
        while current:
            package = self._embedders.get(current)
            if package is not None:
                found += [
                    (package.path, pattern, parts)
                    for pattern in map(embed.parse, package.embeds)
                    if embed.may_lie_below(pattern, parts)
                ]
            if current in self.modules:
                break
            current, _, name = current.rpartition("/")
            parts = (name, *parts)
        return tuple(found)

    def _is_testdata(self, directory: str) -> bool:
        """Whether the directory is the `testdata` of a package whose tests are built, or lies below one."""
        if not self.tests:
            return False
        above, found, _ = (directory + "/").partition("/testdata/")
        while found:
            if above in self._by_directory:
                return True
            rest = (directory + "/")[len(above) + len(found) :]
            deeper, found, _ = rest.partition("/testdata/")
            above = f"{above}/testdata/{deeper}"
        return False

    @cached_property
    def _by_directory(self) -> dict[str, InputPackage]:
        return {package.directory: package for package in self.packages}

    @cached_property
    def _embedders(self) -> dict[str, InputPackage]:
        return {package.directory: package for package in self.packages if package.embeds}

    @cached_property
    def _explicit_names(self) -> dict[str, frozenset[str]]:
        names: dict[str, set[str]] = {}
        for path in self.explicit:
            directory, _, name = path.rpartition("/")
            names.setdefault(directory or "/", set()).add(name)
        return {directory: frozenset(found) for directory, found in names.items()}

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset({*self._by_directory, *self._explicit_names, *self.bases})

    @cached_property
    def _chain(self) -> frozenset[str]:
        """Every wanted directory with the way to it from where its walk starts."""
        chain: set[str] = set()
        for directory in self._wanted:
            top = self._top(directory)
            current = directory
            while current not in chain:
                chain.add(current)
                if current == top:
                    break
                current = str(PurePath(current).parent)
        return frozenset(chain)

    def _top(self, directory: str) -> str:
        """The folder of the outermost local module around the directory, else the directory itself."""
        around = [module for module in self.modules if (directory + "/").startswith(module + "/")]
        return min(around, key=len, default=directory)

    @cached_property
    def _base_memo(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _include(self) -> GitIgnoreSpec | None:
        return _spec(self.include)

    @cached_property
    def _exclude(self) -> GitIgnoreSpec | None:
        return _spec(self.exclude)


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec | None:
    lines = tuple(patterns)
    return GitIgnoreSpec.from_lines(lines) if lines else None
